/* SPDX-License-Identifier: GPL-3.0-or-later */
/* contact_: what a smarthost's settings are to those who connect to it, the daemon's relay and
 * tranterctl diagnose alike. */
#ifndef TRANTER_CONTACT_H
#define TRANTER_CONTACT_H

#include "conf.h"
#include "fault.h"
#include "smtp_advice.h"
#include "tls.h"

/* Its trust, certificate and priority, loaded; NULL with *err. Not where tls = "none". */
struct tls_context *contact_tls(const struct conf_smarthost *smarthost,
                                struct err *err) ATTR_MUST_CHECK;

/* Make a fault's sentence and fix more exact by what its settings say. secret: what its secret
 * looks like. */
void contact_advise(struct fault *f, const struct conf_smarthost *smarthost,
                    enum smtp_advice_secret secret);

/* Is the peer of this connected socket the daemon's own listener (S-020)? Then *f says so. */
bool contact_is_self(const struct conf *conf, int fd, struct fault *f);

#endif
