/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf.h"

#include "conf_check.h"
#include "conf_host.h"
#include "conf_key.h"
#include "conf_text.h"
#include "mem.h"

#include <confuse.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* libconfuse's callbacks carry no argument of ours: the one draft that this thread is at work
 * on, while cfg_parse_buf() runs. */
static _Thread_local struct conf_draft *parsing;

/* The first error stays: what libconfuse says after one of ours is an echo. */
static void refuse_at(int line, const char *sentence)
{
    if (!parsing->failed)
        conf_check_refuse(parsing, line, sentence);
}

static void refuse_key(struct str name, bool in_smarthost, int line)
{
    struct err why;
    conf_key_unknown(name, in_smarthost, &why);
    refuse_at(line, why.text);
}

/* libconfuse's sentences as what to do; %s is their one argument. One that is not here is shown
 * as it is. */
static const struct {
    const char *format, *before, *after;
} advice[] = {
    {"missing equal sign after option '%s'", "write = and a value after ", ""},
    {"missing title for section '%s'", "write a name after ", ", as in smarthost \"main\" {"},
    {"missing opening brace for section '%s'", "write { after the name of this ", ""},
    {"found duplicate title '%s'", "there is a smarthost called ",
     " already; give this one another name"},
    {"attempt to append to non-list option '%s'", "write = instead of += after ",
     ", which takes one value"},
    {"unexpected token '%s'", "",
     " is not expected here; write KEY = \"VALUE\", and lists as KEY = {\"ONE\", \"TWO\"}"},
};

static void on_confuse_error(cfg_t *cfg, const char *format, va_list args) ATTR_PRINTF(2, 0);
static void on_confuse_error(cfg_t *cfg, const char *format, va_list args)
{
    struct buf said;
    buf_init(&said, ERR_TEXT_MAX);
    if (strstr(format, "no such option") || strstr(format, "no sub-section")) {
        refuse_key(str_of(va_arg(args, const char *)), cfg->title != NULL, cfg->line);
        return;
    }
    for (size_t i = 0; i < sizeof advice / sizeof advice[0]; i++)
        if (strcmp(format, advice[i].format) == 0) {
            buf_printf(&said, "%s%.40s%s", advice[i].before, va_arg(args, const char *),
                       advice[i].after);
            break;
        }
    if (strcmp(format, "premature end of file") == 0)
        buf_puts(&said, "the file ends in the middle of a line; write KEY = \"VALUE\"");
    if (buf_len(&said) == 0)
        buf_vprintf(&said, format, args);
    buf_putc(&said, '\0');
    refuse_at(cfg->line, buf_str(&said).p);
    buf_release(&said);
}

static int refuse_value(const struct conf_key *key, struct str value, int line,
                        const struct err *why)
{
    struct buf sentence;
    buf_init(&sentence, ERR_TEXT_MAX);
    if (key->quiet)
        buf_printf(&sentence, "%s: ", key->name);
    else if (*why->text)
        buf_printf(&sentence, "%s = \"%.80s\" ", key->name, value.p);
    else
        buf_printf(&sentence, "%s = \"%.80s\": ", key->name, value.p);
    buf_puts(&sentence, *why->text ? why->text : key->wanted);
    buf_putc(&sentence, '\0');
    refuse_at(line, buf_str(&sentence).p);
    buf_release(&sentence);
    return -1;
}

static int refuse_repeat(const struct conf_key *key, int line, int first_line)
{
    struct err sentence;
    err_set(&sentence, "%s is set already in line %d; take one of the two out", key->name,
            first_line);
    refuse_at(line, sentence.text);
    return -1;
}

/* libconfuse read one value of one key. */
static int on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    struct conf_draft *d = parsing;
    bool in_smarthost = cfg->title != NULL;
    const struct conf_key *keys = in_smarthost ? conf_smarthost_keys : conf_global_keys;
    void *owner =
        in_smarthost ? (void *)&d->conf->smarthosts[d->conf->n_smarthosts] : (void *)d->conf;
    int *lines = in_smarthost ? d->smarthost_lines[d->conf->n_smarthosts] : d->lines;
    int index = conf_key_find(keys, str_of(opt->name));
    BUG_ON(index < 0);
    const struct conf_key *key = &keys[index];
    struct err why = {.text = ""};
    /* Of a list, the first value after "=" finds itself alone. */
    if (lines[index] && opt->nvalues == 1)
        return refuse_repeat(key, cfg->line, lines[index]);
    if (!key->read(key, str_of(value), owner, &why))
        return refuse_value(key, str_of(value), cfg->line, &why);
    lines[index] = cfg->line;
    *(const char **)result = value;
    return 0;
}

/* libconfuse came to the end of a smarthost. */
static int on_smarthost(cfg_t *cfg, cfg_opt_t *opt)
{
    struct conf_draft *d = parsing;
    struct conf_smarthost *smarthost = &d->conf->smarthosts[d->conf->n_smarthosts++];
    (void)cfg;
    smarthost->name = mem_strdup(cfg_title(cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1)));
    return 0;
}

/* Every value is a string to libconfuse: what it means is the table's business. */
static void fill_options(cfg_opt_t *options, const struct conf_key *keys)
{
    for (; keys->name; keys++) {
        cfg_opt_t one = CFG_STR_CB(keys->name, NULL, CFGF_NODEFAULT, on_value);
        cfg_opt_t list = CFG_STR_LIST_CB(keys->name, NULL, CFGF_NODEFAULT, on_value);
        *options++ = keys->list ? list : one;
    }
    *options = (cfg_opt_t)CFG_END();
}

static void run_libconfuse(struct conf_draft *d, const char *clean)
{
    cfg_opt_t in_smarthost[CONF_KEYS_MAX + 1], global[CONF_KEYS_MAX + 2];
    cfg_opt_t smarthost =
        CFG_SEC("smarthost", in_smarthost, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
    fill_options(in_smarthost, conf_smarthost_keys);
    global[0] = smarthost;
    global[0].validcb = on_smarthost;
    fill_options(global + 1, conf_global_keys);
    cfg_t *cfg = cfg_init(global, CFGF_NONE);
    BUG_ON(!cfg);
    cfg_set_error_function(cfg, on_confuse_error);
    parsing = d;
    if (cfg_parse_buf(cfg, clean) != CFG_SUCCESS)
        refuse_at(cfg->line, "this line cannot be read; write KEY = \"VALUE\"");
    parsing = NULL;
    cfg_free(cfg);
}

static void begin(struct conf_draft *d, const char *file)
{
    struct conf *conf = d->conf;
    conf->references = 1;
    conf->file = mem_strdup(file);
    conf_key_presets(conf_global_keys, conf);
    conf->smarthosts = mem_array(d->text.n_sections + 1, sizeof *conf->smarthosts);
    d->smarthost_lines = mem_array(d->text.n_sections + 1, sizeof *d->smarthost_lines);
    for (unsigned i = 0; i < d->text.n_sections; i++) {
        conf->smarthosts[i].line = d->text.section_lines[i];
        conf_key_presets(conf_smarthost_keys, &conf->smarthosts[i]);
    }
}

struct conf *conf_parse(const char *file, struct str text, struct err *err)
{
    struct conf_draft *d = mem_new(sizeof *d);
    struct err why;
    d->file = file;
    d->err = err;
    d->conf = mem_new(sizeof *d->conf);
    int wrong = conf_text_read(&d->text, text, &why);
    begin(d, file);
    if (wrong)
        conf_check_refuse(d, wrong, why.text);
    else
        run_libconfuse(d, buf_str(&d->text.clean).p);
    if (!d->failed)
        conf_check(d);
    struct conf *conf = d->conf;
    if (d->failed) {
        /* Sections that were begun and not ended hold text, too. */
        conf->n_smarthosts = d->text.n_sections;
        conf_unref(conf);
        conf = NULL;
    }
    conf_text_release(&d->text);
    free(d->smarthost_lines);
    free(d);
    return conf;
}

static int read_file(const char *file, struct buf *text, struct err *err)
{
    struct stat st;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0) {
        err_set(err, "%s: cannot be opened: %s; mend that, or name another file with -c", file,
                strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    if (!S_ISREG(st.st_mode)) {
        close(fd);
        return err_set(err, "%s: cannot be read: it must be a regular file", file);
    }
    ssize_t n = 0;
    while (buf_space(text)) {
        size_t room = buf_space(text) < 16384 ? buf_space(text) : 16384;
        char *end = buf_reserve(text, room);
        n = end ? read(fd, end, room) : 0;
        if (n <= 0)
            break;
        buf_added(text, (size_t)n);
    }
    if (n < 0)
        err_set(err, "%s: cannot be read: %s", file, strerror(errno));
    close(fd);
    return n < 0 ? -1 : 0;
}

struct conf *conf_load(const char *file, struct err *err)
{
    return conf_reload(file, NULL, err);
}

struct conf *conf_reload(const char *file, const struct conf *old, struct err *err)
{
    struct buf text;
    struct conf *conf = NULL;
    buf_init(&text, CONF_TEXT_MAX + 1);
    if (read_file(file, &text, err) == 0)
        conf = conf_parse(file, buf_str(&text), err);
    buf_release(&text);
    if (conf && conf_host_complete(conf, old, "/etc/mailname", err) != 0) {
        conf_unref(conf);
        conf = NULL;
    }
    return conf;
}

struct conf *conf_ref(struct conf *conf)
{
    conf->references++;
    return conf;
}

void conf_unref(struct conf *conf)
{
    if (!conf || --conf->references)
        return;
    for (unsigned i = 0; i < conf->n_smarthosts; i++) {
        free(conf->smarthosts[i].name);
        conf_key_release(conf_smarthost_keys, &conf->smarthosts[i]);
    }
    for (unsigned i = 0; i < conf->n_listen; i++)
        free(conf->listen[i]);
    free(conf->listen);
    free(conf->smarthosts);
    free(conf->file);
    free(conf->ehlo_name);
    conf_key_release(conf_global_keys, conf);
    free(conf);
}

void conf_rate_format(char text[CONF_RATE_MAX], const struct conf_rate *rate)
{
    char unit = rate->period_ms <= 1000             ? 's'
                : rate->period_ms <= 60 * 1000      ? 'm'
                : rate->period_ms <= 60 * 60 * 1000 ? 'h'
                                                    : 'd';
    snprintf(text, CONF_RATE_MAX, "%u/%c", rate->messages, unit);
}
