/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf_value.h"

#include <check.h>
#include <stdlib.h>

static const struct {
    const char *text;
    int64_t ms; /* -1: refused */
} durations[] = {
    {"0", 0},
    {"0s", 0},
    {"1s", 1000},
    {"90s", 90000},
    {"5m", 300000},
    {"1h", 3600000},
    {"5d", 432000000},
    {"9223372036854775s", 9223372036854775000},
    {"9223372036854776s", -1},
    {"99999999999999999999s", -1},
    {"", -1},
    {"s", -1},
    {"1", -1},
    {"1ms", -1},
    {"-1s", -1},
    {"+1s", -1},
    {" 1s", -1},
    {"1 s", -1},
    {"1.5h", -1},
    {"1w", -1},
    {"1S", -1},
    {"1h30m", -1},
};

START_TEST(durations_have_a_unit)
{
    int64_t ms = -1;
    bool read = conf_value_duration(str_of(durations[_i].text), &ms);
    ck_assert_msg(read == (durations[_i].ms >= 0), "%s", durations[_i].text);
    ck_assert_msg(ms == durations[_i].ms, "%s", durations[_i].text);
}
END_TEST

static const struct {
    const char *text;
    unsigned number; /* 0: refused */
    int64_t period_ms;
} rates[] = {
    {"14/s", 14, 1000},
    {"300/m", 300, 60000},
    {"1/h", 1, 3600000},
    {"2000/d", 2000, 86400000},
    {"1000000/s", 1000000, 1000},
    {"1000001/s", 0, 0},
    {"0/s", 0, 0},
    {"14", 0, 0},
    {"14/", 0, 0},
    {"/s", 0, 0},
    {"", 0, 0},
    {"14/w", 0, 0},
    {"14/2s", 0, 0},
    {"-1/s", 0, 0},
    {"14 /s", 0, 0},
    {"14/S", 0, 0},
    {"1.5/s", 0, 0},
    {"99999999999999999999/s", 0, 0},
};

START_TEST(rates_have_a_period)
{
    unsigned number = 0;
    int64_t period_ms = 0;
    bool read = conf_value_rate(str_of(rates[_i].text), &number, &period_ms);
    ck_assert_msg(read == (rates[_i].number > 0), "%s", rates[_i].text);
    ck_assert_msg(!read || (number == rates[_i].number && period_ms == rates[_i].period_ms),
                  "%s", rates[_i].text);
}
END_TEST

#define HALF "0123456789abcdefFEDCBA9876543210"
#define COLONS "01:23:45:67:89:ab:cd:ef:FE:DC:BA:98:76:54:32:10"

static const struct {
    const char *text;
    bool accepted;
} fingerprints[] = {
    {HALF HALF, true},
    {COLONS ":" COLONS, true},
    {"", false},
    {HALF, false},
    {HALF HALF "0", false},
    {HALF "0123456789abcdefFEDCBA987654321", false},
    {HALF "0123456789abcdefFEDCBA987654321g", false},
    {HALF "0123456789abcdefFEDCBA987654321:", false},
    {COLONS ":" COLONS ":", false},
    {COLONS COLONS, false},
    {COLONS "-" COLONS, false},
    {COLONS "::" HALF, false},
    {" " HALF HALF, false},
};

START_TEST(fingerprints_are_sha256_in_hexadecimal)
{
    char digits[CONF_FINGERPRINT_DIGITS + 1] = "untouched";
    bool read = conf_value_fingerprint(str_of(fingerprints[_i].text), digits);
    ck_assert_msg(read == fingerprints[_i].accepted, "%s", fingerprints[_i].text);
    ck_assert_str_eq(digits, read ? "0123456789abcdeffedcba9876543210"
                                    "0123456789abcdeffedcba9876543210"
                                  : "untouched");
}
END_TEST

static const struct {
    const char *text;
    bool accepted;
    uint64_t bytes;
} sizes[] = {
    {"0", true, 0},
    {"1", true, 1},
    {"64K", true, 65536},
    {"50M", true, 52428800},
    {"2G", true, 2147483648},
    {"18446744073709551615", true, UINT64_MAX},
    {"17179869183G", true, 18446744072635809792U},
    {"17179869184G", false, 7},
    {"18446744073709551616", false, 7},
    {"", false, 7},
    {"K", false, 7},
    {"1k", false, 7},
    {"1KB", false, 7},
    {"-1", false, 7},
    {"1 K", false, 7},
    {"1T", false, 7},
    {"0x10", false, 7},
};

START_TEST(sizes_are_bytes_or_powers_of_1024)
{
    uint64_t bytes = 7;
    ck_assert_msg(conf_value_size(str_of(sizes[_i].text), &bytes) == sizes[_i].accepted, "%s",
                  sizes[_i].text);
    ck_assert_msg(bytes == sizes[_i].bytes, "%s", sizes[_i].text);
}
END_TEST

static const struct {
    const char *text;
    bool host, domain, literal, loopback;
} hosts[] = {
    {"mx.example.com", true, true, false, false},
    {"mx.example.com.", true, false, false, false},
    {"mx", true, true, false, false},
    {"a-b.c--d.e1", true, true, false, false},
    {"1.example.com", true, true, false, false},
    {"my_relay", true, false, false, false},
    {"192.0.2.1", true, false, false, false},
    {"2001:db8::1", true, false, false, false},
    {"127.0.0.1", true, false, false, true},
    {"::1", true, false, false, true},
    {"localhost", true, true, false, true},
    {"[192.0.2.1]", false, false, true, false},
    {"[IPv6:2001:db8::1]", false, false, true, false},
    {"[ipv6:::1]", false, false, true, false},
    {"[IPv6:192.0.2.1]", false, false, false, false},
    {"[2001:db8::1]", false, false, false, false},
    {"[]", false, false, false, false},
    {"[", false, false, false, false},
    {"", false, false, false, false},
    {".", false, false, false, false},
    {"a..b", false, false, false, false},
    {".a", false, false, false, false},
    {"-a.b", false, false, false, false},
    {"a-.b", false, false, false, false},
    {"a b", false, false, false, false},
    {"a:587", false, false, false, false},
    {"smtp://a.b", false, false, false, false},
    {"192.0.2", false, false, false, false},
    {"192.0.2.256", false, false, false, false},
    {"192.0.2.1.99999999999999999999999", false, false, false, false},
    {"b\303\274cher.example", false, false, false, false},
    {"012345678901234567890123456789012345678901234567890123456789abc.de", true, true, false,
     false},
    {"012345678901234567890123456789012345678901234567890123456789abcd.ef", false, false, false,
     false},
};

START_TEST(hosts_domains_and_literals_are_told_apart)
{
    struct str text = str_of(hosts[_i].text);
    ck_assert_msg(conf_value_is_host(text) == hosts[_i].host, "host %s", text.p);
    ck_assert_msg(conf_value_is_domain(text) == hosts[_i].domain, "domain %s", text.p);
    ck_assert_msg(conf_value_is_literal(text) == hosts[_i].literal, "literal %s", text.p);
    ck_assert_msg(conf_value_is_loopback(text) == hosts[_i].loopback, "loopback %s", text.p);
}
END_TEST

START_TEST(a_name_has_at_most_253_bytes)
{
    char name[256];
    for (int i = 0; i < 255; i++)
        name[i] = i % 2 ? '.' : 'a';
    ck_assert(conf_value_is_domain((struct str){name, 253}));
    ck_assert(!conf_value_is_domain((struct str){name, 255}));
}
END_TEST

static const struct {
    const char *text;
    int mode; /* -1: refused */
} modes[] = {{"0666", 0666}, {"666", 0666}, {"0000", 0},   {"0777", 0777}, {"1777", -1},
             {"0668", -1},   {"66", -1},    {"00666", -1}, {"", -1},       {"rw-", -1}};

START_TEST(modes_are_octal)
{
    mode_t mode = 1;
    bool read = conf_value_mode(str_of(modes[_i].text), &mode);
    ck_assert_msg(read == (modes[_i].mode >= 0), "%s", modes[_i].text);
    ck_assert_msg(mode == (read ? (mode_t)modes[_i].mode : 1), "%s", modes[_i].text);
}
END_TEST

START_TEST(yes_and_no_have_three_words_each)
{
    static const char *const words[] = {"true", "yes", "on", "false", "no", "off"};
    bool value;
    for (int i = 0; i < 6; i++) {
        ck_assert(conf_value_bool(str_of(words[i]), &value));
        ck_assert_int_eq(value, i < 3);
    }
    ck_assert(!conf_value_bool(STR_LIT("True"), &value));
    ck_assert(!conf_value_bool(STR_LIT("1"), &value));
    ck_assert(!conf_value_bool(STR_LIT(""), &value));
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof(table)[0])

int main(void)
{
    Suite *suite = suite_create("conf_value");
    TCase *tc = tcase_create("conf_value");
    tcase_add_loop_test(tc, fingerprints_are_sha256_in_hexadecimal, 0,
                        sizeof fingerprints / sizeof fingerprints[0]);
    tcase_add_loop_test(tc, durations_have_a_unit, 0, ROWS(durations));
    tcase_add_loop_test(tc, rates_have_a_period, 0, ROWS(rates));
    tcase_add_loop_test(tc, sizes_are_bytes_or_powers_of_1024, 0, ROWS(sizes));
    tcase_add_loop_test(tc, hosts_domains_and_literals_are_told_apart, 0, ROWS(hosts));
    tcase_add_test(tc, a_name_has_at_most_253_bytes);
    tcase_add_loop_test(tc, modes_are_octal, 0, ROWS(modes));
    tcase_add_test(tc, yes_and_no_have_three_words_each);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
