/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smtp_dialogue_: the order of a client's dialogue, as a table of states; smtp_client.c's own.
 *
 * smtp_client.c moves bytes, events and time; here stands what is sent, and what a reply means.
 */
#ifndef TRANTER_SMTP_DIALOGUE_H
#define TRANTER_SMTP_DIALOGUE_H

#include "smtp_client.h"
#include "smtp_dot.h"
#include "smtp_fault.h"
#include "smtp_reply.h"

enum {
    SMTP_DIALOGUE_OWED_MAX = SMTP_CLIENT_RECIPIENTS_MAX + 2, /* MAIL RCPT* DATA */
    SMTP_DIALOGUE_CHALLENGE_MAX = 12288,                     /* in base64 (S-046) */
    SMTP_DIALOGUE_COMMAND_MAX = 512,                         /* with its CRLF (S-042) */
    SMTP_DIALOGUE_ROUNDS_MAX = 10                            /* of AUTH (S-047) */
};

/* Which of the configured times a state has. */
enum smtp_dialogue_time {
    SMTP_TIME_NEVER,
    SMTP_TIME_GREETING,
    SMTP_TIME_REPLY,
    SMTP_TIME_STARTTLS,
    SMTP_TIME_AUTH,
    SMTP_TIME_DATA,
    SMTP_TIME_BLOCK,
    SMTP_TIME_FINAL,
    SMTP_TIME_RSET,
    SMTP_TIME_QUIT,
    SMTP_TIMES
};

/* What it means when the connection ends, or time runs out, in a state. */
enum smtp_dialogue_end {
    SMTP_END_FAULT,   /* a failure */
    SMTP_END_GOODBYE, /* the end had been decided before; .end says why */
    SMTP_END_QUIET    /* nobody's loss */
};

/* A reply that the server owes. */
struct smtp_owed {
    enum smtp_stage stage;
    unsigned recipient;
    uint64_t sent_bytes; /* how much of all output must be gone before it can come */
};

struct smtp_verdict; /* an event with a fault, in smtp_client.c's queue */

struct smtp_client {
    struct smtp_client_conf conf;
    int64_t times_ms[SMTP_TIMES];
    int64_t now_ms;
    int64_t deadline_ms;
    enum smtp_stage stage;

    bool secured;
    bool authenticated;
    bool ready;         /* was IDLE once */
    bool masked;        /* a firewall wrote over words (S-018) */
    bool auth_in_clear; /* AUTH was offered before STARTTLS; for a sentence, nothing else */
    bool first_line_keyword; /* STARTTLS stood on the first line of EHLO's reply (S-011) */
    struct smtp_caps caps;

    struct smtp_reply reply;
    bool reply_begun;
    bool reply_early; /* its first byte came before its command was out */
    struct buf out;
    uint64_t out_bytes; /* ever put into out */
    struct smtp_owed owed[SMTP_DIALOGUE_OWED_MAX];
    unsigned owed_first, n_owed;
    struct smtp_owed answered; /* what the reply in hand answers */

    struct smtp_verdict *first, **last;
    enum smtp_client_event_type ask; /* told after the verdicts */
    struct fault end;                /* what DEAD will say */

    char mechanism[32];
    struct buf response; /* to be sent in base64; secret */
    bool has_response;
    bool deferred; /* response waits for an empty 334 (S-042) */
    unsigned rounds;
    struct buf challenge;

    struct smtp_transaction transaction;
    unsigned n_transactions; /* begun */
    bool under_way;          /* no DONE yet */
    bool mail_refused;
    unsigned n_sent, n_accepted; /* recipients; those left out count as sent */
    unsigned last_sent;          /* recipient */
    bool accepted[SMTP_CLIENT_RECIPIENTS_MAX];
    struct smtp_dot dot;
    uint64_t content_bytes;
};

/* Go to stage: send what it sends (with what may be pipelined behind it), unless that is out
 * already; ask the owner what it asks; set the deadline. */
void smtp_dialogue_enter(struct smtp_client *c, enum smtp_stage stage);

/* A whole reply came. */
void smtp_dialogue_reply(struct smtp_client *c);

/* Bytes that are no reply; the connection ended; time ran out. Each ends the dialogue. */
void smtp_dialogue_garbage(struct smtp_client *c, const char *why);
void smtp_dialogue_eof(struct smtp_client *c, const char *why);
void smtp_dialogue_timeout(struct smtp_client *c);

/* Set the deadline of the stage anew. */
void smtp_dialogue_arm(struct smtp_client *c);

/* Is the connection in a state that takes the server's plain text? */
bool smtp_dialogue_listens(const struct smtp_client *c);

/* Would a reply that begins now come before its command is out? */
bool smtp_dialogue_is_early(const struct smtp_client *c);

const char *smtp_dialogue_name(const struct smtp_client *c);

/* How a handler of a reply ends the dialogue: with QUIT where commands and replies are in step,
 * so that the server is told goodbye, and with DEAD where they are not. .end says why. */
enum smtp_stage smtp_dialogue_leave(struct smtp_client *c, const struct smtp_reply *r);
enum smtp_stage smtp_dialogue_lose_step(struct smtp_client *c, const struct smtp_reply *r,
                                        const char *expected);

/* What is known, for smtp_fault_. */
struct smtp_facts smtp_dialogue_facts(const struct smtp_client *c);

static inline bool smtp_dialogue_is_positive(const struct smtp_reply *r)
{
    return r->code < 400;
}

/* What the states of AUTH send and make of replies: smtp_login.c. */
void smtp_login_send_auth(struct smtp_client *c);
void smtp_login_send_response(struct smtp_client *c);
void smtp_login_send_cancel(struct smtp_client *c);
enum smtp_stage smtp_login_on_reply(struct smtp_client *c, const struct smtp_reply *r);
enum smtp_stage smtp_login_on_cancel_reply(struct smtp_client *c, const struct smtp_reply *r);

/* And those of a transaction: smtp_transaction.c. */
void smtp_transaction_send_mail(struct smtp_client *c);
void smtp_transaction_send_rcpt(struct smtp_client *c);
void smtp_transaction_send_data(struct smtp_client *c);
void smtp_transaction_send_dot(struct smtp_client *c);
void smtp_transaction_send_void(struct smtp_client *c);
void smtp_transaction_send_rset(struct smtp_client *c);
enum smtp_stage smtp_transaction_on_mail_reply(struct smtp_client *c,
                                               const struct smtp_reply *r);
enum smtp_stage smtp_transaction_on_rcpt_reply(struct smtp_client *c,
                                               const struct smtp_reply *r);
enum smtp_stage smtp_transaction_on_data_reply(struct smtp_client *c,
                                               const struct smtp_reply *r);
enum smtp_stage smtp_transaction_on_early_reply(struct smtp_client *c,
                                                const struct smtp_reply *r);
enum smtp_stage smtp_transaction_on_dot_reply(struct smtp_client *c,
                                              const struct smtp_reply *r);
enum smtp_stage smtp_transaction_on_void_reply(struct smtp_client *c,
                                               const struct smtp_reply *r);
enum smtp_stage smtp_transaction_on_rset_reply(struct smtp_client *c,
                                               const struct smtp_reply *r);

/* Has an address of t an octet over 127? */
bool smtp_client_is_utf8(const struct smtp_transaction *t);

/* Has this recipient been left out for want of SMTPUTF8? */
bool smtp_client_needs_utf8(const struct smtp_client *c, unsigned recipient);

/* Queue an event with a fault. */
void smtp_client_tell(struct smtp_client *c, enum smtp_client_event_type type,
                      unsigned recipient, const struct fault *fault);

#endif
