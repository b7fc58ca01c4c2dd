/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "crypto.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect_hex(const unsigned char *bytes, size_t n, const char *expected)
{
    char hex[2 * CRYPTO_DIGEST_MAX + 1] = "";
    ck_assert_uint_le(n, CRYPTO_DIGEST_MAX);
    for (size_t i = 0; i < n; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    ck_assert_str_eq(hex, expected);
}

static const struct {
    enum crypto_hash hash;
    const char *digest; /* of "abc": RFC 1321, RFC 6234 */
    const char *hmac;   /* RFC 2202 and 4231, test case 2 */
} hashes[] = {
    {CRYPTO_MD5, "900150983cd24fb0d6963f7d28e17f72", "750c783e6ab0b503eaa86e310a5db738"},
    {CRYPTO_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d",
     "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
    {CRYPTO_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
};

START_TEST(digests_are_those_of_the_rfcs)
{
    unsigned char bytes[CRYPTO_DIGEST_MAX];
    size_t n = crypto_digest_bytes(hashes[_i].hash);
    ck_assert(crypto_digest(hashes[_i].hash, STR_LIT("abc"), bytes));
    expect_hex(bytes, n, hashes[_i].digest);
    ck_assert(crypto_hmac(hashes[_i].hash, STR_LIT("Jefe"),
                          STR_LIT("what do ya want for nothing?"), bytes));
    expect_hex(bytes, n, hashes[_i].hmac);
}
END_TEST

static const struct {
    enum crypto_hash hash;
    struct str password, salt;
    unsigned iterations;
    const char *key;
} keys[] = {
    /* RFC 6070 */
    {CRYPTO_SHA1, STR_LIT("password"), STR_LIT("salt"), 1,
     "0c60c80f961f0e71f3a9b524af6012062fe037a6"},
    {CRYPTO_SHA1, STR_LIT("password"), STR_LIT("salt"), 4096,
     "4b007901b765489abead49d926f721d065a429c1"},
    /* RFC 7914 section 11 */
    {CRYPTO_SHA256, STR_LIT("passwd"), STR_LIT("salt"), 1,
     "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"},
};

START_TEST(keys_are_those_of_the_rfcs)
{
    unsigned char key[CRYPTO_DIGEST_MAX];
    ck_assert(crypto_pbkdf2(keys[_i].hash, keys[_i].password, keys[_i].salt,
                            keys[_i].iterations, key));
    expect_hex(key, crypto_digest_bytes(keys[_i].hash), keys[_i].key);
}
END_TEST

START_TEST(equal_is_equal_in_length_too)
{
    ck_assert(crypto_is_equal(STR_LIT(""), STR_LIT("")));
    ck_assert(crypto_is_equal(STR_LIT("a\0b"), STR_LIT("a\0b")));
    ck_assert(!crypto_is_equal(STR_LIT("a\0b"), STR_LIT("a\0c")));
    ck_assert(!crypto_is_equal(STR_LIT("a"), STR_LIT("ab")));
    ck_assert(!crypto_is_equal(STR_LIT("a"), STR_LIT("")));
}
END_TEST

START_TEST(random_bytes_are_never_the_same)
{
    char a[32] = {0}, b[32] = {0};
    crypto_random(a, sizeof a);
    crypto_random(b, sizeof b);
    ck_assert_int_ne(memcmp(a, b, sizeof a), 0);
}
END_TEST

START_TEST(a_wiped_secret_is_gone)
{
    char secret[] = "s3cret", zero[sizeof secret] = {0};
    crypto_wipe(secret, sizeof secret);
    ck_assert_int_eq(memcmp(secret, zero, sizeof secret), 0);
    crypto_wipe(NULL, 0);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
    Suite *suite = suite_create("crypto");
    TCase *tc = tcase_create("crypto");
    tcase_add_loop_test(tc, digests_are_those_of_the_rfcs, 0, COUNT(hashes));
    tcase_add_loop_test(tc, keys_are_those_of_the_rfcs, 0, COUNT(keys));
    tcase_add_test(tc, equal_is_equal_in_length_too);
    tcase_add_test(tc, random_bytes_are_never_the_same);
    tcase_add_test(tc, a_wiped_secret_is_gone);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
