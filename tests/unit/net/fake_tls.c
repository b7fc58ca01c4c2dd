/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fake_tls.h"

#include "mem.h"

#include <stdlib.h>

struct tls {
    struct buf fed, out;
    struct fault fault;
    bool began, secured, closed, ended;
};

static int alive;

struct tls *fake_tls_new(void)
{
    struct tls *t = mem_new(sizeof *t);
    buf_init(&t->fed, 1 << 24);
    buf_init(&t->out, 1 << 24);
    alive++;
    return t;
}

int fake_tls_alive(void)
{
    return alive;
}

void fake_tls_turn(char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)(bytes[i] ^ 0x55);
}

void tls_free(struct tls *t)
{
    if (!t)
        return;
    buf_release(&t->fed);
    buf_release(&t->out);
    free(t);
    alive--;
}

void tls_feed(struct tls *t, const void *bytes, size_t n)
{
    buf_put(&t->fed, bytes, n);
}

void tls_eof(struct tls *t, const char *why)
{
    (void)why;
    t->ended = true;
}

static enum tls_status failed(struct tls *t, const char *code)
{
    fault_set(&t->fault, FAULT_SERVER, "4.7.5", code, "TLS failed");
    return TLS_FAILED;
}

enum tls_status tls_next(struct tls *t, struct buf *plain)
{
    if (!t->began)
        buf_putc(&t->out, 'H');
    t->began = true;
    while (buf_len(&t->fed)) {
        char c = *buf_str(&t->fed).p;
        if (t->secured && (unsigned char)c < FAKE_TLS_BAD && buf_space(plain) == 0)
            return TLS_WANT;
        buf_consume(&t->fed, 1);
        if (!t->secured) {
            t->secured = c == 'S';
            return t->secured ? TLS_SECURED : failed(t, "TLS-HANDSHAKE");
        }
        if ((unsigned char)c == FAKE_TLS_BAD)
            return failed(t, "TLS-BAD");
        if ((unsigned char)c == FAKE_TLS_BYE)
            return TLS_CLOSED;
        fake_tls_turn(&c, 1);
        buf_putc(plain, c);
    }
    return t->ended ? failed(t, "TLS-TRUNCATED") : TLS_WANT;
}

void tls_write(struct tls *t, const void *bytes, size_t n)
{
    BUG_ON(!t->secured);
    size_t before = buf_len(&t->out);
    buf_put(&t->out, bytes, n);
    fake_tls_turn((char *)buf_str(&t->out).p + before, n);
}

void tls_bye(struct tls *t)
{
    buf_putc(&t->out, (char)FAKE_TLS_BYE);
}

struct buf *tls_out(struct tls *t)
{
    return &t->out;
}

const struct fault *tls_fault(const struct tls *t)
{
    return &t->fault;
}
