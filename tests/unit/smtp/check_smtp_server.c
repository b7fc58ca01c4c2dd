/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dialogues as text. Each is played whole, byte by byte and cut at each point, to an owner that
 * answers at once and to one that answers late. */
#include "server_player.h"

#include <check.h>
#include <stdlib.h>

enum {
    NETWORK = 1 << 8 /* beside the player's rules */
};

#define OFFERED                                                                                \
    "250-relay.example\n250-PIPELINING\n250-SIZE 100\n250-8BITMIME\n250-SMTPUTF8\n250-DSN\n"
#define EHLO_SAID OFFERED "250-XTRANTER RCPTMAX=*\n250 ENHANCEDSTATUSCODES\n"
#define HELLO "EHLO client.example\r\n"
#define HELLO_SAID "220 relay.example ESMTP tranter\n" EHLO_SAID
#define ENVELOPE "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n"
#define ENVELOPE_SAID "250 2.1.0 owner <a@x>\n250 2.1.0 owner <b@y>\n"
#define GO "354 Send the message, and a line with a dot alone at its end\n"
#define BYE "221 2.0.0 relay.example closes\n"
#define BARE_LF_SAID                                                                           \
    "550 5.6.11 Line 2 of the message has an LF without CR before it: end every line with CR " \
    "LF\n"
#define OVERSIZE_SAID                                                                          \
    "552 5.3.4 The message is over the limit (message-size-limit) of 100 octets: send less, "  \
    "or have the limit raised\n"
#define DIGITS_50 "12345678901234567890123456789012345678901234567890"

static const struct dialogue {
    const char *name;
    unsigned rules;
    struct str client;
    const char *server;
    const char *events;
    const char *content; /* NULL: what the owner was given of a refused message */
} dialogues[] = {
    {"a message", 0, STR_LIT(HELLO ENVELOPE "DATA\r\n|Subject: x\r\n\r\n..\r\n.\r\nQUIT\r\n"),
     HELLO_SAID ENVELOPE_SAID GO "250 2.0.0 owner ok\n" BYE,
     " MAIL:a@x RCPT:b@y DATA EOM CLOSE", "Subject: x\r\n\r\n.\r\n"},
    {"content directly behind DATA that is accepted", 0,
     STR_LIT(HELLO ENVELOPE "DATA\r\nx\r\n.\r\nQUIT\r\n"),
     HELLO_SAID ENVELOPE_SAID GO "250 2.0.0 owner ok\n" BYE,
     " MAIL:a@x RCPT:b@y DATA EOM CLOSE", "x\r\n"},
    {"an empty message", 0, STR_LIT(HELLO ENVELOPE "DATA\r\n|.\r\n"),
     HELLO_SAID ENVELOPE_SAID GO "250 2.0.0 owner ok\n", " MAIL:a@x RCPT:b@y DATA EOM", ""},
    {"two messages in a session", 0,
     STR_LIT(HELLO ENVELOPE "DATA\r\n|x\r\n.\r\n" ENVELOPE "DATA\r\n|y\r\n.\r\n"),
     HELLO_SAID ENVELOPE_SAID GO "250 2.0.0 owner ok\n" ENVELOPE_SAID GO "250 2.0.0 owner ok\n",
     " MAIL:a@x RCPT:b@y DATA EOM MAIL:a@x RCPT:b@y DATA EOM", "x\r\ny\r\n"},
    {"HELO", 0, STR_LIT("HELO x\r\nMAIL FROM:<>\r\n"),
     "220 *\n250 relay.example\n250 2.1.0 owner <>\n", " MAIL:", ""},
    {"parameters reach the owner", 0,
     STR_LIT(HELLO "MAIL FROM:<a@x> SIZE=100 BODY=8BITMIME\r\n"),
     HELLO_SAID "250 2.1.0 owner <a@x>\n", " MAIL:a@x,100,8bit", ""},
    {"a submission id reaches the owner", 0,
     STR_LIT("LHLO x\r\nMAIL FROM:<a@x> XID=0123456789abcdef0123456789abcdef\r\n"),
     "220 *\n" EHLO_SAID "250 2.1.0 owner <a@x>\n",
     " MAIL:a@x,xid=0123456789abcdef0123456789abcdef", ""},
    {"a submission id from the network", NETWORK,
     STR_LIT(HELLO "MAIL FROM:<a@x> XID=0123456789abcdef0123456789abcdef\r\n"),
     "220 *\n" OFFERED "250 ENHANCEDSTATUSCODES\n555 5.5.4 MAIL's parameter XID*\n", "", ""},
    {"a submission id after HELO", 0,
     STR_LIT("HELO x\r\nMAIL FROM:<a@x> XID=0123456789abcdef0123456789abcdef\r\n"),
     "220 *\n250 relay.example\n555 5.5.4 MAIL's parameter XID*\n", "", ""},
    {"what is no address, beside one that is", 0,
     STR_LIT("LHLO x\r\nMAIL FROM:<a@x>\r\nRCPT TO:<> XINVALID=a+20b\r\nRCPT TO:<b@y>\r\n"
             "DATA\r\n|x\r\n.\r\n"),
     "220 *\n" EHLO_SAID "250 2.1.0 owner <a@x>\n250 2.1.0 owner <>\n250 2.1.0 owner <b@y>\n" GO
     "250 2.0.0 owner ok\n250 2.0.0 owner ok\n",
     " MAIL:a@x RCPT:!a+20b RCPT:b@y DATA EOM", "x\r\n"},
    {"no address at all", 0,
     STR_LIT(HELLO "MAIL FROM:<a@x>\r\nRCPT TO:<> XINVALID=a\r\nRCPT TO:<refused@y>\r\n"
                   "DATA\r\n|RCPT TO:<b@y>\r\nDATA\r\n|x\r\n.\r\n"),
     HELLO_SAID "250 2.1.0 owner <a@x>\n250 2.1.0 owner <>\n550 5.1.1 owner <refused@y>\n"
                "501 5.1.3 None of the recipients is an address: nothing was queued\n"
                "250 2.1.0 owner <b@y>\n" GO "250 2.0.0 owner ok\n",
     " MAIL:a@x RCPT:!a RCPT:refused@y RCPT:b@y DATA EOM", "x\r\n"},
    {"what is no address is forgotten with its message", 0,
     STR_LIT(HELLO "MAIL FROM:<a@x>\r\nRCPT TO:<> XINVALID=a\r\nRSET\r\n" ENVELOPE
                   "DATA\r\n|x\r\n.\r\n"),
     HELLO_SAID "250 2.1.0 owner <a@x>\n250 2.1.0 owner <>\n250 2.0.0 Ok\n" ENVELOPE_SAID GO
                "250 2.0.0 owner ok\n",
     " MAIL:a@x RCPT:!a ABORT MAIL:a@x RCPT:b@y DATA EOM", "x\r\n"},
    {"addresses without domain, and with routes", 0,
     STR_LIT(HELLO "MAIL FROM:<root>\r\nRCPT TO:<@x,@y:joe>\r\nRCPT TO:<b@y>\r\n"),
     HELLO_SAID "250 2.1.0 owner <root>\n250 2.1.0 owner <joe>\n250 2.1.0 owner <b@y>\n",
     " MAIL:root RCPT:joe RCPT:b@y", ""},
    {"LMTP answers once for each recipient", 0,
     STR_LIT("LHLO x\r\n" ENVELOPE "RCPT TO:<refused@y>\r\nRCPT TO:<c@y>\r\nDATA\r\n|x\r\n.\r\n"
             "NOOP\r\n"),
     "220 *\n" EHLO_SAID ENVELOPE_SAID "550 5.1.1 owner <refused@y>\n250 2.1.0 owner <c@y>\n" GO
     "250 2.0.0 owner ok\n250 2.0.0 owner ok\n250 2.0.0 Ok\n",
     " MAIL:a@x RCPT:b@y RCPT:refused@y RCPT:c@y DATA EOM", "x\r\n"},
    {"LMTP repeats a refusal", EOM_REFUSED,
     STR_LIT("LHLO x\r\n" ENVELOPE "RCPT TO:<c@y>\r\nDATA\r\n|x\r\n.\r\n"),
     "220 *\n" EHLO_SAID ENVELOPE_SAID "250 2.1.0 owner <c@y>\n" GO
     "452 4.3.1 owner disk full\n452 4.3.1 owner disk full\n",
     " MAIL:a@x RCPT:b@y RCPT:c@y DATA EOM", "x\r\n"},
    {"LMTP repeats the refusal of bare LF", 0,
     STR_LIT("LHLO x\r\n" ENVELOPE "RCPT TO:<c@y>\r\nDATA\r\n|a\r\nb\n.\r\n\r\n.\r\n"),
     "220 *\n" EHLO_SAID ENVELOPE_SAID "250 2.1.0 owner <c@y>\n" GO BARE_LF_SAID BARE_LF_SAID,
     " MAIL:a@x RCPT:b@y RCPT:c@y DATA ABORT", NULL},
    {"LMTP DATA without recipient", 0,
     STR_LIT("LHLO x\r\nMAIL FROM:<a@x>\r\nDATA\r\n|NOOP\r\n"),
     "220 *\n" EHLO_SAID "250 2.1.0 owner <a@x>\n503 5.5.1 There is no recipient yet*\n"
     "250 2.0.0 Ok\n",
     " MAIL:a@x", ""},
    {"ABORT behind a refused recipient", 0,
     STR_LIT(HELLO ENVELOPE "RCPT TO:<b@y> X=1\r\nRSET\r\n"),
     HELLO_SAID ENVELOPE_SAID "555 5.5.4 RCPT's parameter X*\n250 2.0.0 Ok\n",
     " MAIL:a@x RCPT:b@y ABORT", ""},
    {"LHLO after EHLO", 0, STR_LIT(HELLO "LHLO x\r\n"),
     HELLO_SAID "503 5.5.1 LMTP (LHLO) and*\n", "", ""},
    {"EHLO and HELO after LHLO", 0, STR_LIT("LHLO x\r\n" HELLO "HELO x\r\n"),
     "220 *\n" EHLO_SAID "503 5.5.1 LMTP (LHLO) and*\n503 5.5.1 LMTP (LHLO) and*\n", "", ""},
    {"a greeting without a name", 0, STR_LIT("EHLO\r\nHELO \r\nLHLO\r\nMAIL FROM:<>\r\n"),
     "220 *\n501 5.5.4 The name*\n501 5.5.4 The name*\n501 5.5.4 The name*\n"
     "503 5.5.1 Your greeting is missing*\n",
     "", ""},
    {"nothing before the greeting", 0, STR_LIT("MAIL FROM:<>\r\nRCPT TO:<b@y>\r\nDATA\r\n|"),
     "220 *\n503 5.5.1 Your*\n503 5.5.1 Your*\n503 5.5.1 Your*\n", "", ""},
    {"what is allowed before the greeting", 0,
     STR_LIT("NOOP x\r\nRSET\r\nVRFY root\r\nHELP\r\nQUIT\r\n"),
     "220 *\n250 2.0.0 Ok\n250 2.0.0 Ok\n252 2.0.0 *\n214 2.0.0 EHLO *\n" BYE, " CLOSE", ""},
    {"unknown and not offered", 0,
     STR_LIT("\r\nXYZZY\r\nEXPN x\r\nETRN x\r\nAUTH PLAIN\r\nSTARTTLS\r\n"),
     "220 *\n500 5.5.2 This command is unknown*\n500 5.5.2 *\n502 5.5.1 EXPN*\n502 5.5.1 "
     "ETRN*\n"
     "502 5.5.1 AUTH*\n502 5.5.1 STARTTLS*\n",
     "", ""},
    {"BDAT, and the client goes on", 0, STR_LIT(HELLO ENVELOPE "BDAT 3 LAST\r\n|RSET\r\n"),
     HELLO_SAID ENVELOPE_SAID "502 5.5.1 BDAT*\n250 2.0.0 Ok\n", " MAIL:a@x RCPT:b@y ABORT",
     ""},
    {"BDAT, and its content behind it", 0,
     STR_LIT(HELLO ENVELOPE "BDAT 7 LAST\r\n|x: y\r\nMAIL"),
     HELLO_SAID ENVELOPE_SAID "502 5.5.1 BDAT*\n421 4.5.0 relay.example closes: octets came*\n",
     " MAIL:a@x RCPT:b@y ABORT CLOSE", ""},
    {"sequence: MAIL twice", 0, STR_LIT(HELLO "MAIL FROM:<a@x>\r\nMAIL FROM:<b@x>\r\n"),
     HELLO_SAID "250 2.1.0 owner <a@x>\n503 5.5.1 The sender was given already*\n", " MAIL:a@x",
     ""},
    {"sequence: RCPT and DATA before MAIL", 0, STR_LIT(HELLO "RCPT TO:<b@y>\r\nDATA\r\n|"),
     HELLO_SAID "503 5.5.1 There is no sender yet*\n503 5.5.1 There is no sender yet*\n", "",
     ""},
    {"sequence: DATA after refused recipients", 0,
     STR_LIT(HELLO
             "MAIL FROM:<a@x>\r\nRCPT TO:<refused@y>\r\nDATA\r\n|RCPT TO:<b@y>\r\nDATA\r\n|"
             "x\r\n.\r\n"),
     HELLO_SAID "250 2.1.0 owner <a@x>\n550 5.1.1 owner <refused@y>\n"
                "503 5.5.1 None of the recipients*\n250 2.1.0 owner <b@y>\n" GO
                "250 2.0.0 owner ok\n",
     " MAIL:a@x RCPT:refused@y RCPT:b@y DATA EOM", "x\r\n"},
    {"behind a refused sender", 0,
     STR_LIT(HELLO "MAIL FROM:<refused@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n|" ENVELOPE),
     HELLO_SAID "550 5.1.1 owner <refused@x>\n503 5.5.1 The sender was refused*\n"
                "503 5.5.1 The sender was refused*\n" ENVELOPE_SAID,
     " MAIL:refused@x MAIL:a@x RCPT:b@y", ""},
    {"RSET drops sender and recipients", 0,
     STR_LIT(HELLO ENVELOPE "RSET\r\nRCPT TO:<b@y>\r\nMAIL FROM:<c@x>\r\nDATA\r\n|"),
     HELLO_SAID ENVELOPE_SAID "250 2.0.0 Ok\n503 5.5.1 There is no sender yet*\n"
                              "250 2.1.0 owner <c@x>\n503 5.5.1 There is no recipient yet*\n",
     " MAIL:a@x RCPT:b@y ABORT MAIL:c@x", ""},
    {"RSET forgets refused recipients", 0,
     STR_LIT(HELLO
             "MAIL FROM:<a@x>\r\nRCPT TO:<refused@y>\r\nRSET\r\nMAIL FROM:<a@x>\r\nDATA\r\n|"),
     HELLO_SAID "250 2.1.0 owner <a@x>\n550 5.1.1 owner <refused@y>\n250 2.0.0 Ok\n"
                "250 2.1.0 owner <a@x>\n503 5.5.1 There is no recipient yet*\n",
     " MAIL:a@x RCPT:refused@y ABORT MAIL:a@x", ""},
    {"EHLO drops sender and recipients", 0, STR_LIT(HELLO ENVELOPE "HELO x\r\nDATA\r\n|"),
     HELLO_SAID ENVELOPE_SAID "250 relay.example\n503 5.5.1 There is no sender yet*\n",
     " MAIL:a@x RCPT:b@y ABORT", ""},
    {"a refused EHLO keeps them", 0, STR_LIT(HELLO ENVELOPE "EHLO\r\nDATA\r\n|.\r\n"),
     HELLO_SAID ENVELOPE_SAID "501 5.5.4 The name*\n" GO "250 2.0.0 owner ok\n",
     " MAIL:a@x RCPT:b@y DATA EOM", ""},
    {"QUIT in a transaction", 0, STR_LIT(HELLO ENVELOPE "QUIT\r\nNOOP\r\n"),
     HELLO_SAID ENVELOPE_SAID BYE, " MAIL:a@x RCPT:b@y ABORT CLOSE", ""},
    {"a message ends the transaction", 0,
     STR_LIT(HELLO ENVELOPE "DATA\r\n|.\r\nRCPT TO:<b@y>\r\n"),
     HELLO_SAID ENVELOPE_SAID GO "250 2.0.0 owner ok\n503 5.5.1 There is no sender yet*\n",
     " MAIL:a@x RCPT:b@y DATA EOM", ""},
    {"so does a refused one", EOM_REFUSED,
     STR_LIT(HELLO ENVELOPE "DATA\r\n|.\r\nRCPT TO:<b@y>\r\n"),
     HELLO_SAID ENVELOPE_SAID GO "452 4.3.1 owner disk full\n503 5.5.1 There is no sender*\n",
     " MAIL:a@x RCPT:b@y DATA EOM", ""},
    {"so does DATA refused by the owner", DATA_REFUSED,
     STR_LIT(HELLO ENVELOPE "DATA\r\n|RCPT TO:<b@y>\r\n" ENVELOPE),
     HELLO_SAID ENVELOPE_SAID
     "451 4.3.0 owner no data\n503 5.5.1 There is no sender*\n" ENVELOPE_SAID,
     " MAIL:a@x RCPT:b@y DATA ABORT MAIL:a@x RCPT:b@y", ""},
    {"content although DATA was refused", DATA_REFUSED,
     STR_LIT(HELLO ENVELOPE "DATA\r\n|Subject: x\r\nMAIL FROM:<evil@x>\r\n"),
     HELLO_SAID ENVELOPE_SAID
     "451 4.3.0 owner no data\n421 4.5.0 relay.example closes: octets*\n",
     " MAIL:a@x RCPT:b@y DATA ABORT CLOSE", ""},
    {"a bad command after a good one after refused DATA", DATA_REFUSED,
     STR_LIT(HELLO ENVELOPE "DATA\r\n|NOOP\r\nXYZZY\r\n"),
     HELLO_SAID ENVELOPE_SAID "451 4.3.0 owner no data\n250 2.0.0 Ok\n500 5.5.2 *\n",
     " MAIL:a@x RCPT:b@y DATA ABORT", ""},
    {"binary content although DATA was refused", DATA_REFUSED,
     STR_LIT(HELLO ENVELOPE "DATA\r\n|NOOP \x01\r\nMAIL FROM:<evil@x>\r\n"),
     HELLO_SAID ENVELOPE_SAID
     "451 4.3.0 owner no data\n421 4.5.0 relay.example closes: octets*\n",
     " MAIL:a@x RCPT:b@y DATA ABORT CLOSE", ""},
    {"the owner closes at MAIL", 0, STR_LIT(HELLO "MAIL FROM:<closing@x>\r\nNOOP\r\n"),
     HELLO_SAID "421 4.3.2 owner <closing@x>\n", " MAIL:closing@x CLOSE", ""},
    {"the owner closes at RCPT", 0,
     STR_LIT(HELLO "MAIL FROM:<a@x>\r\nRCPT TO:<closing@x>\r\nNOOP\r\n"),
     HELLO_SAID "250 2.1.0 owner <a@x>\n421 4.3.2 owner <closing@x>\n",
     " MAIL:a@x RCPT:closing@x ABORT CLOSE", ""},
    {"the owner closes at the end", EOM_CLOSING,
     STR_LIT(HELLO ENVELOPE "DATA\r\n|.\r\nNOOP\r\n"),
     HELLO_SAID ENVELOPE_SAID GO "421 4.3.0 owner closing\n",
     " MAIL:a@x RCPT:b@y DATA EOM CLOSE", ""},
    {"too many recipients", 0,
     STR_LIT(HELLO ENVELOPE "RCPT TO:<c@y>\r\nRCPT TO:<deferred@y>\r\nRCPT TO:<d@y>\r\n"
                            "RCPT TO:<e@y>\r\nDATA\r\n|.\r\n"),
     HELLO_SAID ENVELOPE_SAID "250 2.1.0 owner <c@y>\n451 4.3.0 owner <deferred@y>\n"
                              "250 2.1.0 owner <d@y>\n"
                              "452 4.5.3 The message has 3 recipients, which is the limit*\n" GO
                              "250 2.0.0 owner ok\n",
     " MAIL:a@x RCPT:b@y RCPT:c@y RCPT:deferred@y RCPT:d@y DATA EOM", ""},
    {"SIZE over the limit", 0,
     STR_LIT(HELLO "MAIL FROM:<a@x> SIZE=101\r\nRCPT TO:<b@y>\r\nMAIL FROM:<a@x> SIZE=100\r\n"),
     HELLO_SAID "552 5.3.4 The message is announced with 101 octets, and the limit "
                "(message-size-limit) is 100: send less, or have the limit raised\n"
                "503 5.5.1 The sender was refused*\n250 2.1.0 owner <a@x>\n",
     " MAIL:a@x,100", ""},
    {"parameters that are not offered", 0,
     STR_LIT(HELLO "MAIL FROM:<a@x> AUTH=<>\r\nMAIL FROM:<\xc3\xa4@x>\r\n" ENVELOPE
                   "RCPT TO:<b@y> HOLD=1\r\nRCPT TO:<b@\xc3\xa4>\r\nRCPT TO:<b..c@y>\r\n"),
     HELLO_SAID "555 5.5.4 MAIL's parameter AUTH is not offered here*\n"
                "553 5.6.7 <\?\?@x> has characters beyond ASCII*\n" ENVELOPE_SAID
                "555 5.5.4 RCPT's parameter HOLD is not offered here*\n"
                "553 5.6.7 <b@\?\?> has*\n501 5.1.3 <b..c@y> is not a mailbox*\n",
     " MAIL:a@x RCPT:b@y", ""},
    {"addresses in UTF-8, where MAIL says so", 0,
     STR_LIT(HELLO
             "MAIL FROM:<\xc3\xa4@x> SMTPUTF8\r\nRCPT TO:<b@\xc3\xa4>\r\nRSET\r\n" ENVELOPE
             "RCPT TO:<b@\xc3\xa4>\r\n"),
     HELLO_SAID
     "250 2.1.0 owner <\?\?@x>\n250 2.1.0 owner <b@\?\?>\n250 2.0.0 Ok\n" ENVELOPE_SAID
     "553 5.6.7 <b@\?\?> has*\n",
     " MAIL:\xc3\xa4@x RCPT:b@\xc3\xa4 ABORT MAIL:a@x RCPT:b@y", ""},
    {"arguments where there are none", 0,
     STR_LIT(HELLO ENVELOPE "RSET x\r\nDATA x\r\n|NOOP\r\n"),
     HELLO_SAID ENVELOPE_SAID
     "501 5.5.4 This command takes no*\n501 5.5.4 This command takes*\n"
     "250 2.0.0 Ok\n",
     " MAIL:a@x RCPT:b@y", ""},
    {"bare LF and controls in commands", 0, STR_LIT("NOOP\nNOOP \x01\r\nNOOP\r\r\nNOOP \0\r\n"),
     "220 *\n500 5.5.2 This command line ends in LF alone*\n"
     "500 5.5.2 This command line has the control character 0x01 at octet 6*\n"
     "500 5.5.2 This command line has the control character 0x0d at octet 5*\n"
     "500 5.5.2 This command line has the control character 0x00 at octet 6*\n",
     "", ""},
    {"content of the limit's size", 0,
     STR_LIT(HELLO ENVELOPE "DATA\r\n|." DIGITS_50
                            "123456789012345678901234567890123456789012345678"
                            "\r\n.\r\n"),
     HELLO_SAID ENVELOPE_SAID GO "250 2.0.0 owner ok\n", " MAIL:a@x RCPT:b@y DATA EOM",
     DIGITS_50 "123456789012345678901234567890123456789012345678\r\n"},
    {"content one octet over the limit", 0,
     STR_LIT(HELLO ENVELOPE "DATA\r\n|" DIGITS_50
                            "1234567890123456789012345678901234567890123456789"
                            "\r\n.\r\nNOOP\r\n"),
     HELLO_SAID ENVELOPE_SAID GO OVERSIZE_SAID "250 2.0.0 Ok\n",
     " MAIL:a@x RCPT:b@y DATA ABORT", NULL},
    {"content of twice the limit", 0,
     STR_LIT(HELLO ENVELOPE
             "DATA\r\n|" DIGITS_50 DIGITS_50 DIGITS_50
             "123456789012345678901234567890123456789012345678\r\n.\r\nNOOP\r\n"),
     HELLO_SAID ENVELOPE_SAID GO OVERSIZE_SAID "250 2.0.0 Ok\n",
     " MAIL:a@x RCPT:b@y DATA ABORT", NULL},
    {"content over twice the limit", 0,
     STR_LIT(HELLO ENVELOPE
             "DATA\r\n|" DIGITS_50 DIGITS_50 DIGITS_50
             "1234567890123456789012345678901234567890123456789\r\n.\r\nNOOP\r\n"),
     HELLO_SAID ENVELOPE_SAID GO OVERSIZE_SAID
     "421 4.3.4 relay.example closes: the message is over twice the limit\n",
     " MAIL:a@x RCPT:b@y DATA ABORT CLOSE", NULL},
    {"bare LF in content", 0,
     STR_LIT(HELLO ENVELOPE "DATA\r\n|a\r\nb\n.\r\nMAIL FROM:<evil@x>\r\n.\r\nNOOP\r\n"),
     HELLO_SAID ENVELOPE_SAID GO BARE_LF_SAID "250 2.0.0 Ok\n", " MAIL:a@x RCPT:b@y DATA ABORT",
     NULL},
    {"bare CR in content", 0, STR_LIT(HELLO ENVELOPE "DATA\r\n|a\r.\r\r\n.\r\nNOOP\r\n"),
     HELLO_SAID ENVELOPE_SAID GO "550 5.6.11 Line 1 of the message has a CR without LF*\n"
                                 "250 2.0.0 Ok\n",
     " MAIL:a@x RCPT:b@y DATA ABORT", NULL},
    {"NUL in content", 0, STR_LIT(HELLO ENVELOPE "DATA\r\n|a\r\n\r\n\0.\r\n.\r\nNOOP\r\n"),
     HELLO_SAID ENVELOPE_SAID GO "550 5.6.11 Line 3 of the message has a NUL octet*\n"
                                 "250 2.0.0 Ok\n",
     " MAIL:a@x RCPT:b@y DATA ABORT", NULL},
    {"HTTP from the network", NETWORK,
     STR_LIT("POST / HTTP/1.1\r\nHost: x\r\n\r\nMAIL FROM:<>"),
     "220 *\n421 4.7.0 relay.example closes: this port takes mail*\n", " CLOSE", ""},
    {"HTTP with LF alone from the network", NETWORK,
     STR_LIT("get / HTTP/1.0\n\nMAIL FROM:<>\r\n"),
     "220 *\n421 4.7.0 relay.example closes: this port takes mail*\n", " CLOSE", ""},
    {"an HTTP field from the network", NETWORK, STR_LIT("x / HTTP/1.1\r\nhost: x\r\nNOOP\r\n"),
     "220 *\n500 5.5.2 *\n421 4.7.0 relay.example closes: this port takes mail*\n", " CLOSE",
     ""},
    {"HTTP on the UNIX socket", 0, STR_LIT("GET / HTTP/1.1\r\nNOOP\r\n"),
     "220 *\n500 5.5.2 This is HTTP*\n250 2.0.0 Ok\n", "", ""},
};

static void check_played(const struct dialogue *d, bool late, size_t first, size_t size)
{
    struct smtp_server_conf conf = server_player_conf();
    conf.network = (d->rules & NETWORK) != 0;
    struct server_player p;
    server_player_init(&p, &conf);
    p.rules = d->rules;
    p.late = late;
    server_player_play(&p, d->client, first, size);
    const char *when = late ? "late" : "at once";
    ck_assert_msg(server_player_said(&p, d->server), "%s, %s, cut at %zu, %zu:\n%.*s", d->name,
                  when, first, size, STR_FMT(buf_str(&p.wire)));
    ck_assert_msg(str_eq(buf_str(&p.events), str_of(d->events)), "%s, %s, cut at %zu, %zu:%.*s",
                  d->name, when, first, size, STR_FMT(buf_str(&p.events)));
    if (d->content)
        ck_assert_msg(str_eq(buf_str(&p.content), str_of(d->content)),
                      "%s, %s, cut at %zu, %zu: %.*s", d->name, when, first, size,
                      STR_FMT(buf_str(&p.content)));
    server_player_release(&p);
}

START_TEST(the_dialogue_is_the_same_however_it_is_cut)
{
    const struct dialogue *d = &dialogues[_i];
    for (int late = 0; late <= 1; late++) {
        for (size_t cut = 0; cut <= d->client.n; cut++)
            check_played(d, late, cut, d->client.n);
        for (size_t size = 1; size <= 7; size++)
            check_played(d, late, 0, size);
    }
}
END_TEST

static const struct refused_data {
    const char *name;
    unsigned rules;
    struct str client;
    const char *server;
    const char *events;
} refused_data[] = {
    {"by the owner", DATA_REFUSED,
     STR_LIT(HELLO ENVELOPE "DATA\r\nRSET\r\nMAIL FROM:<evil@x>\r\n"),
     HELLO_SAID ENVELOPE_SAID "451 4.3.0 owner no data\n421 4.5.0 *\n",
     " MAIL:a@x RCPT:b@y DATA ABORT CLOSE"},
    {"without recipient", 0,
     STR_LIT(HELLO "MAIL FROM:<a@x>\r\nDATA\r\nRSET\r\nMAIL FROM:<evil@x>\r\n"),
     HELLO_SAID "250 2.1.0 owner <a@x>\n503 5.5.1 There is no recipient*\n421 4.5.0 *\n",
     " MAIL:a@x ABORT CLOSE"},
    {"with an argument", 0, STR_LIT(HELLO ENVELOPE "DATA x\r\nRSET\r\nMAIL FROM:<evil@x>\r\n"),
     HELLO_SAID ENVELOPE_SAID "501 5.5.4 *\n421 4.5.0 *\n", " MAIL:a@x RCPT:b@y ABORT CLOSE"},
    {"before the greeting", 0, STR_LIT("DATA\r\nEHLO x\r\nMAIL FROM:<evil@x>\r\n"),
     "220 *\n503 5.5.1 *\n421 4.5.0 *\n", " CLOSE"},
    {"BDAT", 0, STR_LIT(HELLO ENVELOPE "BDAT 33 LAST\r\nRSET\r\nMAIL FROM:<evil@x>\r\n"),
     HELLO_SAID ENVELOPE_SAID "502 5.5.1 *\n421 4.5.0 *\n", " MAIL:a@x RCPT:b@y ABORT CLOSE"},
};

START_TEST(octets_behind_refused_data_are_never_commands)
{
    const struct refused_data *d = &refused_data[_i];
    struct smtp_server_conf conf = server_player_conf();
    for (int late = 0; late <= 1; late++) {
        struct server_player p;
        server_player_init(&p, &conf);
        p.rules = d->rules;
        p.late = late;
        server_player_play(&p, d->client, 0, d->client.n);
        ck_assert_msg(server_player_said(&p, d->server), "%s: %.*s", d->name,
                      STR_FMT(buf_str(&p.wire)));
        ck_assert_msg(str_eq(buf_str(&p.events), str_of(d->events)), "%s: %.*s", d->name,
                      STR_FMT(buf_str(&p.events)));
        server_player_release(&p);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("smtp_server");
    TCase *tc = tcase_create("smtp_server");
    tcase_add_loop_test(tc, the_dialogue_is_the_same_however_it_is_cut, 0,
                        sizeof(dialogues) / sizeof(dialogues[0]));
    tcase_add_loop_test(tc, octets_behind_refused_data_are_never_commands, 0,
                        sizeof(refused_data) / sizeof(refused_data[0]));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
