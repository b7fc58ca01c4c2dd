/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp_provider.h"

#define APP_PASSWORD(name)                                                                     \
    {                                                                                          \
        "AUTH-REJECTED AUTH-USERFORM", "AUTH-APPPASSWORD",                                     \
            name " rejects the login: it wants an application password, not the account's",    \
            "create an application password in the account's security settings and put it "    \
            "where password-file points; user is the full address"                             \
    }

#define ONLY_587(name)                                                                         \
    {                                                                                          \
        "TCP-TIMEOUT TCP-REFUSED", NULL, NULL, name " has no port 465: set port = 587"         \
    }

static const struct smtp_provider providers[] = {
    {"Gmail",
     "smtp.gmail.com smtp-relay.gmail.com smtp.googlemail.com",
     NULL,
     {APP_PASSWORD("Gmail"),
      {"AUTH-APPPASSWORD", NULL, NULL,
       "switch on 2-step verification, create an application password at "
       "myaccount.google.com/apppasswords and put it where password-file points; or use "
       "token-command"},
      {"AUTH-WEBLOGIN", NULL, NULL,
       "sign in once with a browser from this network, then use an application password"},
      {"QUOTA-DAY", NULL, NULL,
       "wait a day, or send through smtp-relay.gmail.com, which allows more"}}},
    {"Microsoft 365",
     "smtp.office365.com outlook.office365.com",
     NULL,
     {ONLY_587("Microsoft 365"),
      {"AUTH-REJECTED AUTH-USERFORM", NULL, NULL,
       "have SMTP AUTH switched on for this mailbox (Exchange admin centre, mail flow "
       "settings) and no security defaults for it; or use token-command. user is the full "
       "address"},
      {"AUTH-BASICOFF", NULL, NULL,
       "have SMTP AUTH switched on for this mailbox in the Exchange admin centre, or use "
       "token-command"},
      {"RATE-CONN", NULL, NULL, "it allows 3 connections at once: set connections = 3"},
      {"SENDER-NOTOWNED", NULL, NULL,
       "give this account the right to send as that address (Exchange admin centre, "
       "delegation), or send under the account's own"}}},
    {"Outlook.com",
     "smtp-mail.outlook.com smtp.live.com",
     NULL,
     {ONLY_587("Outlook.com"),
      {"AUTH-REJECTED AUTH-USERFORM AUTH-APPPASSWORD", "AUTH-BASICOFF",
       "Outlook.com accepts only OAuth sign-in since September 2024, no password at all",
       "use token-command"},
      {"AUTH-BASICOFF", NULL, NULL,
       "Outlook.com accepts only OAuth sign-in, no password at all: use token-command"}}},
    {"Yahoo",
     "smtp.mail.yahoo.com smtp.mail.yahoo.co.uk smtp.mail.yahoo.de smtp.aol.com "
     "smtp.mail.aol.com",
     NULL,
     {APP_PASSWORD("Yahoo")}},
    {"Fastmail",
     "smtp.fastmail.com smtps-proxy.fastmail.com smtp-proxy.fastmail.com",
     NULL,
     {APP_PASSWORD("Fastmail")}},
    {"iCloud",
     "smtp.mail.me.com smtp.mail.icloud.com",
     NULL,
     {ONLY_587("iCloud"), APP_PASSWORD("iCloud")}},
    {"Zoho",
     "*.zoho.com *.zoho.eu *.zoho.in *.zoho.com.au *.zohomail.com *.zohocloud.ca",
     NULL,
     {APP_PASSWORD("Zoho"),
      {"ACCOUNT-BLOCKED", NULL, NULL,
       "sign in with a browser: Zoho says there what has to be done to unblock the account"}}},
    {"Amazon SES",
     "*.amazonaws.com",
     "the SMTP user name made in the SES console",
     {{"AUTH-REJECTED", NULL, NULL,
       "use SMTP credentials made in the SES console for this region; the keys of IAM or the "
       "console's login do not work"},
      {"SENDER-NOTOWNED RELAY-DENIED-AUTH", NULL, NULL,
       "verify the sender's address or domain in the SES console; as long as the account is "
       "in the sandbox, the recipients', too"}}},
    {"SendGrid",
     "smtp.sendgrid.net smtp.eu.sendgrid.net",
     "the word apikey",
     {{"AUTH-REJECTED AUTH-USERFORM", NULL, NULL,
       "set user = \"apikey\", that very word, and put an API key where password-file "
       "points"},
      {"SENDER-NOTOWNED", NULL, NULL,
       "verify the sender's address or domain in SendGrid's settings (sender "
       "authentication)"}}},
    {"Mailgun",
     "smtp.mailgun.org smtp.eu.mailgun.org",
     NULL,
     {{"AUTH-REJECTED AUTH-USERFORM", NULL, NULL,
       "use the SMTP user and password of the sending domain (not the API key), and the host "
       "of its region: smtp.mailgun.org or smtp.eu.mailgun.org"},
      {"RELAY-DENIED-AUTH RCPT-REFUSED", NULL, NULL,
       "a sandbox domain reaches authorised recipients alone: use a domain of your own"}}},
    {"Postmark",
     "smtp.postmarkapp.com smtp-broadcasts.postmarkapp.com",
     "the server's API token",
     {ONLY_587("Postmark"),
      {"AUTH-REJECTED", NULL, NULL,
       "use the server's API token as user and as password; the account's token does not "
       "work"},
      {"SENDER-NOTOWNED MSG-REFUSED", NULL, NULL,
       "add a sender signature for that address, or verify its domain, in Postmark"}}},
    {"GMX and web.de",
     "mail.gmx.net mail.gmx.com smtp.web.de smtp.gmx.de",
     NULL,
     {{"AUTH-REJECTED AUTH-USERFORM", NULL, NULL,
       "switch on access by POP3 and IMAP in the mailbox's settings: it is off at first, and "
       "SMTP with it; user is the full address"}}},
    {"T-Online",
     "securesmtp.t-online.de smtpmail.t-online.de",
     NULL,
     {{"AUTH-REJECTED AUTH-USERFORM", NULL, NULL,
       "set a password for e-mail programs in the customer centre, and use that"}}},
    {"OVH",
     "*.ovh.net *.mail.ovh.net",
     NULL,
     {{"AUTH-USERFORM", NULL, NULL, "set user to the full address"}}},
    {"SMTP2GO",
     "mail.smtp2go.com *.smtp2go.com",
     "an SMTP user made in its settings",
     {{"AUTH-REJECTED", NULL, NULL,
       "use an SMTP user made in SMTP2GO's settings, not the login of its web site"}}},
};

static bool fits(struct str pattern, struct str host)
{
    if (pattern.p[0] != '*')
        return str_eq_nocase(pattern, host);
    struct str end = str_tail(pattern, 1);
    return host.n > end.n && str_eq_nocase(str_tail(host, host.n - end.n), end);
}

const struct smtp_provider *smtp_provider_of(struct str host)
{
    for (size_t i = 0; i < sizeof providers / sizeof providers[0]; i++) {
        struct str rest = str_of(providers[i].hosts);
        for (struct str pattern; (pattern = str_word(&rest, " ")).n;)
            if (fits(pattern, host))
                return &providers[i];
    }
    return NULL;
}

const struct smtp_provider_note *smtp_provider_note_of(const struct smtp_provider *provider,
                                                       struct str code)
{
    for (const struct smtp_provider_note *note = provider->notes;
         note < provider->notes + SMTP_PROVIDER_NOTES_MAX && note->codes; note++) {
        struct str rest = str_of(note->codes);
        for (struct str word; (word = str_word(&rest, " ")).n;)
            if (str_eq(word, code))
                return note;
    }
    return NULL;
}
