/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_: the queue, in SQLite (WAL). The only place that touches the spool.
 *
 * One writer thread owns the writing connection: it takes all operations that wait, applies
 * them in one transaction, commits, and wakes the loop through store_event_fd(); that is the
 * group commit. The loop reads through a second, read-only connection. All functions are the
 * loop's alone, except where they say otherwise.
 *
 * The first MiB of a content lies in rows, what is beyond in the file SPOOL/content/ID, which
 * is made durable before the transaction that makes its message visible.
 *
 * What was told as committed is on the disk. Outcomes are committed at once and reach the disk
 * with the next commit that waits for it, or within a second. A failed sync, or a database that
 * is damaged, is fatal: STORE_BROKEN, and nothing is acknowledged after. */
#ifndef TRANTER_STORE_H
#define TRANTER_STORE_H

#include "buf.h"
#include "err.h"
#include "fault.h"

#include <sys/types.h>

enum {
    STORE_CHUNK_BYTES =
        64 * 1024, /* content is handed in and read in this size; the last may be shorter */
    STORE_RECIPIENTS_MAX = 32767, /* of a message; so many chunks at most, too */
    STORE_REPORT_BYTES_MAX = 32 * STORE_CHUNK_BYTES,
    STORE_SUBMISSION_MAX = 33, /* submission id as text, with NUL */
    STORE_SUBMISSION_DAYS = 7, /* an id is remembered for so long */
    STORE_EVENTS_MAX = 50,     /* the last ones of a message are kept */
    STORE_LOOK_MAX = 1024,     /* messages that one step of a search looks at */
    STORE_ID_MAX = 17 /* queue id as text, with NUL: 12 to 16 upper-case hexadecimal digits */
};

typedef int64_t store_id; /* of a message; ascending in time; never used twice */

void store_id_format(char text[STORE_ID_MAX], store_id id);
bool store_id_parse(struct str text, store_id *id) ATTR_MUST_CHECK;

enum store_recipient_state {
    STORE_WAITING,
    STORE_SENT,
    STORE_FAILED
};

/* When the sender wants to be told of a recipient, as bits (RFC 3461 4.1). */
enum store_notify {
    STORE_NOTIFY_NEVER = 1, /* with no other */
    STORE_NOTIFY_SUCCESS = 2,
    STORE_NOTIFY_FAILURE = 4,
    STORE_NOTIFY_DELAY = 8
};

struct store_recipient {
    char *address;
    char *orcpt;     /* ORCPT as it was given, "rfc822;" and xtext; NULL: none */
    unsigned notify; /* enum store_notify; 0: the sender did not say */
    enum store_recipient_state state;
    struct fault fault; /* of the last attempt; scope NONE before any */
};

enum store_state {
    STORE_QUEUED, /* to be sent at next_attempt_ms */
    STORE_HELD,   /* not sent, nor expired, until it is released */
    STORE_DEAD    /* cannot even be returned; kept and listed */
};

/* What a report is to have of the message (RFC 3461 4.3). */
enum store_ret {
    STORE_RET_UNSET,
    STORE_RET_FULL,
    STORE_RET_HDRS
};

/* A message's envelope and history. Owned by whoever has the pointer; store_message_free(). */
struct store_message {
    store_id id;
    enum store_state state;
    char *sender; /* "" for the null sender */
    struct store_recipient *recipients;
    unsigned n_recipients;
    uint64_t body_bytes; /* content in wire form */
    bool body_8bit;      /* it has octets over 127 */
    bool long_lines;     /* it has lines over 998 octets */
    char *envid;         /* ENVID as it was given, in xtext; NULL: none */
    enum store_ret ret;
    bool require_tls; /* it may go over verified TLS alone (RFC 8689) */
    bool warned;      /* its sender was told of the delay */
    bool told;        /* a dead one: the administrator was told, or need not be */
    bool report;      /* made here: a report on another message, or on dead ones */
    uid_t uid;        /* of the submitter, as the kernel told; (uid_t)-1 where it could not */
    gid_t gid;
    pid_t pid;
    int64_t arrival_ms;                    /* wall clock */
    int64_t next_attempt_ms;               /* wall clock; of a dead one: when it died */
    unsigned attempts;                     /* that were charged to the message */
    unsigned ambiguous;                    /* attempts whose final reply was lost */
    char submission[STORE_SUBMISSION_MAX]; /* for store_commit(); not read back. The client's
                                              own id of what it submits; "": none */
};

void store_message_free(struct store_message *m);

/* Something that happened to a message that is still here. */
struct store_event {
    int64_t time_ms; /* wall clock; the last time */
    char *relay;     /* which smarthost; NULL: none had to do with it */
    char *text;      /* what; printable. NULL: nothing happened */
    /* For reading: the same event, one after the other. */
    int64_t since_ms;
    unsigned times;
};

/* Give back what it points to; it is then empty. */
void store_event_release(struct store_event *e);

struct store;

/* Open or make the spool in directory (made with mode 0700 where it is missing), migrate an
 * older format, refuse a newer one, sweep what a killed daemon left half-written, and start the
 * writer. A directory or database that is not owned by the effective user, or that others may
 * write to, is refused, as is a database that is damaged or another program's: neither is
 * written to. Owned by the caller: store_close(). NULL with a sentence in *err; *busy_pid is
 * the pid of the daemon that has the spool (-1 where it cannot be told), else 0. */
struct store *store_open(const char *directory, struct err *err,
                         pid_t *busy_pid) ATTR_MUST_CHECK;

/* Open the spool in directory to read it while no daemon runs. Nothing in it is changed. Only
 * the functions that read may be called, and store_close(). NULL with *err. */
struct store *store_visit(const char *directory, struct err *err) ATTR_MUST_CHECK;

/* True, with the sentence, once a read of a visitor's failed; also for the reason that a daemon
 * started meanwhile. What was read before is sound. */
bool store_visit_failed(const struct store *s, struct err *err);

/* Finish what waits, sync, stop the writer: store_next() then has the results of all that was
 * handed in. Of what is handed in from then on nothing is written, and no result comes. */
void store_finish(struct store *s);

/* As store_finish(), and close. Results that nobody took are dropped. */
void store_close(struct store *s);

/* Readable when store_next() has something, and until it has said STORE_NOTHING once. */
int store_event_fd(const struct store *s);

enum store_result_type {
    STORE_NOTHING,
    STORE_APPENDED,  /* a chunk went to the database (not yet durable) */
    STORE_COMMITTED, /* the message is on the disk; or .failure says why not, and nothing of it
                        is kept */
    STORE_RECORDED,  /* an outcome, removal or change is committed; or .failure says why not */
    STORE_BROKEN     /* nothing can be stored any more: stop, exit 71. Comes once, after all
                        results that waited */
};

enum store_failure {
    STORE_OK,
    STORE_FULL, /* disk or quota: 452 */
    STORE_ERROR /* anything else: 451 */
};

struct store_result {
    enum store_result_type type;
    store_id id;
    void *owner;    /* as given with the operation */
    store_id first; /* with COMMITTED: the message as which this very submission was accepted
                       before; nothing of this one is kept. 0: it is new */
    enum store_failure failure;
    char reason[ERR_TEXT_MAX]; /* where failure or BROKEN */
};

/* The next result, oldest first. */
enum store_result_type store_next(struct store *s, struct store_result *r);

/* A new message's id, from the wall clock; nothing is written. */
store_id store_begin(struct store *s, int64_t now_ms);

/* Keep chunk number n (0, 1, ...) of message id: exactly STORE_CHUNK_BYTES bytes. *chunk's
 * memory is taken, *chunk is empty after. STORE_APPENDED follows with owner. Not visible before
 * the commit. */
void store_append(struct store *s, store_id id, unsigned n, struct buf *chunk, void *owner);

/* Make the message visible and durable: envelope m (taken; its body_bytes are set here) and its
 * last chunk, number n (taken; may be empty), after chunks 0 to n - 1 by store_append(); their
 * STORE_APPENDED need not have come. STORE_COMMITTED follows.
 *
 * A message with the same submission and uid as one that was committed in the last
 * STORE_SUBMISSION_DAYS is that one again, whatever became of it: see store_result.first. */
void store_commit(struct store *s, struct store_message *m, unsigned n, struct buf *chunk,
                  void *owner);

/* A message as for store_commit(), and a report about those of its recipients that failed
 * already. */
struct store_acceptance {
    struct store_message *message; /* taken */
    unsigned n;
    struct buf chunk;             /* taken */
    struct store_message *report; /* taken; or NULL. As in store_outcome; not queued where the
                                     message is not new */
    struct buf report_content;    /* taken */
};

/* As store_commit(), of both in one transaction. *a is empty after. */
void store_accept(struct store *s, struct store_acceptance *a, void *owner);

/* Drop the chunks of a message that will not be committed. No result. */
void store_abort(struct store *s, store_id id);

/* What became of an attempt, in one transaction: the new state of recipients, of the message,
 * and a report to be queued. */
struct store_outcome {
    struct store_message *message; /* taken: its recipients, attempts, ambiguous,
                                      next_attempt_ms, warned, told and state are
                                      recorded; when no recipient
                                      is WAITING and it is not DEAD, the message is removed */
    struct store_message *report;  /* taken; or NULL. Queued, with report_content as its only
                                      content; its id is  store_begin()'s */
    struct buf report_content;     /* taken; at most STORE_REPORT_BYTES_MAX; cut up here */
    struct store_message *second;  /* likewise another one, which tells of something else */
    struct buf second_content;
    struct store_event event; /* taken; noted where the message stays */
};

/* STORE_RECORDED follows with owner. There is a reserve for it on a full disk; when that is
 * used up it comes only once there is room again, since mail whose outcome is forgotten is sent
 * twice. When the message has been removed meanwhile, nothing is recorded or queued. *outcome
 * is empty after. */
void store_record(struct store *s, struct store_outcome *outcome, void *owner);

/* Queue digest (taken; its id is store_begin()'s) with content (taken; as a report's), and note
 * in the same transaction that the administrator was told of all messages that died before
 * before_ms; store_counts.told_ms is then the digest's arrival. STORE_RECORDED with its id
 * follows. */
void store_tell(struct store *s, int64_t before_ms, struct store_message *digest,
                struct buf *content, void *owner);

/* Mark that the final dot is about to be sent for message id. The mark survives a kill from
 * when this returns (one small write, no wait for the disk): the next store_open() counts one
 * ambiguous attempt more, says so at its waiting recipients, and tries again no sooner than in
 * 15 minutes (S-089). STORE_RECORDED for the message takes the mark away. No result. */
void store_mark_sending(struct store *s, store_id id);

/* Set next_attempt_ms of message id where it is queued, or of all that are (id 0).
 * STORE_RECORDED follows. */
void store_retry(struct store *s, store_id id, int64_t next_attempt_ms, void *owner);

/* Put message id on hold where it is queued, or release it where it is held: it is due at
 * next_attempt_ms. What is being sent at this moment may go out still; whatever is left of it
 * then is held. event (taken) is noted with it. STORE_RECORDED follows. */
void store_hold(struct store *s, store_id id, struct store_event *event, void *owner);
void store_release(struct store *s, store_id id, int64_t next_attempt_ms,
                   struct store_event *event, void *owner);

/* Remove message id for good, whatever its state. STORE_RECORDED follows. */
void store_remove(struct store *s, store_id id, void *owner);

/* The wall clock jumped by jump_ms, to now_ms, so that the times of all messages jump with it:
 * none is older for it, waits longer for its next attempt, or is kept dead for less. Put back,
 * it leaves no time in the future but that of an attempt. No attempt waits for longer than
 * longest_ms; one that does knew the new time already. No result. */
void store_shift(struct store *s, int64_t jump_ms, int64_t now_ms, int64_t longest_ms);

/* Note that a message went to a smarthost that has a rate, in the slot of time that begins at
 * at_ms (wall clock), and forget what went longer than two periods before. No result. */
void store_spend(struct store *s, const char *smarthost, int64_t at_ms, int64_t period_ms);

/* Reads. They see all that was told as committed or recorded. */

/* Up to max ids of queued messages with next_attempt_ms <= now_ms, one uid's after another's
 * and of each the longest due first, leaving out the n_active in active, which ascend. */
unsigned store_due(struct store *s, int64_t now_ms, const store_id *active, unsigned n_active,
                   store_id *ids, unsigned max);

/* Where id is in the n ids, which ascend, or where it belongs. */
unsigned store_id_place(store_id id, const store_id *ids, unsigned n);

/* The one of them whose turn it is, 0 when there is none: the uids take turns, so that one's
 * 10,000 messages do not delay another's one (L-074). *turn is the uid that had the last turn,
 * at first -1, and is moved on. */
store_id store_in_turn(struct store *s, int64_t now_ms, const store_id *active,
                       unsigned n_active, int64_t *turn);

struct store_spent {
    int64_t at_ms; /* wall clock: where the slot of time begins */
    unsigned messages;
};

/* What store_spend() noted of smarthost from since_ms on, up to max slots, the latest first. */
unsigned store_spent(struct store *s, const char *smarthost, int64_t since_ms,
                     struct store_spent *slots, unsigned max);

/* Up to max ids of messages that died before before_ms, the longest dead first. */
unsigned store_dead(struct store *s, int64_t before_ms, store_id *ids, unsigned max);

/* The same of those that the administrator was not told of. */
unsigned store_untold(struct store *s, int64_t before_ms, store_id *ids, unsigned max);

/* The smallest next_attempt_ms after now_ms among queued messages, or INT64_MAX. */
int64_t store_next_due(struct store *s, int64_t now_ms);

/* The envelope and history of a message; NULL when there is none. Owned by the caller. */
struct store_message *store_load(struct store *s, store_id id) ATTR_MUST_CHECK;

/* Append chunk n of message id to out, which has room for it. Returns its bytes, 0 at the end,
 * -1 on a read error or when the message is there no more (out is then as it was). */
ssize_t store_read(struct store *s, store_id id, unsigned n, struct buf *out) ATTR_MUST_CHECK;

/* Whether a content that has a file has it to its end; what is wrong with it is logged. Smaller
 * ones lie in the database, which is sound or is told to be damaged. */
bool store_is_whole(struct store *s, const struct store_message *m) ATTR_MUST_CHECK;

/* The first message with an id greater than after, in order of id; NULL at the end. For
 * listings that page through. */
struct store_message *store_after(struct store *s, store_id after) ATTR_MUST_CHECK;

/* As store_after, up to max messages at once into page, in one short read. Returns how many; 0
 * at the end. Each is owned by the caller. */
unsigned store_page(struct store *s, store_id after, struct store_message **page,
                    unsigned max) ATTR_MUST_CHECK;

/* A message's events, the oldest first. Returns how many; the caller releases them. */
unsigned store_events(struct store *s, store_id id,
                      struct store_event events[STORE_EVENTS_MAX]) ATTR_MUST_CHECK;

/* Which messages are looked for, and how far that has come. Begun with after 0. */
struct store_search {
    unsigned states; /* 1 << enum store_state of each that is wanted; 0: all */
    /* Is m wanted? Its recipients are not read yet. NULL: it is. */
    bool (*wants)(const void *arg, const struct store_message *m);
    const void *arg;
    store_id after;
    uint64_t looked; /* at so many messages so far */
    bool over;       /* there is nothing after it */
};

/* The next wanted messages in order of id, up to max of them, in one short read that looks at
 * STORE_LOOK_MAX at most: none found does not mean that it is over. Returns how many; each is
 * owned by the caller. */
unsigned store_search(struct store *s, struct store_search *search, struct store_message **page,
                      unsigned max) ATTR_MUST_CHECK;

struct store_counts {
    uint64_t queued; /* never tried */
    uint64_t deferred;
    uint64_t held;
    uint64_t dead;
    uint64_t bytes;     /* of content */
    int64_t oldest_ms;  /* arrival of the oldest; 0: none */
    int64_t waiting_ms; /* arrival of the oldest that is queued or deferred; 0: none */
    int64_t told_ms;    /* when the administrator was last told of dead mail; 0: never */
};

void store_count(struct store *s, struct store_counts *counts);

enum {
    STORE_LATENCY_BUCKETS = 15
};

/* How long it took to have accepted messages on the disk, a group at a time, since the store
 * was opened: how many took up to each bound. The last one has none. */
struct store_latency {
    uint64_t n[STORE_LATENCY_BUCKETS];
    uint64_t sum_us;
};

extern const int64_t store_latency_bounds_us[STORE_LATENCY_BUCKETS];

void store_latency(struct store *s, struct store_latency *latency);

/* Bytes free for us on the spool's file system; UINT64_MAX where it cannot be told. */
uint64_t store_free_bytes(const struct store *s);

/* True, with a sentence in *warning for the administrator, where the spool lies on a file
 * system that does not outlive the system or the container (tmpfs, ramfs, overlay). */
bool store_warn(const struct store *s, struct err *warning);

#endif
