/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sasl_mechanism.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONCE_1 "fyko+d2lbbFgONRv9qkxdawL"
#define NONCE_256 "rOprNGfwEbeRWgbNEkqO"
#define LONGER_1 NONCE_1 "3rfcNHYJY1ZVvWVs7j"
#define LONGER_256 NONCE_256 "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define SALT_1 ",s=QSXCR+Q6sek8bf92,i=4096"
#define SALT_256 ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
#define FIRST_1 "r=" LONGER_1 SALT_1
#define FIRST_256 "r=" LONGER_256 SALT_256

/* An exchange that must go so. The first two are the examples of RFC 5802 section 5 and RFC
 * 7677 section 3; the others were computed by another program that gives those. */
static const struct exchange {
    const char *mechanism, *offered, *user, *password, *binding_name;
    struct str binding;
    const char *nonce, *initial, *first, *final, *signature;
} exchanges[] = {
    {"SCRAM-SHA-1", "SCRAM-SHA-1", "user", "pencil", NULL, STR_LIT(""), NONCE_1,
     "n,,n=user,r=" NONCE_1, FIRST_1,
     "c=biws,r=" LONGER_1 ",p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="},
    {"SCRAM-SHA-256", "SCRAM-SHA-256", "user", "pencil", NULL, STR_LIT(""), NONCE_256,
     "n,,n=user,r=" NONCE_256, FIRST_256,
     "c=biws,r=" LONGER_256 ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
     "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
    {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256 SCRAM-SHA-256-PLUS", "user", "pencil", "tls-exporter",
     STR_LIT("\0\001binding\xff"), NONCE_256, "p=tls-exporter,,n=user,r=" NONCE_256, FIRST_256,
     "c=cD10bHMtZXhwb3J0ZXIsLAABYmluZGluZ/8=,r=" LONGER_256
     ",p=2lm9tx2TiUOfbpq5y1xEIaPrNGz/tx8UPACIh6ZBPbI=",
     "v=gyQXI7QqD8ge53tKJvDSiRQ4T8uyPFO86EA1LJtagxg="},
    /* We could bind, and the server does not say that it can. */
    {"SCRAM-SHA-256", "PLAIN SCRAM-SHA-256", "user", "pencil", "tls-exporter", STR_LIT("1234"),
     NONCE_256, "y,,n=user,r=" NONCE_256, FIRST_256,
     "c=eSws,r=" LONGER_256 ",p=FoqiHTtQEDE8lz1CdaEe3tK4mS+iMDTl77SPyDS53DY=",
     "v=dI4KpiQJwBr1+V+K6U1dA6l6I4I9DUNXWND4pcpRU3U="},
    /* It can, and we are told not to. */
    {"SCRAM-SHA-256", "SCRAM-SHA-1-PLUS SCRAM-SHA-256", "user", "pencil", "tls-exporter",
     STR_LIT("1234"), NONCE_256, "n,,n=user,r=" NONCE_256, FIRST_256,
     "c=biws,r=" LONGER_256 ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
     "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
    /* A name that must be written otherwise, a password that is prepared. */
    {"SCRAM-SHA-1-PLUS", "SCRAM-SHA-1-PLUS", "a,b=c", "I\xC2\xADX", "tls-unique",
     STR_LIT("0123456789ab"), NONCE_1, "p=tls-unique,,n=a=2Cb=3Dc,r=" NONCE_1, FIRST_1,
     "c=cD10bHMtdW5pcXVlLCwwMTIzNDU2Nzg5YWI=,r=" LONGER_1 ",p=VpJlEXw0Dp+GmlhsZVv8HP7ZuOM=",
     "v=Kcy7/1LJqYezb5Uk+G/UE8mU2g8="},
};

static struct sasl_identity identity_of(const struct exchange *e)
{
    return (struct sasl_identity){.user = e->user,
                                  .kind = SASL_SECRET_PASSWORD,
                                  .secret = str_of(e->password),
                                  .binding_name = e->binding_name,
                                  .binding = e->binding};
}

/* Up to the client's first message. */
static struct sasl *begin(const struct exchange *e, struct buf *out)
{
    struct fault f;
    struct sasl_identity identity = identity_of(e);
    struct sasl *s = sasl_new(e->mechanism, e->offered, &identity, &f);
    ck_assert_msg(s != NULL, "%s", f.text);
    ck_assert_uint_eq(strlen(s->nonce), 24);
    snprintf(s->nonce, sizeof s->nonce, "%s", e->nonce);
    buf_init(out, SASL_MESSAGE_MAX);
    ck_assert(sasl_initial(s, out));
    return s;
}

static void expect(struct buf *out, const char *text)
{
    ck_assert_msg(str_eq(buf_str(out), str_of(text)), "%.*s", STR_FMT(buf_str(out)));
    buf_clear(out);
}

START_TEST(both_ends_prove_that_they_know_the_password)
{
    const struct exchange *e = &exchanges[_i];
    struct buf out;
    struct fault f;
    struct sasl *s = begin(e, &out);
    expect(&out, e->initial);
    ck_assert(!sasl_satisfied(s, &f));
    ck_assert_msg(sasl_step(s, str_of(e->first), &out, &f), "%s", f.text);
    expect(&out, e->final);
    ck_assert(!sasl_satisfied(s, &f));
    ck_assert_str_eq(f.code, "AUTH-SCRAM-FAKE");
    ck_assert_msg(sasl_step(s, str_of(e->signature), &out, &f), "%s", f.text);
    expect(&out, "");
    ck_assert(sasl_satisfied(s, &f));
    ck_assert(!sasl_step(s, STR_LIT(""), &out, &f));
    ck_assert_str_eq(f.code, "AUTH-BADSERVER");
    sasl_free(s);
    buf_release(&out);
}
END_TEST

#define R256 "r=" LONGER_256

static const struct {
    struct str first;
    const char *code, *said;
} bad_first[] = {
    {STR_LIT(""), "AUTH-BADSERVER", "nonce"},
    {STR_LIT("r"), "AUTH-BADSERVER", "nonce"},
    {STR_LIT("r=" SALT_256), "AUTH-BADSERVER", "nonce"},
    {STR_LIT("r=" NONCE_256 SALT_256), "AUTH-BADSERVER", "nonce"}, /* ours alone */
    {STR_LIT("r=x" LONGER_256 SALT_256), "AUTH-BADSERVER", "nonce"},
    {STR_LIT("r=" NONCE_256 "a\x80" SALT_256), "AUTH-BADSERVER", "nonce"},
    {STR_LIT("r=" NONCE_256 "a b" SALT_256), "AUTH-BADSERVER", "nonce"},
    {STR_LIT("R=" LONGER_256 SALT_256), "AUTH-BADSERVER", "nonce"},
    {STR_LIT("m=x," R256 SALT_256), "AUTH-BADSERVER", "extension"},
    {STR_LIT(R256), "AUTH-BADSERVER", "salt"},
    {STR_LIT(R256 ",s=,i=4096"), "AUTH-BADSERVER", "salt"},
    {STR_LIT(R256 ",s=*,i=4096"), "AUTH-BADSERVER", "salt"},
    {STR_LIT(R256 ",i=4096,s=W22ZaJ0S"), "AUTH-BADSERVER", "salt"},
    {STR_LIT(R256 ",s=W22ZaJ0S"), "AUTH-BADSERVER", "iterations"},
    {STR_LIT(R256 ",s=W22ZaJ0S,i="), "AUTH-BADSERVER", "iterations"},
    {STR_LIT(R256 ",s=W22ZaJ0S,i=+4096"), "AUTH-BADSERVER", "iterations"},
    {STR_LIT(R256 ",s=W22ZaJ0S,i=99999999999999999999"), "AUTH-BADSERVER", "iterations"},
    {STR_LIT(R256 ",s=W22ZaJ0S,i=0"), "AUTH-SCRAM-COST", "in 0 iterations"},
    {STR_LIT(R256 ",s=W22ZaJ0S,i=4095"), "AUTH-SCRAM-COST", "in 4095 iterations"},
    {STR_LIT(R256 ",s=W22ZaJ0S,i=1000001"), "AUTH-SCRAM-COST", "4096 to 1000000"},
    {STR_LIT(R256 ",s=W22ZaJ0S,i=4294967296"), "AUTH-SCRAM-COST", "4294967296"},
    {STR_LIT("e=unknown-user"), "AUTH-REJECTED", "unknown-user"},
    {STR_LIT("e=other-error,x"), "AUTH-REJECTED", "other-error"},
    {STR_LIT("e=channel-bindings-dont-match"), "AUTH-BINDING", "channel-bindings-dont-match"},
    {STR_LIT("e=server-does-support-channel-binding"), "AUTH-BINDING", "cannot tell"},
    {STR_LIT("e=no pencil here"), "AUTH-REJECTED", "it repeats the password"},
    {STR_LIT("e=bad\033[31m"), "AUTH-REJECTED", "bad"},
};

static void expect_fault(const struct fault *f, const char *code, const char *said)
{
    ck_assert_msg(strcmp(f->code, code) == 0, "%s: %s", f->code, f->text);
    ck_assert_msg(strstr(f->text, said) != NULL, "%s", f->text);
    ck_assert_ptr_null(strstr(f->text, "pencil"));
    ck_assert_ptr_null(strchr(f->text, '\033'));
    ck_assert(f->fix[0]);
}

START_TEST(a_first_message_that_cannot_be_is_not_answered)
{
    struct buf out;
    struct fault f;
    struct sasl *s = begin(&exchanges[1], &out);
    buf_clear(&out);
    ck_assert(!sasl_step(s, bad_first[_i].first, &out, &f));
    ck_assert_uint_eq(buf_len(&out), 0);
    expect_fault(&f, bad_first[_i].code, bad_first[_i].said);
    ck_assert(!sasl_satisfied(s, &f));
    sasl_free(s);
    buf_release(&out);
}
END_TEST

START_TEST(a_first_message_cut_anywhere_is_not_answered)
{
    struct str whole = STR_LIT(FIRST_256);
    for (size_t n = 0; n < whole.n; n++) {
        struct buf out;
        struct fault f;
        struct sasl *s = begin(&exchanges[1], &out);
        ck_assert_msg(!sasl_step(s, str_head(whole, n), &out, &f), "%zu", n);
        ck_assert_msg(f.code[0] != '\0', "%zu", n);
        sasl_free(s);
        buf_release(&out);
    }
}
END_TEST

START_TEST(extensions_that_may_be_ignored_are)
{
    struct buf out;
    struct fault f;
    struct sasl *s = begin(&exchanges[1], &out);
    ck_assert(sasl_step(s, STR_LIT(FIRST_256 ",x=future"), &out, &f));
    sasl_free(s);
    buf_release(&out);
}
END_TEST

START_TEST(the_salt_has_a_limit)
{
    for (unsigned bytes = 1023; bytes <= 1026; bytes += 3) {
        struct buf out, first;
        struct fault f;
        struct sasl *s = begin(&exchanges[1], &out);
        buf_init(&first, SASL_MESSAGE_MAX);
        buf_puts(&first, R256 ",s=");
        for (unsigned i = 0; i < bytes / 3; i++)
            buf_puts(&first, "AAAA");
        buf_puts(&first, ",i=4096");
        ck_assert_int_eq(sasl_step(s, buf_str(&first), &out, &f), bytes <= 1024);
        sasl_free(s);
        buf_release(&first);
        buf_release(&out);
    }
}
END_TEST

static const struct {
    const char *final, *code, *said;
} bad_final[] = {
    {"", "AUTH-SCRAM-FAKE", "signature is wrong"},
    {"v=", "AUTH-SCRAM-FAKE", "signature is wrong"},
    {"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=", "AUTH-SCRAM-FAKE", "wrong"},
    {"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "AUTH-SCRAM-FAKE", "wrong"},
    {"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl9", "AUTH-SCRAM-FAKE", "wrong"},
    {"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", "AUTH-SCRAM-FAKE", "wrong"},
    {"x=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "AUTH-SCRAM-FAKE", "wrong"},
    {"e=invalid-proof", "AUTH-REJECTED", "invalid-proof"},
    {"e=channel-bindings-dont-match", "AUTH-BINDING", "not ours"},
};

START_TEST(a_server_that_cannot_prove_itself_is_not_believed)
{
    struct buf out;
    struct fault f;
    struct sasl *s = begin(&exchanges[1], &out);
    ck_assert(sasl_step(s, STR_LIT(FIRST_256), &out, &f));
    ck_assert(!sasl_step(s, str_of(bad_final[_i].final), &out, &f));
    expect_fault(&f, bad_final[_i].code, bad_final[_i].said);
    ck_assert_int_eq(f.scope, FAULT_ACCOUNT);
    ck_assert(!sasl_satisfied(s, &f));
    expect_fault(&f, "AUTH-SCRAM-FAKE", "without a signature");
    sasl_free(s);
    buf_release(&out);
}
END_TEST

START_TEST(nonces_are_never_the_same)
{
    struct fault f;
    struct sasl_identity identity = identity_of(&exchanges[0]);
    struct sasl *a = sasl_new(NULL, "SCRAM-SHA-1", &identity, &f);
    struct sasl *b = sasl_new(NULL, "SCRAM-SHA-1", &identity, &f);
    ck_assert(a && b);
    ck_assert_str_ne(a->nonce, b->nonce);
    sasl_free(a);
    sasl_free(b);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
    Suite *suite = suite_create("sasl_scram");
    TCase *tc = tcase_create("sasl_scram");
    tcase_add_loop_test(tc, both_ends_prove_that_they_know_the_password, 0, COUNT(exchanges));
    tcase_add_loop_test(tc, a_first_message_that_cannot_be_is_not_answered, 0,
                        COUNT(bad_first));
    tcase_add_test(tc, a_first_message_cut_anywhere_is_not_answered);
    tcase_add_test(tc, extensions_that_may_be_ignored_are);
    tcase_add_test(tc, the_salt_has_a_limit);
    tcase_add_loop_test(tc, a_server_that_cannot_prove_itself_is_not_believed, 0,
                        COUNT(bad_final));
    tcase_add_test(tc, nonces_are_never_the_same);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
