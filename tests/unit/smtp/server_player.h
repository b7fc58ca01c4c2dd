/* SPDX-License-Identifier: GPL-3.0-or-later */
/* server_player_: plays a client's text to a server core with an owner that answers by rules,
 * and keeps what came of it as text. */
#ifndef TRANTER_SERVER_PLAYER_H
#define TRANTER_SERVER_PLAYER_H

#include "smtp_server.h"

/* What the owner answers other than 250. Addresses say it themselves: "refused..." gets 550,
 * "deferred..." 451, "closing..." 421. */
enum server_player_rule {
    DATA_REFUSED = 1 << 0,
    EOM_REFUSED = 1 << 1,
    EOM_CLOSING = 1 << 2
};

struct server_player {
    struct smtp_server *server;
    unsigned rules; /* of enum server_player_rule */
    bool late;      /* a question is answered only after the next piece came */
    enum smtp_server_event_type asked;
    char address[512];  /* in question */
    int64_t now_ms;     /* given with all that is fed */
    bool closed;        /* CLOSE was told */
    struct buf wire;    /* all that the server sent */
    struct buf events;  /* "MAIL:a@b RCPT:c@d DATA EOM", a blank before each */
    struct buf content; /* all bodies */
};

/* The conf of most tests: relay.example, 100 octets, 3 recipients, no timeouts. */
struct smtp_server_conf server_player_conf(void);

void server_player_init(struct server_player *p, const struct smtp_server_conf *conf);
void server_player_release(struct server_player *p);

/* Take all events there are, answer what is asked. */
void server_player_pump(struct server_player *p);

/* Answer what a late owner still has in hand. */
void server_player_answer(struct server_player *p);

/* Feed text in pieces: the first of first octets, the others of size octets. At each '|' the
 * client waits for the answers. */
void server_player_play(struct server_player *p, struct str text, size_t first, size_t size);

/* The same with all of text in one piece. */
void server_player_say(struct server_player *p, const char *text);

/* How many replies began with code since the last look. */
unsigned server_player_count(struct server_player *p, const char *code);

/* Fail where these are not the events since the last look. */
void server_player_expect(struct server_player *p, const char *events);

/* Does the wire have these lines, each up to its '*' where it has one? */
bool server_player_said(const struct server_player *p, const char *lines);

#endif
