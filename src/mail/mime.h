/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mime_: what Content-Type and Content-Transfer-Encoding say about how a body may be sent
 * (RFC 2045 5.1, 6.1; RFC 2046 5). Values come as they are in the header, folds and comments
 * included. */
#ifndef TRANTER_MIME_H
#define TRANTER_MIME_H

#include "str.h"

enum mime_kind {
    MIME_TEXT, /* text/ anything; message/global and its kin, which may be encoded as a whole
                  (RFC 6532 3.7, RFC 6533 6) */
    MIME_MULTIPART, /* its parts are between boundaries */
    MIME_DIGEST,    /* the same, and a part is a message where it does not say */
    MIME_MESSAGE,   /* message/rfc822: a header and a body */
    MIME_SEALED, /* signed, encrypted, another message/ type, or not understood: an octet that
                    changes breaks it */
    MIME_OTHER   /* a single part that is no text */
};

enum mime_encoding {
    MIME_7BIT,
    MIME_8BIT,
    MIME_BINARY,
    MIME_ENCODED /* quoted-printable, base64, or not known */
};

enum {
    MIME_BOUNDARY_MAX = 250 /* RFC 2046 5.1.1 allows 70 */
};

struct mime_type {
    enum mime_kind kind;
    char boundary[MIME_BOUNDARY_MAX]; /* MULTIPART and DIGEST: 1 to MIME_BOUNDARY_MAX octets */
    size_t n_boundary;
};

/* Read the value of Content-Type. A multipart without a usable boundary is SEALED. */
void mime_type_parse(struct mime_type *type, struct str value);

/* Read the value of Content-Transfer-Encoding. */
enum mime_encoding mime_encoding_parse(struct str value);

#endif
