/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any text is a configuration that keeps its promises, or is refused with file, line and words.
 */
#include "conf.h"
#include "mem.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_refusal(const struct err *err, size_t n_lines)
{
    BUG_ON(strncmp(err->text, "F:", 2) != 0);
    struct str rest = str_of(err->text + 2);
    uint64_t line;
    BUG_ON(!str_u64(str_head(rest, str_find(rest, ':')), &line));
    BUG_ON(line < 1 || line > n_lines);
    BUG_ON(rest.n < 20);
}

static void check_smarthost(const struct conf_smarthost *s)
{
    BUG_ON(!s->name || !s->host || !s->tls_name || s->line < 1);
    BUG_ON(!s->user != !s->password_file || !s->tls_cert != !s->tls_key);
    BUG_ON(s->tls > CONF_TLS_NONE || s->port == 0 || s->connections == 0);
    BUG_ON(s->tls == CONF_TLS_NONE && s->user && !s->allow_plaintext_auth);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct err err = {.text = ""};
    size_t n_lines = 1;
    for (size_t i = 0; i < n; i++)
        n_lines += data[i] == '\n';
    struct conf *conf = conf_parse("F", (struct str){(const char *)data, n}, &err);
    if (!conf) {
        check_refusal(&err, n_lines);
        return 0;
    }
    BUG_ON(conf->n_smarthosts == 0 || conf->n_listen == 0 || !conf->control || !conf->spool);
    for (unsigned i = 0; i < conf->n_smarthosts; i++)
        check_smarthost(&conf->smarthosts[i]);
    conf_unref(conf);
    return 0;
}
