/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "options.h"

#include <stddef.h>
#include <string.h>

enum {
    WARNINGS_MAX = 4096,
    ENVELOPE_ID_MAX = 100 /* octets, RFC 3461 4.4 */
};

/* The command line as it is being read. */
struct reading {
    struct options *o;
    char *const *argv;
    int argc;
    int next; /* first word not yet used */
    struct err *err;
};

/* How an option takes its value. */
enum value {
    VALUE_NONE,
    VALUE_NEEDED,  /* glued or the next word */
    VALUE_GLUED,   /* glued or none: "-q bob" leaves bob alone */
    VALUE_IF_THERE /* as needed, but it may be the last word without one: "mailq -C" */
};

/* What to do about an option; value is "" where there is none. -1 with a sentence refuses the
 * command line. */
typedef int act(struct reading *r, const char *value);

/* An option without act and flag is accepted and ignored. */
struct option_row {
    char letter;
    enum value value;
    act *act;
    size_t flag; /* of struct options: the bool that it sets */
};

static int refuse_queue_admin(struct reading *r, const char *value)
{
    (void)value;
    return err_set(r->err, "-M, -Q and -S do nothing here; the queue is looked after with "
                           "tranterctl (show, retry, hold, release, remove)");
}

static const struct {
    char letter;
    enum options_mode mode;
} modes[] = {
    {'a', OPTIONS_SUBMIT},  {'h', OPTIONS_NOTHING}, {'H', OPTIONS_NOTHING},
    {'i', OPTIONS_ALIASES}, {'m', OPTIONS_SUBMIT},  {'p', OPTIONS_QUEUE},
    {'s', OPTIONS_SESSION}, {'v', OPTIONS_VERIFY},
};

static int set_mode(struct reading *r, const char *value)
{
    if (value[0] && !value[1] && strchr("dDl", value[0]))
        return err_set(r->err,
                       "-b%s starts no daemon here; start tranterd with: systemctl start "
                       "tranter.service",
                       value);
    for (size_t i = 0; value[0] && !value[1] && i < sizeof modes / sizeof modes[0]; i++) {
        if (modes[i].letter == value[0]) {
            r->o->mode = modes[i].mode;
            return 0;
        }
    }
    return err_set(r->err, "there is no mode -b%.20s; there are -bm, -bs, -bp, -bv and -bi",
                   value);
}

static int set_aliases_mode(struct reading *r, const char *value)
{
    (void)value;
    r->o->mode = OPTIONS_ALIASES;
    return 0;
}

static bool has_control(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7F)
            return true;
    }
    return false;
}

/* A queue run narrows a listing where both are asked for; it never takes its place. */
static int run_queue(struct reading *r, const char *value)
{
    const char *form = value[0] == '!' ? value + 1 : value;
    if (r->o->mode == OPTIONS_QUEUE)
        return 0;
    bool part = form[0] && strchr("IRS", form[0]);
    if (part && (!form[1] || has_control(form)))
        return err_set(r->err, "-q%c needs printable text behind it, such as -q%cexample.com",
                       form[0], form[0]);
    r->o->match = part ? value : NULL;
    r->o->mode = part || !value[0] ? OPTIONS_RETRY : OPTIONS_NOTHING;
    return 0;
}

static int set_sender(struct reading *r, const char *value)
{
    r->o->sender = value;
    return 0;
}

static int set_full_name(struct reading *r, const char *value)
{
    r->o->full_name = value;
    return 0;
}

static int set_errors(struct reading *r, const char *value)
{
    r->o->quiet = strcmp(value, "q") == 0;
    return 0;
}

/* -oX is -X of old for i and e, and a setting of Sendmail's for all other letters. */
static int set_old_option(struct reading *r, const char *value)
{
    if (strcmp(value, "i") == 0)
        r->o->dot_is_data = true;
    if (value[0] == 'e')
        return set_errors(r, value + 1);
    if (strcmp(value, "A") != 0)
        return 0;
    if (r->next == r->argc)
        return err_set(r->err, "-oA needs a value");
    r->next++;
    return 0;
}

static int check_hops(struct reading *r, const char *value)
{
    uint64_t hops;
    if (!str_u64(str_of(value), &hops))
        return err_set(r->err, "-h needs a number of hops, not \"%.40s\"", value);
    return 0;
}

static int check_body(struct reading *r, const char *value)
{
    struct str body = str_of(value);
    if (!str_eq_nocase(body, STR_LIT("7BIT")) && !str_eq_nocase(body, STR_LIT("8BITMIME")))
        buf_printf(&r->o->warnings, "-B %.40s ignored: there are 7BIT and 8BITMIME\n", value);
    return 0;
}

/* RFC 3461 4.1: never, alone, or a list of the other three. */
static bool is_notify(struct str list)
{
    if (str_eq_nocase(list, STR_LIT("never")))
        return true;
    size_t n_words = 0;
    size_t n_commas = 0;
    for (size_t i = 0; i < list.n; i++)
        n_commas += list.p[i] == ',';
    for (struct str word = str_word(&list, ","); word.n; word = str_word(&list, ",")) {
        if (!str_eq_nocase(word, STR_LIT("success")) &&
            !str_eq_nocase(word, STR_LIT("failure")) && !str_eq_nocase(word, STR_LIT("delay")))
            return false;
        n_words++;
    }
    return n_words == n_commas + 1;
}

static int set_notify(struct reading *r, const char *value)
{
    if (is_notify(str_of(value)))
        r->o->notify = value;
    else
        buf_printf(&r->o->warnings,
                   "-N %.40s ignored: write never, or some of success,failure,delay\n", value);
    return 0;
}

static int set_return(struct reading *r, const char *value)
{
    struct str ret = str_of(value);
    if (str_eq_nocase(ret, STR_LIT("full")) || str_eq_nocase(ret, STR_LIT("hdrs")))
        r->o->ret = value;
    else
        buf_printf(&r->o->warnings, "-R %.40s ignored: write full or hdrs\n", value);
    return 0;
}

static int set_envelope_id(struct reading *r, const char *value)
{
    size_t n = strlen(value);
    bool good = n > 0 && n <= ENVELOPE_ID_MAX;
    for (size_t i = 0; good && i < n; i++)
        good = value[i] >= ' ' && value[i] <= '~';
    if (good)
        r->o->envelope_id = value;
    else
        buf_printf(&r->o->warnings, "-V ignored: write 1 to %d printable ASCII characters\n",
                   ENVELOPE_ID_MAX);
    return 0;
}

static int set_json(struct reading *r, const char *value)
{
    (void)value;
    if (r->o->mode != OPTIONS_QUEUE)
        return err_set(r->err, "--json is for mailq and -bp; write -bp before it");
    r->o->json = true;
    return 0;
}

/* Every letter of Sendmail 8.17, and those its look-alikes add. */
static const struct option_row rows[] = {
    {'A', .value = VALUE_NEEDED},
    {'B', VALUE_NEEDED, .act = check_body},
    {'b', VALUE_NEEDED, .act = set_mode},
    {'C', .value = VALUE_IF_THERE},
    {'c', .value = VALUE_NONE},
    {'D', .value = VALUE_NEEDED},
    {'d', .value = VALUE_GLUED},
    {'E', .value = VALUE_GLUED},
    {'e', VALUE_NEEDED, .act = set_errors},
    {'F', VALUE_NEEDED, .act = set_full_name},
    {'f', VALUE_NEEDED, .act = set_sender},
    {'G', VALUE_NONE, .flag = offsetof(struct options, bare)},
    {'h', VALUE_NEEDED, .act = check_hops},
    {'I', VALUE_NONE, .act = set_aliases_mode},
    {'i', VALUE_NONE, .flag = offsetof(struct options, dot_is_data)},
    {'J', .value = VALUE_GLUED},
    {'j', VALUE_NONE, .act = set_json},
    {'L', .value = VALUE_NEEDED},
    {'M', VALUE_GLUED, .act = refuse_queue_admin},
    {'m', .value = VALUE_NONE},
    {'N', VALUE_NEEDED, .act = set_notify},
    {'n', .value = VALUE_NONE},
    {'O', .value = VALUE_NEEDED},
    {'o', VALUE_NEEDED, .act = set_old_option},
    {'p', .value = VALUE_NEEDED},
    {'Q', VALUE_GLUED, .act = refuse_queue_admin},
    {'q', VALUE_GLUED, .act = run_queue},
    {'R', VALUE_NEEDED, .act = set_return},
    {'r', VALUE_NEEDED, .act = set_sender},
    {'S', VALUE_GLUED, .act = refuse_queue_admin},
    {'s', .value = VALUE_NONE},
    {'T', .value = VALUE_NEEDED},
    {'t', VALUE_NONE, .flag = offsetof(struct options, from_header)},
    {'U', .value = VALUE_NONE},
    {'V', VALUE_NEEDED, .act = set_envelope_id},
    {'v', VALUE_NONE, .flag = offsetof(struct options, verbose)},
    {'X', .value = VALUE_NEEDED},
    {'x', .value = VALUE_NONE},
};

static const struct option_row *row_of(char letter)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].letter == letter)
            return &rows[i];
    }
    return NULL;
}

/* The value of row's option, of which glued is the rest of its word. NULL: it has none. */
static const char *value_of(struct reading *r, const struct option_row *row, const char *glued)
{
    if (row->value == VALUE_NONE)
        return "";
    if (*glued || row->value == VALUE_GLUED)
        return glued;
    if (r->next < r->argc)
        return r->argv[r->next++];
    return row->value == VALUE_IF_THERE ? "" : NULL;
}

/* One word of letters, without its '-'. */
static int read_letters(struct reading *r, const char *letters)
{
    const struct option_row *row;
    do {
        row = row_of(*letters++);
        if (!row)
            return err_set(r->err, "unknown option -%c; see sendmail --help", letters[-1]);
        const char *value = value_of(r, row, letters);
        if (!value)
            return err_set(r->err, "-%c needs a value", row->letter);
        if (row->flag)
            *(bool *)((char *)r->o + row->flag) = true;
        if (row->act && row->act(r, value) != 0)
            return -1;
    } while (row->value == VALUE_NONE && *letters);
    return 0;
}

static int read_long(struct reading *r, const char *word)
{
    if (strcmp(word, "--json") == 0)
        return set_json(r, "");
    if (strcmp(word, "--help") == 0)
        r->o->mode = OPTIONS_HELP;
    else if (strcmp(word, "--version") == 0)
        r->o->mode = OPTIONS_VERSION;
    else
        return err_set(r->err, "unknown option %.60s; see sendmail --help", word);
    r->next = r->argc;
    return 0;
}

/* What follows the first operand is never taken for an option: a list of addresses must not be
 * able to say -f or -X. An option that somebody meant is refused rather than mailed to. */
static int check_operands(const struct reading *r)
{
    for (int i = r->next + 1; i < r->argc; i++) {
        const char *word = r->argv[i];
        if (word[0] == '-' && !strchr(word, '@'))
            return err_set(r->err,
                           "\"%.60s\" stands behind an address; options come first, and -- "
                           "goes before addresses that begin with -",
                           word);
    }
    return 0;
}

static int read_words(struct reading *r)
{
    while (r->next < r->argc && r->argv[r->next][0] == '-' && r->argv[r->next][1]) {
        const char *word = r->argv[r->next++];
        if (strcmp(word, "--") == 0)
            return 0;
        if ((word[1] == '-' ? read_long(r, word) : read_letters(r, word + 1)) != 0)
            return -1;
    }
    return check_operands(r);
}

/* Any name but these is sendmail: wrappers and alternatives links are called all sorts. */
static int read_name(struct reading *r)
{
    static const struct {
        const char *name;
        enum options_mode mode;
    } names[] = {
        {"mailq", OPTIONS_QUEUE},      {"newaliases", OPTIONS_ALIASES}, {"runq", OPTIONS_RETRY},
        {"hoststat", OPTIONS_NOTHING}, {"purgestat", OPTIONS_NOTHING},
    };
    const char *slash = strrchr(r->argv[0], '/');
    const char *name = slash ? slash + 1 : r->argv[0];
    if (strcmp(name, "smtpd") == 0)
        return set_mode(r, "d");
    r->o->dot_is_data = strcmp(name, "rmail") == 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i].name) == 0)
            r->o->mode = names[i].mode;
    }
    return 0;
}

int options_parse(struct options *o, int argc, char *const *argv, struct err *err)
{
    *o = (struct options){.mode = OPTIONS_SUBMIT};
    buf_init(&o->warnings, WARNINGS_MAX);
    struct reading r = {.o = o, .argv = argv, .argc = argc, .next = 1, .err = err};
    if (argc < 1 || !argv[0])
        return err_set(err, "called without any arguments, not even a name");
    if (read_name(&r) != 0 || read_words(&r) != 0)
        return -1;
    o->operands = argv + r.next;
    o->n_operands = (size_t)(argc - r.next);
    return 0;
}

void options_release(struct options *o)
{
    buf_release(&o->warnings);
}
