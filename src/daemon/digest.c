/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "digest.h"

#include "clock.h"
#include "date.h"
#include "log.h"
#include "mem.h"
#include "printable.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    FACT_MAX = 512,   /* bytes of an address or a sentence */
    FAILED_MAX = 3,   /* recipients that are named of each message */
    SETTLE_MS = 2000, /* what died within it may not be in the database yet */
    DAY_MS = 24 * 3600 * 1000
};

static void put_fact(struct buf *out, const char *fact)
{
    printable_put(out, str_of(fact), FACT_MAX);
}

static void put_date(struct buf *out, int64_t wall_ms, int32_t zone_minutes)
{
    char date[DATE_MAX];
    date_rfc5322(date, wall_ms / 1000, zone_minutes);
    buf_puts(out, date);
}

static void put_header(struct buf *out, const struct conf *conf, unsigned n_dead,
                       const char *id, int64_t now_ms, int32_t zone_minutes)
{
    buf_puts(out, "From: Mail Delivery System <MAILER-DAEMON@");
    put_fact(out, conf->domain);
    buf_puts(out, ">\r\nTo: ");
    put_fact(out, conf->admin);
    buf_printf(out, "\r\nSubject: Dead mail on ");
    put_fact(out, conf->hostname);
    buf_printf(out, ": %u message%s\r\nDate: ", n_dead, n_dead == 1 ? "" : "s");
    put_date(out, now_ms, zone_minutes);
    buf_printf(out, "\r\nMessage-ID: <%s.%" PRId64 "@", id, now_ms);
    put_fact(out, conf->hostname);
    buf_printf(out,
               ">\r\nX-Tranter-Report: %s\r\nAuto-Submitted: auto-generated\r\n"
               "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
               "Content-Transfer-Encoding: 8bit\r\n\r\n",
               id);
}

static void put_recipient(struct buf *out, const struct store_recipient *r)
{
    buf_puts(out, "    to <");
    put_fact(out, r->address);
    buf_puts(out, ">\r\n        ");
    put_fact(out, r->fault.text);
    buf_puts(out, "\r\n");
    if (r->fault.reply[0] == '\0')
        return;
    buf_puts(out, "        the server said: ");
    put_fact(out, r->fault.reply);
    buf_puts(out, "\r\n");
}

static void put_message(struct buf *out, const struct store_message *m, int32_t zone_minutes)
{
    char id[STORE_ID_MAX];
    unsigned failed = 0;
    store_id_format(id, m->id);
    buf_printf(out, "\r\n%s, of ", id);
    put_date(out, m->arrival_ms, zone_minutes);
    buf_puts(out, "\r\n    from <");
    put_fact(out, m->sender);
    buf_puts(out, m->report ? ">, a report of this host's\r\n" : ">\r\n");
    for (unsigned i = 0; i < m->n_recipients; i++) {
        const struct store_recipient *r = &m->recipients[i];
        if (r->state == STORE_FAILED && failed++ < FAILED_MAX)
            put_recipient(out, r);
    }
    if (failed > FAILED_MAX)
        buf_printf(out, "    and to %u more\r\n", failed - FAILED_MAX);
}

void digest_write(struct buf *out, const struct conf *conf,
                  struct store_message *const *messages, unsigned n, unsigned n_dead,
                  const char *id, int64_t now_ms, int32_t zone_minutes)
{
    put_header(out, conf, n_dead, id, now_ms, zone_minutes);
    buf_puts(out, "The messages below failed for good, and could not be returned to their\r\n"
                  "senders either. They are kept as dead until keep-dead is over, which is ");
    buf_printf(out, "%" PRId64 " days.\r\nYou are told of each once, and once a day.\r\n\r\n",
               conf->keep_dead_ms / DAY_MS);
    buf_puts(out, "What to do: see what is behind it, with: tranterctl show ID\r\n"
                  "Drop what nobody needs, with: tranterctl remove ID...\r\n"
                  "Or all that is dead, with: tranterctl remove --state dead\r\n");
    for (unsigned i = 0; i < n; i++)
        put_message(out, messages[i], zone_minutes);
    if (n_dead > n)
        buf_printf(out, "\r\nAnd %u more: tranterctl queue --state dead\r\n", n_dead - n);
}

static bool was_sent_today(struct store *store, int64_t now_ms)
{
    struct store_counts counts;
    store_count(store, &counts);
    return counts.dead == 0 || (counts.told_ms <= now_ms && now_ms - counts.told_ms < DAY_MS);
}

static struct store_message *new_message(const struct settle_context *c, int64_t now_ms)
{
    struct store_message *m = mem_new(sizeof *m);
    m->id = store_begin(c->store, now_ms);
    m->sender = mem_strdup("");
    m->n_recipients = 1;
    m->recipients = mem_array(1, sizeof *m->recipients);
    m->recipients[0].address = mem_strdup(c->conf->admin);
    m->uid = geteuid();
    m->gid = getegid();
    m->report = true;
    m->told = true; /* when it fails itself, that is no news for another one */
    m->arrival_ms = now_ms;
    m->next_attempt_ms = now_ms;
    return m;
}

static void send_about(const struct settle_context *c, const store_id *ids, unsigned n_dead,
                       int64_t now_ms)
{
    struct store_message *messages[DIGEST_LISTED_MAX] = {NULL};
    struct store_message *digest = new_message(c, now_ms);
    struct buf content;
    char id[STORE_ID_MAX];
    unsigned n = 0;
    for (unsigned i = 0; i < n_dead && n < DIGEST_LISTED_MAX; i++) {
        messages[n] = store_load(c->store, ids[i]);
        n += messages[n] != NULL;
    }
    store_id_format(id, digest->id);
    buf_init(&content, STORE_REPORT_BYTES_MAX);
    digest_write(&content, c->conf, messages, n, n_dead, id, now_ms,
                 clock_zone_minutes(now_ms));
    BUG_ON(content.failed);
    digest->body_8bit = !str_is_ascii(buf_str(&content));
    log_say(LOG_LEVEL_NOTICE, id,
            "to=<%s>: %u dead message%s told of, with no sender to return to", c->conf->admin,
            n_dead, n_dead == 1 ? "" : "s");
    store_tell(c->store, now_ms - SETTLE_MS, digest, &content, NULL);
    while (n > 0)
        store_message_free(messages[--n]);
}

bool digest_send(const struct settle_context *c)
{
    int64_t now_ms = clock_wall_ms();
    if (!c->conf->admin || was_sent_today(c->store, now_ms))
        return false;
    store_id *ids = mem_array(DIGEST_COUNTED_MAX, sizeof *ids);
    unsigned n = store_untold(c->store, now_ms - SETTLE_MS, ids, DIGEST_COUNTED_MAX);
    if (n)
        send_about(c, ids, n, now_ms);
    free(ids);
    return n > 0;
}
