/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fake_tls_: tls.h without cryptography, so that a test can write both sides of the wire: "H"
 * goes out, "S" comes back, then every byte is one of plain text with its bits 0, 2, 4, 6
 * turned; FAKE_TLS_BYE is close_notify, FAKE_TLS_BAD a broken record. */
#ifndef TRANTER_FAKE_TLS_H
#define TRANTER_FAKE_TLS_H

#include "tls.h"

enum {
    FAKE_TLS_BYE = 0xff,
    FAKE_TLS_BAD = 0xfe
};

struct tls *fake_tls_new(void);

/* From plain to wire, or back, in place. */
void fake_tls_turn(char *bytes, size_t n);

/* Engines not freed yet. */
int fake_tls_alive(void);

#endif
