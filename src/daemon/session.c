/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session is a pump: bytes into the server core, its questions answered by the store, its
 * replies out. Content goes core -> fixup -> chunks; a full chunk goes to the writer thread at
 * once, and the pump stands still while too many are on their way, so that a message of any
 * size passes through constant memory. The session outlives its connection until the store has
 * answered. */
#include "session.h"

#include "address.h"
#include "clock.h"
#include "conn.h"
#include "envelope.h"
#include "fixup.h"
#include "log.h"
#include "mem.h"
#include "smtp_server.h"
#include "waiter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNKS_IN_FLIGHT_MAX = 4,
    LINGER_MS = 2000,
    NETWORK_COMMAND_TIMEOUT_MS = 300 * 1000,
    NETWORK_DATA_TIMEOUT_MS = 120 * 1000
};

struct session {
    struct waiter waiter; /* first: the store's results come to it */
    struct loop *loop;
    struct store *store;
    struct tally *tally;
    const struct aliases *aliases;
    struct conf *conf;
    struct report_limit *limit;
    void (*on_end)(void *owner);
    void *owner;
    struct conn *conn; /* NULL once closed */
    struct smtp_server *smtp;
    bool network;
    uid_t uid;
    gid_t gid;
    pid_t pid;

    struct store_message *message; /* from MAIL to EOM or ABORT */
    struct envelope envelope;      /* whom it goes to */
    store_id message_id;           /* from DATA on, while fixing, as are */
    struct fixup fixup;
    bool fixing;
    bool as_is; /* the message in hand, as XASIS asks */
    struct buf chunk;
    unsigned n_chunks;
    unsigned in_flight;         /* chunks handed to the store and not yet answered */
    enum store_failure failure; /* the first that a chunk met */
    bool committing;

    /* What the log says once the store has it. */
    char id[STORE_ID_MAX];
    char peer[256];
    char *sender;
    uint64_t body_bytes;
    unsigned n_recipients;
};

static void pump(struct session *s);

static void drop_transaction(struct session *s)
{
    if (s->fixing) {
        if (s->n_chunks && s->message)
            store_abort(s->store, s->message->id);
        fixup_release(&s->fixup);
        s->fixing = false;
    }
    store_message_free(s->message);
    s->message = NULL;
    envelope_release(&s->envelope);
    buf_release(&s->chunk);
    s->n_chunks = 0;
    s->body_bytes = 0;
    s->failure = STORE_OK;
    free(s->sender);
    s->sender = NULL;
}

static void free_session(void *object)
{
    struct session *s = object;
    drop_transaction(s);
    smtp_server_free(s->smtp);
    conf_unref(s->conf);
    free(s);
}

/* The connection goes now, the session when the store owes it nothing. */
static void end_session(struct session *s)
{
    if (s->conn)
        conn_close(s->conn, LINGER_MS);
    s->conn = NULL;
    if (s->in_flight || s->committing)
        return;
    s->on_end(s->owner);
    loop_defer(s->loop, free_session, s);
}

static enum store_ret ret_of(enum smtp_ret ret)
{
    static const enum store_ret rets[] = {[SMTP_RET_UNSET] = STORE_RET_UNSET,
                                          [SMTP_RET_FULL] = STORE_RET_FULL,
                                          [SMTP_RET_HDRS] = STORE_RET_HDRS};
    return rets[ret];
}

static void on_mail(struct session *s, const struct smtp_server_event *e)
{
    uint64_t free_bytes = store_free_bytes(s->store);
    uint64_t needed = s->conf->minimum_free_bytes + e->mail.size_bytes;
    if (free_bytes < needed) {
        log_say(
            LOG_LEVEL_WARNING, NULL,
            "new mail refused: %" PRIu64
            " bytes are free on the file system of %s, minimum-free-space asks for %" PRIu64,
            free_bytes, s->conf->spool, s->conf->minimum_free_bytes);
        smtp_server_reply(s->smtp, 452, "4.3.1",
                          "The queue's file system has too little free space "
                          "(minimum-free-space); try later");
        tally_submission(s->tally, TALLY_DEFERRED, 0);
        return;
    }
    s->message = mem_new(sizeof *s->message);
    s->message->uid = s->uid;
    s->message->gid = s->gid;
    s->message->pid = s->pid;
    s->message->sender =
        e->mail.address.n ? envelope_complete(e->mail.address, s->conf) : mem_strdup("");
    s->message->ret = ret_of(e->mail.ret);
    s->message->require_tls = e->mail.require_tls;
    if (e->mail.envid.n)
        s->message->envid = mem_strndup(e->mail.envid.p, e->mail.envid.n);
    s->as_is = e->mail.as_is;
    snprintf(s->message->submission, sizeof s->message->submission, "%.*s",
             STR_FMT(e->mail.xid));
    smtp_server_reply(s->smtp, 250, "2.1.0", "Ok");
}

static void on_rcpt(struct session *s, const struct smtp_server_event *e)
{
    switch (envelope_add(&s->envelope, s->message, &e->rcpt, s->aliases, s->conf)) {
    case ENVELOPE_TAKEN:
        smtp_server_reply(s->smtp, 250, "2.1.5", "Ok");
        break;
    case ENVELOPE_INVALID:
        smtp_server_reply(s->smtp, 250, "2.1.5", "Ok: the sender gets a report");
        break;
    case ENVELOPE_FULL:
        smtp_server_reply(s->smtp, 452, "4.5.3",
                          "Too many recipients: with what the aliases lead to, a message has "
                          "at most %d; send the rest in another",
                          STORE_RECIPIENTS_MAX);
        break;
    }
}

static void set_peer(struct session *s)
{
    char *text = s->peer;
    size_t size = sizeof s->peer;
    const char *name = smtp_server_peer_name(s->smtp);
    if (s->network)
        snprintf(text, size, "%s ([%s])", *name ? name : "unknown", conn_peer_address(s->conn));
    else if (s->uid == (uid_t)-1)
        snprintf(text, size, "%s (local)", *name ? name : "localhost");
    else
        snprintf(text, size, "%s (uid %u)", *name ? name : "localhost", (unsigned)s->uid);
}

static void on_data(struct session *s)
{
    int64_t now_ms = clock_wall_ms();
    s->message_id = s->message->id = store_begin(s->store, now_ms);
    s->message->arrival_ms = now_ms;
    s->message->next_attempt_ms = now_ms;
    store_id_format(s->id, s->message->id);
    set_peer(s);
    buf_init(&s->chunk, 2 * STORE_CHUNK_BYTES + SESSION_HEADER_MAX * 2);
    fixup_init(&s->fixup, &(struct fixup_facts){
                              .hostname = s->conf->hostname,
                              .domain = s->conf->domain,
                              .peer = s->peer,
                              .protocol = smtp_server_protocol(s->smtp),
                              .id = s->id,
                              .sender = s->message->sender,
                              .now_ms = now_ms,
                              .zone_minutes = clock_zone_minutes(now_ms),
                              .header_limit_bytes = SESSION_HEADER_MAX,
                              .as_is = s->as_is,
                          });
    s->fixing = true;
    smtp_server_reply(s->smtp, 250, "2.0.0", "Ok");
}

/* Hand a full chunk to the writer. After a failure content is only counted through: the answer
 * comes at the end. */
static void store_chunk(struct session *s, struct buf *full)
{
    invalid_keep_head(&s->envelope.invalid, buf_str(full));
    s->body_bytes += STORE_CHUNK_BYTES;
    if (s->failure == STORE_OK) {
        store_append(s->store, s->message->id, s->n_chunks++, full, &s->waiter);
        s->in_flight++;
    }
    buf_release(full);
}

static void store_full_chunks(struct session *s)
{
    while (buf_len(&s->chunk) > STORE_CHUNK_BYTES) {
        struct buf full;
        buf_init(&full, STORE_CHUNK_BYTES);
        buf_put(&full, buf_str(&s->chunk).p, STORE_CHUNK_BYTES);
        buf_consume(&s->chunk, STORE_CHUNK_BYTES);
        store_chunk(s, &full);
    }
    if (buf_len(&s->chunk) == STORE_CHUNK_BYTES)
        store_chunk(s, &s->chunk);
}

/* In pieces that fill a chunk, so that its memory is handed on as it is. */
static void on_body(struct session *s, struct str body)
{
    while (body.n > 0) {
        struct str piece = str_head(body, STORE_CHUNK_BYTES - buf_len(&s->chunk));
        if (fixup_feed(&s->fixup, &s->chunk, piece.p, piece.n) != FIXUP_OK) {
            buf_release(&s->chunk);
            return;
        }
        store_full_chunks(s);
        body = str_tail(body, piece.n);
    }
}

static void refuse_message(struct session *s, enum fixup_status status)
{
    if (status == FIXUP_HEADER_LARGE)
        smtp_server_reply(
            s->smtp, 552, "5.3.4",
            "The message header is over %d bytes, or over %d with its addresses completed; put "
            "the text behind a blank line",
            SESSION_HEADER_MAX, 2 * SESSION_HEADER_MAX);
    else
        smtp_server_reply(s->smtp, 554, "5.4.6",
                          "Too many hops: the message has over %d Received fields, or over %d "
                          "of this host's: "
                          "it goes in a circle",
                          FIXUP_RECEIVED_MAX, FIXUP_OWN_MAX);
    tally_submission(s->tally, TALLY_REFUSED, 0);
    drop_transaction(s);
}

static void refuse_storage(struct session *s, enum store_failure failure)
{
    if (failure == STORE_FULL)
        smtp_server_reply(s->smtp, 452, "4.3.1", "The queue's disk is full; try later");
    else
        smtp_server_reply(
            s->smtp, 451, "4.3.0",
            "The queue cannot store the message now; the daemon's log says why; try later");
    tally_submission(s->tally, TALLY_DEFERRED, 0);
    drop_transaction(s);
}

/* Every recipient's alias is /dev/null. */
static void discard(struct session *s)
{
    envelope_log(&s->envelope, s->id);
    log_say(LOG_LEVEL_INFO, s->id, "uid=%u from=<%s>, discarded: nobody is to get it",
            (unsigned)s->uid, s->message->sender);
    smtp_server_reply(s->smtp, 250, "2.0.0", "Ok: nobody is to get it, as the alias file says");
    drop_transaction(s);
}

static void on_eom(struct session *s)
{
    enum fixup_status status = fixup_end(&s->fixup, &s->chunk);
    if (status != FIXUP_OK) {
        refuse_message(s, status);
        return;
    }
    struct store_message *m = s->message;
    if (m->n_recipients == 0) {
        discard(s);
        return;
    }
    store_full_chunks(s);
    if (s->failure != STORE_OK) {
        refuse_storage(s, s->failure);
        return;
    }
    s->body_bytes += buf_len(&s->chunk);
    m->body_bytes = s->body_bytes;
    m->body_8bit = s->fixup.body_8bit;
    m->long_lines = s->fixup.lines.exceeded;
    s->sender = mem_strdup(m->sender);
    s->n_recipients = m->n_recipients;
    s->message = NULL;
    s->committing = true;
    struct store_acceptance a = {.message = m, .n = s->n_chunks, .chunk = s->chunk};
    buf_init(&s->chunk, 0);
    invalid_report(&s->envelope.invalid, s->store, s->conf, s->aliases, s->limit, &a);
    store_accept(s->store, &a, &s->waiter);
}

static void log_accepted(const struct session *s)
{
    tally_submission(s->tally, TALLY_ACCEPTED, s->body_bytes);
    char uid[24] = "", from[ADDRESS_MAX * 2], size[24], nrcpt[16];
    snprintf(from, sizeof from, "<%s>", s->sender);
    snprintf(size, sizeof size, "%" PRIu64, s->body_bytes);
    snprintf(nrcpt, sizeof nrcpt, "%u", s->n_recipients);
    snprintf(uid, sizeof uid, "%u", (unsigned)s->uid);
    char who[sizeof uid + sizeof from + 16];
    if (s->network)
        snprintf(who, sizeof who, "client=localhost[%s]",
                 s->conn ? conn_peer_address(s->conn) : "gone");
    else
        snprintf(who, sizeof who, "uid=%s from=%s", uid, from);
    log_facts(LOG_LEVEL_INFO, s->id, NULL, 0, who);
    log_facts(LOG_LEVEL_INFO, s->id, &(struct log_fact){"message-id", s->fixup.message_id}, 1,
              NULL);
    log_facts(LOG_LEVEL_INFO, s->id,
              (struct log_fact[]){{"from", from}, {"size", size}, {"nrcpt", nrcpt}}, 3,
              "(queue active)");
    envelope_log(&s->envelope, s->id);
    invalid_log(&s->envelope.invalid, s->id);
}

/* The client did not hear our answer the first time, and asked again. */
static void log_repeated(struct session *s, store_id first)
{
    store_id_format(s->id, first);
    log_say(LOG_LEVEL_INFO, s->id,
            "submitted again by uid %u, and kept once: it was queued before", (unsigned)s->uid);
}

/* The first failure is the message's; what follows from it says less. */
static void note_failure(struct session *s, const struct store_result *result)
{
    s->failure = result->failure;
    if (result->failure != STORE_OK)
        log_say(LOG_LEVEL_ERROR, s->id, "not stored: %s", result->reason);
}

static void on_committed(struct session *s, const struct store_result *result)
{
    s->committing = false;
    s->n_chunks = 0; /* they are the message's now, or gone */
    if (result->failure == STORE_OK) {
        if (result->first)
            log_repeated(s, result->first);
        else
            log_accepted(s);
        smtp_server_reply(s->smtp, 250, "2.0.0", "Ok: queued as %s", s->id);
        drop_transaction(s);
    } else {
        if (s->failure == STORE_OK)
            note_failure(s, result);
        refuse_storage(s, s->failure);
    }
}

static void on_result(struct waiter *waiter, const struct store_result *result)
{
    struct session *s = (struct session *)waiter;
    if (result->type == STORE_APPENDED) {
        s->in_flight--;
        if (s->failure == STORE_OK && s->fixing && result->id == s->message_id)
            note_failure(s, result);
    } else if (result->type == STORE_COMMITTED) {
        on_committed(s, result);
    }
    if (s->conn)
        pump(s);
    else
        end_session(s);
}

/* One event of the core. False when the pump must stand still. */
static bool take_event(struct session *s)
{
    struct smtp_server_event e;
    if (s->in_flight >= CHUNKS_IN_FLIGHT_MAX)
        return false;
    switch (smtp_server_next(s->smtp, &e)) {
    case SMTP_SERVER_WAIT:
        return false;
    case SMTP_SERVER_MAIL:
        on_mail(s, &e);
        break;
    case SMTP_SERVER_RCPT:
        on_rcpt(s, &e);
        break;
    case SMTP_SERVER_DATA:
        on_data(s);
        break;
    case SMTP_SERVER_BODY:
        on_body(s, e.body);
        break;
    case SMTP_SERVER_EOM:
        on_eom(s);
        break;
    case SMTP_SERVER_ABORT:
        drop_transaction(s);
        break;
    case SMTP_SERVER_CLOSE:
        conn_write(s->conn, buf_str(smtp_server_out(s->smtp)));
        end_session(s);
        return false;
    }
    return true;
}

static void write_replies(struct session *s)
{
    struct buf *out = smtp_server_out(s->smtp);
    if (buf_len(out)) {
        conn_write(s->conn, buf_str(out));
        buf_consume(out, buf_len(out));
    }
}

static bool must_wait(const struct session *s)
{
    return s->in_flight >= CHUNKS_IN_FLIGHT_MAX || !conn_out_room(s->conn);
}

/* The client is gone and all it sent has been looked at. A message whose end came before is
 * stored, and answered in vain. */
static void take_end(struct session *s)
{
    if (conn_end(s->conn) == CONN_OPEN || must_wait(s) || s->committing ||
        buf_len(conn_in(s->conn)))
        return;
    smtp_server_eof(s->smtp);
    while (s->conn && take_event(s))
        continue;
    if (s->conn)
        end_session(s);
}

/* Until the core has seen all that came, or must wait. A client that does not read its replies
 * is not read either. */
static void pump(struct session *s)
{
    int64_t now = loop_now_ms(s->loop);
    bool fed = true;
    while (s->conn && fed) {
        while (s->conn && conn_out_room(s->conn) && take_event(s))
            write_replies(s);
        if (!s->conn || must_wait(s))
            break;
        fed = smtp_server_take(s->smtp, conn_in(s->conn), now) > 0;
    }
    if (!s->conn)
        return;
    write_replies(s);
    conn_deadline(s->conn, smtp_server_deadline(s->smtp));
    take_end(s);
}

static void on_io(void *owner)
{
    struct session *s = owner;
    pump(s);
    /* What came in time is heard first, however late we are. */
    int64_t now = loop_now_ms(s->loop);
    if (s->conn && now >= smtp_server_deadline(s->smtp)) {
        smtp_server_tick(s->smtp, now);
        pump(s);
    }
}

struct session *session_new(const struct session_setup *setup, int fd)
{
    bool network = setup->network;
    struct session *s = mem_new(sizeof *s);
    s->waiter.on_result = on_result;
    s->loop = setup->loop;
    s->store = setup->store;
    s->tally = setup->tally;
    s->aliases = setup->aliases;
    s->limit = setup->limit;
    s->conf = conf_ref(setup->conf);
    s->on_end = setup->on_end;
    s->owner = setup->owner;
    s->network = network;
    s->uid = setup->cred.uid;
    s->gid = setup->cred.gid;
    s->pid = setup->cred.pid;
    s->smtp = smtp_server_new(
        &(struct smtp_server_conf){
            .hostname = s->conf->hostname,
            .network = network,
            .message_limit_bytes = s->conf->message_size_limit_bytes,
            .recipient_limit = setup->recipient_limit,
            .command_timeout_ms = network ? NETWORK_COMMAND_TIMEOUT_MS : 0,
            .data_timeout_ms = network ? NETWORK_DATA_TIMEOUT_MS : 0,
        },
        loop_now_ms(s->loop));
    s->conn = conn_new(s->loop, fd, on_io, s);
    return s;
}

void session_begin(struct session *s)
{
    pump(s);
}

void session_stop(struct session *s)
{
    smtp_server_shutdown(s->smtp, loop_now_ms(s->loop));
    if (s->conn)
        pump(s);
}

void session_free(struct session *s)
{
    s->in_flight = 0;
    s->committing = false;
    end_session(s);
}
