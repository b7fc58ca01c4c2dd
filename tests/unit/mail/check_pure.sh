#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The mail and smtp layers do no I/O, ask no clock and own no writable globals: of libc they call only what is named here.
set -u
libc='__stack_chk_fail|bcmp|explicit_bzero|fnmatch|free|inet_pton|mem(r?chr|cmp|cpy|mem|move|set)|str(chr|cmp|len|ncmp|rchr|str)|v?snprintf'
allowed="^(($libc)|__($libc)_chk|__(asan|ubsan|sanitizer|sancov|odr_asan)[_a-zA-Z0-9.]*)\$"
faults=0

defined=$(nm -g --defined-only src/base/libbase.a src/mail/libmail.a src/smtp/libsmtp.a |
    awk 'NF == 3 && $3 !~ /^(log|clock)_/ { print $3 }')
[ -n "$defined" ] || { echo "nm tells no symbols of src/*/lib*.a"; exit 99; }

for library in src/mail/libmail.a src/smtp/libsmtp.a; do
    for symbol in $(nm -u "$library" | awk 'NF == 2 { print $2 }' | sort -u | grep -Ev "$allowed"); do
        echo "$defined" | grep -Fqx "$symbol" && continue
        echo "$library calls $symbol, which a pure layer may not"
        faults=1
    done
    globals=$(nm -f sysv "$library" | awk -F'|' '
        $3 ~ /[BbCDdGSs]/ && $1 !~ /^(__odr_asan|__sancov|\.L)/ && $7 !~ /^\.data\.rel\.ro/ { print $1 }')
    for symbol in $globals; do
        echo "$library owns the writable global $symbol"
        faults=1
    done
done
exit $faults
