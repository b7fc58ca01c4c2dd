/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp_fault_rules.h"

#include <string.h>

#define AT(stage) (1u << SMTP_STAGE_##stage)

enum {
    HELLO = AT(EHLO) | AT(HELO),
    LOGIN = AT(CHOOSE) | AT(AUTH) | AT(CHALLENGE) | AT(RESPONSE) | AT(CANCEL),
    CONTENT = AT(DATA) | AT(CONTENT) | AT(FINAL),
    MAIL = AT(MAIL) | AT(RCPT) | CONTENT,
    ANY = -1
};

static bool no_login(const struct smtp_facts *facts)
{
    return !facts->login;
}

static bool not_authenticated(const struct smtp_facts *facts)
{
    return !facts->authenticated;
}

static bool in_clear(const struct smtp_facts *facts)
{
    return !facts->secured;
}

static bool has_null_sender(const struct smtp_facts *facts)
{
    return facts->sender && !facts->sender[0];
}

static bool ends_nocase(struct str s, struct str end)
{
    return s.n >= end.n && str_eq_nocase(str_tail(s, s.n - end.n), end);
}

/* root, root@localhost, root@web1, root@web1.local */
static bool has_local_sender(const struct smtp_facts *facts)
{
    const char *at = facts->sender ? strrchr(facts->sender, '@') : NULL;
    struct str domain = str_of(at ? at + 1 : "");
    return facts->sender && facts->sender[0] &&
           (str_find(domain, '.') == domain.n || ends_nocase(domain, STR_LIT(".local")) ||
            ends_nocase(domain, STR_LIT(".localdomain")));
}

static bool for_one(const struct smtp_facts *facts)
{
    return facts->recipient != NULL;
}

static const char fix_login[] = "set user and password-file";
static const char fix_secret[] = "put the right password where password-file points";
static const char fix_sender[] =
    "send under an address of the account (sendmail -f), or have the provider allow this one";

/* First match wins; the last row of each stage takes what is left. */
static const struct smtp_fault_rule rules[] = {
    /* 421: the server ends the connection (S-086). With the content under way or out it is the
     * answer to this message. */
    {AT(CONTENT) | AT(FINAL), 421, 421, NULL, NULL, NULL, FAULT_MESSAGE, "MSG-TEMP", "4.3.2",
     "the server closed down instead of taking the message ({answer})", ""},
    {ANY, 400, 559, "7.66", NULL, NULL, FAULT_ACCOUNT, "TLS-VERSION", "5.7.66",
     "the server wants a newer TLS than was spoken ({answer} at {stage})",
     "check that tls-priority allows TLS 1.2 and 1.3"},
    {ANY, 421, 421, NULL, "too many connections|concurrent|connection limit", NULL,
     FAULT_SERVER, "RATE-CONN", "4.3.2",
     "the server allows fewer connections at once ({answer} at {stage})", "lower connections"},
    {LOGIN, 421, 421, NULL, "too many", NULL, FAULT_ACCOUNT, "AUTH-TOOMANY", "4.7.0",
     "the server has seen too many login attempts ({answer})",
     "look for another program that logs in with an old password"},
    {AT(GREETING) | HELLO, 421, 421, NULL, NULL, NULL, FAULT_SERVER, "GREET-421", "4.3.2",
     "the server is busy or limits connections ({answer} at {stage})", ""},
    {ANY, 421, 421, NULL, NULL, NULL, FAULT_SERVER, "SERVER-CLOSING", "4.3.2",
     "the server closes the connection ({answer} at {stage})", ""},

    /* Greeting, EHLO, STARTTLS. A greeting says nothing about a message (S-006). */
    {AT(GREETING), 400, 499, NULL, NULL, NULL, FAULT_SERVER, "GREET-421", "4.3.2",
     "the server is busy or limits connections ({answer} instead of the greeting 220)", ""},
    {AT(GREETING), 500, 559, NULL, NULL, NULL, FAULT_SERVER, "GREET-554", "4.3.2",
     "the server refuses service to this address ({answer} instead of the greeting 220)",
     "ask the provider; if port is 25, set port = 587"},
    {HELLO, 501, 501, NULL, NULL, NULL, FAULT_ACCOUNT, "EHLO-NAME", "5.5.4",
     "the server does not accept the name '{ehlo}' that this machine gives itself ({answer} at "
     "{stage})",
     "set hostname to a fully qualified name"},
    {HELLO, 503, 559, NULL, "helo|ehlo|hostname|host name|fqdn|fully", NULL, FAULT_ACCOUNT,
     "EHLO-NAME", "5.5.4",
     "the server does not accept the name '{ehlo}' that this machine gives itself ({answer} at "
     "{stage})",
     "set hostname to a fully qualified name"},
    {HELLO, 400, 499, NULL, NULL, NULL, FAULT_SERVER, "EHLO-REFUSED", "4.5.0",
     "the server does not take {stage} now ({answer} instead of 250)", ""},
    {HELLO, 500, 559, NULL, NULL, NULL, FAULT_SERVER, "EHLO-REFUSED", "5.5.1",
     "the server refuses {stage} ({answer} instead of 250), so TLS and login are impossible",
     "check host and port: this may not be a submission server"},
    {AT(STARTTLS), 400, 499, NULL, NULL, NULL, FAULT_SERVER, "STARTTLS-TEMP", "4.7.0",
     "the server cannot start TLS at the moment ({answer} instead of 220)", ""},
    {AT(STARTTLS), 500, 559, NULL, NULL, NULL, FAULT_ACCOUNT, "STARTTLS-REFUSED", "5.7.0",
     "the server offers STARTTLS but refuses it ({answer} instead of 220)",
     "try port = 465, or ask the server's administrator"},

    /* The account, whatever is answered: never a message's fault (S-090). */
    {LOGIN | MAIL, 500, 559, NULL, "basic authentication|smtpclientauthentication is disabled",
     NULL, FAULT_ACCOUNT, "AUTH-BASICOFF", "5.7.8",
     "the provider has password login for SMTP switched off for this account ({answer})",
     "have SMTP AUTH enabled for the account, or use token-command"},
    {LOGIN, 500, 559, "7.139", NULL, NULL, FAULT_ACCOUNT, "AUTH-BASICOFF", "5.7.8",
     "the provider has password login for SMTP switched off for this account ({answer})",
     "have SMTP AUTH enabled for the account, or use token-command"},
    {LOGIN | MAIL, 400, 559, NULL,
     "quotaexceeded|submission quota|sending quota|sending limit|credits exceeded|daily user",
     NULL, FAULT_ACCOUNT, "QUOTA-DAY", "4.4.5",
     "the account's sending limit is reached ({answer}); mail is kept and sent later",
     "wait, or ask the provider for a larger limit"},
    {MAIL, 500, 559, "4.5", NULL, NULL, FAULT_ACCOUNT, "QUOTA-DAY", "4.4.5",
     "the account's sending limit is reached ({answer}); mail is kept and sent later",
     "wait, or ask the provider for a larger limit"},
    {AT(RCPT) | CONTENT, 500, 559, "1.8|7.708", NULL, NULL, FAULT_ACCOUNT, "ACCOUNT-BLOCKED",
     "5.7.0", "the provider has blocked sending for this account ({answer} at {stage})",
     "ask the provider"},
    {MAIL, 500, 559, "7.708", NULL, NULL, FAULT_ACCOUNT, "ACCOUNT-BLOCKED", "5.7.0",
     "the provider has blocked sending for this account ({answer} at {stage})",
     "ask the provider"},
    {MAIL, 500, 559, NULL, "unusual activity|unusual sending", NULL, FAULT_ACCOUNT,
     "ACCOUNT-BLOCKED", "5.7.0",
     "the provider has blocked sending for this account ({answer} at {stage})",
     "ask the provider"},
    {AT(MAIL) | CONTENT, 500, 559, NULL,
     "account suspended|sender-account|account is suspended", NULL, FAULT_ACCOUNT,
     "ACCOUNT-BLOCKED", "5.7.0",
     "the provider has blocked sending for this account ({answer} at {stage})",
     "ask the provider"},
    {LOGIN | MAIL, 530, 530, NULL, NULL, in_clear, FAULT_ACCOUNT, "TLS-REQUIRED-FIRST", "5.7.0",
     "the server insists on TLS ({answer} at {stage})", "set tls = \"auto\""},
    {LOGIN | MAIL, 538, 538, NULL, NULL, NULL, FAULT_ACCOUNT, "TLS-REQUIRED-FIRST", "5.7.11",
     "the server insists on encryption for this login ({answer} at {stage})",
     "set tls = \"auto\""},
    {MAIL, 530, 530, NULL, NULL, no_login, FAULT_ACCOUNT, "AUTH-NOTCONFIGURED", "5.7.0",
     "the server wants a login before it accepts mail ({answer} at {stage})", fix_login},
    {MAIL, 500, 559, "7.57", NULL, no_login, FAULT_ACCOUNT, "AUTH-NOTCONFIGURED", "5.7.0",
     "the server wants a login before it accepts mail ({answer} at {stage})", fix_login},
    {MAIL, 400, 559, NULL, "authentication required|authentication is required", no_login,
     FAULT_ACCOUNT, "AUTH-NOTCONFIGURED", "5.7.0",
     "the server wants a login before it accepts mail ({answer} at {stage})", fix_login},
    {MAIL, 500, 559, NULL, "authentication required|authentication is required", NULL,
     FAULT_ACCOUNT, "AUTH-REJECTED", "5.7.8",
     "the server wants a login though it had accepted ours ({answer} at {stage})",
     "check user and port: this account may not send mail here"},
    {MAIL, 530, 530, NULL, NULL, NULL, FAULT_ACCOUNT, "AUTH-REJECTED", "5.7.8",
     "the server wants a login though it had accepted ours ({answer} at {stage})",
     "check user and port: this account may not send mail here"},
    {MAIL, 500, 559, "7.57", NULL, NULL, FAULT_ACCOUNT, "AUTH-REJECTED", "5.7.8",
     "the server wants a login though it had accepted ours ({answer} at {stage})",
     "check user and port: this account may not send mail here"},
    {MAIL, 534, 535, NULL, NULL, NULL, FAULT_ACCOUNT, "AUTH-REJECTED", "5.7.8",
     "the server rejects the login ({answer} at {stage})", fix_secret},

    /* AUTH. Never bounced, never tried again at once with the same secret (S-050). */
    {LOGIN, 432, 432, "7.12", NULL, NULL, FAULT_ACCOUNT, "AUTH-TRANSITION", "4.7.12",
     "the server wants one plain login to set up this mechanism ({answer})",
     "have PLAIN in auth"},
    {LOGIN, 400, 559, NULL, "too many", NULL, FAULT_ACCOUNT, "AUTH-TOOMANY", "4.7.0",
     "the server has seen too many login attempts ({answer})",
     "look for another program that logs in with an old password"},
    {LOGIN, 400, 499, NULL, NULL, NULL, FAULT_ACCOUNT, "AUTH-TEMP", "4.7.0",
     "the server cannot check logins now ({answer} instead of 235)", ""},
    {LOGIN, 534, 534, "7.14", NULL, NULL, FAULT_ACCOUNT, "AUTH-WEBLOGIN", "5.7.8",
     "the provider blocks this sign-in until it is confirmed in a browser ({answer})",
     "sign in once with a browser from this network"},
    {LOGIN, 500, 559, NULL, "web browser", NULL, FAULT_ACCOUNT, "AUTH-WEBLOGIN", "5.7.8",
     "the provider blocks this sign-in until it is confirmed in a browser ({answer})",
     "sign in once with a browser from this network"},
    {LOGIN, 534, 534, NULL, NULL, NULL, FAULT_ACCOUNT, "AUTH-APPPASSWORD", "5.7.9",
     "the provider wants an application password or a stronger mechanism ({answer})",
     "create an application password and put it where password-file points"},
    {LOGIN, 500, 559, NULL,
     "application-specific|app password|application password|app-specific", NULL, FAULT_ACCOUNT,
     "AUTH-APPPASSWORD", "5.7.8",
     "the provider wants an application password, not the account's ({answer})",
     "create an application password and put it where password-file points"},
    {LOGIN, 535, 535, NULL, NULL, NULL, FAULT_ACCOUNT, "AUTH-REJECTED", "5.7.8",
     "the server rejects user or password ({answer} instead of 235)",
     "check user and password-file; many providers want the full address as user"},
    {LOGIN, 503, 503, NULL, NULL, NULL, FAULT_ACCOUNT, "AUTH-REJECTED", "5.7.8",
     "the server does not take AUTH here ({answer} instead of 235); this is not taken for a "
     "login",
     "check port; remove user and password-file if the server relays by address"},
    {LOGIN, 500, 559, NULL, NULL, NULL, FAULT_ACCOUNT, "AUTH-REJECTED", "5.7.8",
     "the server refuses the login ({answer} instead of 235)",
     "check user and password-file, and auth for another mechanism"},

    /* Too fast for this server: everything of it waits. */
    {MAIL, 432, 432, NULL, NULL, NULL, FAULT_SERVER, "RATE-CONN", "4.3.2",
     "the server allows fewer connections at once ({answer} at {stage})", "lower connections"},
    {MAIL, 400, 499, NULL,
     "rate limit|ratelimit|rate exceeded|sending rate|throttl|too fast|too many messages", NULL,
     FAULT_SERVER, "RATE-MSG", "4.7.0", "the server finds us too fast ({answer} at {stage})",
     "set rate, or lower connections"},
    {AT(MAIL), 400, 499, "3.2", NULL, NULL, FAULT_SERVER, "SERVER-CLOSING", "4.3.2",
     "the server takes no mail at the moment ({answer} at MAIL)", ""},

    /* The sender. A report would go to the same address, so the message waits. */
    {AT(MAIL), 500, 559, "3.4|2.3", NULL, NULL, FAULT_MESSAGE, "SIZE-REMOTE", "x.3.4",
     "the message is too large for the server ({answer} at MAIL)",
     "send less, or ask the provider for a larger limit"},
    {AT(MAIL), 552, 552, NULL, NULL, NULL, FAULT_MESSAGE, "SIZE-REMOTE", "x.3.4",
     "the message is too large for the server ({answer} at MAIL)",
     "send less, or ask the provider for a larger limit"},
    {AT(MAIL), 500, 554, NULL, NULL, has_null_sender, FAULT_SENDER, "SENDER-NULL", "x.7.1",
     "the server refuses the empty sender that reports use ({answer} at MAIL)",
     "set admin, so that reports can go out under its address"},
    {AT(MAIL), 500, 559, NULL, NULL, has_local_sender, FAULT_SENDER, "SENDER-LOCAL", "x.1.8",
     "the sender <{sender}> is refused ({answer} at MAIL); its domain is not a public one",
     "set domain to a domain of yours, or send under another address (sendmail -f)"},
    {AT(MAIL), 550, 551, NULL, NULL, NULL, FAULT_SENDER, "SENDER-NOTOWNED", "x.7.1",
     "the server does not let this account send as <{sender}> ({answer} at MAIL)", fix_sender},
    {AT(MAIL), 553, 553, NULL, NULL, NULL, FAULT_SENDER, "SENDER-NOTOWNED", "x.7.1",
     "the server does not let this account send as <{sender}> ({answer} at MAIL)", fix_sender},
    {AT(MAIL), 500, 559, "7.1|7.60|1.7|1.8", NULL, NULL, FAULT_SENDER, "SENDER-NOTOWNED",
     "x.7.1", "the server does not let this account send as <{sender}> ({answer} at MAIL)",
     fix_sender},
    {MAIL, 500, 559, "7.60", NULL, NULL, FAULT_SENDER, "SENDER-NOTOWNED", "x.7.60",
     "the server does not let this account send as <{sender}> ({answer} at {stage})",
     fix_sender},
    {MAIL, 500, 559, NULL,
     "not owned by|sendasdenied|is not verified|verified sender|disallowed as", NULL,
     FAULT_SENDER, "SENDER-NOTOWNED", "x.7.1",
     "the server does not let this account send as <{sender}> ({answer} at {stage})",
     fix_sender},

    {MAIL, 403, 403, NULL, NULL, NULL, FAULT_SENDER, "SENDER-NOTOWNED", "4.7.1",
     "the server does not let this account send as <{sender}> ({answer} at {stage})",
     fix_sender},

    /* What the way beyond the server lacks. */
    {MAIL, 400, 559, NULL, "requiretls|tls required|tls is required|encryption required", NULL,
     FAULT_MESSAGE, "TLS-SERVERSIDE", "x.7.10",
     "the server cannot pass the message on with the TLS that is asked for ({answer} at "
     "{stage})",
     ""},
    {MAIL, 500, 559, "4.6", NULL, NULL, FAULT_MESSAGE, "LOOP-HOPS", "x.4.6",
     "the message has passed too many servers; it goes in a circle ({answer} at {stage})",
     "look for an alias, a forwarding or a smarthost that leads back here"},

    /* MAIL, what is left. */
    {AT(MAIL), 400, 499, NULL, NULL, NULL, FAULT_MESSAGE, "MSG-TEMP", "x.0.0",
     "the server does not take the message now ({answer} at MAIL)", ""},
    {AT(MAIL), 500, 559, NULL, NULL, NULL, FAULT_MESSAGE, "MSG-REFUSED", "x.0.0",
     "the server refuses the message ({answer} at MAIL)", ""},

    /* RCPT. Relaying is the account's matter as long as nobody has logged in. */
    {AT(RCPT), 400, 559, NULL, "relay", not_authenticated, FAULT_ACCOUNT, "RELAY-DENIED",
     "5.7.1", "the server does not relay for this machine without login ({answer} at RCPT)",
     fix_login},
    {AT(RCPT), 400, 559, NULL, "relay", NULL, FAULT_RECIPIENT, "RELAY-DENIED-AUTH", "x.7.1",
     "the server accepts the login, but not mail to <{recipient}> ({answer})",
     "ask the provider: the account may be restricted to certain recipients"},
    {AT(RCPT), 500, 559, "3.4|2.3", NULL, NULL, FAULT_RECIPIENT, "SIZE-REMOTE", "x.3.4",
     "the message is too large for <{recipient}> ({answer})", "send less"},
    {AT(RCPT), 500, 559, "1.1|1.6|1.10|2.1", NULL, NULL, FAULT_RECIPIENT, "RCPT-UNKNOWN",
     "x.1.1", "<{recipient}> does not exist ({answer})", "correct the address"},
    {AT(FINAL), 500, 559, "1.1|1.6|1.10|2.1", NULL, for_one, FAULT_RECIPIENT, "RCPT-UNKNOWN",
     "x.1.1", "<{recipient}> does not exist ({answer})", "correct the address"},
    {AT(FINAL), 500, 559, "2.2", NULL, for_one, FAULT_RECIPIENT, "RCPT-REFUSED", "x.2.2",
     "the mailbox of <{recipient}> is full ({answer})", ""},
    {AT(RCPT), 500, 559, "1.3", NULL, NULL, FAULT_RECIPIENT, "RCPT-SYNTAX", "x.1.3",
     "the server does not accept the address <{recipient}> ({answer})", "correct the address"},
    {AT(RCPT), 501, 501, NULL, NULL, NULL, FAULT_RECIPIENT, "RCPT-SYNTAX", "x.1.3",
     "the server does not accept the address <{recipient}> ({answer})", "correct the address"},
    {AT(RCPT), 553, 553, NULL, NULL, NULL, FAULT_RECIPIENT, "RCPT-SYNTAX", "x.1.3",
     "the server does not accept the address <{recipient}> ({answer})", "correct the address"},
    {AT(RCPT), 452, 452, "5.3", NULL, NULL, FAULT_RECIPIENT, "RCPT-TOOMANY", "x.5.3",
     "the server takes no more recipients now ({answer} for <{recipient}>)", ""},
    {AT(RCPT), 400, 499, NULL, NULL, NULL, FAULT_RECIPIENT, "RCPT-TEMP", "x.0.0",
     "the server does not take <{recipient}> now ({answer})", ""},
    {AT(RCPT), 500, 559, NULL, NULL, NULL, FAULT_RECIPIENT, "RCPT-REFUSED", "x.0.0",
     "the server refuses <{recipient}> ({answer})", ""},

    /* DATA, content, final dot. */
    {CONTENT, 400, 499, NULL, NULL, NULL, FAULT_MESSAGE, "MSG-TEMP", "x.0.0",
     "the server does not take the message now ({answer} at {stage})", ""},
    {CONTENT, 500, 559, "3.4|2.3", NULL, NULL, FAULT_MESSAGE, "SIZE-REMOTE", "x.3.4",
     "the message is too large for the server ({answer} at {stage})",
     "send less, or ask the provider for a larger limit"},
    {CONTENT, 552, 552, NULL, NULL, NULL, FAULT_MESSAGE, "SIZE-REMOTE", "x.3.4",
     "the message is too large for the server ({answer} at {stage})",
     "send less, or ask the provider for a larger limit"},
    {CONTENT, 500, 559, "6.", NULL, NULL, FAULT_MESSAGE, "CONTENT-HEADER", "x.6.0",
     "the server finds the message malformed ({answer} at {stage})", "mend the message"},
    {AT(DATA), 500, 559, NULL, NULL, NULL, FAULT_MESSAGE, "MSG-REFUSED", "x.0.0",
     "the server refuses the message ({answer} at DATA)", ""},
    {CONTENT, 500, 559, NULL, NULL, NULL, FAULT_MESSAGE, "CONTENT-REJECT", "x.0.0",
     "the server refuses the message ({answer} at {stage})", ""},

    /* RSET, idle, a lone dot: the stages that judge nobody. */
    {ANY, 400, 559, NULL, NULL, NULL, FAULT_SERVER, "PROTO-DESYNC", "4.5.0",
     "the server refuses {stage} ({answer})", ""},
};

/* Does text have one of the words, which are separated by '|'? */
static bool has_word(struct str text, const char *words)
{
    struct str rest = str_of(words);
    for (struct str word; (word = str_word(&rest, "|")).n;) {
        for (size_t at = 0; at + word.n <= text.n; at++) {
            if (str_starts_nocase(str_tail(text, at), word))
                return true;
        }
    }
    return false;
}

/* status: "5.7.60"; patterns leave the class out. */
static bool has_status(const char *status, const char *patterns)
{
    struct str rest = str_of(patterns);
    struct str detail = str_tail(str_of(status), 2);
    for (struct str pattern; (pattern = str_word(&rest, "|")).n;) {
        bool prefix = pattern.p[pattern.n - 1] == '.';
        if (prefix ? str_eq(str_head(detail, pattern.n), pattern) : str_eq(detail, pattern))
            return true;
    }
    return false;
}

const struct smtp_fault_rule *smtp_fault_rule_of(const struct smtp_facts *facts,
                                                 const struct smtp_reply *r)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct smtp_fault_rule *rule = &rules[i];
        if ((rule->stages & (1 << facts->stage)) && r->code >= rule->low &&
            r->code <= rule->high &&
            (!rule->statuses || has_status(r->status, rule->statuses)) &&
            (!rule->words || has_word(buf_str(&r->text), rule->words)) &&
            (!rule->only_if || rule->only_if(facts)))
            return rule;
    }
    return NULL;
}
