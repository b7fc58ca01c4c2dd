/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conf_check_: what keys have to do with each other, once all are read. */
#ifndef TRANTER_CONF_CHECK_H
#define TRANTER_CONF_CHECK_H

#include "conf.h"
#include "conf_key.h"
#include "conf_text.h"

/* A configuration in the making. Rows of the line tables are those of the key tables; 0 where a
 * key was not set. */
struct conf_draft {
    struct conf *conf;
    const char *file;
    struct conf_text text;
    int lines[CONF_KEYS_MAX];
    int (*smarthost_lines)[CONF_KEYS_MAX];
    bool failed;
    struct err *err;
};

/* Settle what depends on other keys (tls "auto", the preset of listen); or set .failed and the
 * sentence. */
void conf_check(struct conf_draft *d);

/* Set .failed and "FILE:LINE: sentence". */
void conf_check_refuse(struct conf_draft *d, int line, const char *sentence);

#endif
