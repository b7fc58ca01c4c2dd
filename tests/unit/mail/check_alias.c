/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "alias.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

static const struct alias_home home = {"web1.example.com", "example.com", NULL};
static const struct alias_home with_admin = {"web1.example.com", "example.com", "admin@a.b"};

static struct alias_table *read_pieces(struct str text, size_t first, size_t step)
{
    struct alias_table *t = alias_table_new();
    struct alias_reader r;
    alias_reader_init(&r, t, "F");
    ck_assert(alias_reader_feed(&r, text.p, first));
    for (size_t at = first; at < text.n; at += step)
        ck_assert(alias_reader_feed(&r, text.p + at, step < text.n - at ? step : text.n - at));
    alias_reader_end(&r);
    return t;
}

static struct alias_table *read_whole(const char *text)
{
    struct alias_table *t = read_pieces(str_of(text), strlen(text), 1);
    alias_table_settle(t, &home);
    return t;
}

static void put_address(void *arg, unsigned depth, struct str address, enum alias_end end)
{
    static const char marks[] = {' ', '!', '?', '0'};
    struct buf *out = arg;
    (void)depth;
    buf_printf(out, "%.*s%c", STR_FMT(address), marks[end]);
}

static void expand(const struct alias_table *t, const struct alias_home *of,
                   const char *mailbox, struct buf *out)
{
    const struct alias_visitor visitor = {NULL, put_address, out};
    bool exact = mailbox[0] == '\\';
    buf_clear(out);
    alias_expand(t, of, str_of(mailbox + exact), exact, &visitor);
}

/* The problems, a line each. */
static void put_problems(const struct alias_table *t, struct buf *out)
{
    for (size_t i = 0; i < t->n_problems && i < ALIAS_PROBLEMS_MAX; i++)
        buf_printf(out, "%s%s\n", t->problems[i].grave ? "!" : "", t->problems[i].sentence);
}

#define BIG                                                                                    \
    "# of Debian\n"                                                                            \
    "mailer-daemon: postmaster\n"                                                              \
    "postmaster: root\n"                                                                       \
    "\n"                                                                                       \
    "root: ops@example.org,\n"                                                                 \
    "  # in between\n"                                                                         \
    "\n"                                                                                       \
    "\tBoss <boss@example.org> # and why\n"                                                    \
    "Alice : \"alice a.\"@example.org\r\n"                                                     \
    "\"john doe\": jd@x.y\n"                                                                   \
    "bob: \\bob, bob@x.y, bob@X.Y\n"                                                           \
    "eve: eve, eve@x.y\n"                                                                      \
    "here: carol@web1.example.com, dave@localhost\n"                                           \
    "carol: carol@x.y\n"                                                                       \
    "noreply: /dev/null\n"                                                                     \
    "both: /dev/null, alice\n"                                                                 \
    "decode: \"|/usr/bin/uudecode -x, y\"\n"                                                   \
    "mixed: |/bin/vacation, /var/mail/x, :fail: gone, alice\n"                                 \
    "a1: b1\nb1: c1\nc1: a1\n"                                                                 \
    "twice: a1, alice, alice\n"                                                                \
    "many: a@x, b@x c@x; (no) <d@x>, \"E, F\" <e@x>\n"                                         \
    "late: last@x.y"

static const struct {
    const char *mailbox, *to; /* ' ' elsewhere, '?' completed, '0' nobody, '!' admin */
} expansions[] = {
    {"root", "ops@example.org boss@example.org "},
    {"ROOT", "ops@example.org boss@example.org "},
    {"Mailer-Daemon", "ops@example.org boss@example.org "},
    {"\"root\"", "ops@example.org boss@example.org "},
    {"root@web1.example.com", "ops@example.org boss@example.org "},
    {"root@WEB1.example.com", "ops@example.org boss@example.org "},
    {"root@localhost", "ops@example.org boss@example.org "},
    {"root@localhost.localdomain", "ops@example.org boss@example.org "},
    {"root@example.com", "root@example.com "},
    {"root@web2.example.com", "root@web2.example.com "},
    {"\\root", "root@example.com?"},
    {"\\root@localhost", "root@example.com?"},
    {"\\root@web1.example.com", "root@web1.example.com?"},
    {"alice", "\"alice a.\"@example.org "},
    {"\"john doe\"", "jd@x.y "},
    {"\"John Doe\"", "jd@x.y "},
    {"bob", "bob@example.com?bob@x.y bob@X.Y "},
    {"eve", "eve@example.com?eve@x.y "},
    {"here", "carol@x.y dave@example.com?"},
    {"noreply", "noreply0"},
    {"both", "both0\"alice a.\"@example.org "},
    {"decode", "decode@example.com?"},
    {"mixed", "\"alice a.\"@example.org "},
    {"a1", "a1@example.com?"},
    {"b1", "b1@example.com?"},
    {"twice", "a1@example.com?\"alice a.\"@example.org "},
    {"many", "a@x b@x c@x d@x e@x "},
    {"late", "last@x.y "},
    {"nobody", "nobody@example.com?"},
    {"Nobody", "Nobody@example.com?"},
    {"nobody@localhost", "nobody@example.com?"},
    {"nobody@web1.example.com", "nobody@web1.example.com?"},
    {"nobody@elsewhere", "nobody@elsewhere "},
    {"|/bin/x", "|/bin/x@example.com?"},
    {"\":include:/etc/passwd\"", "\":include:/etc/passwd\"@example.com?"},
};

START_TEST(a_name_leads_where_its_alias_says)
{
    struct alias_table *t = read_whole(BIG);
    struct buf out;
    buf_init(&out, 2000);
    expand(t, &home, expansions[_i].mailbox, &out);
    ck_assert_msg(str_eq(buf_str(&out), str_of(expansions[_i].to)), "%s: %.*s",
                  expansions[_i].mailbox, STR_FMT(buf_str(&out)));
    buf_release(&out);
    alias_table_free(t);
}
END_TEST

START_TEST(what_no_alias_sends_elsewhere_is_the_admins)
{
    static const char *const cases[][2] = {{"nobody", "admin@a.b!"},
                                           {"\\root", "admin@a.b!"},
                                           {"root", "ops@example.org boss@example.org "},
                                           {"nobody@localhost", "admin@a.b!"},
                                           {"nobody@web1.example.com", "admin@a.b!"},
                                           {"nobody@example.com", "nobody@example.com "},
                                           {"decode", "admin@a.b!"},
                                           {"a1", "admin@a.b!"},
                                           {"noreply", "noreply0"}};
    struct alias_table *t = read_whole(BIG), *none = alias_table_new();
    struct buf out;
    buf_init(&out, 2000);
    for (int i = 0; i < COUNT(cases); i++) {
        expand(t, &with_admin, cases[i][0], &out);
        ck_assert_msg(str_eq(buf_str(&out), str_of(cases[i][1])), "%s: %.*s", cases[i][0],
                      STR_FMT(buf_str(&out)));
    }
    expand(none, &with_admin, "root", &out);
    ck_assert(str_eq(buf_str(&out), STR_LIT("admin@a.b!")));
    expand(none, &home, "root", &out);
    ck_assert(str_eq(buf_str(&out), STR_LIT("root@example.com?")));
    buf_release(&out);
    alias_table_free(none);
    alias_table_free(t);
}
END_TEST

/* A text, and what is told of it; "!" where it is grave. */
static const struct {
    const char *text, *told;
} problems[] = {
    {"", ""},
    {"root: a@b", ""},
    {"# only\n\n   \n\t# a comment\n", ""},
    {"root", "!F:1: this is no alias; write NAME: ADDRESS, or # before a comment\n"},
    {"\nroot:\n", "!F:2: root has nobody behind it; write an address there\n"},
    {"root: ,\n", "F:1: nothing is left of the alias root; mail for it goes to admin, or to "
                  "root at the domain\n"},
    {" root: a@b\n",
     "!F:1: this line begins with a blank and continues nothing; write NAME: ADDRESS\n"},
    {": a@b\n", "!F:1: \"\" is not the name of a local user; write NAME: ADDRESS\n"},
    {"a@b: c@d\n", "!F:1: \"a@b\" is not the name of a local user; write NAME: ADDRESS\n"},
    {"a b: c@d\n", "!F:1: \"a b\" is not the name of a local user; write NAME: ADDRESS\n"},
    {"\"a: b@c\n", "!F:1: this is no alias; write NAME: ADDRESS"},
    {"a: \"b, c@d\n", "!F:1: a quote or comment begins at \"b, c@d and does not end\n"
                      "F:1: nothing"},
    {"a: (b, c@d\n", "!F:1: a quote or comment begins at (b, c@d and does not end\n"
                     "F:1: nothing"},
    {"a: b@c@d\n", "!F:1: \"b@c@d\" is not an address; write it as user@example.com\n"
                   "F:1: nothing"},
    {"a: b@c\nA: d@e\n",
     "F:2: A has an alias already, in line 1 of F, and this one is not used\n"},
    {"a: b@c\001\nd: e@f",
     "!F:1: there is a control character in this line, which is not used\n"},
    {"\n\nx: b,\n |/bin/sh -c y\n",
     "F:3: no command is run for mail here: |/bin/sh -c y is left out; name an address "
     "instead\n"},
    {"x: b, \"|sh -c 'a, b'\"\n",
     "F:1: no command is run for mail here: |sh -c 'a, b' is left out; name an address "
     "instead\n"},
    {"x: b, /var/mail/x\n", "F:1: mail is not written to files here: /var/mail/x is left out; "
                            "name an address instead\n"},
    {"x: b, \"/var/mail/a b\"\n", "F:1: mail is not written to files here: /var/mail/a b is"},
    {"x: b <|cmd>\n", "F:1: no command is run for mail here: |cmd is left out"},
    {"x: b, :blackhole:\n",
     "F:1: :blackhole: has no meaning here and is left out; name an address\n"},
    {"x: :include:list\n",
     "!F:1: :include: takes an absolute path, one that begins with /\nF:1: nothing"},
    {"x: y\ny: x\n", "F:1: x leads back to itself; break the circle, mail for it goes on as if "
                     "it had no alias\nF:2: y leads back to itself; "},
    {"x: x\n", ""},
    {"x: x, y@z\n", ""},
    {"x: \x1b[31m@y\n", "!F:1: there is a control character"},
};

START_TEST(what_has_no_effect_is_told_with_its_line)
{
    struct alias_table *t = read_whole(problems[_i].text);
    struct buf out;
    buf_init(&out, 4000);
    put_problems(t, &out);
    struct str told = str_of(problems[_i].told);
    bool whole = told.n == 0 || told.p[told.n - 1] == '\n';
    bool same = whole ? str_eq(buf_str(&out), told) : str_starts_nocase(buf_str(&out), told);
    ck_assert_msg(same, "\"%s\":\n%.*s", problems[_i].text, STR_FMT(buf_str(&out)));
    buf_release(&out);
    alias_table_free(t);
}
END_TEST

static void put_all(const struct alias_table *t, struct buf *out)
{
    for (size_t i = 0; i < t->names.n; i++) {
        const struct alias_entry *e = &t->entries[i];
        buf_printf(out, "%s:%d:", e->name, e->line);
        for (size_t k = e->first; k < e->first + e->n; k++)
            buf_printf(out, " %d%s", t->targets[k].kind, t->targets[k].text);
        buf_putc(out, '\n');
    }
    put_problems(t, out);
}

START_TEST(pieces_of_any_size_are_read_as_the_whole)
{
    static const char text[] =
        BIG "\nbad\n x\n\"q: a\n\ni: :include:/a/b , :INCLUDE:\"/c d\"\n: x\nz: \"a\n";
    struct str all = {text, sizeof text - 1};
    struct buf whole, cut;
    buf_init(&whole, 20000);
    buf_init(&cut, 20000);
    struct alias_table *t = read_pieces(all, all.n, 1);
    put_all(t, &whole);
    alias_table_free(t);
    for (size_t first = 0; first <= all.n; first++) {
        t = read_pieces(all, first, first % 7 + 1);
        buf_clear(&cut);
        put_all(t, &cut);
        ck_assert_msg(str_eq(buf_str(&cut), buf_str(&whole)), "cut at %zu", first);
        alias_table_free(t);
    }
    buf_release(&whole);
    buf_release(&cut);
}
END_TEST

START_TEST(a_text_cut_anywhere_leads_every_name_somewhere)
{
    static const char *const names[] = {"root", "alice", "bob", "both", "a1", "decode", "many"};
    struct str all = str_of(BIG);
    struct buf out;
    buf_init(&out, 20000);
    for (size_t n = 0; n <= all.n; n++) {
        struct alias_table *t = read_pieces(str_head(all, n), n, 1);
        alias_table_settle(t, &home);
        for (int i = 0; i < COUNT(names); i++) {
            expand(t, &home, names[i], &out);
            ck_assert_msg(buf_len(&out) > 0, "%s, cut at %zu", names[i], n);
        }
        alias_table_free(t);
    }
    buf_release(&out);
}
END_TEST

static void feed_include(struct alias_table *t, const char *path, const char *text)
{
    for (size_t i = SIZE_MAX; (i = alias_table_next_include(t, i)) != SIZE_MAX;) {
        struct alias_reader r;
        if (strcmp(alias_include_path(&t->entries[i]), path) != 0)
            continue;
        alias_reader_init_include(&r, t, i);
        ck_assert(alias_reader_feed(&r, text, strlen(text)));
        alias_reader_end(&r);
        return;
    }
    ck_abort_msg("nobody includes %s", path);
}

START_TEST(included_files_are_lists_of_targets)
{
    struct alias_table *t = alias_table_new();
    struct alias_reader r;
    struct buf out;
    buf_init(&out, 2000);
    alias_reader_init(&r, t, "F");
    static const char text[] = "list: :include:/l1, x@y\nother: \":include: /l1\"\n"
                               "bob: bob@z\nempty: :include:/none\n";
    ck_assert(alias_reader_feed(&r, text, sizeof text - 1));
    alias_reader_end(&r);
    feed_include(t, "/l1", "# people\na@b, bob\n  c@d # indented\n:include:/l2\n|rm -rf\n");
    feed_include(t, "/l2", "e@f\n:include:/l1\n\\bob\n");
    feed_include(t, "/none", "");
    alias_table_settle(t, &home);
    expand(t, &home, "list", &out);
    ck_assert_msg(str_eq(buf_str(&out), STR_LIT("a@b bob@z c@d e@f bob@example.com?x@y ")),
                  "%.*s", STR_FMT(buf_str(&out)));
    expand(t, &home, "other", &out);
    ck_assert(str_eq(buf_str(&out), STR_LIT("a@b bob@z c@d e@f bob@example.com?")));
    expand(t, &home, "empty", &out);
    ck_assert(str_eq(buf_str(&out), STR_LIT("empty@example.com?")));
    buf_clear(&out);
    put_problems(t, &out);
    ck_assert_msg(
        str_starts_nocase(buf_str(&out), STR_LIT("/l1:5: no command is run for mail here")),
        "%.*s", STR_FMT(buf_str(&out)));
    buf_release(&out);
    alias_table_free(t);
}
END_TEST

START_TEST(chains_and_lists_have_an_end)
{
    struct buf text, out;
    buf_init(&text, 4000000);
    buf_init(&out, 1000000);
    for (int i = 0; i < 22; i++)
        buf_printf(&text, "n%d: n%d\n", i, i + 1);
    buf_puts(&text, "n22: end@x\nlarge: ");
    for (int i = 0; i <= ALIAS_ADDRESSES_MAX; i++)
        buf_printf(&text, "u%d@x%s", i, i < ALIAS_ADDRESSES_MAX ? "," : "\n");
    buf_puts(&text, "above: large\nfits: ");
    for (int i = 0; i < ALIAS_ADDRESSES_MAX; i++)
        buf_printf(&text, "u%d@x,", i);
    buf_putc(&text, '\0');
    struct alias_table *t = read_whole(buf_str(&text).p);
    expand(t, &home, "n3", &out);
    ck_assert_msg(str_eq(buf_str(&out), STR_LIT("end@x ")), "%.*s", STR_FMT(buf_str(&out)));
    expand(t, &home, "n2", &out);
    ck_assert(str_eq(buf_str(&out), STR_LIT("n2@example.com?")));
    expand(t, &home, "large", &out);
    ck_assert(str_eq(buf_str(&out), STR_LIT("large@example.com?")));
    expand(t, &home, "above", &out);
    ck_assert_msg(str_eq(buf_str(&out), STR_LIT("large@example.com?")), "%.*s",
                  STR_FMT(str_head(buf_str(&out), 100)));
    expand(t, &home, "fits", &out);
    ck_assert_uint_gt(buf_len(&out), (size_t)ALIAS_ADDRESSES_MAX * 4);
    ck_assert_uint_eq(t->n_grave, 4);
    alias_table_free(t);
    buf_release(&text);
    buf_release(&out);
}
END_TEST

/* Each alias names the one below twice: 2^19 ways. */
START_TEST(many_ways_to_one_address_cost_no_more_than_the_aliases)
{
    struct buf text, out;
    buf_init(&text, 10000);
    buf_init(&out, 1000);
    for (int i = 0; i < 19; i++)
        buf_printf(&text, "n%d: n%d, N%d, n%d@localhost\n", i, i + 1, i + 1, i + 1);
    buf_puts(&text, "n19: end@x");
    buf_putc(&text, '\0');
    struct alias_table *t = read_whole(buf_str(&text).p);
    expand(t, &home, "n0", &out);
    ck_assert(str_eq(buf_str(&out), STR_LIT("end@x ")));
    alias_table_free(t);
    buf_release(&text);
    buf_release(&out);
}
END_TEST

START_TEST(a_line_without_end_is_no_alias)
{
    struct alias_table *t = alias_table_new();
    struct alias_reader r;
    char *a = malloc(ALIAS_LINE_MAX);
    memset(a, 'a', ALIAS_LINE_MAX);
    alias_reader_init(&r, t, "F");
    ck_assert(alias_reader_feed(&r, "x: b@c\ny: ", 10));
    ck_assert(alias_reader_feed(&r, a, ALIAS_LINE_MAX));
    ck_assert(alias_reader_feed(&r, "\nz: d@e", 7));
    alias_reader_end(&r);
    ck_assert_uint_eq(t->names.n, 2);
    ck_assert_uint_eq(t->n_problems, 1);
    ck_assert_str_eq(t->problems[0].sentence,
                     "F:2: this alias is longer than 1048576 bytes and not used");
    alias_reader_init(&r, t, "G");
    while (alias_reader_feed(&r, a, ALIAS_LINE_MAX))
        ck_assert_uint_le(t->bytes, ALIAS_FILE_MAX);
    alias_reader_end(&r);
    free(a);
    alias_table_free(t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("alias");
    TCase *tc = tcase_create("alias");
    tcase_add_loop_test(tc, a_name_leads_where_its_alias_says, 0, COUNT(expansions));
    tcase_add_test(tc, what_no_alias_sends_elsewhere_is_the_admins);
    tcase_add_loop_test(tc, what_has_no_effect_is_told_with_its_line, 0, COUNT(problems));
    tcase_add_test(tc, pieces_of_any_size_are_read_as_the_whole);
    tcase_add_test(tc, a_text_cut_anywhere_leads_every_name_somewhere);
    tcase_add_test(tc, included_files_are_lists_of_targets);
    tcase_add_test(tc, chains_and_lists_have_an_end);
    tcase_add_test(tc, many_ways_to_one_address_cost_no_more_than_the_aliases);
    tcase_add_test(tc, a_line_without_end_is_no_alias);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
