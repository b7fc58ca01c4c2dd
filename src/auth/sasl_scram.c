/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SCRAM, RFC 5802 and 7677: the password is proven and not sent, and the server proves that it
 * knows it. The names are the RFC's. */
#include "base64.h"
#include "mem.h"
#include "printable.h"
#include "sasl_mechanism.h"
#include "saslprep.h"
#include "secret.h"

#include <stdio.h>
#include <string.h>

enum {
    ITERATIONS_MIN = 4096,    /* fewer is a weakness that RFC 7677 warns of */
    ITERATIONS_MAX = 1000000, /* half a second of our time; more is refused */
    SALT_MAX = 1024
};

static bool can_be_prepared(struct str text, enum saslprep_use use)
{
    struct buf prepared;
    buf_init(&prepared, SASL_MESSAGE_MAX);
    prepared.secret = true;
    bool good = saslprep(&prepared, text, use);
    buf_release(&prepared);
    return good;
}

static const char *objection(const struct sasl_identity *identity)
{
    const char *lacking = sasl_object_to_password(identity);
    if (lacking)
        return lacking;
    if (!can_be_prepared(str_of(identity->user), SASLPREP_QUERY))
        return "the user has letters that SCRAM cannot carry (SASLprep); PLAIN could";
    if (!can_be_prepared(identity->secret, SASLPREP_STORED))
        return "the password has letters that SCRAM cannot carry (SASLprep), or is not UTF-8; "
               "PLAIN could";
    return NULL;
}

/* "p=tls-exporter,,": how the exchange is bound to the TLS session. */
static void put_gs2_header(const struct sasl *s, struct buf *out)
{
    if (s->binding_flag == 'p')
        buf_printf(out, "p=%s,,", s->identity.binding_name);
    else
        buf_printf(out, "%c,,", s->binding_flag);
}

static void initial(struct sasl *s, struct buf *out)
{
    struct buf user;
    buf_init(&user, SASL_MESSAGE_MAX);
    bool prepared = saslprep(&user, str_of(s->identity.user), SASLPREP_QUERY);
    BUG_ON(!prepared); /* objection() */
    buf_clear(&s->first);
    buf_puts(&s->first, "n=");
    sasl_put_name(&s->first, buf_str(&user));
    buf_printf(&s->first, ",r=%s", s->nonce);
    put_gs2_header(s, out);
    buf_put_str(out, buf_str(&s->first));
    buf_release(&user);
}

/* server-first-message */
struct challenge {
    struct str nonce;
    struct buf salt;
    uint64_t iterations;
};

/* The value of the next attribute, if that is name; the empty view if not. */
static struct str attribute(struct str *rest, char name)
{
    struct str none = {NULL, 0};
    struct str field = str_head(*rest, str_find(*rest, ','));
    if (field.n < 2 || field.p[0] != name || field.p[1] != '=')
        return none;
    *rest = str_tail(*rest, field.n + 1);
    return str_tail(field, 2);
}

static bool is_printable(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x21 || s.p[i] > 0x7e)
            return false;
    return true;
}

/* NULL, or what is wrong with the message. */
static const char *read_challenge(struct str message, const char *our_nonce,
                                  struct challenge *c)
{
    struct str rest = message, ours = str_of(our_nonce);
    if (str_eq(str_head(rest, 2), STR_LIT("m=")))
        return "it demands an extension that nobody has defined (m=)";
    c->nonce = attribute(&rest, 'r');
    if (c->nonce.n <= ours.n || !str_eq(str_head(c->nonce, ours.n), ours) ||
        !is_printable(c->nonce))
        return "its nonce does not go on from ours";
    struct str salt = attribute(&rest, 's');
    if (salt.n == 0 || !base64_decode(&c->salt, salt))
        return "it has no salt, or one that is too long";
    struct str iterations = attribute(&rest, 'i');
    if (iterations.n == 0 || !str_u64(iterations, &c->iterations))
        return "it has no number of iterations";
    return NULL;
}

static void break_off(struct fault *fault, const char *what)
{
    fault_set(fault, FAULT_SERVER, "4.7.0", "AUTH-BADSERVER",
              "the server breaks the login protocol: %s", what);
    fault_fix(fault, "name another mechanism in auth, if the server offers one");
}

static bool check_iterations(uint64_t n, struct fault *fault)
{
    if (n >= ITERATIONS_MIN && n <= ITERATIONS_MAX)
        return true;
    fault_set(fault, FAULT_ACCOUNT, "4.7.4", "AUTH-SCRAM-COST",
              "the server wants the password hashed in %llu iterations; %d to %d are taken",
              (unsigned long long)n, ITERATIONS_MIN, ITERATIONS_MAX);
    fault_fix(fault, "have the server store the password with another number, or set auth = "
                     "{\"PLAIN\"}");
    return false;
}

static struct str key_of(const unsigned char *digest, enum crypto_hash hash)
{
    return (struct str){(const char *)digest, crypto_digest_bytes(hash)};
}

struct keys {
    unsigned char salted[CRYPTO_DIGEST_MAX]; /* SaltedPassword */
    unsigned char client[CRYPTO_DIGEST_MAX]; /* ClientKey, then ClientProof */
    unsigned char stored[CRYPTO_DIGEST_MAX];
    unsigned char server[CRYPTO_DIGEST_MAX];
    unsigned char signature[CRYPTO_DIGEST_MAX]; /* ClientSignature */
};

/* Make the proof, and what the server has to prove. False where the hash is not allowed. */
static bool derive(struct sasl *s, const struct challenge *c, struct str auth_message,
                   struct keys *k)
{
    enum crypto_hash hash = s->mechanism->hash;
    struct buf password;
    buf_init(&password, SASL_MESSAGE_MAX);
    password.secret = true;
    bool prepared = saslprep(&password, s->identity.secret, SASLPREP_STORED);
    BUG_ON(!prepared); /* objection() */
    bool good = crypto_pbkdf2(hash, buf_str(&password), buf_str(&c->salt),
                              (unsigned)c->iterations, k->salted) &&
                crypto_hmac(hash, key_of(k->salted, hash), STR_LIT("Client Key"), k->client) &&
                crypto_digest(hash, key_of(k->client, hash), k->stored) &&
                crypto_hmac(hash, key_of(k->stored, hash), auth_message, k->signature) &&
                crypto_hmac(hash, key_of(k->salted, hash), STR_LIT("Server Key"), k->server) &&
                crypto_hmac(hash, key_of(k->server, hash), auth_message, s->signature);
    for (size_t i = 0; i < crypto_digest_bytes(hash); i++)
        k->client[i] ^= k->signature[i];
    buf_release(&password);
    return good;
}

/* client-final-message-without-proof */
static void put_final(const struct sasl *s, const struct challenge *c, struct buf *out)
{
    struct buf binding;
    buf_init(&binding, SASL_MESSAGE_MAX);
    put_gs2_header(s, &binding);
    if (s->binding_flag == 'p')
        buf_put_str(&binding, s->identity.binding);
    buf_puts(out, "c=");
    base64_encode(out, buf_str(&binding));
    buf_printf(out, ",r=%.*s", STR_FMT(c->nonce));
    buf_release(&binding);
}

static bool prove(struct sasl *s, struct str message, const struct challenge *c,
                  struct buf *out, struct fault *fault)
{
    struct keys keys = {{0}, {0}, {0}, {0}, {0}};
    struct buf final, auth_message;
    buf_init(&final, SASL_MESSAGE_MAX);
    buf_init(&auth_message, 3 * SASL_MESSAGE_MAX);
    put_final(s, c, &final);
    buf_printf(&auth_message, "%.*s,", STR_FMT(buf_str(&s->first)));
    buf_put_str(&auth_message, message);
    buf_printf(&auth_message, ",%.*s", STR_FMT(buf_str(&final)));
    bool good = !auth_message.failed && derive(s, c, buf_str(&auth_message), &keys);
    if (good) {
        buf_printf(out, "%.*s,p=", STR_FMT(buf_str(&final)));
        base64_encode(out, key_of(keys.client, s->mechanism->hash));
    } else {
        fault_set(fault, FAULT_ACCOUNT, "4.7.4", "AUTH-NOMECH",
                  "this machine's policy does not allow what %s needs", s->mechanism->name);
    }
    crypto_wipe(&keys, sizeof keys);
    buf_release(&final);
    buf_release(&auth_message);
    return good;
}

/* "e=": the server's reason, RFC 5802 section 7. Words with "channel" mean that the TLS session
 * at its end is not ours, or that it cannot tell. */
static bool refuse(struct str reason, struct str secret, struct fault *fault)
{
    char shown[64] = "it repeats the password";
    if (!secret_is_told(reason, secret))
        printable_cut(shown, sizeof shown, reason);
    if (strstr(shown, "channel")) {
        fault_set(fault, FAULT_ACCOUNT, "4.7.0", "AUTH-BINDING",
                  "the server finds that its TLS session is not ours, or cannot tell (%s): "
                  "something in between may take TLS apart",
                  shown);
        fault_fix(fault, "look for a TLS proxy on the way; if it is meant to be there, name "
                         "mechanisms without -PLUS in auth");
        return false;
    }
    fault_set(fault, FAULT_ACCOUNT, "5.7.8", "AUTH-REJECTED",
              "the server rejects user or password (%s)", shown);
    fault_fix(fault, "check user and password; many providers want the full address as user");
    return false;
}

static bool answer_first(struct sasl *s, struct str message, struct buf *out,
                         struct fault *fault)
{
    struct challenge c = {.iterations = 0};
    char what[128];
    buf_init(&c.salt, SALT_MAX);
    const char *wrong = read_challenge(message, s->nonce, &c);
    bool good =
        !wrong && check_iterations(c.iterations, fault) && prove(s, message, &c, out, fault);
    if (wrong) {
        snprintf(what, sizeof what, "in its first message of SCRAM %s", wrong);
        break_off(fault, what);
    }
    buf_release(&c.salt);
    return good;
}

static void say_unproven(struct fault *fault, const char *what)
{
    fault_set(fault, FAULT_ACCOUNT, "4.7.0", "AUTH-SCRAM-FAKE",
              "the server could not prove that it knows the password (%s); it may not be the "
              "one it claims to be, and nothing more was sent",
              what);
    fault_fix(fault, "check host, and who answers there; only if that is certain, set auth = "
                     "{\"PLAIN\"}");
}

static bool check_final(struct sasl *s, struct str message, struct fault *fault)
{
    struct buf signature;
    struct str rest = message;
    struct str verifier = attribute(&rest, 'v');
    buf_init(&signature, CRYPTO_DIGEST_MAX);
    s->proven = base64_decode(&signature, verifier) &&
                crypto_is_equal(buf_str(&signature), key_of(s->signature, s->mechanism->hash));
    buf_release(&signature);
    if (!s->proven)
        say_unproven(fault, "its signature is wrong");
    return s->proven;
}

static bool step(struct sasl *s, struct str challenge, struct buf *out, struct fault *fault)
{
    struct str rest = challenge;
    struct str reason = attribute(&rest, 'e');
    if (s->steps > 1)
        return false;
    if (reason.n)
        return refuse(reason, s->identity.secret, fault);
    return s->steps == 0 ? answer_first(s, challenge, out, fault)
                         : check_final(s, challenge, fault);
}

static bool satisfied(const struct sasl *s, struct fault *fault)
{
    if (!s->proven)
        say_unproven(fault, "it accepted the login without a signature");
    return s->proven;
}

#define SCRAM(title, algorithm, with_binding)                                                  \
    {                                                                                          \
        .name = (title), .kind = SASL_SECRET_PASSWORD, .hash = (algorithm),                    \
        .binds = (with_binding), .objection = objection, .initial = initial, .step = step,     \
        .satisfied = satisfied,                                                                \
    }

const struct sasl_mechanism sasl_scram_sha_256_plus =
    SCRAM("SCRAM-SHA-256-PLUS", CRYPTO_SHA256, true);
const struct sasl_mechanism sasl_scram_sha_1_plus =
    SCRAM("SCRAM-SHA-1-PLUS", CRYPTO_SHA1, true);
const struct sasl_mechanism sasl_scram_sha_256 = SCRAM("SCRAM-SHA-256", CRYPTO_SHA256, false);
const struct sasl_mechanism sasl_scram_sha_1 = SCRAM("SCRAM-SHA-1", CRYPTO_SHA1, false);
