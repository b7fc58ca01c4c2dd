/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What has to fit is read three times: to learn what is in it, to count what goes out, since
 * the server is told that first, and to send it. */
#include "content.h"

#include "mem.h"

#include <stdlib.h>

enum {
    CHUNKS_A_STEP = 8
};

enum stage {
    LEARN,
    COUNT,
    SEND
};

struct content {
    struct store *store;
    store_id id;
    uint64_t stored_bytes;
    enum stage stage;
    struct fit *fit;   /* NULL: it goes out as it is */
    struct buf chunk;  /* before it fits */
    unsigned n_chunks; /* of this stage */
    uint64_t read_bytes;
    uint64_t out_bytes;
    uint64_t measured_bytes;
    bool is_8bit;
};

struct content *content_new(struct store *store, store_id id, uint64_t stored_bytes,
                            bool is_8bit)
{
    struct content *c = mem_new(sizeof *c);
    c->store = store;
    c->id = id;
    c->stored_bytes = stored_bytes;
    c->stage = SEND;
    c->measured_bytes = stored_bytes;
    c->is_8bit = is_8bit;
    buf_init(&c->chunk, STORE_CHUNK_BYTES);
    return c;
}

void content_free(struct content *c)
{
    if (!c)
        return;
    fit_free(c->fit);
    buf_release(&c->chunk);
    free(c);
}

void content_fit(struct content *c, bool to_7bit)
{
    c->fit = fit_new(to_7bit);
    c->stage = LEARN;
    c->is_8bit = false;
}

/* One chunk of the store, into chunk. */
static enum content_status read_chunk(struct content *c, struct buf *chunk)
{
    ssize_t n = store_read(c->store, c->id, c->n_chunks++, chunk);
    if (n <= 0 || c->read_bytes + (uint64_t)n > c->stored_bytes)
        return CONTENT_BROKEN;
    c->read_bytes += (uint64_t)n;
    return c->read_bytes == c->stored_bytes ? CONTENT_END : CONTENT_MORE;
}

/* The next piece of this stage. */
static enum content_status read_piece(struct content *c, struct buf *out)
{
    if (!c->fit)
        return read_chunk(c, out);
    buf_clear(&c->chunk);
    enum content_status status = read_chunk(c, &c->chunk);
    if (status != CONTENT_BROKEN)
        fit_feed(c->fit, out, buf_str(&c->chunk));
    if (status == CONTENT_END)
        fit_end(c->fit, out);
    return status;
}

static void next_stage(struct content *c)
{
    if (c->stage == COUNT)
        c->measured_bytes = c->out_bytes;
    c->stage++;
    c->n_chunks = 0;
    c->read_bytes = 0;
    c->out_bytes = 0;
}

enum content_status content_measure(struct content *c)
{
    enum content_status status = c->stage == SEND ? CONTENT_END : CONTENT_MORE;
    struct buf out;
    buf_init(&out, CONTENT_PIECE_MAX);
    for (unsigned i = 0; i < CHUNKS_A_STEP && status == CONTENT_MORE; i++) {
        buf_clear(&out);
        status = read_piece(c, &out);
        c->out_bytes += buf_len(&out);
        c->is_8bit = c->is_8bit || !str_is_ascii(buf_str(&out));
        BUG_ON(out.failed);
        if (status != CONTENT_END)
            continue;
        next_stage(c);
        status = c->stage == SEND ? CONTENT_END : CONTENT_MORE;
    }
    buf_release(&out);
    return status;
}

uint64_t content_bytes(const struct content *c)
{
    return c->measured_bytes;
}

bool content_is_8bit(const struct content *c)
{
    return c->is_8bit;
}

struct fit_changes content_changes(const struct content *c)
{
    return c->fit ? fit_changes(c->fit) : (struct fit_changes){.folded = 0};
}

enum content_status content_read(struct content *c, struct buf *out)
{
    BUG_ON(c->stage != SEND);
    enum content_status status = read_piece(c, out);
    c->out_bytes += buf_len(out);
    bool right = status == CONTENT_END ? c->out_bytes == c->measured_bytes
                                       : c->out_bytes <= c->measured_bytes;
    return right ? status : CONTENT_BROKEN;
}
