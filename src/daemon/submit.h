/* SPDX-License-Identifier: GPL-3.0-or-later */
/* submit_: local submission: the listeners, and who may have a session. It knows nothing of
 * relaying. */
#ifndef TRANTER_SUBMIT_H
#define TRANTER_SUBMIT_H

#include "aliases.h"
#include "conf.h"
#include "err.h"
#include "loop.h"
#include "report_limit.h"
#include "store.h"
#include "tally.h"

enum {
    SUBMIT_SESSIONS_MAX = 1000, /* at once; above, 421 */
    SUBMIT_SESSIONS_USER_MAX =
        750 /* of one uid but root, so that nobody shuts out the others */
};

struct submit;

/* Ready to listen. loop, store, tally, aliases and limit are borrowed for its life; conf is
 * referenced. */
struct submit *submit_new(struct loop *loop, struct store *store, struct tally *tally,
                          const struct aliases *aliases, struct report_limit *limit,
                          struct conf *conf);
void submit_free(struct submit *s);

/* Listen where conf says, or on the n sockets that the service manager passed (taken). -1 with
 * *err. */
int submit_listen(struct submit *s, const int *fds, unsigned n,
                  struct err *err) ATTR_MUST_CHECK;

/* A session on the stream socket fd (taken), as if uid had connected: whoever asks answers for
 * that. One message may have any number of recipients here. */
void submit_adopt(struct submit *s, int fd, uid_t uid, gid_t gid);

/* Sessions that begin from now on follow conf. What conf says of sockets takes effect at a
 * restart: returns whether it differs. */
bool submit_reload(struct submit *s, struct conf *conf);

/* Accept no more; 421 to every session as soon as its transaction in hand is answered. Called
 * again: what of it has not all come is no longer waited for. */
void submit_stop(struct submit *s);

/* Those that the store owes an answer are among them, though their client be gone. */
unsigned submit_sessions(const struct submit *s);

#endif
