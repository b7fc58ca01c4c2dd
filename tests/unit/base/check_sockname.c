/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sockname.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static const struct {
    const char *text;
    int family; /* 0: refused */
    const char *ip;
    uint16_t port;
    bool local;
} names[] = {
    {"/run/x.sock", AF_UNIX, "", 0, true},
    {"127.0.0.1:25", AF_INET, "127.0.0.1", 25, true},
    {"127.255.0.9:1", AF_INET, "127.255.0.9", 1, true},
    {"192.0.2.1:65535", AF_INET, "192.0.2.1", 65535, false},
    {"0.0.0.0:0", AF_INET, "0.0.0.0", 0, false},
    {"[::1]:25", AF_INET6, "::1", 25, true},
    {"[::]:25", AF_INET6, "::", 25, false},
    {"[2001:DB8::1]:587", AF_INET6, "2001:db8::1", 587, false},
    {"", 0, NULL, 0, false},
    {"run/x.sock", 0, NULL, 0, false},
    {"127.0.0.1", 0, NULL, 0, false},
    {"127.0.0.1:", 0, NULL, 0, false},
    {"127.0.0.1:65536", 0, NULL, 0, false},
    {"127.0.0.1:-1", 0, NULL, 0, false},
    {"127.0.0.1:25 ", 0, NULL, 0, false},
    {":25", 0, NULL, 0, false},
    {"localhost:25", 0, NULL, 0, false},
    {"[127.0.0.1]:25", 0, NULL, 0, false},
    {"::1:25", 0, NULL, 0, false},
    {"[::1]", 0, NULL, 0, false},
    {"[::1:25", 0, NULL, 0, false},
    {"[fe80::1%lo]:25", 0, NULL, 0, false},
};

START_TEST(addresses_are_read_as_people_write_them)
{
    struct sockaddr_storage address = {.ss_family = 99};
    struct sockaddr *any = (struct sockaddr *)&address;
    socklen_t length;
    char ip[SOCKNAME_TEXT_MAX];
    bool read = sockname_parse(str_of(names[_i].text), &address, &length);
    ck_assert_msg(read == (names[_i].family != 0), "%s", names[_i].text);
    if (!read) {
        ck_assert_int_eq(address.ss_family, 99);
        return;
    }
    ck_assert_int_eq(address.ss_family, names[_i].family);
    sockname_ip(any, ip);
    ck_assert_str_eq(ip, names[_i].ip);
    ck_assert_uint_eq(sockname_port(any), names[_i].port);
    ck_assert_int_eq(sockname_is_local(any), names[_i].local);
}
END_TEST

START_TEST(a_path_has_at_most_107_bytes)
{
    char path[200];
    struct sockaddr_storage address;
    socklen_t length;
    memset(path, 'a', sizeof path);
    path[0] = '/';
    ck_assert(sockname_parse((struct str){path, 107}, &address, &length));
    ck_assert_uint_eq(length, sizeof(struct sockaddr_un));
    ck_assert(!sockname_parse((struct str){path, 108}, &address, &length));
    path[50] = '\0';
    ck_assert(!sockname_parse((struct str){path, 107}, &address, &length));
}
END_TEST

START_TEST(an_ip_stands_alone)
{
    ck_assert(sockname_is_ip(STR_LIT("192.0.2.1")));
    ck_assert(sockname_is_ip(STR_LIT("2001:db8::1")));
    ck_assert(!sockname_is_ip(STR_LIT("[2001:db8::1]")));
    ck_assert(!sockname_is_ip(STR_LIT("192.0.2")));
    ck_assert(!sockname_is_ip(STR_LIT("192.0.2.1\0x")));
    ck_assert(
        !sockname_is_ip(STR_LIT("1234:1234:1234:1234:1234:1234:1234:1234:1234:1234:1234")));
    ck_assert(!sockname_is_ip(STR_LIT("")));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sockname");
    TCase *tc = tcase_create("sockname");
    tcase_add_loop_test(tc, addresses_are_read_as_people_write_them, 0,
                        sizeof names / sizeof names[0]);
    tcase_add_test(tc, a_path_has_at_most_107_bytes);
    tcase_add_test(tc, an_ip_stands_alone);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
