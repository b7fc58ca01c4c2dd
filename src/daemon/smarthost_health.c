/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smarthost_inner.h"

#include "clock.h"
#include "crypto.h"
#include "log.h"
#include "pace.h"

#include <inttypes.h>

enum {
    LOOK_MS = 2000 /* between two looks at a password file that may be mended */
};

void smarthost_inner_recover(struct smarthost *s)
{
    if (s->outage.health.failures) {
        log_say(LOG_LEVEL_NOTICE, NULL,
                "smarthost \"%s\" (%s port %u) is up again after %" PRId64 " s", s->conf->name,
                s->conf->host, s->conf->port,
                (loop_now_ms(s->loop) - s->outage.health.down_since) / 1000);
        outage_over(&s->outage);
        s->up_since_ms = clock_wall_ms();
        s->owner.changed(s->owner.self);
        if (s->suspect)
            s->owner.retry(s->owner.self, s->suspect);
    }
    s->breaks = 0;
    s->suspect = 0;
}

/* One line for a change of state, and one when the reason changes; an account's fault needs a
 * person. */
static void log_down(const struct smarthost *s, const struct fault *f)
{
    log_say(f->scope == FAULT_ACCOUNT ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, NULL,
            "smarthost \"%s\" (%s port %u) is down, its mail waits: %s diag=%s: %s%s%s%s%s",
            s->conf->name, s->conf->host, s->conf->port, fault_scope_name(f->scope), f->code,
            f->text, f->reply[0] ? ": " : "", f->reply, f->fix[0] ? "; to mend it: " : "",
            f->fix);
}

static void note_failure(struct smarthost *s, const struct fault *f, bool late)
{
    const struct conf *conf = s->owner_conf;
    struct schedule_pace pace = pace_of(f, late, conf->retry_min_ms, conf->retry_max_ms);
    struct outage_time time = {loop_now_ms(s->loop), clock_wall_ms()};
    if (outage_failed(&s->outage, f, late, time, &pace, crypto_random32()))
        log_down(s, f);
    s->owner.changed(s->owner.self);
    s->look_at = time.now_ms + LOOK_MS;
}

/* It bears so many connections, and one more was one too many. */
static void narrow(struct smarthost *s, unsigned bore, const struct fault *fault)
{
    if (width_refused(&s->width, bore, loop_now_ms(s->loop)))
        log_say(LOG_LEVEL_INFO, NULL,
                "smarthost \"%s\" takes %u connections at once, and not one more: %s",
                s->conf->name, bore, fault->text);
}

/* Some count connections only once there is a message (D-118); those that are left go on. */
static bool is_crowded(const struct smarthost *s, const struct fault *fault)
{
    return smarthost_ready_links(s) > 1 && smarthost_is_up(s) &&
           str_eq(str_of(fault->code), STR_LIT("RATE-CONN"));
}

void smarthost_inner_refused(struct smarthost *s, const struct fault *fault)
{
    if (is_crowded(s, fault))
        narrow(s, smarthost_ready_links(s) - 1, fault);
    else
        note_failure(s, fault, true);
}

/* One message may break one connection; two in a row are the server's doing. */
void smarthost_inner_broke(struct smarthost *s, const struct fault *fault)
{
    if (fault->scope == FAULT_MESSAGE && fault->permanent) {
        smarthost_inner_recover(s); /* it had an answer, if an early one */
        return;
    }
    struct fault theirs = *fault;
    if (theirs.scope != FAULT_ACCOUNT)
        theirs.scope = FAULT_SERVER;
    theirs.ambiguous = false;
    s->breaks++;
    if (s->breaks > 1 || s->outage.health.failures || fault->scope == FAULT_ACCOUNT)
        note_failure(s, &theirs, true);
    else
        log_say(LOG_LEVEL_WARNING, NULL,
                "smarthost \"%s\": the connection broke in a transaction: %s", s->conf->name,
                fault->text);
}

void smarthost_inner_not_connected(struct smarthost *s, const struct fault *fault)
{
    unsigned ready = smarthost_ready_links(s);
    if (ready)
        narrow(s, ready, fault);
    else
        note_failure(s, fault, false);
}

/* The account's fault may be mended in the file that the password lies in. */
bool smarthost_inner_has_new_secret(struct smarthost *s, int64_t now)
{
    struct secret_stamp stamp;
    if (s->outage.fault.scope != FAULT_ACCOUNT || !s->conf->password_file || now < s->look_at)
        return false;
    s->look_at = now + LOOK_MS;
    secret_stamp(s->conf->password_file, &stamp);
    return !secret_stamp_is_same(&stamp, &s->stamp);
}

int64_t smarthost_look_at(const struct smarthost *s)
{
    int64_t at = smarthost_next_probe_at(s);
    bool looks = s->outage.fault.scope == FAULT_ACCOUNT && s->conf->password_file;
    return at != INT64_MAX && looks && s->look_at < at ? s->look_at : at;
}

int64_t smarthost_next_probe_at(const struct smarthost *s)
{
    return smarthost_is_up(s) || s->outage.health.probing ? INT64_MAX
                                                          : s->outage.health.next_probe_at;
}
