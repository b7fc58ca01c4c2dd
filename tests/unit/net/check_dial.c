/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dial_inner.h"

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
    struct dial_report report;
    struct dial_address addresses[20];
    char canonical[100];
    struct dial *dial;
} got;

static struct loop *loop;

/* What the stand-in for getaddrinfo answers. */
static struct {
    int result, error;
    const char *ips[20];
    const char *canonical;
    int gate; /* read from before answering; -1: not */
    struct lookup_dns dns;
    int asked_dns;
} answer;

static struct addrinfo *address_of(const char *ip, const char *service)
{
    struct addrinfo *i = mem_new(sizeof *i + sizeof(struct sockaddr_storage));
    struct sockaddr_storage address;
    ck_assert(sockname_of_ip(str_of(ip), (uint16_t)atoi(service), &address, &i->ai_addrlen));
    i->ai_family = address.ss_family;
    i->ai_addr = (struct sockaddr *)(i + 1);
    memcpy(i->ai_addr, &address, i->ai_addrlen);
    i->ai_canonname = answer.canonical ? strdup(answer.canonical) : NULL;
    return i;
}

static void ask_dns(const char *host, struct lookup_dns *found)
{
    (void)host;
    answer.asked_dns++;
    *found = answer.dns;
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
    lookup_replace(resolve, ask_dns);
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
    got.report = dial_report(got.dial);
    for (unsigned i = 0; i < got.report.n; i++)
        got.addresses[i] = got.report.addresses[i];
    snprintf(got.canonical, sizeof got.canonical, "%s",
             got.report.canonical ? got.report.canonical : "");
    ck_assert((fd >= 0) == (fault == NULL));
}

static bool is_done(void *arg)
{
    (void)arg;
    return got.calls > 0;
}

static void dial(const char *host, uint16_t port, int64_t timeout_ms)
{
    got.dial = dial_new(loop, host, port, timeout_ms, on_done, &got);
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
    lookup_replace(NULL, NULL);
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
    dial("mx.example.test", port, 5000);
    snprintf(expected, sizeof expected,
             "mx.example.test refuses connections on port %u (127.0.0.2: Connection refused; "
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
struct mute {
    int listening, fillers[8];
};

static void be_mute(struct mute *m, const char *ip, uint16_t *port)
{
    struct sockaddr_storage address;
    socklen_t length;
    m->listening = turns_listening(ip, port, 0);
    ck_assert(sockname_of_ip(str_of(ip), *port, &address, &length));
    for (int i = 0; i < 8; i++) {
        m->fillers[i] = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(m->fillers[i], (struct sockaddr *)&address, length);
    }
}

static void end_mute(struct mute *m)
{
    for (int i = 0; i < 8; i++)
        close(m->fillers[i]);
    close(m->listening);
}

START_TEST(an_address_that_does_not_answer_gets_its_time_and_no_more)
{
    struct mute mute;
    uint16_t port = 0;
    be_mute(&mute, "127.0.0.1", &port);
    int64_t start = clock_mono_ms();
    dial("127.0.0.1", port, 20);
    ck_assert_int_ge(clock_mono_ms(), start + 20);
    ck_assert_str_eq(got.fault.code, "TCP-TIMEOUT");
    end_mute(&mute);
}
END_TEST

START_TEST(a_dead_address_costs_a_quarter_of_a_second)
{
    struct mute mute;
    uint16_t port = 0;
    be_mute(&mute, "127.0.0.2", &port);
    int listening = turns_listening("127.0.0.1", &port, 5);
    answer.ips[0] = "127.0.0.2";
    answer.ips[1] = "127.0.0.1";
    dial("mx.example.com", port, 20000);
    check_connected_to("127.0.0.1");
    ck_assert_int_ge(got.report.connected_ms, 250);
    ck_assert_int_lt(got.report.connected_ms, 15000);
    ck_assert_int_eq(got.addresses[0].state, DIAL_UNDER_WAY);
    ck_assert_int_eq(got.addresses[1].state, DIAL_CONNECTED);
    ck_assert(!got.report.missed_ipv6);
    close(listening);
    end_mute(&mute);
}
END_TEST

START_TEST(ipv6_that_comes_first_and_does_not_work_is_told)
{
    uint16_t port = 0;
    int listening = turns_listening("127.0.0.1", &port, 5);
    answer.ips[0] = "100::1"; /* thrown away, RFC 6666 */
    answer.ips[1] = "100::2";
    answer.ips[2] = "127.0.0.1";
    dial("mx.example.com", port, 20000);
    check_connected_to("127.0.0.1");
    ck_assert(got.report.missed_ipv6);
    ck_assert_uint_eq(got.report.n, 3);
    ck_assert_int_eq(got.addresses[1].state, DIAL_CONNECTED);
    ck_assert_int_eq(got.addresses[2].state, DIAL_UNTRIED);
    close(listening);
}
END_TEST

START_TEST(what_was_done_is_reported)
{
    uint16_t port = closed_port("127.0.0.2");
    int listening = turns_listening("127.0.0.1", &port, 5);
    answer.ips[0] = "127.0.0.2";
    answer.ips[1] = "127.0.0.1";
    answer.canonical = "mx1.example.net";
    dial("mx.example.com", port, 5000);
    ck_assert_str_eq(got.canonical, "mx1.example.net");
    ck_assert_int_ge(got.report.resolved_ms, 0);
    ck_assert_int_ge(got.report.connected_ms, 0);
    ck_assert_uint_eq(got.report.n, 2);
    ck_assert_int_eq(got.addresses[0].state, DIAL_FAILED);
    ck_assert_int_eq(got.addresses[0].error, ECONNREFUSED);
    close(listening);
    close(got.fd);
    got.calls = 0;
    answer.canonical = "MX.example.com";
    listening = turns_listening("127.0.0.1", &port, 5);
    dial("mx.example.com", port, 5000);
    ck_assert_str_eq(got.canonical, "");
    close(listening);
    close(got.fd);
    got.calls = 0;
    got.fd = -1;
    dial("127.0.0.3", port, 5000);
    ck_assert_int_eq(got.report.resolved_ms, -1);
}
END_TEST

START_TEST(of_many_addresses_some_are_named)
{
    static const char *const ips[] = {"127.0.0.2",  "127.0.0.3",  "127.0.0.4",  "127.0.0.5",
                                      "127.0.0.6",  "127.0.0.7",  "127.0.0.8",  "127.0.0.9",
                                      "127.0.0.10", "127.0.0.11", "127.0.0.12", "127.0.0.13",
                                      "127.0.0.14", "127.0.0.15", "::1"};
    uint16_t port = closed_port("127.0.0.2");
    for (size_t i = 0; i < sizeof ips / sizeof ips[0]; i++)
        answer.ips[i] = ips[i];
    dial("mx.test", port, 5000);
    ck_assert_str_eq(got.fault.code, "TCP-REFUSED");
    ck_assert_uint_eq(got.report.n, 13); /* 12 of a family */
    ck_assert_ptr_nonnull(strstr(got.fault.text, "127.0.0.2: Connection refused; ::1: "));
    const char *end = strstr(got.fault.text, "; and others)");
    ck_assert_ptr_nonnull(end);
    ck_assert_str_eq(end, "; and others)");
}
END_TEST

/* Where a name of the Internet leads. */
static const struct {
    const char *host, *ip, *code;
} astray[] = {
    {"smtp.example.com", "127.0.0.2", "DNS-LOOPBACK"},
    {"localhost", "127.0.0.2", "TCP-REFUSED"},
    {"mail", "127.0.0.2", "TCP-REFUSED"},
    {"mail.lan", "127.0.0.2", "TCP-REFUSED"},
    {"127.0.0.2", "127.0.0.2", "TCP-REFUSED"},
    {"mail.example.test", "127.0.0.2", "TCP-REFUSED"},
    {"latest", "127.0.0.2", "TCP-REFUSED"},
    {"the.latest", "127.0.0.2", "DNS-LOOPBACK"},
};

START_TEST(a_public_name_that_leads_to_this_machine_is_told)
{
    uint16_t port = closed_port("127.0.0.2");
    answer.ips[0] = astray[_i].ip;
    dial(astray[_i].host, port, 5000);
    ck_assert_msg(strcmp(got.fault.code, astray[_i].code) == 0, "%s: %s", astray[_i].host,
                  got.fault.code);
    ck_assert_int_eq(got.fault.scope, FAULT_SERVER);
}
END_TEST

/* What it means that every address failed so. */
static const struct {
    const char *host, *ips[3];
    uint16_t port;
    int error;
    const char *code;
} networks[] = {
    {"smtp.example.com", {"10.255.255.1"}, 587, ETIMEDOUT, "DNS-PRIVATE"},
    {"smtp.example.com", {"10.255.255.1"}, 587, ECONNREFUSED, "DNS-PRIVATE"},
    {"smtp.example.com", {"172.16.0.1", "192.168.1.1"}, 587, ETIMEDOUT, "DNS-PRIVATE"},
    {"smtp.example.com", {"172.31.255.254"}, 587, ETIMEDOUT, "DNS-PRIVATE"},
    {"smtp.example.com", {"172.32.0.1"}, 587, ETIMEDOUT, "TCP-TIMEOUT"},
    {"smtp.example.com", {"100.64.0.1"}, 587, ETIMEDOUT, "DNS-PRIVATE"},
    {"smtp.example.com", {"100.127.1.1"}, 587, ETIMEDOUT, "DNS-PRIVATE"},
    {"smtp.example.com", {"100.128.0.1"}, 587, ETIMEDOUT, "TCP-TIMEOUT"},
    {"smtp.example.com", {"169.254.1.1"}, 587, ETIMEDOUT, "DNS-PRIVATE"},
    {"smtp.example.com", {"fd00::1"}, 587, ETIMEDOUT, "DNS-PRIVATE"},
    {"smtp.example.com", {"fe80::1"}, 587, ETIMEDOUT, "DNS-PRIVATE"},
    {"smtp.example.com", {"10.0.0.1", "203.0.113.1"}, 587, ETIMEDOUT, "TCP-TIMEOUT"},
    {"smtp.corp", {"10.0.0.1"}, 587, ETIMEDOUT, "TCP-TIMEOUT"},
    {"10.0.0.1", {"10.0.0.1"}, 587, ETIMEDOUT, "TCP-TIMEOUT"},
    {"smtp.example.com", {"203.0.113.1"}, 25, ETIMEDOUT, "TCP-TIMEOUT-25"},
    {"smtp.example.com", {"203.0.113.1"}, 25, ECONNREFUSED, "TCP-REFUSED"},
    {"smtp.example.com", {"203.0.113.1"}, 587, ECONNRESET, "TCP-RST-EARLY"},
    {"smtp.example.com", {"203.0.113.1"}, 587, EPERM, "TCP-PERM"},
    {"smtp.example.com", {"203.0.113.1"}, 587, EACCES, "TCP-PERM"},
    {"smtp.example.com", {"203.0.113.1"}, 587, EHOSTUNREACH, "NET-UNREACH"},
    {"smtp.example.com", {"203.0.113.1", "2001:db8::1"}, 587, ENETUNREACH, "NET-UNREACH"},
    {"smtp.example.com", {"203.0.113.1"}, 587, EMFILE, "NET-UNREACH"},
    {"smtp.example.com", {"2001:db8::1", "2001:db8::2"}, 587, ENETUNREACH, "NET-IPV6ONLY"},
    {"smtp.example.com", {"2001:db8::1"}, 587, ETIMEDOUT, "TCP-TIMEOUT"},
};

START_TEST(a_failure_to_connect_is_told_by_its_code)
{
    struct dial d = {.host = (char *)(uintptr_t)networks[_i].host, .port = networks[_i].port};
    struct fault f;
    for (; networks[_i].ips[d.n]; d.n++) {
        struct dial_address *a = &d.addresses[d.n];
        ck_assert(
            sockname_of_ip(str_of(networks[_i].ips[d.n]), d.port, &a->address, &a->length));
        a->state = DIAL_FAILED;
        a->error = networks[_i].error;
    }
    dial_fault_of_addresses(&f, &d);
    ck_assert_msg(strcmp(f.code, networks[_i].code) == 0, "%d: %s", _i, f.code);
    ck_assert_int_eq(f.scope, FAULT_SERVER);
    ck_assert_uint_gt(strlen(f.fix), 0);
    ck_assert_ptr_nonnull(strstr(f.text, networks[_i].host));
    ck_assert_ptr_nonnull(strstr(f.text, networks[_i].ips[0]));
}
END_TEST

static const struct {
    const char *name;
    int result, error;
    const char *code, *status, *text;
    struct lookup_dns dns;
    bool asks; /* DNS itself */
} questions[] = {
    {"no such name",
     EAI_NONAME,
     0,
     "DNS-NXDOMAIN",
     "4.4.4",
     "the name mx.example.com does not exist in DNS",
     {.server = ""},
     false},
    {"no address",
     EAI_NODATA,
     0,
     "DNS-NODATA",
     "4.4.4",
     "mx.example.com exists but has no IP address",
     {.has_mx = false},
     true},
    {"a mail domain",
     EAI_NODATA,
     0,
     "DNS-MXONLY",
     "4.4.4",
     "mx.example.com is a mail domain, not a server: it has no address of its own",
     {.has_mx = true},
     true},
    {"an empty answer",
     0,
     0,
     "DNS-NODATA",
     "4.4.4",
     "mx.example.com exists but has no IP address",
     {.server = ""},
     false},
    {"no answer",
     EAI_AGAIN,
     0,
     "DNS-TEMP",
     "4.4.3",
     "no answer from the resolver for mx.example.com (Temporary failure in name resolution)",
     {.refused = false},
     true},
    {"no answer from one that is known",
     EAI_AGAIN,
     0,
     "DNS-TEMP",
     "4.4.3",
     "no answer from the resolver at 192.0.2.53 for mx.example.com (Temporary failure in name "
     "resolution)",
     {.server = "192.0.2.53"},
     true},
    {"nobody listens there",
     EAI_AGAIN,
     0,
     "DNS-NORESOLVER",
     "4.4.3",
     "the resolver at 127.0.0.53 refused the question for mx.example.com",
     {.refused = true, .server = "127.0.0.53"},
     true},
    {"failure",
     EAI_FAIL,
     0,
     "DNS-TEMP",
     "4.4.3",
     "no answer from the resolver for mx.example.com (Non-recoverable failure in name "
     "resolution)",
     {.server = ""},
     false},
    {"no resolver",
     EAI_SYSTEM,
     ECONNREFUSED,
     "DNS-NORESOLVER",
     "4.4.3",
     "the resolver refused the question for mx.example.com",
     {.server = ""},
     false},
    {"out of files",
     EAI_SYSTEM,
     EMFILE,
     "DNS-TEMP",
     "4.4.3",
     "no answer from the resolver for mx.example.com (Too many open files)",
     {.server = ""},
     false},
};

START_TEST(what_the_resolver_says_is_told_by_its_code)
{
    answer.result = questions[_i].result;
    answer.error = questions[_i].error;
    answer.dns = questions[_i].dns;
    dial("mx.example.com", 587, 5000);
    ck_assert_msg(strcmp(got.fault.code, questions[_i].code) == 0, "%s: %s", questions[_i].name,
                  got.fault.code);
    ck_assert_str_eq(got.fault.text, questions[_i].text);
    ck_assert_str_eq(got.fault.status, questions[_i].status);
    ck_assert_int_eq(got.fault.scope, FAULT_SERVER);
    ck_assert_uint_gt(strlen(got.fault.fix), 0);
    ck_assert_int_eq(answer.asked_dns, questions[_i].asks);
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
    tcase_add_test(tc, a_dead_address_costs_a_quarter_of_a_second);
    tcase_add_test(tc, ipv6_that_comes_first_and_does_not_work_is_told);
    tcase_add_test(tc, what_was_done_is_reported);
    tcase_add_test(tc, of_many_addresses_some_are_named);
    tcase_add_loop_test(tc, a_public_name_that_leads_to_this_machine_is_told, 0,
                        sizeof astray / sizeof astray[0]);
    tcase_add_loop_test(tc, a_failure_to_connect_is_told_by_its_code, 0,
                        sizeof networks / sizeof networks[0]);
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
