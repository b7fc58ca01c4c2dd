/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sockname_: socket addresses as people write them: "/run/x.sock", "127.0.0.1:25", "[::1]:25".
 * No names are looked up. */
#ifndef TRANTER_SOCKNAME_H
#define TRANTER_SOCKNAME_H

#include "attr.h"
#include "str.h"

#include <sys/socket.h>

enum {
    SOCKNAME_PATH_MAX = 107, /* bytes of a socket's path (sun_path, without its NUL) */
    SOCKNAME_TEXT_MAX = 46   /* bytes of an address as text, NUL included */
};

/* Read an absolute path (1 to SOCKNAME_PATH_MAX bytes) or "address:port" (IPv4, or IPv6 in
 * brackets; port 1 to 65535; 0 means any free one) into *address, and its length. False, and
 * *address untouched, for anything else. */
bool sockname_parse(struct str text, struct sockaddr_storage *address,
                    socklen_t *length) ATTR_MUST_CHECK;

/* Read an IPv4 or IPv6 address without brackets, the port given apart. False, and *address
 * untouched, for anything else. */
bool sockname_of_ip(struct str ip, uint16_t port, struct sockaddr_storage *address,
                    socklen_t *length) ATTR_MUST_CHECK;

/* Is it an IPv4 or IPv6 address, without brackets? */
bool sockname_is_ip(struct str text);

/* Can it be reached from this machine alone: UNIX, 127.0.0.0/8, ::1? */
bool sockname_is_local(const struct sockaddr *address);

/* The address without its port, "192.0.2.1" or "2001:db8::1"; "" for a UNIX one. */
void sockname_ip(const struct sockaddr *address, char text[SOCKNAME_TEXT_MAX]);

/* Its port; 0 for a UNIX one. */
uint16_t sockname_port(const struct sockaddr *address);

#endif
