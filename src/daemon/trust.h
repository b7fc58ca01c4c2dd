/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trust_: what a smarthost's settings name: trust store, client certificate, password. */
#ifndef TRANTER_TRUST_H
#define TRANTER_TRUST_H

#include "conf.h"
#include "err.h"

/* They call for the same context. */
bool trust_is_same(const struct conf_smarthost *a, const struct conf_smarthost *b);

/* Everything that the i-th smarthost of conf names can be used: -1 with *err. */
int trust_check(const struct conf *conf, unsigned i, struct err *err) ATTR_MUST_CHECK;

/* "FILE:LINE: smarthost "NAME": WHY"; -1. */
int trust_place(const struct conf *conf, unsigned i, const struct err *why, struct err *err);

#endif
