/* SPDX-License-Identifier: GPL-3.0-or-later */
/* contact_: what a smarthost's settings are to those who connect to it, the daemon's relay and
 * tranterctl diagnose alike. */
#ifndef TRANTER_CONTACT_H
#define TRANTER_CONTACT_H

#include "conf.h"
#include "fault.h"
#include "smtp_advice.h"
#include "smtp_client.h"
#include "sockname.h"
#include "tls.h"

enum {
    CONTACT_LITERAL_MAX = SOCKNAME_TEXT_MAX + 8
};

/* Our address on this connected socket, "[192.0.2.1]", for a server that refuses our name; NULL
 * where an address is what we say anyway. */
const char *contact_literal(const struct conf *conf, int fd, char text[CONTACT_LITERAL_MAX]);

/* How the client core is to speak to it; pipelining and chunking are off. The strings are
 * conf's and literal, all borrowed. */
struct smtp_client_conf contact_client(const struct conf *conf,
                                       const struct conf_smarthost *smarthost,
                                       const char *literal);

/* A TLS session with it, of which DNS says that its host is an alias of alias ("": of none).
 * NULL with *f. */
struct tls *contact_session(const struct conf_smarthost *smarthost, struct tls_context *context,
                            const char *alias, struct fault *f);

/* Its trust, certificate and priority, loaded; NULL with *err. Not where tls = "none". */
struct tls_context *contact_tls(const struct conf_smarthost *smarthost,
                                struct err *err) ATTR_MUST_CHECK;

/* Make a fault's sentence and fix more exact by what its settings say. secret: what its secret
 * looks like. */
void contact_advise(struct fault *f, const struct conf_smarthost *smarthost,
                    enum smtp_advice_secret secret);

/* The dialogue ended with *f when the connection did, of which of_connection (or NULL) is
 * known: an end that TLS forbids has a code of its own (T-017). */
void contact_explain_end(struct fault *f, const struct fault *of_connection);

/* Is the peer of this connected socket the daemon's own listener (S-020)? Then *f says so. */
bool contact_is_self(const struct conf *conf, int fd, struct fault *f);

#endif
