/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "options.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORDS_MAX = 12
};

/* What a command line must come to. Fields left out must have the value they have without it.
 */
struct good {
    const char *line; /* words separated by blanks; ~ stands for an empty word */
    enum options_mode mode;
    const char *operands; /* separated by blanks */
    const char *sender, *full_name, *notify, *ret, *envelope_id, *match;
    bool from_header, dot_is_data, quiet, verbose, bare, json, warns;
};

static const struct good goods[] = {
    /* By name. */
    {"sendmail a@b", OPTIONS_SUBMIT, .operands = "a@b"},
    {"/usr/lib/sendmail a@b", OPTIONS_SUBMIT, .operands = "a@b"},
    {"send-mail.real a@b", OPTIONS_SUBMIT, .operands = "a@b"},
    {"/usr/bin/mailq", OPTIONS_QUEUE, .operands = ""},
    {"newaliases", OPTIONS_ALIASES, .operands = ""},
    {"runq", OPTIONS_RETRY, .operands = ""},
    {"rmail a@b", OPTIONS_SUBMIT, "a@b", .dot_is_data = true},
    {"hoststat", OPTIONS_NOTHING, .operands = ""},
    {"purgestat", OPTIONS_NOTHING, .operands = ""},
    /* How words are read. */
    {"sendmail -fx a", OPTIONS_SUBMIT, "a", .sender = "x"},
    {"sendmail -f x a", OPTIONS_SUBMIT, "a", .sender = "x"},
    {"sendmail -f ~ a", OPTIONS_SUBMIT, "a", .sender = ""},
    {"sendmail -f<> a", OPTIONS_SUBMIT, "a", .sender = "<>"},
    {"sendmail -rx a", OPTIONS_SUBMIT, "a", .sender = "x"},
    {"sendmail -r x a", OPTIONS_SUBMIT, "a", .sender = "x"},
    {"sendmail -fx -fy a", OPTIONS_SUBMIT, "a", .sender = "y"},
    {"sendmail -f -t a", OPTIONS_SUBMIT, "a", .sender = "-t"},
    {"sendmail -FName a", OPTIONS_SUBMIT, "a", .full_name = "Name"},
    {"sendmail -F Name a", OPTIONS_SUBMIT, "a", .full_name = "Name"},
    {"sendmail -ti", OPTIONS_SUBMIT, "", .from_header = true, .dot_is_data = true},
    {"sendmail -it", OPTIONS_SUBMIT, "", .from_header = true, .dot_is_data = true},
    {"sendmail -im a", OPTIONS_SUBMIT, "a", .dot_is_data = true},
    {"sendmail -tfx a", OPTIONS_SUBMIT, "a", .from_header = true, .sender = "x"},
    {"sendmail -oem -oi a", OPTIONS_SUBMIT, "a", .dot_is_data = true},
    {"sendmail -o i a", OPTIONS_SUBMIT, "a", .dot_is_data = true},
    {"sendmail -i -- -odd@x", OPTIONS_SUBMIT, "-odd@x", .dot_is_data = true},
    {"sendmail -- -t", OPTIONS_SUBMIT, .operands = "-t"},
    {"sendmail a -f@b", OPTIONS_SUBMIT, .operands = "a -f@b"},
    {"sendmail a ~ b", OPTIONS_SUBMIT, .operands = "a ~ b"},
    {"sendmail - a", OPTIONS_SUBMIT, .operands = "- a"},
    {"sendmail --help", OPTIONS_HELP, .operands = ""},
    {"sendmail --version -y", OPTIONS_VERSION, .operands = ""},
    /* The table, letter by letter. */
    {"sendmail -Ac a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -Am a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -B8BITMIME a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -B 7bit a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -B9BIT a", OPTIONS_SUBMIT, "a", .warns = true},
    {"sendmail -ba a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -bh", OPTIONS_NOTHING, .operands = ""},
    {"sendmail -bH", OPTIONS_NOTHING, .operands = ""},
    {"sendmail -bi", OPTIONS_ALIASES, .operands = ""},
    {"sendmail -I", OPTIONS_ALIASES, .operands = ""},
    {"sendmail -bm a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -b m a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -bp", OPTIONS_QUEUE, .operands = ""},
    {"sendmail -bs", OPTIONS_SESSION, .operands = ""},
    {"sendmail -bs -odb -oem", OPTIONS_SESSION, .operands = ""},
    {"sendmail -bv a", OPTIONS_VERIFY, .operands = "a"},
    {"sendmail -C/x a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -C cfg -F N a", OPTIONS_SUBMIT, "a", .full_name = "N"},
    {"mailq -C x", OPTIONS_QUEUE, .operands = ""},
    {"mailq -C", OPTIONS_QUEUE, .operands = ""},
    {"sendmail -c a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -D log a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -d a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -d8.20 a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -E a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -J a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -em a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -e p a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -eq a", OPTIONS_SUBMIT, "a", .quiet = true},
    {"sendmail -oeq a", OPTIONS_SUBMIT, "a", .quiet = true},
    {"sendmail -oeq -oem a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -G a", OPTIONS_SUBMIT, "a", .bare = true},
    {"sendmail -h 5 a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -h5 a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -i a", OPTIONS_SUBMIT, "a", .dot_is_data = true},
    {"sendmail -oi a", OPTIONS_SUBMIT, "a", .dot_is_data = true},
    {"sendmail -L tag a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -m a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -om a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -N never a", OPTIONS_SUBMIT, "a", .notify = "never"},
    {"sendmail -Nsuccess,DELAY a", OPTIONS_SUBMIT, "a", .notify = "success,DELAY"},
    {"sendmail -N never,delay a", OPTIONS_SUBMIT, "a", .warns = true},
    {"sendmail -N delay,, a", OPTIONS_SUBMIT, "a", .warns = true},
    {"sendmail -N x a", OPTIONS_SUBMIT, "a", .warns = true},
    {"sendmail -n a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -O DeliveryMode=b a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -ODeliveryMode=b a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -odi -odq -oA/etc/aliases a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -oA /etc/aliases a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -pNNTP:host a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -p NNTP a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -q", OPTIONS_RETRY, .operands = ""},
    {"sendmail -q bob", OPTIONS_RETRY, .operands = "bob"},
    {"sendmail -q30m", OPTIONS_NOTHING, .operands = ""},
    {"sendmail -qp1h", OPTIONS_NOTHING, .operands = ""},
    {"sendmail -qf", OPTIONS_NOTHING, .operands = ""},
    {"sendmail -qGx", OPTIONS_NOTHING, .operands = ""},
    {"sendmail -qL", OPTIONS_NOTHING, .operands = ""},
    {"sendmail -qQ", OPTIONS_NOTHING, .operands = ""},
    {"mailq -qRx", OPTIONS_QUEUE, .operands = ""},
    {"sendmail -qIid", OPTIONS_RETRY, "", .match = "Iid"},
    {"sendmail -qRx", OPTIONS_RETRY, "", .match = "Rx"},
    {"sendmail -q!Sx", OPTIONS_RETRY, "", .match = "!Sx"},
    {"sendmail -qRx -q", OPTIONS_RETRY, .operands = ""},
    {"sendmail -qRx -qf", OPTIONS_NOTHING, .operands = ""},
    {"sendmail -bp -q", OPTIONS_QUEUE, .operands = ""},
    {"sendmail -R hdrs a", OPTIONS_SUBMIT, "a", .ret = "hdrs"},
    {"sendmail -RFull a", OPTIONS_SUBMIT, "a", .ret = "Full"},
    {"sendmail -R x a", OPTIONS_SUBMIT, "a", .warns = true},
    {"sendmail -s a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -T 5 a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -t a", OPTIONS_SUBMIT, "a", .from_header = true},
    {"sendmail -U a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -V id=1 a", OPTIONS_SUBMIT, "a", .envelope_id = "id=1"},
    {"sendmail -V ~ a", OPTIONS_SUBMIT, "a", .warns = true},
    {"sendmail -V \x01 a", OPTIONS_SUBMIT, "a", .warns = true},
    {"sendmail -v a", OPTIONS_SUBMIT, "a", .verbose = true},
    {"sendmail -X /tmp/log a", OPTIONS_SUBMIT, .operands = "a"},
    {"sendmail -x a", OPTIONS_SUBMIT, .operands = "a"},
    {"mailq --json", OPTIONS_QUEUE, "", .json = true},
    {"mailq -j", OPTIONS_QUEUE, "", .json = true},
    {"sendmail -bp -j", OPTIONS_QUEUE, "", .json = true},
    /* Callers, word for word. */
    {"sendmail -FCronDaemon -i -B8BITMIME -oem root", OPTIONS_SUBMIT, "root",
     .full_name = "CronDaemon", .dot_is_data = true},
    {"sendmail -FCronDaemon -i -odi -oem -oi -t -f root", OPTIONS_SUBMIT, "", .sender = "root",
     .full_name = "CronDaemon", .dot_is_data = true, .from_header = true},
    {"sendmail -t -i -fa@b", OPTIONS_SUBMIT, "", .sender = "a@b", .from_header = true,
     .dot_is_data = true},
    {"sendmail -oi -odi -oem -N success,delay,failure -V00000001 -f ~ -- a b", OPTIONS_SUBMIT,
     "a b", .sender = "", .dot_is_data = true, .notify = "success,delay,failure",
     .envelope_id = "00000001"},
};

static const char *const bads[] = {
    "",
    "sendmail -y a",
    "sendmail -ty a",
    "sendmail -\xC3 a",
    "sendmail -f",
    "sendmail -F",
    "sendmail -oA",
    "sendmail -h x a",
    "sendmail -h -1 a",
    "sendmail -bC",
    "sendmail -bP",
    "sendmail -bt",
    "sendmail -bd",
    "sendmail -bD",
    "sendmail -bl",
    "sendmail -bd -q30m",
    "sendmail -bS",
    "sendmail -bpx",
    "sendmail -b ~",
    "sendmail -M id",
    "sendmail -Mrm",
    "sendmail -Q",
    "sendmail -Qreason",
    "sendmail -S x",
    "sendmail -qI",
    "sendmail -q!R",
    "sendmail -qS\x01",
    "sendmail --quiet a",
    "sendmail --json a",
    "sendmail bob -f a@b",
    "sendmail bob -- x",
    "smtpd",
};

struct line {
    char text[200];
    char *words[WORDS_MAX];
    int n;
};

static void split(struct line *line, const char *text)
{
    *line = (struct line){.n = 0};
    ck_assert_uint_lt(strlen(text), sizeof line->text);
    strcpy(line->text, text);
    for (char *word = strtok(line->text, " "); word; word = strtok(NULL, " ")) {
        ck_assert_int_lt(line->n, WORDS_MAX);
        line->words[line->n++] = strcmp(word, "~") == 0 ? word + 1 : word;
    }
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_operands(const struct options *o, const char *expected)
{
    struct line line;
    split(&line, expected);
    bool good = o->n_operands == (size_t)line.n;
    for (int i = 0; good && i < line.n; i++)
        good = same(o->operands[i], line.words[i]);
    return good;
}

START_TEST(a_command_line_is_understood)
{
    const struct good *g = &goods[_i];
    struct line line;
    struct options o;
    struct err err;
    split(&line, g->line);
    ck_assert_msg(options_parse(&o, line.n, line.words, &err) == 0, "%s", g->line);
    ck_assert_msg(o.mode == g->mode, "mode of %s", g->line);
    ck_assert_msg(same_operands(&o, g->operands), "operands of %s", g->line);
    ck_assert_msg(same(o.sender, g->sender), "sender of %s", g->line);
    ck_assert_msg(same(o.full_name, g->full_name), "full name of %s", g->line);
    ck_assert_msg(same(o.notify, g->notify) && same(o.ret, g->ret) &&
                      same(o.envelope_id, g->envelope_id),
                  "notification of %s", g->line);
    ck_assert_msg(o.from_header == g->from_header && o.dot_is_data == g->dot_is_data &&
                      o.quiet == g->quiet && o.verbose == g->verbose && o.bare == g->bare &&
                      o.json == g->json,
                  "flags of %s", g->line);
    ck_assert_msg(same(o.match, g->match), "match of %s", g->line);
    ck_assert_msg((buf_len(&o.warnings) > 0) == g->warns, "warning of %s", g->line);
    options_release(&o);
}
END_TEST

START_TEST(a_command_line_is_refused_with_a_sentence)
{
    struct line line;
    struct options o;
    struct err err = {.text = ""};
    split(&line, bads[_i]);
    ck_assert_msg(options_parse(&o, line.n, line.words, &err) == -1, "%s", bads[_i]);
    ck_assert_msg(err.text[0] != '\0', "%s", bads[_i]);
    options_release(&o);
}
END_TEST

START_TEST(an_envelope_id_has_at_most_100_characters)
{
    char id[102];
    char name[] = "sendmail", option[] = "-V", operand[] = "a";
    char *words[] = {name, option, id, operand};
    struct options o;
    struct err err;
    for (size_t n = 100; n <= 101; n++) {
        memset(id, 'x', n);
        id[n] = '\0';
        ck_assert_int_eq(options_parse(&o, 4, words, &err), 0);
        ck_assert_int_eq(o.envelope_id != NULL, n == 100);
        options_release(&o);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("options");
    TCase *tc = tcase_create("options");
    tcase_add_loop_test(tc, a_command_line_is_understood, 0,
                        (int)(sizeof goods / sizeof goods[0]));
    tcase_add_loop_test(tc, a_command_line_is_refused_with_a_sentence, 0,
                        (int)(sizeof bads / sizeof bads[0]));
    tcase_add_test(tc, an_envelope_id_has_at_most_100_characters);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
