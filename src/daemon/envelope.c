/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "envelope.h"

#include "address.h"
#include "log.h"
#include "mem.h"
#include "smtp_dsn.h"
#include "tls_name.h"
#include "xtext.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    WAYS_MAX = 4096, /* bytes of what is logged of one message */
    WAY_MAX = 1000   /* of one name */
};

/* A domain in UTF-8 behind an ASCII local part, which goes anywhere in A-labels (S-116). */
static bool has_a_labels(struct tls_name *name, struct str address)
{
    struct str domain = address_domain(address);
    char host[ADDRESS_DOMAIN_MAX + 1];
    if (str_is_ascii(domain) || !str_is_ascii(address_local(address)))
        return false;
    snprintf(host, sizeof host, "%.*s", STR_FMT(domain));
    return tls_name_set(name, host, NULL) == 0;
}

char *envelope_complete(struct str address, const struct conf *conf)
{
    struct tls_name name;
    struct buf room;
    buf_init(&room, ADDRESS_MAX * 2);
    if (has_a_labels(&name, address))
        buf_printf(&room, "%.*s@%s", STR_FMT(address_local(address)), name.text);
    else
        address_complete(&room, address, str_of(conf->domain));
    char *copy = buf_strdup(&room);
    buf_release(&room);
    return copy;
}

static unsigned notify_of(unsigned notify)
{
    return (notify & SMTP_NOTIFY_NEVER ? STORE_NOTIFY_NEVER : 0) |
           (notify & SMTP_NOTIFY_SUCCESS ? STORE_NOTIFY_SUCCESS : 0) |
           (notify & SMTP_NOTIFY_FAILURE ? STORE_NOTIFY_FAILURE : 0) |
           (notify & SMTP_NOTIFY_DELAY ? STORE_NOTIFY_DELAY : 0);
}

/* In ASCII, so that it can go anywhere; NULL for none. */
static char *orcpt_of(struct str orcpt)
{
    struct buf ascii;
    if (orcpt.n == 0)
        return NULL;
    buf_init(&ascii, 4 * SMTP_DSN_ORCPT_MAX);
    smtp_dsn_put_orcpt(&ascii, orcpt);
    char *copy = buf_strdup(&ascii);
    buf_release(&ascii);
    return copy;
}

/* Where a recipient leads. */
struct expansion {
    struct address_set to;
    const struct conf *conf;
    bool aliased;
};

static void on_alias(void *arg, unsigned depth, const struct alias_entry *entry)
{
    struct expansion *x = arg;
    (void)depth;
    (void)entry;
    x->aliased = true;
}

static void on_address(void *arg, unsigned depth, struct str address, enum alias_end end)
{
    struct expansion *x = arg;
    (void)depth;
    if (end == ALIAS_END_NOBODY)
        return;
    x->aliased = x->aliased || end == ALIAS_END_ADMIN;
    char *whole = envelope_complete(address, x->conf);
    address_set_add(&x->to, str_of(whole));
    free(whole);
}

/* "rfc822;" and the recipient as it came, where it leads elsewhere and fits (RFC 3461 4.2). */
static char *own_orcpt(struct str recipient)
{
    struct buf text;
    if (!str_is_ascii(recipient))
        return NULL;
    buf_init(&text, SMTP_DSN_ORCPT_MAX);
    buf_puts(&text, "rfc822;");
    xtext_put(&text, recipient);
    char *copy = text.failed ? NULL : buf_strdup(&text);
    buf_release(&text);
    return copy;
}

static struct store_recipient *next_recipient(struct store_message *m)
{
    /* Grown in powers of two: thousands of recipients are one message's right. */
    if ((m->n_recipients & (m->n_recipients - 1)) == 0)
        m->recipients = mem_resize(m->recipients, m->n_recipients ? m->n_recipients * 2 : 1,
                                   sizeof *m->recipients);
    struct store_recipient *r = &m->recipients[m->n_recipients++];
    *r = (struct store_recipient){.address = NULL};
    return r;
}

static void note_way(struct envelope *e, const char *recipient, const struct expansion *x)
{
    struct buf way;
    if (buf_len(&e->ways) == 0)
        buf_init(&e->ways, WAYS_MAX);
    buf_init(&way, WAY_MAX);
    buf_printf(&way, "orig_to=<%s>, goes to", recipient);
    size_t n = 0;
    for (; n < x->to.n && buf_len(&way) < WAY_MAX - ADDRESS_MAX * 2; n++)
        buf_printf(&way, "%s <%s>", n ? "," : "", x->to.texts[n]);
    if (n < x->to.n)
        buf_printf(&way, " and %zu more", x->to.n - n);
    if (x->to.n == 0)
        buf_puts(&way, " nobody, as the alias file says");
    buf_putc(&way, '\n');
    if (buf_space(&e->ways) >= buf_len(&way))
        buf_put_str(&e->ways, buf_str(&way));
    buf_release(&way);
}

/* The sender wrote to one, and hears of one success (RFC 3461 5.2.7). */
static unsigned without_success(unsigned notify)
{
    unsigned rest = notify & ~(unsigned)STORE_NOTIFY_SUCCESS;
    return notify && !rest ? STORE_NOTIFY_NEVER : rest;
}

static void add_all(struct envelope *e, struct store_message *m, const struct smtp_rcpt *rcpt,
                    const struct expansion *x)
{
    char *whole = envelope_complete(rcpt->address, x->conf);
    unsigned notify = notify_of(rcpt->notify);
    bool first = true;
    for (size_t i = 0; i < x->to.n; i++) {
        struct str address = str_of(x->to.texts[i]);
        if (!address_set_add(&e->to, address))
            continue;
        struct store_recipient *r = next_recipient(m);
        r->address = mem_strndup(address.p, address.n);
        r->notify = first ? notify : without_success(notify);
        first = false;
        r->orcpt = orcpt_of(rcpt->orcpt);
        if (!r->orcpt && x->aliased)
            r->orcpt = own_orcpt(str_of(whole));
    }
    if (x->aliased)
        note_way(e, whole, x);
    free(whole);
}

enum envelope_result envelope_add(struct envelope *e, struct store_message *m,
                                  const struct smtp_rcpt *rcpt, const struct aliases *aliases,
                                  const struct conf *conf)
{
    if (m->n_recipients >= STORE_RECIPIENTS_MAX)
        return ENVELOPE_FULL;
    if (rcpt->invalid.n) {
        struct store_recipient *r = next_recipient(m);
        invalid_add(&e->invalid, r, rcpt->invalid);
        r->notify = notify_of(rcpt->notify);
        r->orcpt = orcpt_of(rcpt->orcpt);
        return ENVELOPE_INVALID;
    }
    struct expansion x = {.conf = conf};
    const struct alias_visitor visitor = {on_alias, on_address, &x};
    aliases_expand(aliases, rcpt->address, rcpt->exact, &visitor);
    bool fits = x.to.n <= STORE_RECIPIENTS_MAX - m->n_recipients;
    if (fits)
        add_all(e, m, rcpt, &x);
    address_set_release(&x.to);
    return fits ? ENVELOPE_TAKEN : ENVELOPE_FULL;
}

void envelope_log(const struct envelope *e, const char *id)
{
    struct str rest = buf_str(&e->ways);
    while (rest.n) {
        struct str way = str_head(rest, str_find(rest, '\n'));
        log_say(LOG_LEVEL_INFO, id, "%.*s", STR_FMT(way));
        rest = str_tail(rest, way.n + 1);
    }
}

void envelope_release(struct envelope *e)
{
    address_set_release(&e->to);
    buf_release(&e->ways);
    invalid_release(&e->invalid);
    *e = (struct envelope){.to.n = 0};
}
