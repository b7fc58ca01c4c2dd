/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conf_host_: what this machine is called, where the configuration does not say. */
#ifndef TRANTER_CONF_HOST_H
#define TRANTER_CONF_HOST_H

#include "conf.h"

/* Fill in hostname, ehlo_name and domain where they are NULL. -1 with a sentence (file and line
 * included) when mailname, the file whose first line is the mail domain, cannot be used; it
 * need not exist. The host's name is taken from old, where that had to ask for it (NULL: ask).
 */
int conf_host_complete(struct conf *conf, const struct conf *old, const char *mailname,
                       struct err *err) ATTR_MUST_CHECK;

#endif
