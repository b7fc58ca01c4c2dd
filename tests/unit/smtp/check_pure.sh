#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The pure layers call nothing that does I/O, reads a clock, the environment or the locale, and own no writable data: asked
# of their object code. A function of libc that is pure and not yet named here is to be added; anything else is not to be
# called from there.
set -u
NM=${NM:-nm}
base=src/base/libbase.a
failed=0

allowed='mem(cpy|move|set|cmp|chr|rchr|mem)|str(len|cmp|ncmp|chr|rchr|str|cspn|spn|nlen|pbrk)|strcpy|stpcpy|explicit_bzero|free|v?sn?printf|bsearch|qsort|inet_pton'
fortified='__((mem(cpy|move|set)|strcpy|stpcpy|v?snprintf|explicit_bzero)_chk|stack_chk_fail)'
instruments='__(asan|ubsan|sanitizer|sancov|tsan|msan)_.*|_GLOBAL_OFFSET_TABLE_|__start___.*|__stop___.*'

defined() {
    $NM -g --defined-only "$1" | awk 'NF == 3 { print $3 }'
}

# What may be called: what libbase offers, but for what is not pure in it, and the pure layers themselves.
known=$(defined "$base" | grep -Ev '^(log|clock)_'; defined src/mail/libmail.a; defined src/smtp/libsmtp.a)

for library in src/mail/libmail.a src/smtp/libsmtp.a; do
    if [ -z "$(defined "$library")" ]; then
        echo "$library: nothing is defined in it; was it built?"
        failed=1
    fi
    foreign=$($NM -u "$library" | awk '$1 == "U" { print $2 }' | sort -u | grep -vxF -- "$known" |
        grep -Evx -- "$allowed|$fortified|$instruments")
    if [ -n "$foreign" ]; then
        echo "$library calls what is not known to be pure:" $foreign
        failed=1
    fi

    if $NM "$library" | grep -Eq ' __(asan|ubsan|sanitizer_cov)_'; then
        echo "$library: writable data is not looked for: the sanitizers put their own there"
        continue
    fi
    # Read-only after relocation is read-only.
    writable=$($NM -f sysv "$library" | awk -F'|' \
        '{ gsub(/ /, "", $7) } $7 ~ /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*|COMMON)/ && $7 !~ /^\.data\.rel\.ro/ { print $1 }')
    if [ -n "$writable" ]; then
        echo "$library owns writable data:" $writable
        failed=1
    fi
done
exit $failed
