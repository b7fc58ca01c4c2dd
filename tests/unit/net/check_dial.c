/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dial.h"

#include "clock.h"
#include "lookup.h"
#include "mem.h"
#include "sockname.h"
#include "turns.h"

#include <check.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
    int calls, fd;
    struct fault fault;
} got;

static struct loop *loop;

/* What the stand-in for getaddrinfo answers. */
static struct {
    int result, error;
    const char *ips[20];
    int gate; /* read from before answering; -1: not */
} answer;

static struct addrinfo *address_of(const char *ip, const char *service)
{
    struct addrinfo *i = mem_new(sizeof *i + sizeof(struct sockaddr_storage));
    struct sockaddr_storage address;
    ck_assert(sockname_of_ip(str_of(ip), (uint16_t)atoi(service), &address, &i->ai_addrlen));
    i->ai_family = address.ss_family;
    i->ai_addr = (struct sockaddr *)(i + 1);
    memcpy(i->ai_addr, &address, i->ai_addrlen);
    return i;
}

static int resolve(const char *host, const char *service, const struct addrinfo *hints,
                   struct addrinfo **list)
{
    char c;
    (void)host;
    ck_assert_int_eq(hints->ai_socktype, SOCK_STREAM);
    while (answer.gate >= 0 && read(answer.gate, &c, 1) != 1)
        ;
    for (int i = 0; answer.ips[i]; i++) {
        *list = address_of(answer.ips[i], service);
        list = &(*list)->ai_next;
    }
    errno = answer.error;
    return answer.result;
}

static void setup(void)
{
    memset(&got, 0, sizeof got);
    memset(&answer, 0, sizeof answer);
    got.fd = answer.gate = -1;
    loop = loop_new();
    lookup_replace(resolve);
}

static void teardown(void)
{
    loop_free(loop);
    if (got.fd >= 0)
        close(got.fd);
}

static void on_done(void *owner, int fd, const struct fault *fault)
{
    ck_assert_ptr_eq(owner, &got);
    got.calls++;
    got.fd = fd;
    if (fault)
        got.fault = *fault;
    ck_assert((fd >= 0) == (fault == NULL));
}

static bool is_done(void *arg)
{
    (void)arg;
    return got.calls > 0;
}

static void dial(const char *host, uint16_t port, int64_t timeout_ms)
{
    dial_new(loop, host, port, timeout_ms, on_done, &got);
    ck_assert_int_eq(got.calls, 0);
    ck_assert(turns_until(loop, is_done, NULL));
    ck_assert_int_eq(got.calls, 1);
}

static void check_connected_to(const char *ip)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char text[SOCKNAME_TEXT_MAX];
    ck_assert_int_eq(getpeername(got.fd, (struct sockaddr *)&address, &length), 0);
    sockname_ip((struct sockaddr *)&address, text);
    ck_assert_str_eq(text, ip);
}

/* A port on ip that refuses: it was free a moment ago. */
static uint16_t closed_port(const char *ip)
{
    uint16_t port = 0;
    close(turns_listening(ip, &port, 1));
    return port;
}

START_TEST(an_address_needs_no_resolver)
{
    uint16_t port = 0;
    int listening = turns_listening("127.0.0.1", &port, 5);
    answer.result = EAI_FAIL;
    dial("127.0.0.1", port, 5000);
    check_connected_to("127.0.0.1");
    close(listening);
}
END_TEST

START_TEST(after_an_address_that_refuses_the_next_is_tried)
{
    uint16_t port = 0;
    int listening = turns_listening("127.0.0.1", &port, 5);
    answer.ips[0] = "127.0.0.2";
    answer.ips[1] = "127.0.0.3";
    answer.ips[2] = "127.0.0.1";
    dial("mx.example.com", port, 5000);
    check_connected_to("127.0.0.1");
    close(listening);
}
END_TEST

START_TEST(the_real_resolver_finds_localhost)
{
    uint16_t port = 0;
    int listening = turns_listening("127.0.0.1", &port, 5);
    lookup_replace(NULL);
    dial("localhost", port, 5000);
    check_connected_to("127.0.0.1");
    close(listening);
}
END_TEST

START_TEST(where_all_refuse_each_is_named)
{
    char expected[300];
    uint16_t port = closed_port("127.0.0.2");
    answer.ips[0] = "127.0.0.2";
    answer.ips[1] = "127.0.0.3";
    dial("mx.example.com", port, 5000);
    snprintf(expected, sizeof expected,
             "mx.example.com refuses connections on port %u (127.0.0.2: Connection refused; "
             "127.0.0.3: Connection refused)",
             port);
    ck_assert_str_eq(got.fault.text, expected);
    ck_assert_str_eq(got.fault.code, "TCP-REFUSED");
    ck_assert_str_eq(got.fault.status, "4.4.1");
    ck_assert_int_eq(got.fault.scope, FAULT_SERVER);
    ck_assert(!got.fault.permanent);
    ck_assert_ptr_nonnull(strstr(got.fault.fix, "587"));
}
END_TEST

START_TEST(a_refusal_says_more_than_a_missing_route)
{
    uint16_t port = closed_port("127.0.0.2");
    answer.ips[0] = "127.0.0.2";
    answer.ips[1] = "240.0.0.1"; /* reserved: no route, or no answer in time */
    dial("mx.example.com", port, 20);
    ck_assert_str_eq(got.fault.code, "TCP-REFUSED");
}
END_TEST

/* A server whose queue is full answers nothing. */
START_TEST(an_address_that_does_not_answer_gets_its_time_and_no_more)
{
    uint16_t port = 0;
    int fillers[8], listening = turns_listening("127.0.0.1", &port, 0);
    struct sockaddr_storage address;
    socklen_t length;
    ck_assert(sockname_of_ip(STR_LIT("127.0.0.1"), port, &address, &length));
    for (int i = 0; i < 8; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(fillers[i], (struct sockaddr *)&address, length);
    }
    int64_t start = clock_mono_ms();
    dial("127.0.0.1", port, 20);
    ck_assert_int_ge(clock_mono_ms(), start + 20);
    ck_assert_str_eq(got.fault.code, "TCP-TIMEOUT");
    for (int i = 0; i < 8; i++)
        close(fillers[i]);
    close(listening);
}
END_TEST

static const struct {
    const char *name;
    int result, error;
    const char *code, *status, *text;
} questions[] = {
    {"no such name", EAI_NONAME, 0, "DNS-NXDOMAIN", "4.4.4",
     "the name mx.example.com does not exist in DNS"},
    {"no address", EAI_NODATA, 0, "DNS-NODATA", "4.4.4",
     "mx.example.com exists but has no IP address"},
    {"an empty answer", 0, 0, "DNS-NODATA", "4.4.4",
     "mx.example.com exists but has no IP address"},
    {"no answer", EAI_AGAIN, 0, "DNS-TEMP", "4.4.3",
     "no answer from the resolver for mx.example.com (Temporary failure in name resolution)"},
    {"failure", EAI_FAIL, 0, "DNS-TEMP", "4.4.3",
     "no answer from the resolver for mx.example.com (Non-recoverable failure in name "
     "resolution)"},
    {"no resolver", EAI_SYSTEM, ECONNREFUSED, "DNS-NORESOLVER", "4.4.3",
     "the resolver refused the question for mx.example.com"},
    {"out of files", EAI_SYSTEM, EMFILE, "DNS-TEMP", "4.4.3",
     "no answer from the resolver for mx.example.com (Too many open files)"},
};

START_TEST(what_the_resolver_says_is_told_by_its_code)
{
    answer.result = questions[_i].result;
    answer.error = questions[_i].error;
    dial("mx.example.com", 587, 5000);
    ck_assert_msg(strcmp(got.fault.code, questions[_i].code) == 0, "%s: %s", questions[_i].name,
                  got.fault.code);
    ck_assert_str_eq(got.fault.text, questions[_i].text);
    ck_assert_str_eq(got.fault.status, questions[_i].status);
    ck_assert_int_eq(got.fault.scope, FAULT_SERVER);
    ck_assert_uint_gt(strlen(got.fault.fix), 0);
}
END_TEST

START_TEST(a_resolver_that_hangs_stops_neither_the_loop_nor_the_next_dial)
{
    int gate[2];
    ck_assert_int_eq(pipe(gate), 0);
    answer.gate = gate[0];
    dial("mx.example.com", 587, 15);
    ck_assert_str_eq(got.fault.code, "DNS-TEMP");
    got.calls = 0;
    uint16_t port = 0;
    int listening = turns_listening("127.0.0.1", &port, 5);
    dial("127.0.0.1", port, 5000);
    check_connected_to("127.0.0.1");
    close(listening);
}
END_TEST

START_TEST(a_dial_that_is_cancelled_stays_silent)
{
    int gate[2];
    struct loop *other = loop_new();
    ck_assert_int_eq(pipe(gate), 0);
    answer.gate = gate[0];
    answer.ips[0] = "127.0.0.1";
    dial_cancel(dial_new(loop, "mx.example.com", 587, 5000, on_done, &got));
    struct dial *resolving = dial_new(loop, "mx.example.com", 587, 5000, on_done, &got);
    turns_for(loop, 2);
    dial_cancel(resolving);
    struct dial *answered = dial_new(other, "mx.example.com", 587, 5000, on_done, &got);
    turns_for(other, 2);
    ck_assert_int_eq(write(gate[1], "xx", 2), 2);
    /* Its answer may be waiting for the loop already, and must not find its owner. */
    dial_cancel(answered);
    turns_for(loop, 2);
    loop_free(other);
    ck_assert_int_eq(got.calls, 0);
}
END_TEST

START_TEST(threads_that_hang_are_counted_and_bounded)
{
    int gate[2];
    ck_assert_int_eq(pipe(gate), 0);
    answer.gate = gate[0];
    for (int i = 0; i < LOOKUP_THREADS_MAX; i++) {
        struct dial *d = dial_new(loop, "mx.example.com", 587, 5000, on_done, &got);
        turns_for(loop, 0);
        dial_cancel(d);
    }
    dial("mx.example.com", 587, 5000);
    ck_assert_str_eq(got.fault.code, "DNS-TEMP");
    ck_assert_str_eq(got.fault.text, "no thread is left to look up mx.example.com; at most 16 "
                                     "questions wait for the resolver at once");
}
END_TEST

START_TEST(a_program_ends_while_its_resolver_hangs)
{
    int gate[2], status;
    ck_assert_int_eq(pipe(gate), 0);
    answer.gate = gate[0];
    pid_t child = fork();
    if (child == 0) {
        dial_new(loop, "mx.example.com", 587, 5000, on_done, &got);
        turns_for(loop, 2);
        loop_free(loop);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dial");
    TCase *tc = tcase_create("dial");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, an_address_needs_no_resolver);
    tcase_add_test(tc, after_an_address_that_refuses_the_next_is_tried);
    tcase_add_test(tc, the_real_resolver_finds_localhost);
    tcase_add_test(tc, where_all_refuse_each_is_named);
    tcase_add_test(tc, a_refusal_says_more_than_a_missing_route);
    tcase_add_test(tc, an_address_that_does_not_answer_gets_its_time_and_no_more);
    tcase_add_loop_test(tc, what_the_resolver_says_is_told_by_its_code, 0,
                        sizeof questions / sizeof questions[0]);
    tcase_add_test(tc, a_resolver_that_hangs_stops_neither_the_loop_nor_the_next_dial);
    tcase_add_test(tc, a_dial_that_is_cancelled_stays_silent);
    tcase_add_test(tc, threads_that_hang_are_counted_and_bounded);
    tcase_add_test(tc, a_program_ends_while_its_resolver_hangs);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
