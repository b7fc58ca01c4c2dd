/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smtp_dialogue_: the order of a client's dialogue, as a table of states; smtp_client.c's own.
 *
 * smtp_client.c moves bytes, events and time; here stands what is sent, and what a reply means.
 *
 * Transactions are in a ring of flights. What goes out is always of the newest; replies come in
 * the order in which they are owed, so that they are always of the oldest. c->stage is what is
 * waited for: the state of the first reply owed, or else what the owner is to do. */
#ifndef TRANTER_SMTP_DIALOGUE_H
#define TRANTER_SMTP_DIALOGUE_H

#include "smtp_client.h"
#include "smtp_dot.h"
#include "smtp_fault.h"
#include "smtp_reply.h"

enum {
    SMTP_DIALOGUE_OWED_MAX =
        SMTP_CLIENT_RECIPIENTS_MAX + 4,  /* of a flight: RSET MAIL RCPT* DATA; RSET again */
    SMTP_DIALOGUE_CHALLENGE_MAX = 12288, /* in base64 (S-046) */
    SMTP_DIALOGUE_COMMAND_MAX = 512,     /* with its CRLF (S-042) */
    SMTP_DIALOGUE_ROUNDS_MAX = 10,       /* of AUTH (S-047) */
    SMTP_DIALOGUE_AHEAD_MAX = 64 * 1024, /* content that goes out behind BDAT before its
                                            recipients are accepted */
    SMTP_DIALOGUE_FRESH_MS =
        1000 /* after so long the server may have left an idle connection */
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

/* A transaction, from its submission to the last reply that it is owed. */
struct smtp_flight {
    const struct smtp_transaction *transaction; /* the owner's */
    enum smtp_stage next; /* what goes out next of it; IDLE: nothing is left */
    bool begun;           /* MAIL went out */
    bool chunked;         /* BDAT, not DATA */
    bool ahead;           /* its content need not wait for replies */
    bool asked;           /* BODY was */
    bool whole;           /* its last octet is in out, at end_bytes of all output */
    uint64_t end_bytes;
    bool judged; /* verdict says what becomes of it, whatever comes */
    bool mail_refused;
    struct fault verdict;
    unsigned n_owed;             /* replies */
    unsigned n_sent, n_accepted; /* recipients; those left out count as sent */
    unsigned last_sent;
    bool accepted[SMTP_CLIENT_RECIPIENTS_MAX];
    struct smtp_dot dot;
    uint64_t content_bytes; /* given by the owner so far */
    unsigned number;        /* of the connection's transactions, from 1 */
};

/* A reply that the server owes. */
struct smtp_owed {
    enum smtp_stage stage;
    unsigned recipient;
    struct smtp_flight *flight; /* NULL outside a transaction */
    uint64_t sent_bytes;        /* how much of all output must be gone before it can come */
};

struct smtp_verdict; /* an event with a fault, in smtp_client.c's queue */

struct smtp_client {
    struct smtp_client_conf conf;
    int64_t times_ms[SMTP_TIMES];
    int64_t now_ms;
    int64_t deadline_ms;
    enum smtp_dialogue_time time; /* which of them runs */
    enum smtp_stage stage;

    bool secured;
    bool authenticated;
    bool ready;         /* was IDLE once */
    bool masked;        /* a firewall wrote over words (S-018) */
    bool auth_in_clear; /* AUTH was offered before STARTTLS; for a sentence, nothing else */
    unsigned oddities;  /* enum smtp_client_oddity */
    bool literal;       /* EHLO is said with our address, since our name was refused */
    bool first_line_keyword; /* STARTTLS stood on the first line of EHLO's reply (S-011) */
    struct smtp_caps caps;

    struct smtp_reply reply;
    bool reply_begun;
    bool reply_early; /* its first byte came before its command was out */
    struct buf out;
    uint64_t out_bytes;     /* ever put into out */
    struct smtp_owed *owed; /* a ring of owed_max */
    unsigned owed_max, owed_first, n_owed;
    struct smtp_owed answered; /* what the reply in hand answers */

    struct smtp_verdict *first, **last;
    enum smtp_client_event_type ask; /* told after the verdicts */
    struct fault end;                /* what DEAD will say */
    bool answered_end; /* a reply is the end: what stands behind it was not taken */
    bool out_of_step;  /* replies were not those of their commands */

    char mechanism[32];
    struct buf response; /* to be sent in base64; secret */
    bool has_response;
    bool deferred;  /* response waits for an empty 334 (S-042) */
    bool descended; /* from SCRAM; .end says what refused it */
    unsigned rounds;
    struct buf challenge;

    struct smtp_flight *flights; /* a ring of flights_max */
    unsigned flights_max, flight_first, n_flights;
    unsigned n_transactions; /* begun */
    bool unclean;            /* the server may still have a transaction open */
    bool room_news;          /* ROOM was not told since there is some */
    int64_t idle_since_ms;
};

/* Go to stage, outside a transaction: send what it sends, ask the owner what it asks, set the
 * deadline. */
void smtp_dialogue_enter(struct smtp_client *c, enum smtp_stage stage);

/* Send what may go out of the newest flight, end the oldest that are answered, ask the owner.
 */
void smtp_dialogue_go_on(struct smtp_client *c);

/* May another transaction be submitted while there are some? */
bool smtp_dialogue_has_room(const struct smtp_client *c);

/* Send stage's command of the newest flight. */
void smtp_dialogue_send(struct smtp_client *c, enum smtp_stage stage);

/* A whole reply came. */
void smtp_dialogue_reply(struct smtp_client *c);

/* Bytes that are no reply; the connection ended; time ran out. Each ends the dialogue. */
void smtp_dialogue_garbage(struct smtp_client *c, const char *why);
void smtp_dialogue_eof(struct smtp_client *c, const char *why);
void smtp_dialogue_timeout(struct smtp_client *c);

/* Set the deadline of the stage anew. */
void smtp_dialogue_arm(struct smtp_client *c);

/* Is content, or its end, what is waited for? Then its progress moves the deadline. */
bool smtp_dialogue_is_sending(const struct smtp_client *c);

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

/* What is known, for smtp_fault_: of a reply. */
struct smtp_facts smtp_dialogue_facts(const struct smtp_client *c);

static inline bool smtp_dialogue_is_positive(const struct smtp_reply *r)
{
    return r->code < 400;
}

/* The ring of flights: smtp_flight.c. */
static inline struct smtp_flight *smtp_flight_oldest(const struct smtp_client *c)
{
    return c->n_flights ? &c->flights[c->flight_first] : NULL;
}

static inline struct smtp_flight *smtp_flight_newest(const struct smtp_client *c)
{
    unsigned at = c->flight_first + c->n_flights - 1;
    return c->n_flights ? &c->flights[at % c->flights_max] : NULL;
}

/* Begin one for t; it is judged at once where t cannot go out at all. */
void smtp_flight_begin(struct smtp_client *c, const struct smtp_transaction *t);

/* Say what becomes of it, once. */
void smtp_flight_judge(struct smtp_flight *f, const struct fault *verdict);

/* Has its last octet left out? */
bool smtp_flight_is_out(const struct smtp_client *c, const struct smtp_flight *f);

/* Tell the ends of those that are answered; of all, since the dialogue is over. */
void smtp_flight_end_answered(struct smtp_client *c);
void smtp_flight_end_all(struct smtp_client *c);

/* Has this recipient been left out for want of SMTPUTF8? Has an address of t an octet over 127?
 */
bool smtp_flight_leaves_out(const struct smtp_client *c, const struct smtp_flight *f,
                            unsigned recipient);
bool smtp_flight_is_utf8(const struct smtp_transaction *t);

/* What the states before a transaction, and QUIT, send and make of replies: smtp_hello.c. */
void smtp_hello_say_nothing(struct smtp_client *c);
void smtp_hello_send_ehlo(struct smtp_client *c);
void smtp_hello_send_helo(struct smtp_client *c);
void smtp_hello_send_starttls(struct smtp_client *c);
void smtp_hello_send_quit(struct smtp_client *c);
enum smtp_stage smtp_hello_on_greeting(struct smtp_client *c, const struct smtp_reply *r);
enum smtp_stage smtp_hello_on_ehlo_reply(struct smtp_client *c, const struct smtp_reply *r);
enum smtp_stage smtp_hello_on_helo_reply(struct smtp_client *c, const struct smtp_reply *r);
enum smtp_stage smtp_hello_on_starttls_reply(struct smtp_client *c, const struct smtp_reply *r);
enum smtp_stage smtp_hello_on_quit_reply(struct smtp_client *c, const struct smtp_reply *r);

/* Those of AUTH: smtp_login.c. */
void smtp_login_send_auth(struct smtp_client *c);
void smtp_login_send_response(struct smtp_client *c);
void smtp_login_send_cancel(struct smtp_client *c);
enum smtp_stage smtp_login_on_reply(struct smtp_client *c, const struct smtp_reply *r);
enum smtp_stage smtp_login_on_cancel_reply(struct smtp_client *c, const struct smtp_reply *r);

/* And those of a transaction: smtp_transaction.c. */
void smtp_transaction_send_rset(struct smtp_client *c);
void smtp_transaction_send_mail(struct smtp_client *c);
void smtp_transaction_send_rcpt(struct smtp_client *c);
void smtp_transaction_send_data(struct smtp_client *c);
void smtp_transaction_send_bdat(struct smtp_client *c);
void smtp_transaction_send_dot(struct smtp_client *c);
void smtp_transaction_send_void(struct smtp_client *c);
enum smtp_stage smtp_transaction_on_rset_reply(struct smtp_client *c,
                                               const struct smtp_reply *r);
enum smtp_stage smtp_transaction_on_mail_reply(struct smtp_client *c,
                                               const struct smtp_reply *r);
enum smtp_stage smtp_transaction_on_rcpt_reply(struct smtp_client *c,
                                               const struct smtp_reply *r);
enum smtp_stage smtp_transaction_on_data_reply(struct smtp_client *c,
                                               const struct smtp_reply *r);
enum smtp_stage smtp_transaction_on_bdat_reply(struct smtp_client *c,
                                               const struct smtp_reply *r);
enum smtp_stage smtp_transaction_on_early_reply(struct smtp_client *c,
                                                const struct smtp_reply *r);
enum smtp_stage smtp_transaction_on_dot_reply(struct smtp_client *c,
                                              const struct smtp_reply *r);
enum smtp_stage smtp_transaction_on_void_reply(struct smtp_client *c,
                                               const struct smtp_reply *r);

/* What follows stage of f in a transaction. */
enum smtp_stage smtp_transaction_follower(const struct smtp_flight *f, enum smtp_stage stage);

/* Queue an event with a fault: of a connection (f NULL), of f. */
void smtp_client_tell(struct smtp_client *c, enum smtp_client_event_type type,
                      const struct smtp_flight *f, const struct fault *fault);
void smtp_client_tell_recipient(struct smtp_client *c, const struct smtp_flight *f,
                                unsigned recipient, bool final, const struct fault *fault);

#endif
