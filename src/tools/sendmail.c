/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sendmail: the program that others call to send mail. It has no privilege and needs none: it
 * hands everything to tranterd over a socket. */
#include "ask.h"
#include "drop.h"
#include "drop_list.h"
#include "mem.h"
#include "options.h"
#include "reach.h"
#include "recipients.h"
#include "say.h"
#include "session.h"
#include "submit.h"
#include "xtext.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    PATH_BYTES_MAX = 1024 * 1024 /* more than an environment variable may have */
};

static const char program[] = "sendmail";

static const char help[] =
    "usage: sendmail [OPTION]... [--] RECIPIENT...   send the message on standard input\n"
    "       sendmail -t [OPTION]... [RECIPIENT]...   also to those in To, Cc and Bcc\n"
    "       sendmail -bs                             speak SMTP on standard input and output\n"
    "       sendmail -bp | mailq [--json]            list the queue\n"
    "       sendmail -q                              try what waits in the queue now\n"
    "       sendmail -qITEXT | -qRTEXT | -qSTEXT     only what has TEXT in its id, a "
    "recipient,\n"
    "                                                its sender; -q! for all but that\n"
    "       sendmail -bi | newaliases                read the alias file afresh\n"
    "       sendmail -bv ADDRESS...                  check addresses, send nothing\n"
    "  -f ADDRESS  envelope sender, '<>' for none    -F NAME  full name for a From field\n"
    "  -i, -oi     a line with just a dot is text    -v       say the queue id\n"
    "  -N, -R, -V  delivery status notifications\n"
    "Other options of Sendmail are accepted. See sendmail(8).\n";

/* Nothing that we open may become somebody's standard output, and nothing that a caller forgot
 * to close is kept open by us. Returns whether there is a standard input. */
static bool secure_descriptors(void)
{
    bool has_input = fcntl(STDIN_FILENO, F_GETFD) != -1;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", O_RDWR) < 0)
            break; /* a bare chroot; reach_connect() keeps above them by itself */
    }
#ifdef SYS_close_range
    syscall(SYS_close_range, STDERR_FILENO + 1u, ~0u, 0u);
#endif
    return has_input;
}

/* A set-uid program that calls us keeps its privileges: we neither need nor use them, and its
 * user is who sends. */
static void drop_privileges(void)
{
    gid_t gid = getgid();
    uid_t uid = getuid();
    bool lent = geteuid() != uid || getegid() != gid;
    if (lent && (setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)) {
        say(program, "cannot give up the privileges of the calling program: %s",
            strerror(errno));
        exit(EX_OSERR);
    }
}

static void secure_process(void)
{
    mem_exit_as(program, EX_OSERR, EX_SOFTWARE);
    drop_privileges();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    alarm(0);
    umask(077);
}

static int refuse(int exit_status, const struct err *err)
{
    if (err->text[0])
        say(program, "%s", err->text);
    return exit_status;
}

/* What was handed in meanwhile waits where the daemon will find it. */
static void say_down(const char *words, const struct err *why)
{
    if (strcmp(words, "queue") == 0) {
        drop_list(drop_path());
        fflush(stdout);
    }
    say(program, "the mail system is down: %s", why->text);
}

static int ask_daemon(const char *words)
{
    struct buf path;
    struct buf question;
    struct err err;
    buf_init(&path, PATH_BYTES_MAX);
    buf_init(&question, ASK_QUESTION_MAX);
    reach_control_path(&path);
    buf_putc(&path, '\0');
    buf_puts(&question, words);
    int fd = reach_connect(buf_str(&path).p, 0, &err);
    /* Who is not running needs no telling: it will read the aliases when it starts. */
    bool away = fd < 0 && (errno == ENOENT || errno == ECONNREFUSED);
    int exit_status = away && strcmp(words, "aliases") == 0 ? EX_OK : EX_UNAVAILABLE;
    if (fd >= 0)
        exit_status = refuse(ask(fd, &question, NULL, &err), &err);
    else if (exit_status != EX_OK)
        say_down(words, &err);
    buf_release(&question);
    buf_release(&path);
    return exit_status;
}

/* A client of -bs waits for a reply; it gets one. */
static int run_session(void)
{
    struct err err = {.text = ""};
    int fd = reach_connect(reach_submission_path(), reach_wait_ms(), &err);
    if (fd < 0) {
        printf("421 4.3.2 the mail system is down\r\n");
        fflush(stdout);
        return refuse(EX_OSERR, &err);
    }
    return refuse(session_run(fd, &err), &err);
}

/* The daemon says where each of them leads; 67 where one is not an address. */
static int verify_good(const struct recipients *list)
{
    struct buf words;
    buf_init(&words, ASK_QUESTION_MAX - 1);
    buf_puts(&words, "verify");
    for (size_t i = 0; i < list->good.n; i++) {
        buf_putc(&words, ' ');
        xtext_put(&words, str_of(list->good.texts[i]));
    }
    buf_putc(&words, '\0');
    int exit_status = EX_USAGE;
    if (words.failed)
        say(program, "these are too many addresses at once");
    else
        exit_status = ask_daemon(buf_str(&words).p);
    buf_release(&words);
    return exit_status;
}

static int verify(const struct options *o)
{
    struct recipients list;
    int exit_status = EX_OK;
    recipients_init(&list);
    for (size_t i = 0; i < o->n_operands; i++)
        recipients_add_list(&list, str_of(o->operands[i]));
    if (list.bad)
        say(program, "\"%s\" is not an address", list.bad[0]);
    if (list.good.n) {
        exit_status = verify_good(&list);
    } else if (!list.bad) {
        say(program, "nobody to check: name addresses after -bv");
        exit_status = EX_USAGE;
    }
    if (list.bad)
        exit_status = EX_NOUSER;
    recipients_release(&list);
    return exit_status;
}

static int say_warnings(const struct options *o)
{
    struct str rest = buf_str(&o->warnings);
    while (rest.n && !o->quiet) {
        struct str line = str_head(rest, str_find(rest, '\n'));
        say(program, "%.*s", STR_FMT(line));
        rest = str_tail(rest, line.n + 1);
    }
    return 0;
}

static int no_input(void)
{
    say(program, "standard input is closed; give the message there, or </dev/null for an empty "
                 "one");
    return EX_NOINPUT;
}

static int retry(const struct options *o)
{
    struct buf words;
    if (!o->match)
        return ask_daemon("retry all");
    buf_init(&words, ASK_QUESTION_MAX - 1);
    bool no = o->match[0] == '!';
    buf_printf(&words, "retry match=%s%c:%s", no ? "!" : "", o->match[no], o->match + no + 1);
    buf_putc(&words, '\0');
    int exit_status = EX_USAGE;
    if (words.failed)
        say(program, "the text behind -q is too long");
    else
        exit_status = ask_daemon(buf_str(&words).p);
    buf_release(&words);
    return exit_status;
}

static int run(const struct options *o, bool has_input)
{
    say_warnings(o);
    switch (o->mode) {
    case OPTIONS_SUBMIT:
        return has_input ? submit(program, o) : no_input();
    case OPTIONS_SESSION:
        return has_input ? run_session() : no_input();
    case OPTIONS_QUEUE:
        return ask_daemon(o->json ? "queue json" : "queue");
    case OPTIONS_ALIASES:
        return ask_daemon("aliases");
    case OPTIONS_RETRY:
        return retry(o);
    case OPTIONS_VERIFY:
        return verify(o);
    case OPTIONS_NOTHING:
        return EX_OK;
    case OPTIONS_HELP:
        fputs(help, stdout);
        return EX_OK;
    case OPTIONS_VERSION:
        puts(PACKAGE_STRING);
        return EX_OK;
    }
    return EX_SOFTWARE;
}

int main(int argc, char **argv)
{
    bool has_input = secure_descriptors();
    secure_process();
    struct options o;
    struct err err;
    int exit_status =
        options_parse(&o, argc, argv, &err) == 0 ? run(&o, has_input) : refuse(EX_USAGE, &err);
    options_release(&o);
    if (fflush(stdout) != 0 && exit_status == EX_OK) {
        say(program, "cannot write to standard output: %s", strerror(errno));
        exit_status = EX_IOERR;
    }
    return exit_status;
}
