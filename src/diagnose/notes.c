/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "notes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void note(struct diagnosis *d, const char *fmt, ...) ATTR_PRINTF(2, 3);

static void note(struct diagnosis *d, const char *fmt, ...)
{
    va_list args;
    if (d->n_notes == DIAGNOSIS_NOTES_MAX)
        return;
    va_start(args, fmt);
    vsnprintf(d->notes[d->n_notes++], sizeof d->notes[0], fmt, args);
    va_end(args);
}

static bool offers_auth(const struct transcript_exchange *ehlo)
{
    struct str rest = buf_str(&ehlo->lines);
    for (struct str line; (line = str_word(&rest, "\n")).n;)
        if (str_starts_nocase(str_tail(line, 4), STR_LIT("AUTH")))
            return true;
    return false;
}

static void note_way(struct diagnosis *d)
{
    const struct walk_facts *facts = d->facts;
    const struct transcript_exchange *greeting = transcript_find(&facts->transcript, "", 0);
    if (facts->missed_ipv6)
        note(d,
             "IPv6 to %s does not work from here; IPv4 was used after a quarter of a second. "
             "Mend IPv6, or prefer IPv4 in /etc/gai.conf (precedence ::ffff:0:0/96 100)",
             d->smarthost->host);
    if (greeting && greeting->code &&
        greeting->answered_ms - greeting->asked_ms > NOTES_SLOW_MS)
        note(d, "the server took %" PRId64 " s to greet, as some do (reverse DNS, tarpits)",
             (greeting->answered_ms - greeting->asked_ms) / 1000);
}

static void note_login(struct diagnosis *d)
{
    const struct walk_facts *facts = d->facts;
    const struct transcript_exchange *clear = transcript_find(&facts->transcript, "EHLO", 0);
    if (facts->logged_in && facts->secured && clear && clear->code == 250 && !clear->secured &&
        !offers_auth(clear))
        note(d, "login is offered inside TLS alone, as it should be");
    if (!d->smarthost->login && facts->ready && facts->caps.auth[0])
        note(d, "the server offers logins (%.200s), and none is configured", facts->caps.auth);
}

static void note_certificate(struct diagnosis *d, int64_t now_s)
{
    const struct walk_facts *facts = d->facts;
    for (unsigned i = 0; facts->secured && i < facts->n_chain; i++) {
        int64_t days = (facts->chain[i].valid_until - now_s) / 86400;
        if (days >= 0 && days < NOTES_EXPIRY_DAYS)
            note(d, "the certificate %s expires in %" PRId64 " days", facts->chain[i].subject,
                 days);
    }
    if (d->smarthost->tls == CONF_TLS_NONE)
        note(d, "tls = \"none\": everybody on the way can read and change the mail");
    else if (d->smarthost->verify == CONF_VERIFY_NONE)
        note(d, "tls-verify = \"none\": nobody knows who the server is; set tls-fingerprint or "
                "tls-ca-file instead");
}

static void note_name(struct diagnosis *d, const struct conf *conf)
{
    if (conf->ehlo_name && conf->ehlo_name[0] == '[')
        note(d,
             "this machine has no fully qualified name and says EHLO %s, which some servers "
             "refuse; set hostname",
             conf->ehlo_name);
}

void notes_take(struct diagnosis *d, const struct conf *conf, int64_t now_s)
{
    note_way(d);
    note_login(d);
    note_certificate(d, now_s);
    note_name(d, conf);
}
