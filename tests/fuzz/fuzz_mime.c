/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A value is read within its bytes, and a boundary is one that a line can be compared with. */
#include "mem.h"
#include "mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str value = {(const char *)data, n};
    struct mime_type type;
    mime_type_parse(&type, value);
    bool has_parts = type.kind == MIME_MULTIPART || type.kind == MIME_DIGEST;
    BUG_ON(has_parts != (type.n_boundary > 0));
    BUG_ON(type.n_boundary > MIME_BOUNDARY_MAX);
    struct str boundary = {type.boundary, type.n_boundary};
    BUG_ON(str_find(boundary, '\n') < boundary.n || str_find(boundary, '\r') < boundary.n);
    BUG_ON(mime_encoding_parse(value) > MIME_ENCODED);
    return 0;
}
