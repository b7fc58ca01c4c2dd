/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The daemon's parts and how they are put together. Work is started in one place: at the end of
 * each turn of the loop. */
#include "aliases.h"
#include "clock.h"
#include "conf.h"
#include "conf_aliases.h"
#include "control.h"
#include "drop.h"
#include "gather.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "relay.h"
#include "service.h"
#include "store.h"
#include "submit.h"
#include "trust.h"
#include "waiter.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    DESCRIPTORS = 4096
};

struct daemon {
    const char *file;
    bool debug;
    struct conf *conf;
    struct loop *loop;
    struct store *store;
    struct report_limit *limit;
    struct loop_watch *store_watch;
    struct aliases *aliases;
    struct submit *submit;
    struct drop *drop;
    struct relay *relay;
    struct control *control;
    struct loop_timer *stop_timer;
    struct loop_timer *metrics_timer;
    struct tally tally;
    struct gather_source metrics;
    bool metrics_failed; /* the last write of metrics-file */
    unsigned changes;    /* of the smarthosts that the service manager was told */
    int64_t loaded_ms;
    bool stopping;
    int status; /* exit status */
};

static void open_log(const struct daemon *d)
{
    enum log_level level = LOG_LEVEL_INFO;
    log_level_parse(str_of(d->conf->log_level), &level);
    if (d->debug)
        log_open(LOG_LEVEL_DEBUG, log_to_stderr);
    else
        log_open(level, service_log_sink(d->conf->log));
}

/* Everything that the configuration names can be used: trust stores, certificates, passwords.
 */
static int check_conf(const struct conf *conf, struct err *err)
{
    for (unsigned i = 0; i < conf->n_smarthosts; i++) {
        if (trust_check(conf, i, err) < 0)
            return -1;
    }
    return 0;
}

static void on_store(void *arg)
{
    struct daemon *d = arg;
    struct store_result result;
    while (store_next(d->store, &result) != STORE_NOTHING) {
        if (result.type == STORE_BROKEN) {
            log_say(LOG_LEVEL_ERROR, NULL,
                    "the queue in %s cannot be written any more, stopping: %s", d->conf->spool,
                    result.reason);
            d->status = EX_OSERR;
            loop_stop(d->loop);
            return;
        }
        struct waiter *waiter = result.owner;
        if (waiter)
            waiter->on_result(waiter, &result);
        if (result.type != STORE_APPENDED)
            relay_wake(d->relay);
    }
}

/* What was handed to the store is recorded in any case, so its results are heard: who waits for
 * them tells the log and the submitter, and the marks of what was sent are cleared. */
static void stop_now(struct daemon *d)
{
    store_finish(d->store);
    on_store(d);
    submit_stop(d->submit);
    loop_stop(d->loop);
}

static void on_stop_timeout(void *arg)
{
    log_say(LOG_LEVEL_NOTICE, NULL, "stop-timeout is over, closing what is left");
    stop_now(arg);
}

static void begin_stop(struct daemon *d)
{
    if (d->stopping) {
        stop_now(d);
        return;
    }
    d->stopping = true;
    service_notify("STOPPING=1\nSTATUS=finishing the transactions in hand");
    log_say(LOG_LEVEL_INFO, NULL, "stopping");
    loop_timer_set(d->stop_timer, loop_now_ms(d->loop) + d->conf->stop_timeout_ms);
    drop_stop(d->drop);
    submit_stop(d->submit);
    relay_stop(d->relay);
}

static void note_restart_only(const struct conf *old, const struct conf *new,
                              bool sockets_differ)
{
    if (sockets_differ || strcmp(old->control, new->control) != 0)
        log_say(LOG_LEVEL_WARNING, NULL,
                "listen, listen-mode and control take effect at a restart; until then the old "
                "ones stay");
}

/* The queue that is open stays the daemon's, and all that is said is of that one. */
static int check_spool(const struct conf *old, const struct conf *new, struct err *err)
{
    if (strcmp(old->spool, new->spool) == 0)
        return 0;
    return err_set(err,
                   "%s: spool = \"%s\" takes effect at a restart alone, and \"%s\" is in use: "
                   "restart tranterd, or set it back",
                   new->file, new->spool, old->spool);
}

static int load_afresh(struct daemon *d, struct err *err)
{
    struct conf *fresh = conf_reload(d->file, d->conf, err);
    if (!fresh)
        return -1;
    struct alias_table *table = NULL;
    if (check_spool(d->conf, fresh, err) == 0 && check_conf(fresh, err) == 0)
        table = aliases_load(fresh, true, err);
    if (!table || relay_reload(d->relay, fresh, err) < 0) {
        alias_table_free(table);
        conf_unref(fresh);
        return -1;
    }
    aliases_use(d->aliases, fresh, table);
    note_restart_only(d->conf, fresh, submit_reload(d->submit, fresh));
    drop_reload(d->drop, fresh);
    conf_unref(d->conf);
    d->conf = fresh;
    d->metrics_failed = false;
    loop_timer_set(d->metrics_timer, loop_now_ms(d->loop));
    d->loaded_ms = clock_wall_ms();
    open_log(d);
    return 0;
}

static void tell_state(struct daemon *d)
{
    struct buf line;
    d->changes = relay_changes(d->relay);
    buf_init(&line, 64 * 1024);
    control_status_line(d->control, &line);
    service_notify("STATUS=%.*s", STR_FMT(buf_str(&line)));
    buf_release(&line);
}

static int reload(void *arg, struct err *err)
{
    struct daemon *d = arg;
    struct err why;
    if (d->stopping) {
        err_set(err, "the daemon is stopping");
        return 1;
    }
    service_notify("RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_mono_ms() * 1000);
    int result = load_afresh(d, &why);
    if (result == 0)
        log_say(LOG_LEVEL_NOTICE, NULL, "configuration %s loaded afresh", d->file);
    else
        log_say(LOG_LEVEL_ERROR, NULL, "reload refused, the old configuration stays: %s",
                why.text);
    control_loaded(d->control, d->conf, d->loaded_ms, result == 0 ? NULL : why.text);
    d->metrics.reload_failed = result < 0;
    service_notify("READY=1");
    tell_state(d);
    if (result < 0)
        err_set(err, "%s", why.text);
    return result;
}

static int renew_aliases(void *arg, struct err *err)
{
    struct daemon *d = arg;
    struct alias_table *table = aliases_load(d->conf, true, err);
    if (!table) {
        log_say(LOG_LEVEL_ERROR, NULL, "the old aliases stay: %s", err->text);
        return -1;
    }
    aliases_use(d->aliases, d->conf, table);
    log_say(LOG_LEVEL_NOTICE, NULL, "aliases loaded afresh");
    return 0;
}

static void retry_all(struct daemon *d)
{
    store_retry(d->store, 0, clock_wall_ms(), NULL);
    relay_probe_now(d->relay);
    drop_sweep(d->drop);
}

static void on_signal(int number, void *arg)
{
    struct daemon *d = arg;
    struct err err;
    switch (number) {
    case SIGHUP:
        if (reload(d, &err) != 0)
            return;
        break;
    case SIGUSR1:
        retry_all(d);
        break;
    default:
        begin_stop(d);
    }
}

static void write_metrics(void *arg)
{
    struct daemon *d = arg;
    struct err err;
    loop_timer_set(d->metrics_timer, loop_now_ms(d->loop) + GATHER_FILE_MS);
    if (!d->stopping)
        tell_state(d);
    if (!d->conf->metrics_file)
        return;
    bool failed = gather_file(d->conf->metrics_file, &d->metrics, &err) < 0;
    if (failed && !d->metrics_failed)
        log_say(LOG_LEVEL_WARNING, NULL, "%s", err.text);
    d->metrics_failed = failed;
}

static void at_turn_end(void *arg)
{
    struct daemon *d = arg;
    relay_pump(d->relay);
    if (!d->stopping && d->changes != relay_changes(d->relay))
        tell_state(d);
    if (d->stopping && submit_sessions(d->submit) == 0 && relay_is_idle(d->relay))
        loop_stop(d->loop);
}

static int open_spool(struct daemon *d, struct err *err)
{
    pid_t busy_pid = 0;
    d->store = store_open(d->conf->spool, err, &busy_pid);
    struct err warning;
    if (d->store && store_warn(d->store, &warning))
        log_say(LOG_LEVEL_WARNING, NULL, "%s", warning.text);
    if (d->store)
        return EX_OK;
    return busy_pid ? EX_TEMPFAIL : EX_OSERR;
}

static void sweep(void *arg)
{
    struct daemon *d = arg;
    drop_sweep(d->drop);
}

/* Bring up all parts. An exit status; not EX_OK: *err says why. */
static int start(struct daemon *d, struct err *err)
{
    int fds[SERVICE_SOCKETS_MAX];
    unsigned n = service_sockets(fds);
    int status = open_spool(d, err);
    if (status != EX_OK)
        return status;
    d->loop = loop_new();
    d->limit = report_limit_new();
    struct alias_table *table = aliases_load(d->conf, false, err);
    if (!table)
        return EX_CONFIG;
    d->aliases = aliases_new(d->conf, table);
    d->relay = relay_new(d->loop, d->store, &d->tally, d->aliases, d->limit, d->conf, err);
    if (!d->relay)
        return EX_CONFIG;
    d->submit = submit_new(d->loop, d->store, &d->tally, d->aliases, d->limit, d->conf);
    if (submit_listen(d->submit, fds, n, err) < 0)
        return EX_OSERR;
    d->control =
        control_new(&(struct control_facts){d->loop, d->store, d->relay, &d->tally, d->aliases,
                                            clock_wall_ms(), reload, renew_aliases, sweep, d},
                    d->conf, err);
    if (!d->control)
        return EX_OSERR;
    control_loaded(d->control, d->conf, d->loaded_ms, NULL);
    d->drop = drop_new(d->loop, d->submit, d->conf);
    drop_sweep(d->drop);
    d->store_watch = loop_watch_new(d->loop, store_event_fd(d->store), on_store, d);
    d->stop_timer = loop_timer_new(d->loop, on_stop_timeout, d);
    d->metrics = (struct gather_source){d->store, d->relay, &d->tally, clock_wall_ms(), false};
    d->metrics_timer = loop_timer_new(d->loop, write_metrics, d);
    write_metrics(d);
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        loop_signal(d->loop, signals[i], on_signal, d);
    return EX_OK;
}

static void tear_down(struct daemon *d)
{
    control_free(d->control);
    drop_free(d->drop);
    submit_free(d->submit);
    relay_free(d->relay);
    loop_timer_free(d->stop_timer);
    loop_timer_free(d->metrics_timer);
    loop_watch_free(d->store_watch);
    if (d->loop)
        loop_free(d->loop);
    if (d->store)
        store_close(d->store);
    aliases_free(d->aliases);
    report_limit_free(d->limit);
    conf_unref(d->conf);
}

/* Enough for all sessions at once, where the hard limit allows; 1024 is a usual soft one. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS)
        return;
    limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static int run(struct daemon *d)
{
    struct err err;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit on files is a full disk (L-058) */
    umask(077);
    /* A core would hold mail, and perhaps a password. The limit alone does not hold back one
     * that is piped to a program, and neither does it keep others of our user from looking. */
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    prctl(PR_SET_DUMPABLE, 0);
    raise_descriptors();
    open_log(d);
    if (check_conf(d->conf, &err) < 0)
        log_say(LOG_LEVEL_ERROR, NULL, "mail is accepted, but it waits: %s", err.text);
    d->status = start(d, &err);
    if (d->status == EX_OK) {
        log_say(LOG_LEVEL_INFO, NULL, "tranterd %s started, queue in %s", PACKAGE_VERSION,
                d->conf->spool);
        service_notify("READY=1\nSTATUS=running");
        at_turn_end(d); /* what waits in the queue waits for no event */
        loop_run(d->loop, at_turn_end, d);
        write_metrics(d);
        log_say(LOG_LEVEL_INFO, NULL, "stopped");
    } else {
        /* Whoever started it looks there, wherever the log goes. */
        if (!d->debug && service_log_sink(d->conf->log) != log_to_stderr)
            fprintf(stderr, "tranterd: %s\n", err.text);
        log_say(LOG_LEVEL_ERROR, NULL, "not started: %s", err.text);
    }
    tear_down(d);
    return d->status;
}

/* A lone fingerprint stops the mail on the day the server's key changes (T-019). */
static void warn_of_lone_fingerprints(const struct conf *conf)
{
    for (unsigned i = 0; i < conf->n_smarthosts; i++) {
        const struct conf_smarthost *s = &conf->smarthosts[i];
        if (s->tls_fingerprints && !strchr(s->tls_fingerprints, ' '))
            fprintf(stderr,
                    "%s:%d: warning: smarthost \"%s\" has one tls-fingerprint, so its mail "
                    "waits when the server changes; add that of the next key\n",
                    conf->file, s->line, s->name);
    }
}

/* What is wrong in the alias files; a warning where it only has no effect. */
static int test_aliases(const struct conf *conf)
{
    struct err err;
    struct buf said;
    struct alias_table *table = conf_aliases_load(conf, &err);
    if (!table) {
        fprintf(stderr, "%s\n", err.text);
        return EX_CONFIG;
    }
    buf_init(&said, ALIAS_PROBLEMS_MAX * ERR_TEXT_MAX * 2);
    aliases_put_problems(&said, table);
    fprintf(stderr, "%.*s", STR_FMT(buf_str(&said)));
    buf_release(&said);
    int status = table->n_grave ? EX_CONFIG : EX_OK;
    alias_table_free(table);
    return status;
}

static int test_configuration(struct daemon *d)
{
    struct err err;
    int status = test_aliases(d->conf);
    if (check_conf(d->conf, &err) < 0) {
        status = EX_CONFIG;
        fprintf(stderr, "%s\n", err.text);
    }
    if (d->conf->metrics_file && gather_check(d->conf->metrics_file, &err) < 0) {
        status = EX_CONFIG;
        fprintf(stderr, "%s: %s\n", d->file, err.text);
    }
    warn_of_lone_fingerprints(d->conf);
    conf_unref(d->conf);
    return status;
}

static int usage(FILE *to, int status)
{
    fputs("usage: tranterd [-c FILE] [-t] [-d] [-V]\n"
          "  -c FILE  configuration (default " SYSCONFDIR "/tranter/tranter.conf)\n"
          "  -t       check the configuration and all it names, then exit: 0 or 78\n"
          "  -d       log debug lines to standard error\n"
          "  -V       print the version\n",
          to);
    return status;
}

int main(int argc, char *argv[])
{
    struct daemon d = {.file = SYSCONFDIR "/tranter/tranter.conf",
                       .loaded_ms = clock_wall_ms()};
    bool test = false;
    int option;
    while ((option = getopt(argc, argv, "c:tdVh")) != -1) {
        switch (option) {
        case 'c':
            d.file = optarg;
            break;
        case 't':
            test = true;
            break;
        case 'd':
            d.debug = true;
            break;
        case 'V':
            puts("tranterd " PACKAGE_VERSION);
            return EX_OK;
        case 'h':
            return usage(stdout, EX_OK);
        default:
            return usage(stderr, EX_USAGE);
        }
    }
    if (optind < argc)
        return usage(stderr, EX_USAGE);
    struct err err;
    d.conf = conf_load(d.file, &err);
    if (!d.conf) {
        fprintf(stderr, "%s\n", err.text);
        return EX_CONFIG;
    }
    return test ? test_configuration(&d) : run(&d);
}
