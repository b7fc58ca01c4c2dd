/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixup.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

#define RECEIVED                                                                               \
    "Received: from localhost (uid 1000)\r\n"                                                  \
    "\tby mail.example (tranter) with LMTP id 0123456789AB;\r\n"                               \
    "\tTue, 24 Nov 2026 03:29:43 +0100\r\n"
#define DATE "Date: Tue, 24 Nov 2026 03:29:43 +0100\r\n"
#define ID "Message-ID: <0123456789AB.1795487383042@mail.example>\r\n"
#define FROM "From: bob@d\r\n"
#define ALL DATE ID FROM
#define HAS "Date: x\r\nMessage-ID: <i>\r\nFrom: a@b\r\n"

static struct fixup_facts facts_of(const char *sender)
{
    return (struct fixup_facts){
        .hostname = "mail.example",
        .domain = "m",
        .peer = "localhost (uid 1000)",
        .protocol = "LMTP",
        .id = "0123456789AB",
        .sender = sender,
        .now_ms = 1795487383042,
        .zone_minutes = 60,
        .header_limit_bytes = 10000,
    };
}

/* What goes in, what comes out behind our Received field. */
static const struct {
    const char *in, *out;
} messages[] = {
    /* Complete messages go through byte for byte. */
    {HAS "\r\nbody\r\n", HAS "\r\nbody\r\n"},
    {HAS "X : y\r\n  z\r\nSubject: \xC3\xB6\xFF\r\n\r\n\r\n \r\n.\r\n",
     HAS "X : y\r\n  z\r\nSubject: \xC3\xB6\xFF\r\n\r\n\r\n \r\n.\r\n"},
    {HAS "To: \"Last, First\" <a@b>,\r\n\tc@d (x), grp: e@f;\r\n\r\n",
     HAS "To: \"Last, First\" <a@b>,\r\n\tc@d (x), grp: e@f;\r\n\r\n"},
    {HAS "Received: x\r\n\r\n", HAS "Received: x\r\n\r\n"},
    {"dAtE: x\r\nmessage-id : <i>\r\nFROM:a@b\r\n\r\n",
     "dAtE: x\r\nmessage-id : <i>\r\nFROM:a@b\r\n\r\n"},

    /* What is missing is put behind the last field. */
    {"", ALL "\r\n"},
    {"\r\n", ALL "\r\n"},
    {"\r\nbody\r\n", ALL "\r\nbody\r\n"},
    {"Subject: t\r\n\r\nbody", "Subject: t\r\n" ALL "\r\nbody\r\n"},
    {"Subject: t\r\n", "Subject: t\r\n" ALL "\r\n"},
    {"Subject: t", "Subject: t\r\n" ALL "\r\n"},
    {"From: a@b\r\n\r\n", "From: a@b\r\n" DATE ID "\r\n"},
    {"Date: x\r\nFrom: a@b\r\n\r\n", "Date: x\r\nFrom: a@b\r\n" ID "\r\n"},
    {"Message-ID:\r\n\r\n", "Message-ID:\r\n" DATE FROM "\r\n"},

    /* What is private or of no use is taken out, whole. */
    {HAS "Bcc: x@y\r\n\r\n", HAS "\r\n"},
    {"Bcc: x@y,\r\n\tz@y\r\n" HAS "bCC :\r\n z\r\n\r\n", HAS "\r\n"},
    {HAS "Return-Path: <x@y>\r\nContent-Length: 3\r\nX: y\r\n\r\n", HAS "X: y\r\n\r\n"},
    {HAS "Bcc: x@y", HAS "\r\n"},
    {HAS "Bccc: x\r\nX-Bcc: y\r\n\r\nBcc: z\r\n", HAS "Bccc: x\r\nX-Bcc: y\r\n\r\nBcc: z\r\n"},

    /* Addresses are completed by putting in, no more. */
    {"Date: x\r\nMessage-ID: <i>\r\nFrom: root (Cron Daemon)\r\n\r\n",
     "Date: x\r\nMessage-ID: <i>\r\nFrom: root@m (Cron Daemon)\r\n\r\n"},
    {HAS "To: root,\r\n\t\"x, y\" <admin>\r\nCC:a\r\nReply-To : b\r\nSender: c@d\r\n\r\n",
     HAS "To: root@m,\r\n\t\"x, y\" <admin@m>\r\nCC:a@m\r\nReply-To : b@m\r\n"
         "Sender: c@d\r\n\r\n"},
    {HAS "X-To: root\r\nErrors-To: root\r\n\r\n", HAS "X-To: root\r\nErrors-To: root\r\n\r\n"},

    /* A resend gets the Resent- forms alone. */
    {"Resent-To: x\r\n\r\n",
     "Resent-To: x@m\r\nResent-" DATE "Resent-" ID "Resent-" FROM "\r\n"},
    {"Resent-Bcc: x@y\r\n\r\n", "Resent-" DATE "Resent-" ID "Resent-" FROM "\r\n"},
    {HAS "Resent-Date: x\r\nResent-Message-ID: <r>\r\nResent-From: r\r\nResent-Sender: s\r\n"
         "Resent-Cc: t\r\nResent-Reply-To: u\r\n\r\n",
     HAS
     "Resent-Date: x\r\nResent-Message-ID: <r>\r\nResent-From: r@m\r\nResent-Sender: s@m\r\n"
     "Resent-Cc: t@m\r\nResent-Reply-To: u@m\r\n\r\n"},
    {HAS "Resent-Other: x\r\nResent-From: r@s\r\n\r\n",
     HAS "Resent-Other: x\r\nResent-From: r@s\r\nResent-" DATE "Resent-" ID "\r\n"},

    /* A line that is no field begins the body. */
    {"hello\r\n", ALL "\r\nhello\r\n"},
    {" x\r\n", ALL "\r\n x\r\n"},
    {"Subject t\r\n\r\nx\r\n", ALL "\r\nSubject t\r\n\r\nx\r\n"},
    {"X: y\r\nhello\r\nBcc: x\r\n", "X: y\r\n" ALL "\r\nhello\r\nBcc: x\r\n"},
    {"From a@b Mon\r\n" HAS "\r\n", HAS "\r\n"},
    {">From a@b Mon\r\nFrom x\r\n" HAS "\r\nFrom y\r\n", HAS "\r\nFrom y\r\n"},

    /* The last line gets its end. */
    {HAS "\r\nbody", HAS "\r\nbody\r\n"},
    {HAS "\r\nbody\r", HAS "\r\nbody\r\n"},
    {HAS "\r\nbody\r\n\r\n", HAS "\r\nbody\r\n\r\n"},
};

struct fixed {
    char *out;
    enum fixup_status status;
    bool body_8bit;
    char message_id[128];
};

/* Feed text in pieces: first_bytes, then step_bytes at a time. .out is to be freed. */
static struct fixed fix(const struct fixup_facts *facts, struct str text, size_t first_bytes,
                        size_t step_bytes)
{
    struct fixup f;
    struct buf out;
    struct fixed fixed = {0};
    fixup_init(&f, facts);
    buf_init(&out, SIZE_MAX);
    size_t n = first_bytes;
    while (text.n) {
        struct str piece = str_head(text, n);
        fixup_feed(&f, &out, piece.p, piece.n);
        text = str_tail(text, n);
        n = step_bytes;
    }
    fixed.status = fixup_end(&f, &out);
    fixed.out = buf_strdup(&out);
    fixed.body_8bit = f.body_8bit;
    memcpy(fixed.message_id, f.message_id, sizeof f.message_id);
    fixup_release(&f);
    buf_release(&out);
    return fixed;
}

static struct fixed fix_whole(const char *sender, const char *text)
{
    struct fixup_facts facts = facts_of(sender);
    return fix(&facts, str_of(text), SIZE_MAX, 1);
}

START_TEST(a_message_is_changed_as_promised_and_no_more)
{
    struct fixed fixed = fix_whole("bob@d", messages[_i].in);
    ck_assert_int_eq(fixed.status, FIXUP_OK);
    ck_assert_msg(strncmp(fixed.out, RECEIVED, strlen(RECEIVED)) == 0, "%s", fixed.out);
    ck_assert_str_eq(fixed.out + strlen(RECEIVED), messages[_i].out);
    free(fixed.out);
}
END_TEST

START_TEST(how_the_bytes_are_cut_does_not_matter)
{
    struct fixup_facts facts = facts_of("bob@d");
    struct str text = str_of(messages[_i].in);
    for (size_t first = 1; first <= text.n; first++) {
        struct fixed two = fix(&facts, text, first, SIZE_MAX);
        struct fixed many = fix(&facts, text, first, 1);
        ck_assert_str_eq(two.out + strlen(RECEIVED), messages[_i].out);
        ck_assert_str_eq(many.out, two.out);
        free(two.out);
        free(many.out);
    }
}
END_TEST

START_TEST(a_null_senders_message_is_from_the_mailer_daemon)
{
    struct fixed fixed = fix_whole("", "\r\n");
    ck_assert_str_eq(fixed.out, RECEIVED DATE ID "From: MAILER-DAEMON@m\r\n\r\n");
    free(fixed.out);
}
END_TEST

static const struct {
    const char *in, *out;
} bare[] = {
    {"\r\n", "\r\n"},
    {"Subject: x\r\n\r\ny\r\n", "Subject: x\r\n\r\ny\r\n"},
    {"From: root\r\nTo: a, b\r\n\r\n", "From: root\r\nTo: a, b\r\n\r\n"},
    {"Resent-To: a\r\n\r\n", "Resent-To: a\r\n\r\n"},
    {"Bcc: a@b\r\nReturn-Path: <c@d>\r\n\r\n", "\r\n"}, /* nobody else may see these */
};

START_TEST(a_message_that_is_to_stay_as_it_is_gets_received_alone)
{
    struct fixup_facts facts = facts_of("bob@d");
    facts.as_is = true;
    struct fixed fixed = fix(&facts, str_of(bare[_i].in), SIZE_MAX, 1);
    ck_assert_msg(strncmp(fixed.out, RECEIVED, strlen(RECEIVED)) == 0, "%s", fixed.out);
    ck_assert_str_eq(fixed.out + strlen(RECEIVED), bare[_i].out);
    free(fixed.out);
}
END_TEST

START_TEST(hostile_facts_cannot_add_a_line)
{
    struct fixup_facts facts = facts_of("x\r\nBcc: y\n@d");
    facts.peer = "a\r\nb\nc";
    struct fixed fixed = fix(&facts, str_of("\r\n"), SIZE_MAX, 1);
    ck_assert_ptr_null(strstr(fixed.out, "\nBcc"));
    ck_assert_ptr_nonnull(strstr(fixed.out, "from a b c\r\n"));
    free(fixed.out);
}
END_TEST

static const struct {
    const char *in, *id;
} ids[] = {
    {"\r\n", "<0123456789AB.1795487383042@mail.example>"},
    {"Message-ID: <own@x>\r\n\r\n", "<own@x>"},
    {"message-id :\r\n <own@x> \r\n\r\n", "<own@x>"},
    {"Message-ID: <own@x>\r\nMessage-ID: <second@x>\r\n\r\n", "<own@x>"},
    {"Resent-Message-ID: <r@x>\r\nMessage-ID: <own@x>\r\n\r\n", "<own@x>"},
    {"Message-ID: <own@x>\r\nResent-Message-ID: <r@x>\r\n\r\n", "<own@x>"},
    {"Message-ID: <own@x>\r\nResent-To: a@b\r\n\r\n", "<own@x>"},
    {"Resent-Message-ID: <r@x>\r\n\r\n", "<r@x>"},
    {"Resent-To: a@b\r\n\r\n", "<0123456789AB.1795487383042@mail.example>"},
    {"Message-ID: <a\x01\x1B\r\n b>\r\n\r\n", "<a\\x01\\x1B  b>"},
    {"Message-ID:\r\n\r\n", ""},
};

START_TEST(the_message_id_is_told_for_the_log)
{
    struct fixed fixed = fix_whole("bob@d", ids[_i].in);
    ck_assert_str_eq(fixed.message_id, ids[_i].id);
    free(fixed.out);
}
END_TEST

static const struct {
    const char *in;
    bool is_8bit;
} eights[] = {
    {HAS "\r\nbody\r\n", false},
    {HAS "\r\nb\xC3\xB6"
         "dy\r\n",
     true},
    {HAS "Subject: \xFF\r\n\r\n", true},
    {HAS "\r\n\x80", true},
    {HAS "Bcc: \xC3\xB6@d\r\n\r\n", false},
};

START_TEST(octets_over_127_are_noticed_where_they_go_out)
{
    struct fixup_facts facts = facts_of("bob@d");
    for (size_t step = 1; step < 30; step++) {
        struct fixed fixed = fix(&facts, str_of(eights[_i].in), step, step);
        ck_assert_int_eq(fixed.body_8bit, eights[_i].is_8bit);
        free(fixed.out);
    }
}
END_TEST

static const struct {
    const char *before;
    size_t octets;
    bool is_long;
} long_lines[] = {
    {"\r\n", 998, false},    {"\r\n", 999, true},    {"X: ", 995, false},    {"X: ", 996, true},
    {"X:\r\n ", 997, false}, {"X:\r\n ", 998, true}, {"Bcc: ", 2000, false},
};

START_TEST(lines_over_998_octets_are_noticed_where_they_go_out)
{
    struct fixup_facts facts = facts_of("bob@d");
    struct fixup f;
    struct buf out;
    char line[2000];
    memset(line, 'x', sizeof line);
    buf_init(&out, SIZE_MAX);
    fixup_init(&f, &facts);
    fixup_feed(&f, &out, long_lines[_i].before, strlen(long_lines[_i].before));
    for (size_t i = 0; i < long_lines[_i].octets; i++)
        fixup_feed(&f, &out, line + i, 1);
    ck_assert_int_eq(fixup_end(&f, &out), FIXUP_OK);
    ck_assert_int_eq(f.lines.exceeded, long_lines[_i].is_long);
    fixup_release(&f);
    buf_release(&out);
}
END_TEST

START_TEST(fifty_received_fields_pass_and_one_more_is_a_loop)
{
    struct buf text;
    buf_init(&text, SIZE_MAX);
    struct fixup_facts facts = facts_of("bob@d");
    for (int i = 0; i < FIXUP_RECEIVED_MAX; i++)
        buf_puts(&text, i % 2 ? "received:\r\n x\r\n" : "RECEIVED : x\r\n");
    buf_puts(&text, "X-Received: x\r\n\r\nReceived: x\r\n");
    struct fixed fixed = fix(&facts, buf_str(&text), SIZE_MAX, 1);
    ck_assert_int_eq(fixed.status, FIXUP_OK);
    free(fixed.out);
    char *more = malloc(buf_len(&text) + 14);
    memcpy(more, "Received: x\r\n", 13);
    memcpy(more + 13, buf_str(&text).p, buf_len(&text));
    fixed = fix(&facts, (struct str){more, buf_len(&text) + 13}, SIZE_MAX, 1);
    ck_assert_int_eq(fixed.status, FIXUP_LOOP);
    free(fixed.out);
    free(more);
    buf_release(&text);
}
END_TEST

/* A smarthost that sends it back here makes it longer each time. */
START_TEST(a_message_that_comes_back_again_and_again_is_a_loop)
{
    struct fixup_facts facts = facts_of("bob@d");
    struct fixed fixed =
        fix(&facts, str_of(HAS "Received: by other (tranter) with x\r\n\r\n"), SIZE_MAX, 1);
    for (int i = 0; i < FIXUP_OWN_MAX; i++) {
        ck_assert_int_eq(fixed.status, FIXUP_OK);
        char *before = fixed.out;
        fixed = fix(&facts, str_of(before), SIZE_MAX, 1);
        free(before);
    }
    ck_assert_int_eq(fixed.status, FIXUP_OK);
    char *last = fixed.out;
    fixed = fix(&facts, str_of(last), SIZE_MAX, 1);
    ck_assert_int_eq(fixed.status, FIXUP_LOOP);
    facts.hostname = "another.example";
    free(fixed.out);
    fixed = fix(&facts, str_of(last), SIZE_MAX, 1);
    ck_assert_int_eq(fixed.status, FIXUP_OK);
    free(fixed.out);
    free(last);
}
END_TEST

START_TEST(a_header_over_its_limit_is_refused_for_good)
{
    static const char text[] = HAS "X: y\r\n\r\nbody\r\n";
    struct fixup_facts facts = facts_of("bob@d");
    facts.header_limit_bytes = sizeof HAS - 1 + 6;
    struct fixed fixed = fix(&facts, str_of(text), 7, 7);
    ck_assert_int_eq(fixed.status, FIXUP_OK);
    free(fixed.out);
    facts.header_limit_bytes--;
    fixed = fix(&facts, str_of(text), 7, 7);
    ck_assert_int_eq(fixed.status, FIXUP_HEADER_LARGE);
    ck_assert_ptr_null(strstr(fixed.out, "body"));
    free(fixed.out);
}
END_TEST

START_TEST(a_header_that_grows_beyond_the_room_is_refused_and_never_cut)
{
    static const char text[] = HAS "To: a, b, c, d, e, f, g, h\r\n\r\nbody\r\n";
    struct fixup_facts facts = facts_of("bob@d");
    struct fixup f;
    struct buf out;
    fixup_init(&f, &facts);
    buf_init(&out, 10000);
    ck_assert_int_eq(fixup_feed(&f, &out, text, sizeof text - 1), FIXUP_OK);
    ck_assert_int_eq(fixup_end(&f, &out), FIXUP_OK);
    fixup_release(&f);
    for (size_t max = 1; max < buf_len(&out); max++) {
        struct buf small;
        fixup_init(&f, &facts);
        buf_init(&small, max);
        (void)fixup_feed(&f, &small, text, sizeof text - 1);
        ck_assert_int_eq(fixup_end(&f, &small), FIXUP_HEADER_LARGE);
        buf_release(&small);
        fixup_release(&f);
    }
    buf_release(&out);
}
END_TEST

START_TEST(the_body_takes_no_memory)
{
    struct fixup f;
    struct buf out;
    struct fixup_facts facts = facts_of("bob@d");
    char block[4096];
    memset(block, 'x', sizeof block);
    fixup_init(&f, &facts);
    buf_init(&out, SIZE_MAX);
    fixup_feed(&f, &out, "\r\n", 2);
    for (int i = 0; i < 1000; i++) {
        fixup_feed(&f, &out, block, sizeof block);
        buf_consume(&out, buf_len(&out));
    }
    ck_assert_uint_eq(f.header.pending.room, 0);
    fixup_release(&f);
    buf_release(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fixup");
    TCase *tc = tcase_create("fixup");
    tcase_add_loop_test(tc, a_message_is_changed_as_promised_and_no_more, 0, COUNT(messages));
    tcase_add_loop_test(tc, how_the_bytes_are_cut_does_not_matter, 0, COUNT(messages));
    tcase_add_test(tc, a_null_senders_message_is_from_the_mailer_daemon);
    tcase_add_loop_test(tc, a_message_that_is_to_stay_as_it_is_gets_received_alone, 0,
                        COUNT(bare));
    tcase_add_test(tc, hostile_facts_cannot_add_a_line);
    tcase_add_loop_test(tc, the_message_id_is_told_for_the_log, 0, COUNT(ids));
    tcase_add_loop_test(tc, octets_over_127_are_noticed_where_they_go_out, 0, COUNT(eights));
    tcase_add_loop_test(tc, lines_over_998_octets_are_noticed_where_they_go_out, 0,
                        COUNT(long_lines));
    tcase_add_test(tc, fifty_received_fields_pass_and_one_more_is_a_loop);
    tcase_add_test(tc, a_message_that_comes_back_again_and_again_is_a_loop);
    tcase_add_test(tc, a_header_over_its_limit_is_refused_for_good);
    tcase_add_test(tc, a_header_that_grows_beyond_the_room_is_refused_and_never_cut);
    tcase_add_test(tc, the_body_takes_no_memory);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
