/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "address.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

/* text, what is read from it ("a|b", a bad element in braces), and how it looks when completed
 * with "m" (NULL: as it was). */
static const struct {
    const char *text, *read, *completed;
} lists[] = {
    {"", "", NULL},
    {"a@d", "a@d", NULL},
    {" a@d ", "a@d", NULL},
    {"a@d,b@d", "a@d|b@d", NULL},
    {"a@d, b@d", "a@d|b@d", NULL},
    {"a@d b@d", "a@d|b@d", NULL},
    {"a@d; b@d", "a@d|b@d", NULL},
    {"a@d b@d, c@d", "a@d|b@d|c@d", NULL},
    {"a@d,", "a@d", NULL},
    {",,a@d,,b@d,;", "a@d|b@d", NULL},
    {";", "", NULL},
    {"\r\n\ta@d,\r\n\tb@d", "a@d|b@d", NULL},
    {"a@d,\n b@d", "a@d|b@d", NULL},

    {"<b@d>", "b@d", NULL},
    {"Bob B <b@d>", "b@d", NULL},
    {"\"Bob B.\" <b@d>", "b@d", NULL},
    {"Bob B. <b@d>", "b@d", NULL},
    {"Bob Q. B. <b@d>, <c@d>", "b@d|c@d", NULL},
    {"b@d (Bob)", "b@d", NULL},
    {"\"Last, First\" <b@d>, c@d", "b@d|c@d", NULL},
    {"\"a \\\"b, c\\\" d\" <b@d>", "b@d", NULL},
    {"=?utf-8?q?B=C3=B6b?= <b@d>", "b@d", NULL},
    {"B\xC3\xB6"
     "b <b@d>",
     "b@d", NULL},
    {"B\xF6"
     "b <b@d>",
     "b@d", NULL},
    {"[ext] Bob :) <b@d>", "b@d", NULL},
    {"O'Brien <b@d>", "b@d", NULL},
    {"b@d <c@d>", "c@d", NULL},
    {"x@d y@d <c@d>", "c@d", NULL},
    {"<a@d> <b@d>", "a@d|b@d", NULL},
    {"<a@d> b@d", "a@d|b@d", NULL},
    {"Bob\r\n <b@d>", "b@d", NULL},
    {"Bob <\r\n b@d\r\n >", "b@d", NULL},

    {"(x)a@d", "a@d", NULL},
    {"(a, b <c@d>; e:) a@d", "a@d", NULL},
    {"a(x)@(y)d", "a@d", NULL},
    {"a (x (y (z))) @ (w) d (v)", "a@d", NULL},
    {"(only) (comments)", "", NULL},
    {"(a \\) b) a@d", "a@d", NULL},
    {"Bob (x) < (y) b (z) @ d (w) > (v), c@d", "b@d|c@d", NULL},
    {"a . b @ d . e", "a.b@d.e", NULL},
    {"a@d(x)b@d", "a@d|b@d", NULL},

    {"undisclosed-recipients:;", "", NULL},
    {"undisclosed-recipients:", "", NULL},
    {"undisclosed-recipients: ; , a@d", "a@d", NULL},
    {"grp: a@d, b@d;", "a@d|b@d", NULL},
    {"grp: a@d, b@d; c@d", "a@d|b@d|c@d", NULL},
    {"\"a: b\": a@d;", "a@d", NULL},
    {"A Group: Bob <b@d>, c@d;, e@d", "b@d|c@d|e@d", NULL},
    {"a: b: c@d;; e@d", "c@d|e@d", NULL},
    {"root: root;", "root", "root: root@m;"},

    {"<@r:b@d>", "b@d", NULL},
    {"<@a,@b:c@d>", "c@d", NULL},
    {"Bob <@a , @b : c@d>", "c@d", NULL},
    {"<@[IPv6:::1]:c@d>", "c@d", NULL},

    {"\"john doe\"@d", "\"john doe\"@d", NULL},
    {"\"john\"@d", "john@d", NULL},
    {"john.\"q p\".doe@d", "\"john.q p.doe\"@d", NULL},
    {"<\"a@b\"@d>", "\"a@b\"@d", NULL},
    {"\"a\\\"b\"@d", "\"a\\\"b\"@d", NULL},
    {"\"\\\"a\\\"\"@d", "\"\\\"a\\\"\"@d", NULL},
    {"\"a\r\n b\"@d", "\"a b\"@d", NULL},
    {"\"\"@d", "\"\"@d", NULL},
    {"a..b@d", "\"a..b\"@d", NULL},
    {".a.@d", "\".a.\"@d", NULL},
    {"b\xC3\xB6"
     "b@d",
     "b\xC3\xB6"
     "b@d",
     NULL},
    {"a@d.", "a@d", NULL},

    {"u@[192.0.2.1]", "u@[192.0.2.1]", NULL},
    {"u@[IPv6:2001:db8::1], b@d", "u@[IPv6:2001:db8::1]|b@d", NULL},
    {"U <u@[IPv6:::1]>", "u@[IPv6:::1]", NULL},

    {"root", "root", "root@m"},
    {" root", "root", " root@m"},
    {"root (Cron Daemon)", "root", "root@m (Cron Daemon)"},
    {"root(Cron Daemon)", "root", "root@m(Cron Daemon)"},
    {"(root) root (root)", "root", "(root) root@m (root)"},
    {"<root>", "root", "<root@m>"},
    {"root <root>", "root", "root <root@m>"},
    {"\"root, admin\" < root >, x@d", "root|x@d", "\"root, admin\" < root@m >, x@d"},
    {"root, admin", "root|admin", "root@m, admin@m"},
    {"root admin", "root|admin", "root@m admin@m"},
    {"root,\r\n\tadmin\r\n", "root|admin", "root@m,\r\n\tadmin@m\r\n"},
    {"root, a@d, admin;", "root|a@d|admin", "root@m, a@d, admin@m;"},
    {"john.doe", "john.doe", "john.doe@m"},
    {"\"john doe\"", "\"john doe\"", "\"john doe\"@m"},
    {"<@r:root>", "root", "<@r:root@m>"},
    {"\\root", "root", "\\root@m"},
    {"|cmd", "|cmd", "|cmd@m"},
    {"\"|cmd arg\"", "\"|cmd arg\"", "\"|cmd arg\"@m"},
    {"/file", "/file", "/file@m"},
    {":include:/etc/x", "\":include:/etc/x\"", NULL},
    {":include:/etc/x.y, b@d", "\":include:/etc/x.y\"|b@d", NULL},
    {"postmaster", "postmaster", "postmaster@m"},

    {"<>", "", NULL},
    {"Bob <>, a@d", "a@d", NULL},
    {"< (x) >", "", NULL},

    {"a@b@d", "{a@b@d}", NULL},
    {"a@b@d, c@d", "{a@b@d}|c@d", NULL},
    {"@d", "{@d}", NULL},
    {"a@", "{a@}", NULL},
    {"a@, b@d", "{a@}|b@d", NULL},
    {"a@-d, root", "{a@-d}|root", "a@-d, root@m"},
    {"a@d>, b@d", "{a@d>}|b@d", NULL},
    {"a@d), b@d", "{a@d)}|b@d", NULL},
    {"Bob <b@d, c@d", "{Bob <b@d}|c@d", NULL},
    {"Bob <b@d", "{Bob <b@d}", NULL},
    {"<john doe@d>, c@d", "{<john doe@d>}|c@d", NULL},
    {"<<a@d>>", "{<<a@d>>}", NULL},
    {"<@a c@d>, b@d", "{<@a c@d>}|b@d", NULL},
    {"a@d, \"Bob <b@d>, c@d", "a@d|{\"Bob <b@d>, c@d}", NULL},
    {"a@d, (Bob, b@d", "a@d|{(Bob, b@d}", NULL},
    {"root (Bob, b@d", "{root (Bob, b@d}", NULL},
    {"<\"a@d>, b@d", "{<\"a@d>, b@d}", NULL},
    {"\"a\"b@d, c@d", "{\"a\"b@d}|c@d", NULL},
    {"a\"b\"@d", "{a\"b\"@d}", NULL},
    {"u@[192.0.2.1, b@d", "{u@[192.0.2.1}|b@d", NULL},
    {"u@[1.2.3.4]x", "{u@[1.2.3.4]x}", NULL},
    {"b\xF6"
     "b@d, c@d",
     "{b\xF6"
     "b@d}|c@d",
     NULL},
    {"a\x01@d, b@d", "{a\x01@d}|b@d", NULL},
    {"a\\", "{a\\}", NULL},
    {"a\\\r\n b", "{a\\\r\n b}", NULL},
    {"a\\\n b, c", "{a\\\n b}|c", "a\\\n b, c@m"},
    {".", "{.}", NULL},
};

static void put_result(struct buf *out, enum address_list_result result, struct str mailbox)
{
    buf_puts(out, buf_len(out) ? "|" : "");
    buf_puts(out, result == ADDRESS_LIST_BAD ? "{" : "");
    buf_put_str(out, mailbox);
    buf_puts(out, result == ADDRESS_LIST_BAD ? "}" : "");
}

static char *read_list(struct str text)
{
    struct address_list list = address_list_of(text);
    struct buf mailbox;
    struct buf out;
    buf_init(&mailbox, 2 * ADDRESS_MAX);
    buf_init(&out, SIZE_MAX);
    enum address_list_result result;
    while ((result = address_list_next(&list, &mailbox)) != ADDRESS_LIST_END)
        put_result(&out, result, buf_str(&mailbox));
    char *read = buf_strdup(&out);
    buf_release(&mailbox);
    buf_release(&out);
    return read;
}

static char *complete(struct str text)
{
    struct buf out;
    buf_init(&out, SIZE_MAX);
    address_qualify_list(&out, text, STR_LIT("m"));
    char *completed = buf_strdup(&out);
    buf_release(&out);
    return completed;
}

START_TEST(every_address_is_read_or_told_as_bad)
{
    char *read = read_list(str_of(lists[_i].text));
    ck_assert_msg(strcmp(read, lists[_i].read) == 0, "%s\nread as  %s\nand not  %s",
                  lists[_i].text, read, lists[_i].read);
    free(read);
}
END_TEST

START_TEST(only_a_missing_domain_is_put_in)
{
    const char *text = lists[_i].text;
    const char *wanted = lists[_i].completed ? lists[_i].completed : text;
    char *completed = complete(str_of(text));
    ck_assert_msg(strcmp(completed, wanted) == 0, "%s\nbecame   %s\nand not  %s", text,
                  completed, wanted);
    free(completed);
}
END_TEST

START_TEST(a_backslash_before_an_address_is_told)
{
    static const char text[] = "\\a, a, B <\\b@d>, \"\\c\"@d, (x) \\e";
    static const bool exact[] = {true, false, true, false, true};
    struct address_list list = address_list_of(str_of(text));
    struct buf mailbox;
    buf_init(&mailbox, 1000);
    for (int i = 0; i < COUNT(exact); i++) {
        ck_assert_int_eq(address_list_next(&list, &mailbox), ADDRESS_LIST_GOOD);
        ck_assert_msg(list.exact == exact[i], "%d", i);
    }
    buf_release(&mailbox);
}
END_TEST

/* Nothing is read behind the view's end, and it ends (a hang is the test's timeout). */
START_TEST(a_list_may_be_cut_anywhere)
{
    const char *text = lists[_i].text;
    for (size_t n = 0; n <= strlen(text); n++) {
        char *cut = malloc(n ? n : 1);
        memcpy(cut, text, n);
        free(read_list((struct str){cut, n}));
        free(complete((struct str){cut, n}));
        free(cut);
    }
}
END_TEST

static char *nested_comment(unsigned depth)
{
    struct buf out;
    buf_init(&out, SIZE_MAX);
    for (unsigned i = 0; i < depth; i++)
        buf_putc(&out, '(');
    for (unsigned i = 0; i < depth; i++)
        buf_putc(&out, ')');
    buf_puts(&out, " a@d");
    char *text = buf_strdup(&out);
    buf_release(&out);
    return text;
}

START_TEST(comments_nest_a_hundred_deep_and_no_deeper)
{
    char *text = nested_comment(100);
    char *read = read_list(str_of(text));
    ck_assert_str_eq(read, "a@d");
    free(text);
    free(read);
    text = nested_comment(101);
    read = read_list(str_of(text));
    ck_assert_int_eq(read[0], '{');
    free(text);
    free(read);
}
END_TEST

START_TEST(a_local_part_may_have_64_octets)
{
    char text[80];
    memset(text, 'a', sizeof text);
    memcpy(text + 64, "@d", 3);
    char *read = read_list(str_of(text));
    ck_assert_str_eq(read, text);
    free(read);
    memcpy(text + 64, "a@d", 4);
    read = read_list(str_of(text));
    ck_assert_int_eq(read[0], '{');
    free(read);
}
END_TEST

START_TEST(a_bad_element_is_cut_at_the_limit_of_the_buf)
{
    struct buf mailbox;
    buf_init(&mailbox, 10);
    struct address_list list = address_list_of(STR_LIT("a@b@cdefghijklm, a@d"));
    ck_assert_int_eq(address_list_next(&list, &mailbox), ADDRESS_LIST_BAD);
    ck_assert(str_eq(buf_str(&mailbox), STR_LIT("a@b@cdefgh")));
    ck_assert_int_eq(address_list_next(&list, &mailbox), ADDRESS_LIST_GOOD);
    ck_assert(str_eq(buf_str(&mailbox), STR_LIT("a@d")));
    ck_assert_int_eq(address_list_next(&list, &mailbox), ADDRESS_LIST_END);
    ck_assert_int_eq(address_list_next(&list, &mailbox), ADDRESS_LIST_END);
    buf_release(&mailbox);
}
END_TEST

/* Shapes that would take a quadratic reader hours: 2 MB each, against the test's timeout. */
static const char *const bombs[] = {
    "a ",   "a,",     "<",     "<a ",    "<a,",  "<@a",   "<@a,<", "\"",   "(",
    "a@[",  "a@[a ",  "a:",    ":",      "\\",   "a@b@",  ".",     "a.",   "<>",
    "(x) ", "\"x\" ", "\"x\"", "a@d(x)", "a <b", "a (b,", "<a (",  "<a,(", "<@a:",
};

START_TEST(time_is_linear_in_the_length)
{
    enum {
        BOMB_BYTES = 2000000
    };
    size_t n = strlen(bombs[_i]);
    char *text = malloc(BOMB_BYTES);
    for (size_t i = 0; i < BOMB_BYTES; i++)
        text[i] = bombs[_i][i % n];
    free(read_list((struct str){text, BOMB_BYTES}));
    free(complete((struct str){text, BOMB_BYTES}));
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("address_list");
    TCase *tc = tcase_create("list");
    tcase_add_loop_test(tc, every_address_is_read_or_told_as_bad, 0, COUNT(lists));
    tcase_add_loop_test(tc, only_a_missing_domain_is_put_in, 0, COUNT(lists));
    tcase_add_loop_test(tc, a_list_may_be_cut_anywhere, 0, COUNT(lists));
    tcase_add_test(tc, a_backslash_before_an_address_is_told);
    tcase_add_test(tc, comments_nest_a_hundred_deep_and_no_deeper);
    tcase_add_test(tc, a_local_part_may_have_64_octets);
    tcase_add_test(tc, a_bad_element_is_cut_at_the_limit_of_the_buf);
    tcase_set_timeout(tc, 30);
    tcase_add_loop_test(tc, time_is_linear_in_the_length, 0, COUNT(bombs));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
