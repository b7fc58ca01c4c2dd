/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smtp_fault_: what went wrong in the dialogue with a server, as a fault: whose it is, whether
 * it is for good, its code, a sentence, and the setting that mends it.
 *
 * It is decided here once, from facts: the stage, the reply's code and RFC 3463 status, what
 * was secured and logged in by then; words of the server's only refine (G-1). protocol.md's
 * outcome classes become scopes so:
 *
 *     ROUTE-TEMP     server, or account where the account's quota or login is meant; 4.y.z
 *     ROUTE-CONFIG   account; 5.y.z, permanent: a person must act
 *     SENDER-CONFIG  sender
 *     MSG, RCPT      message, recipient; permanent as the server said
 *     AMBIGUOUS      message, not permanent, .ambiguous
 *
 * EHLO refused is a server's fault. Codes are those of protocol.md's section 2, and where it
 * has none: SERVER-CLOSING (421), LOST-STAGE (connection ended), MSG-TEMP, MSG-REFUSED,
 * RCPT-TEMP, RCPT-REFUSED (no better reason known), and the two below. */
#ifndef TRANTER_SMTP_FAULT_H
#define TRANTER_SMTP_FAULT_H

#include "fault.h"
#include "smtp_reply.h"

/* Codes that ask their owner to act at once. */
#define SMTP_FAULT_RCPT_SPLIT                                                                  \
    "RCPT-SPLIT" /* recipient: another transaction, at once (S-083)                            \
                  */
#define SMTP_FAULT_RECONNECT                                                                   \
    "RECONNECT" /* server: a reused connection was closed before it took the message: a fresh  \
                   one, at once, and nobody is charged (S-086) */

#define SMTP_FAULT_CHUNKING                                                                    \
    "CHUNKING-REFUSED" /* server: it offers CHUNKING and does not know BDAT: a fresh           \
                          connection, with DATA, and nobody is charged */

/* The states of a dialogue, in their order. */
enum smtp_stage {
    SMTP_STAGE_HANDSHAKE, /* the owner's TLS is at work */
    SMTP_STAGE_GREETING,
    SMTP_STAGE_EHLO, /* or LHLO */
    SMTP_STAGE_HELO,
    SMTP_STAGE_STARTTLS,
    SMTP_STAGE_CHOOSE, /* the owner chooses a mechanism */
    SMTP_STAGE_AUTH,
    SMTP_STAGE_CHALLENGE, /* the owner answers a challenge */
    SMTP_STAGE_RESPONSE,
    SMTP_STAGE_CANCEL, /* AUTH given up */
    SMTP_STAGE_IDLE,   /* ready for a transaction */
    SMTP_STAGE_MAIL,
    SMTP_STAGE_RCPT,
    SMTP_STAGE_DATA,
    SMTP_STAGE_BDAT, /* its line is out; its octets follow as CONTENT, its reply comes last */
    SMTP_STAGE_CONTENT,
    SMTP_STAGE_FINAL, /* the dot, or the last octet of BDAT, is out */
    SMTP_STAGE_VOID,  /* a lone dot is out: nobody was accepted */
    SMTP_STAGE_RSET,
    SMTP_STAGE_QUIT,
    SMTP_STAGE_DEAD
};

/* What was known when it went wrong. Borrowed during the call. */
struct smtp_facts {
    enum smtp_stage stage;
    const char *stage_name; /* for sentences: "RCPT" */
    const char *ehlo_name;
    const char *sender;    /* NULL outside a transaction */
    const char *recipient; /* NULL where no single one is meant */
    bool expects_starttls; /* TLS is to come by STARTTLS */
    bool secured;          /* by TLS */
    bool login;            /* credentials are configured */
    bool authenticated;    /* by AUTH, in this connection */
};

/* No fault: accepted. .status and .reply are the server's. */
void smtp_fault_none(struct fault *f, const struct smtp_reply *r);

/* A 4yz or 5yz reply. With a recipient at FINAL (LMTP) a message's fault is that recipient's.
 */
void smtp_fault_of_reply(struct fault *f, const struct smtp_facts *facts,
                         const struct smtp_reply *r);

/* A good reply, but none that can stand here, or one that nobody waits for. expected: "250". */
void smtp_fault_of_desync(struct fault *f, const struct smtp_facts *facts,
                          const struct smtp_reply *r, const char *expected);

/* Bytes that are no reply; why is the parser's sentence. At the greeting other protocols are
 * told by their first bytes. */
void smtp_fault_of_garbage(struct fault *f, const struct smtp_facts *facts, struct str bytes,
                           const char *why);

/* The connection ended. why: what the transport knows, or NULL. sent_bytes of total_bytes: the
 * content, at CONTENT. */
void smtp_fault_of_eof(struct fault *f, const struct smtp_facts *facts, const char *why,
                       uint64_t sent_bytes, uint64_t total_bytes);

/* Nothing came within timeout_ms but reply_bytes of an unfinished reply (S-151). */
void smtp_fault_of_timeout(struct fault *f, const struct smtp_facts *facts, int64_t timeout_ms,
                           size_t reply_bytes);

/* The last octet of a message was out when f befell its connection, so that it may have been
 * delivered. */
void smtp_fault_make_ambiguous(struct fault *f);

/* SMTP_FAULT_RECONNECT, for a message that the server cannot have taken. */
void smtp_fault_of_reconnect(struct fault *f);

/* SMTP_FAULT_CHUNKING, from what was answered to BDAT. */
void smtp_fault_of_chunking(struct fault *f, const struct smtp_reply *r);

/* At a 452 or 552 after others were accepted: SMTP_FAULT_RCPT_SPLIT. */
void smtp_fault_of_split(struct fault *f, const struct smtp_reply *r);

#endif
