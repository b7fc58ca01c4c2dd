/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dialogue.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELLO "S: 220 hi\nC: EHLO me.example\n"
#define TLS_UP                                                                                 \
    HELLO "S: 250-s\nS: 250-AUTH LOGIN\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\n! STARTTLS\n" \
          "> secured\nC: EHLO me.example\n"
#define OFFERED(caps) HELLO "S: 250-s\nS: 250 " caps "\n"
#define READY OFFERED("PIPELINING") "! IDLE\n"
#define ONE_SENT "> submit a@b c@d\nC: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nC: DATA\n"
#define MESSAGE                                                                                \
    ONE_SENT "S: 250 ok\nS: 250 ok\nS: 354 go\n! RCPT 0 none\n! BODY\n> last hi\nC: hi\nC: "   \
             ".\n"
#define CHUNKS HELLO "S: 250-s\nS: 250-PIPELINING\nS: 250 CHUNKING\n! IDLE\n"
#define GROUP                                                                                  \
    "> submit a@b c@d size=4\nC: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nC: BDAT 4 LAST\n! BODY\n"  \
    "> last hi\nC: hi\n"
#define BYE "C: QUIT\nS: 221 bye\n"

#define SCRAM                                                                                  \
    "> secured\n" OFFERED(                                                                     \
        "AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-1 PLAIN") "! AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-1 "  \
                                                     "PLAIN\n> auth SCRAM-SHA-256-PLUS x\n"    \
                                                     "C: AUTH SCRAM-SHA-256-PLUS eA==\n"

#define LONG_250                                                                               \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234"    \
    "56789012345678901234567890123456789012345678901234567890123456789012345678901234567890"   \
    "12345678901234567890123456789012345678901234567890123456789012345678901234567890"

static const struct dialogue dialogues[] = {
    {"a message in clear, as configured, one command at a time", "",
     OFFERED("PIPELINING") "! IDLE\n> submit a@b c@d\nC: MAIL FROM:<a@b>\nS: 250 ok\n"
                           "C: RCPT TO:<c@d>\nS: 250 ok\n! RCPT 0 none\nC: DATA\nS: 354 go\n! "
                           "BODY\n"
                           "> body .hi\nC: ..hi\n> last\nC: .\nS: 250 2.0.0 queued\n! DONE "
                           "none\n! IDLE\n> quit\n"
                           "C: QUIT\nS: 221 bye\n! DEAD none\n"},
    {"STARTTLS, EHLO again, AUTH, MAIL", "starttls login pipelining",
     TLS_UP "S: 250-s\nS: 250-PIPELINING\nS: 250 AUTH PLAIN LOGIN\n! AUTH PLAIN LOGIN\n"
            "> auth PLAIN user\nC: AUTH PLAIN dXNlcg==\nS: 235 ok\n! IDLE\n" MESSAGE
            "S: 250 ok\n! DONE none\n! IDLE\n"},
    {"implicit TLS has the greeting inside", "implicit login",
     "> secured\nS: 220 hi\nC: EHLO me.example\nS: 250-s\nS: 250 AUTH PLAIN\n! AUTH PLAIN\n"},
    {"a greeting and a 220 of several lines", "starttls",
     "S: 220-hi\nS: 220 there\nC: EHLO me.example\nS: 250-s\nS: 250 starttls\nC: STARTTLS\n"
     "S: 220-go\nS: 220 on\n! STARTTLS\n> secured\nC: EHLO me.example\nS: 250 s\n! IDLE\n"},
    {"what was offered in clear is forgotten", "starttls pipelining",
     HELLO "S: 250-s\nS: 250-PIPELINING\nS: 250-SIZE 5\nS: 250 STARTTLS\nC: STARTTLS\n"
           "S: 220 go\n! STARTTLS\n> secured\nC: EHLO me.example\nS: 250 s\n! IDLE\n"
           "> submit a@b c@d size=9\nC: MAIL FROM:<a@b>\n"},
    {"STARTTLS inside TLS is ignored", "implicit",
     "> secured\nS: 220 hi\nC: EHLO me.example\nS: 250-s\nS: 250 STARTTLS\n! IDLE\n"},
    {"no STARTTLS: nothing is sent but QUIT", "starttls login pipelining",
     OFFERED("AUTH PLAIN") BYE "! DEAD account perm STARTTLS-MISSING\n"},
    {"STARTTLS on EHLO's first line is no offer", "starttls login pipelining",
     HELLO "S: 250-STARTTLS\nS: 250 AUTH PLAIN\n" BYE "! DEAD account perm STARTTLS-MISSING\n"},
    {"a firewall that masks STARTTLS is named", "starttls login pipelining",
     OFFERED("XXXXXXXA") BYE "! DEAD account perm MBOX-MASKED\n"},
    {"a masked greeting is named", "starttls login pipelining",
     "S: 220 ****************\nC: EHLO me.example\nS: 250 s\n" BYE
     "! DEAD account perm MBOX-MASKED\n"},
    {"plain bytes behind the 220 of STARTTLS end it", "starttls login pipelining",
     OFFERED("STARTTLS") "C: STARTTLS\nS: 220 go\nS: 250 injected\n! STARTTLS\n> secured\n"
                         "! DEAD account perm STARTTLS-INJECT\n"},
    {"one plain byte behind the 220 of STARTTLS ends it", "starttls login pipelining",
     OFFERED("STARTTLS") "C: STARTTLS\nS: 220 go\nS| x\n! STARTTLS\n> secured\n"
                         "! DEAD account perm STARTTLS-INJECT\n"},
    {"a second greeting after STARTTLS ends it", "starttls login pipelining",
     TLS_UP "S: 220 hi again\n! DEAD server temp PROTO-DESYNC\n"},
    {"login configured, none offered inside TLS", "starttls login pipelining",
     OFFERED("STARTTLS") "C: STARTTLS\nS: 220 go\n! STARTTLS\n> secured\nC: EHLO me.example\n"
                         "S: 250 s\n" BYE "! DEAD account perm AUTH-MISSING\n"},
    {"login offered only before TLS is not used", "starttls login pipelining",
     TLS_UP "S: 250 s\n" BYE "! DEAD account perm AUTH-MISSING-LOST\n"},
    {"AUTH without a mechanism is none", "login",
     OFFERED("AUTH") BYE "! DEAD account perm AUTH-MISSING\n"},
    {"without login AUTH is not asked for", "starttls",
     TLS_UP "S: 250-s\nS: 250 AUTH PLAIN\n! IDLE\n"},

    {"a rehearsal ends before DATA", "",
     OFFERED("SIZE") "! IDLE\n> submit a@b c@d e@f rehearsal\nC: MAIL FROM:<a@b> SIZE=9\nS: "
                     "250 ok\nC: RCPT TO:<c@d>\nS: 250 ok\n! RCPT 0 none\nC: RCPT TO:<e@f>\nS: "
                     "550 no\n! RCPT 1 recipient perm RCPT-REFUSED\nC: RSET\nS: 250 ok\n"
                     "! DONE none\n! IDLE\n> quit\nC: QUIT\nS: 221 bye\n! DEAD none\n"},
    {"a rehearsal that is pipelined, too", "pipelining",
     READY "> submit a@b c@d rehearsal\nC: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nC: RSET\n"
           "S: 250 ok\nS: 250 ok\n! RCPT 0 none\nS: 250 ok\n! DONE none\n! IDLE\n"},
    {"a rehearsal whose sender is refused", "pipelining",
     READY "> submit a@b c@d rehearsal\nC: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nC: RSET\n"
           "S: 553 no\nS: 503 no\nS: 250 ok\n! DONE sender perm SENDER-LOCAL\n! IDLE\n"},

    {"EHLO refused, no login: HELO", "pipelining",
     HELLO "S: 502 what\nC: HELO me.example\nS: 250 s\n! IDLE\n> submit a@b c@d\n"
           "C: MAIL FROM:<a@b>\n"},
    {"EHLO refused, login needed: no HELO", "login",
     HELLO "S: 502 what\n" BYE "! DEAD server perm EHLO-REFUSED\n"},
    {"EHLO refused, TLS needed: no HELO", "starttls",
     HELLO "S: 500 what\n" BYE "! DEAD server perm EHLO-REFUSED\n"},
    {"LHLO refused: no HELO", "lmtp",
     "S: 220 hi\nC: LHLO me.example\nS: 500 what\n" BYE "! DEAD server perm EHLO-REFUSED\n"},
    {"our name refused: hostname mends it", "starttls",
     HELLO "S: 501 bad name\n" BYE "! DEAD account perm EHLO-NAME\n"},

    {"AUTH with an empty initial response", "login",
     OFFERED("AUTH EXTERNAL") "! AUTH EXTERNAL\n> auth EXTERNAL =\nC: AUTH EXTERNAL =\n"
                              "S: 235 ok\n! IDLE\n"},
    {"AUTH LOGIN in rounds", "login",
     OFFERED("AUTH=LOGIN") "! AUTH LOGIN\n> auth LOGIN\nC: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\n"
                           "! CHALLENGE Username:\n> answer me\nC: bWU=\nS: 334 "
                           "UGFzc3dvcmQ6\n! CHALLENGE Password:\n"
                           "> answer secret\nC: c2VjcmV0\nS: 235 ok\n! IDLE\n"},
    {"334 alone is an empty challenge", "login",
     OFFERED("AUTH LOGIN") "! AUTH LOGIN\n> auth LOGIN\nC: AUTH LOGIN\nS: 334\n! CHALLENGE \n"
                           "> answer me\nC: bWU=\n"},
    {"334 and a blank is an empty challenge", "login",
     OFFERED(
         "AUTH LOGIN") "! AUTH LOGIN\n> auth LOGIN\nC: AUTH LOGIN\nS: 334 \n! CHALLENGE \n"},
    {"334 = is an empty challenge", "login",
     OFFERED("AUTH LOGIN") "! AUTH LOGIN\n> auth LOGIN\nC: AUTH LOGIN\nS: 334 =\n! CHALLENGE \n"
                           "> answer\nC: \n"},
    {"a long initial response waits for its turn", "login",
     OFFERED("AUTH PLAIN") "! AUTH PLAIN\n> auth PLAIN " LONG_250 LONG_250 "\nC: AUTH PLAIN\n"
                           "S: 535 5.7.8 no\n" BYE "! DEAD account perm AUTH-REJECTED\n"},
    {"where a long initial response is due, a challenge is not", "login",
     OFFERED("AUTH PLAIN") "! AUTH PLAIN\n> auth PLAIN " LONG_250 LONG_250 "\nC: AUTH PLAIN\n"
                           "S: 334 UGFzc3dvcmQ6\nC: *\nS: 501 so\n" BYE
                           "! DEAD server temp AUTH-BADSERVER\n"},
    {"where a long initial response is due, 235 is not", "login",
     OFFERED("AUTH PLAIN") "! AUTH PLAIN\n> auth PLAIN " LONG_250 LONG_250 "\nC: AUTH PLAIN\n"
                           "S: 235 welcome\n! DEAD server temp PROTO-DESYNC\n"},
    {"a challenge of several lines is broken off", "login",
     OFFERED(
         "AUTH LOGIN") "! AUTH LOGIN\n> auth LOGIN\nC: AUTH LOGIN\nS: 334-VXNl\nS: 334 cm5h\n"
                       "C: *\nS: 501 so\n" BYE "! DEAD server temp AUTH-BADSERVER\n"},
    {"a challenge that is not base64 is broken off", "login",
     OFFERED("AUTH LOGIN") "! AUTH LOGIN\n> auth LOGIN\nC: AUTH LOGIN\nS: 334 Username:\n"
                           "C: *\nS: 501 so\n" BYE "! DEAD server temp AUTH-BADSERVER\n"},
    {"the eleventh challenge is broken off", "login",
     OFFERED("AUTH X") "! AUTH X\n> auth X\nC: AUTH X\n"
#define ROUND "S: 334 YQ==\n! CHALLENGE a\n> answer b\nC: Yg==\n"
     ROUND ROUND ROUND ROUND ROUND ROUND ROUND ROUND ROUND ROUND
                       "S: 334 YQ==\nC: *\nS: 501 so\n" BYE
                       "! DEAD server temp AUTH-BADSERVER\n"},
    {"the owner breaks an exchange off", "login",
     OFFERED("AUTH LOGIN") "! AUTH LOGIN\n> auth LOGIN\nC: AUTH LOGIN\nS: 334\n! CHALLENGE \n"
                           "> cancel\nC: *\nS: 501 so\n" BYE "! DEAD account perm TEST\n"},
    {"a server that logs us in after we broke off", "login",
     OFFERED("AUTH LOGIN") "! AUTH LOGIN\n> auth LOGIN\nC: AUTH LOGIN\nS: 334\n! CHALLENGE \n"
                           "> cancel\nC: *\nS: 235 welcome\n" BYE "! DEAD account perm TEST\n"},
    {"broken off, and the server hangs up", "login",
     OFFERED("AUTH LOGIN") "! AUTH LOGIN\n> auth LOGIN\nC: AUTH LOGIN\nS: 334\n! CHALLENGE \n"
                           "> cancel\nC: *\n> eof\n! DEAD account perm TEST\n"},
    {"the owner knows no mechanism of the server's", "login",
     OFFERED("AUTH NTLM") "! AUTH NTLM\n> cancel\n" BYE "! DEAD account perm TEST\n"},
    {"a mechanism that is offered but unknown gives way to the next", "login",
     OFFERED("AUTH PLAIN LOGIN") "! AUTH PLAIN LOGIN\n> auth PLAIN x\nC: AUTH PLAIN eA==\n"
                                 "S: 504 unknown\n! AUTH LOGIN\n> auth LOGIN\nC: AUTH "
                                 "LOGIN\nS: 502 no\n" BYE "! DEAD account perm AUTH-NOMECH\n"},
    {"535 is no reason for another mechanism", "login",
     OFFERED("AUTH PLAIN LOGIN") "! AUTH PLAIN LOGIN\n> auth PLAIN x\nC: AUTH PLAIN eA==\n"
                                 "S: 535 5.7.8 no\n" BYE "! DEAD account perm AUTH-REJECTED\n"},
    {"504 inside an exchange is no reason for another mechanism", "login",
     OFFERED("AUTH LOGIN PLAIN") "! AUTH LOGIN PLAIN\n> auth LOGIN\nC: AUTH LOGIN\nS: 334\n"
                                 "! CHALLENGE \n> answer x\nC: eA==\nS: 504 no\n" BYE
                                 "! DEAD account perm AUTH-REJECTED\n"},
    {"SCRAM that the server has nothing for gives way to PLAIN", "implicit verified login",
     SCRAM "S: 535 5.7.8 no\n! AUTH PLAIN\n> auth PLAIN x\nC: AUTH PLAIN eA==\nS: 235 ok\n"
           "! IDLE\n"},
    {"SCRAM that wants a plain login first gets it", "implicit verified login",
     SCRAM "S: 432 4.7.12 once\n! AUTH PLAIN\n> auth PLAIN x\nC: AUTH PLAIN eA==\nS: 235 ok\n"
           "! IDLE\n"},
    {"SCRAM gives way once", "implicit verified login",
     SCRAM "S: 454 4.7.0 no\n! AUTH PLAIN\n> auth PLAIN x\nC: AUTH PLAIN eA==\n"
           "S: 535 5.7.8 no\n" BYE "! DEAD account perm AUTH-REJECTED\n"},
    {"SCRAM gives way, and nothing else is allowed: what it heard counts",
     "implicit verified login",
     SCRAM "S: 432 4.7.12 once\n! AUTH PLAIN\n> cancel\n" BYE
           "! DEAD account temp AUTH-TRANSITION\n"},
    {"a wrong password in SCRAM is one in PLAIN", "implicit verified login",
     SCRAM "S: 334 YQ==\n! CHALLENGE a\n> answer b\nC: Yg==\nS: 535 5.7.8 no\n" BYE
           "! DEAD account perm AUTH-REJECTED\n"},
    {"SCRAM gives way to no PLAIN where the server is not verified", "implicit login",
     SCRAM "S: 535 5.7.8 no\n" BYE "! DEAD account perm AUTH-REJECTED\n"},
    {"SCRAM gives way to no PLAIN in clear", "verified login",
     OFFERED("AUTH SCRAM-SHA-1 PLAIN") "! AUTH SCRAM-SHA-1 PLAIN\n> auth SCRAM-SHA-1 x\n"
                                       "C: AUTH SCRAM-SHA-1 eA==\nS: 535 5.7.8 no\n" BYE
                                       "! DEAD account perm AUTH-REJECTED\n"},
    {"SCRAM has nothing to give way to", "implicit verified login",
     "> secured\n" OFFERED("AUTH SCRAM-SHA-1") "! AUTH SCRAM-SHA-1\n> auth SCRAM-SHA-1 x\n"
                                               "C: AUTH SCRAM-SHA-1 eA==\nS: 535 5.7.8 no\n" BYE
                                               "! DEAD account perm AUTH-REJECTED\n"},
    {"a mechanism that is too weak gives way to the next", "login",
     OFFERED("AUTH PLAIN LOGIN") "! AUTH PLAIN LOGIN\n> auth PLAIN x\nC: AUTH PLAIN eA==\n"
                                 "S: 534 5.7.9 Authentication Mechanism is too weak\n"
                                 "! AUTH LOGIN\n"},
    {"534 of a provider is no reason for another mechanism", "login",
     OFFERED("AUTH PLAIN LOGIN") "! AUTH PLAIN LOGIN\n> auth PLAIN x\nC: AUTH PLAIN eA==\n"
                                 "S: 534 5.7.9 Application-specific password required\n" BYE
                                 "! DEAD account perm AUTH-APPPASSWORD\n"},
    {"an answer without meaning before a token is refused", "login",
     OFFERED("AUTH XOAUTH2") "! AUTH XOAUTH2\n> auth XOAUTH2 x\nC: AUTH XOAUTH2 eA==\n"
                             "S: 334 e30=\n! CHALLENGE {}\n> answer\nC: \nS: 535 5.7.8 no\n" BYE
                             "! DEAD account perm AUTH-REJECTED\n"},
    {"503 to AUTH is not success", "login",
     OFFERED("AUTH PLAIN") "! AUTH PLAIN\n> auth PLAIN x\nC: AUTH PLAIN eA==\n"
                           "S: 503 already authenticated\n" BYE
                           "! DEAD account perm AUTH-REJECTED\n"},
    {"another 2yz to AUTH is not success", "login",
     OFFERED("AUTH PLAIN") "! AUTH PLAIN\n> auth PLAIN x\nC: AUTH PLAIN eA==\nS: 250 ok\n"
                           "! DEAD server temp PROTO-DESYNC\n"},
    {"a second 235 is for nobody", "login",
     OFFERED("AUTH PLAIN") "! AUTH PLAIN\n> auth PLAIN x\nC: AUTH PLAIN eA==\nS: 235 ok\n"
                           "S: 235 ok\n? IDLE\n! DEAD server temp PROTO-DESYNC\n"},

    {"MAIL, RCPT and DATA go out in one group", "pipelining",
     READY MESSAGE "S: 250 ok\n! DONE none\n! IDLE\n" MESSAGE "S: 250 ok\n! DONE none\n"
                   "! IDLE\n> quit\n" BYE "! DEAD none\n"},
    {"SIZE and BODY where they are offered", "",
     HELLO
     "S: 250-s\nS: 250-SIZE 1000\nS: 250 8BITMIME\n! IDLE\n> submit <> c@d 8bit size=1000\n"
     "C: MAIL FROM:<> SIZE=1000 BODY=8BITMIME\n"},
    {"8-bit content goes as it is where 8BITMIME is not offered", "",
     OFFERED("SIZE") "! IDLE\n> submit a@b c@d 8bit\nC: MAIL FROM:<a@b> SIZE=9\n"},
    {"a message over the offered SIZE is not begun", "",
     OFFERED("SIZE 1000") "! IDLE\n> submit a@b c@d size=1001\n"
                          "! DONE message perm SIZE-LOCAL\n! IDLE\n> submit a@b c@d size=1000\n"
                          "C: MAIL FROM:<a@b> SIZE=1000\n"},
    {"SMTPUTF8 where an address needs it", "",
     OFFERED("SMTPUTF8") "! IDLE\n> submit a@b \xc3\xa4@d 8bit\n"
                         "C: MAIL FROM:<a@b> BODY=8BITMIME SMTPUTF8\n"},
    {"what is asked of reports goes along where DSN is offered", "pipelining",
     HELLO "S: 250-s\nS: 250-PIPELINING\nS: 250 DSN\n! IDLE\n"
           "> submit a@b ret=hdrs envid=QQ+2B1 c@d notify=6 orcpt=rfc822;c+2Bx@d e@f g@h "
           "notify=1 i@j notify=8\n"
           "C: MAIL FROM:<a@b> RET=HDRS ENVID=QQ+2B1\n"
           "C: RCPT TO:<c@d> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;c+2Bx@d\n"
           "C: RCPT TO:<e@f>\nC: RCPT TO:<g@h> NOTIFY=NEVER\nC: RCPT TO:<i@j> NOTIFY=DELAY\n"
           "C: DATA\n"},
    {"and stays here where it is not", "pipelining",
     READY "> submit a@b ret=full envid=x c@d notify=6 orcpt=rfc822;x\nC: MAIL FROM:<a@b>\n"
           "C: RCPT TO:<c@d>\nC: DATA\n"},
    {"RET=FULL", "",
     OFFERED("DSN") "! IDLE\n> submit <> ret=full c@d\nC: MAIL FROM:<> RET=FULL\n"},
    {"an ORCPT beyond ASCII is spelled out where SMTPUTF8 is not said", "",
     HELLO "S: 250-s\nS: 250-SMTPUTF8\nS: 250 DSN\n! IDLE\n> submit a@b c@d "
           "orcpt=utf-8;\xc3\xa4\xe2\x82\xac\xf0\x9f\x93\xa7@d\nC: MAIL FROM:<a@b>\nS: 250 ok\n"
           "C: RCPT TO:<c@d> ORCPT=utf-8;\\x{E4}\\x{20AC}\\x{1F4E7}@d\n"},
    {"and goes as it is where it is", "",
     HELLO "S: 250-s\nS: 250-SMTPUTF8\nS: 250 DSN\n! IDLE\n> submit a@b \xc3\xa4@d "
           "orcpt=utf-8;\xc3\xa4@d\nC: MAIL FROM:<a@b> SMTPUTF8\nS: 250 ok\n"
           "C: RCPT TO:<\xc3\xa4@d> ORCPT=utf-8;\xc3\xa4@d\n"},
    {"REQUIRETLS is passed on inside verified TLS", "implicit verified",
     "> secured\n" OFFERED("REQUIRETLS") "! IDLE\n> submit a@b c@d tls\n"
                                         "C: MAIL FROM:<a@b> REQUIRETLS\n"},
    {"REQUIRETLS, and the server does not offer it", "implicit verified",
     "> secured\n" OFFERED("SIZE") "! IDLE\n> submit a@b c@d tls\n"
                                   "! DONE message perm REQUIRETLS\n! IDLE\n"},
    {"REQUIRETLS, and the server may be anybody", "implicit",
     "> secured\n" OFFERED("REQUIRETLS") "! IDLE\n> submit a@b c@d tls\n"
                                         "! DONE message perm REQUIRETLS\n! IDLE\n"},
    {"REQUIRETLS, offered in clear", "verified",
     OFFERED("REQUIRETLS") "! IDLE\n> submit a@b c@d tls\n"
                           "! DONE message perm REQUIRETLS\n! IDLE\n"},
    {"an address that needs SMTPUTF8 where it is not offered", "",
     OFFERED("SIZE") "! IDLE\n> submit a@b \xc3\xa4@d\n! RCPT 0 recipient perm UTF8-NEEDED\n"
                     "! DONE none\n! IDLE\n"},
    {"it concerns its recipient alone", "pipelining",
     READY "> submit a@b \xc3\xa4@d c@d \xc3\xa4@e e@f \xc3\xa4@f\nC: MAIL FROM:<a@b>\n"
           "C: RCPT TO:<c@d>\nC: RCPT TO:<e@f>\nC: DATA\n! RCPT 0 recipient perm UTF8-NEEDED\n"
           "! RCPT 2 recipient perm UTF8-NEEDED\n! RCPT 4 recipient perm UTF8-NEEDED\n"
           "S: 250 ok\nS: 550 5.1.1 who\nS: 250 ok\nS: 354 go\n"
           "! RCPT 1 recipient perm RCPT-UNKNOWN\n! RCPT 3 none\n! BODY\n"
           "> last hi\nC: hi\nC: .\nS: 250 ok\n! DONE none\n! IDLE\n"},
    {"a sender that needs SMTPUTF8 where it is not offered", "",
     OFFERED("SIZE") "! IDLE\n> submit \xc3\xa4@b c@d\n! DONE message perm UTF8-NEEDED\n"
                     "! IDLE\n"},
    {"one recipient refused, the others go on", "pipelining",
     READY
     "> submit a@b c@d e@f g@h\nC: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nC: RCPT TO:<e@f>\n"
     "C: RCPT TO:<g@h>\nC: DATA\nS: 250 ok\nS: 251 forwards\nS: 550 5.1.1 who\nS: 252 perhaps\n"
     "S: 354 go\n! RCPT 0 none\n! RCPT 1 recipient perm RCPT-UNKNOWN\n! RCPT 2 none\n! BODY\n"
     "> last hi\nC: hi\nC: .\nS: 250 ok\n! DONE none\n! IDLE\n"},
    {"all recipients refused, DATA pipelined: 354 gets a lone dot", "pipelining",
     READY ONE_SENT
     "S: 250 ok\nS: 550 5.1.1 who\nS: 354 go\n"
     "! RCPT 0 recipient perm RCPT-UNKNOWN\nC: .\nS: 554 nobody\n! DONE none\n! IDLE\n"},
    {"the reply to a lone dot means nothing", "pipelining",
     READY ONE_SENT
     "S: 250 ok\nS: 450 later\nS: 354 go\n"
     "! RCPT 0 recipient temp RCPT-TEMP\nC: .\nS: 250 delivered\n! DONE none\n! IDLE\n"},
    {"all recipients refused, DATA refused too: RSET", "pipelining",
     READY ONE_SENT
     "S: 250 ok\nS: 550 5.1.1 who\nS: 503 nobody\n"
     "! RCPT 0 recipient perm RCPT-UNKNOWN\n! DONE none\n! IDLE\n> submit a@b c@d\nC: RSET\n"
     "C: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 "
     "go\n"
     "! RCPT 0 none\n! BODY\n"},
    {"all recipients refused, one by one: RSET, no DATA", "",
     READY "> submit a@b c@d e@f\nC: MAIL FROM:<a@b>\nS: 250 ok\nC: RCPT TO:<c@d>\nS: 550 no\n"
           "! RCPT 0 recipient perm RCPT-REFUSED\nC: RCPT TO:<e@f>\nS: 451 later\n"
           "! RCPT 1 recipient temp RCPT-TEMP\n! DONE none\n! IDLE\n> submit a@b c@d\nC: RSET\n"
           "S: 250 ok\nC: MAIL FROM:<a@b>\n"},
    {"a goodbye needs no RSET", "",
     READY "> submit a@b c@d\nC: MAIL FROM:<a@b>\nS: 250 ok\nC: RCPT TO:<c@d>\nS: 550 no\n"
           "! RCPT 0 recipient perm RCPT-REFUSED\n! DONE none\n! IDLE\n> quit\n" BYE
           "! DEAD none\n"},
    {"RSET refused is no message's fault", "",
     READY
     "> submit a@b c@d\nC: MAIL FROM:<a@b>\nS: 250 ok\nC: RCPT TO:<c@d>\nS: 550 no\n"
     "! RCPT 0 recipient perm RCPT-REFUSED\n! DONE none\n! IDLE\n> submit a@b c@d\nC: RSET\n"
     "S: 502 no\n" BYE "! DONE server temp PROTO-DESYNC\n! DEAD server temp PROTO-DESYNC\n"},
    {"MAIL refused: what was pipelined behind it is read and dropped", "pipelining",
     READY ONE_SENT "S: 451 4.3.0 later\nS: 503 no\nS: 503 no\n! DONE message temp MSG-TEMP\n"
                    "! IDLE\n" MESSAGE "S: 250 ok\n! DONE none\n! IDLE\n"},
    {"MAIL refused, and yet a recipient and DATA taken: no dot is safe", "pipelining",
     READY "> submit a@b.example c@d\nC: MAIL FROM:<a@b.example>\nC: RCPT TO:<c@d>\nC: DATA\n"
           "S: 550 5.7.1 no\nS: 250 ok\nS: 354 go\n"
           "! DONE sender perm SENDER-NOTOWNED\n! DEAD server temp PROTO-DESYNC\n"},
    {"MAIL refused, one by one", "",
     READY "> submit a@b c@d\nC: MAIL FROM:<a@b>\nS: 552 5.3.4 big\n"
           "! DONE message perm SIZE-REMOTE\n! IDLE\n"},
    {"DATA refused: RSET", "pipelining",
     READY ONE_SENT "S: 250 ok\nS: 250 ok\nS: 451 4.3.0 no\n! RCPT 0 none\n"
                    "! DONE message temp MSG-TEMP\n! IDLE\n> submit a@b c@d\nC: RSET\n"
                    "C: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nC: DATA\n"},
    {"another 3yz to DATA means go", "pipelining",
     READY ONE_SENT "S: 250 ok\nS: 250 ok\nS: 350 go\n! RCPT 0 none\n! BODY\n"},
    {"too many recipients: the rest goes with another transaction", "pipelining",
     READY
     "> submit a@b c@d e@f g@h\nC: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nC: RCPT TO:<e@f>\n"
     "C: RCPT TO:<g@h>\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 452 4.5.3 enough\nS: 552 enough\n"
     "S: 354 go\n! RCPT 0 none\n! RCPT 1 recipient temp RCPT-SPLIT\n"
     "! RCPT 2 recipient temp RCPT-SPLIT\n! BODY\n"},
    {"too many recipients, one by one: the rest is not tried", "",
     READY
     "> submit a@b c@d e@f g@h\nC: MAIL FROM:<a@b>\nS: 250 ok\nC: RCPT TO:<c@d>\nS: 250 ok\n"
     "! RCPT 0 none\nC: RCPT TO:<e@f>\nS: 452 enough\n! RCPT 1 recipient temp RCPT-SPLIT\n"
     "! RCPT 2 recipient temp RCPT-SPLIT\nC: DATA\n"},
    {"452 before anybody was accepted is that recipient's", "",
     READY "> submit a@b c@d e@f\nC: MAIL FROM:<a@b>\nS: 250 ok\nC: RCPT TO:<c@d>\n"
           "S: 452 4.5.3 enough\n! RCPT 0 recipient temp RCPT-TOOMANY\nC: RCPT TO:<e@f>\n"},
    {"552 and 452 about a mailbox or the size are that recipient's", "pipelining",
     READY
     "> submit a@b c@d e@f g@h\nC: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nC: RCPT TO:<e@f>\n"
     "C: RCPT TO:<g@h>\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 552 5.2.2 full\nS: 552 5.3.4 big\n"
     "S: 354 go\n! RCPT 0 none\n! RCPT 1 recipient perm RCPT-REFUSED\n"
     "! RCPT 2 recipient perm SIZE-REMOTE\n! BODY\n"},
    {"login wanted at RCPT is the account's", "pipelining",
     READY ONE_SENT "S: 250 ok\nS: 554 5.7.1 relay access denied\nS: 503 no\n"
                    "! RCPT 0 account perm RELAY-DENIED\n! DONE none\n! IDLE\n"},
    {"a message refused after the dot", "pipelining",
     READY MESSAGE "S: 554 5.7.1 spam\n! DONE message perm CONTENT-REJECT\n! IDLE\n"},
    {"a sender refused after the dot", "pipelining",
     READY MESSAGE "S: 554 5.7.60 no\n! DONE sender perm SENDER-NOTOWNED\n! IDLE\n"},
    {"the account's quota after the dot", "pipelining",
     READY MESSAGE "S: 550 5.4.5 daily\n! DONE account temp QUOTA-DAY\n! IDLE\n"},
    {"421 after the dot is the answer", "pipelining",
     READY MESSAGE
     "S: 421 4.3.2 bye\n! DONE message temp MSG-TEMP\n! DEAD message temp MSG-TEMP\n"},
    {"no answer to the dot: perhaps it was delivered", "pipelining",
     READY MESSAGE "> eof\n! DONE message temp ambiguous LOST-AFTERDOT\n! DEAD message temp "
                   "ambiguous LOST-AFTERDOT\n"},
    {"half an answer to the dot is none", "pipelining",
     READY MESSAGE "S| 250 o\n> eof reset\n! DONE message temp ambiguous LOST-AFTERDOT\n! DEAD "
                   "message temp ambiguous LOST-AFTERDOT\n"},
    {"garbage for an answer to the dot is none", "pipelining",
     READY MESSAGE "S: 5.2.1 Subject is Mandatory\n! DONE message temp ambiguous "
                   "PROTO-GARBAGE\n! DEAD message temp ambiguous PROTO-GARBAGE\n"},
    {"time runs out after the dot", "pipelining",
     READY MESSAGE "> late\n! DONE message temp ambiguous TIMEOUT-STAGE\n! DEAD message temp "
                   "ambiguous TIMEOUT-STAGE\n"},
    {"a dot that never left is no doubt", "pipelining",
     READY ONE_SENT
     "S: 250 ok\nS: 250 ok\nS: 354 go\n! RCPT 0 none\n! BODY\n> stuck\n> last hi\n"
     "> eof\n! DONE message temp LOST-MIDDATA\n! DEAD message temp LOST-MIDDATA\n"},
    {"a refusal while content goes out is the answer", "pipelining",
     READY ONE_SENT "S: 250 ok\nS: 250 ok\nS: 354 go\n! RCPT 0 none\n! BODY\n> body hi\nC: hi\n"
                    "S: 554 5.7.1 spam\n! DONE message perm CONTENT-REJECT\n! DEAD message "
                    "perm CONTENT-REJECT\n"},
    {"a refusal before the dot left is the answer", "pipelining",
     READY ONE_SENT
     "S: 250 ok\nS: 250 ok\nS: 354 go\n! RCPT 0 none\n! BODY\n> stuck\n> last hi\n"
     "S: 451 4.3.0 disk\n! DONE message temp MSG-TEMP\n! DEAD message temp MSG-TEMP\n"},
    {"success before the dot left is none", "pipelining",
     READY ONE_SENT
     "S: 250 ok\nS: 250 ok\nS: 354 go\n! RCPT 0 none\n! BODY\n> stuck\n> last hi\n"
     "S: 250 ok\n! DONE server temp PROTO-DESYNC\n! DEAD server temp PROTO-DESYNC\n"},
    {"replies behind the last that is owed end the connection", "pipelining",
     READY ONE_SENT "S: 250 ok\nS: 250 ok\nS: 354 go\nS: 250 extra\n! RCPT 0 none\n? BODY\n"
                    "! DONE server temp PROTO-DESYNC\n! DEAD server temp PROTO-DESYNC\n"},
    {"a reply before its command was sent ends the connection", "whole",
     READY "> submit a@b c@d\nC: MAIL FROM:<a@b>\nS: 250 ok\nS: 250 premature\n"
           "! DONE server temp PROTO-DESYNC\n! DEAD server temp PROTO-DESYNC\n"},
    {"half a reply before its command was sent is not its reply", "",
     READY "S| 25\n> submit a@b c@d\nC: MAIL FROM:<a@b>\nS: 0 ok\n! DONE server temp "
           "PROTO-DESYNC\n! DEAD server temp PROTO-DESYNC\n"},
    {"421 behind the last reply that is owed is a goodbye", "pipelining",
     READY MESSAGE
     "S: 250 ok\nS: 421 4.3.2 enough for today\n! DONE none\n? IDLE\n! DEAD none\n"},
    {"a reply that nobody waits for ends an idle connection", "pipelining",
     READY "S: 250 ok\n! DEAD server temp PROTO-DESYNC\n"},
    {"a fresh connection closed before its first message is a failure", "pipelining",
     READY "> eof\n! DEAD server temp LOST-STAGE\n"},
    {"a reused connection closed while idle is nobody's loss", "pipelining",
     READY MESSAGE "S: 250 ok\n! DONE none\n! IDLE\n> eof\n! DEAD none\n"},
    {"a reused connection closed at MAIL: a fresh one, at once", "pipelining",
     READY MESSAGE "S: 250 ok\n! DONE none\n! IDLE\n" ONE_SENT
                   "> eof\n! DONE server temp RECONNECT\n! DEAD server temp RECONNECT\n"},
    {"a reused connection ended by 421 at MAIL: a fresh one, at once", "pipelining",
     READY MESSAGE "S: 250 ok\n! DONE none\n! IDLE\n" ONE_SENT
                   "S: 421 4.4.2 idle too long\n! DONE server temp RECONNECT\n! DEAD server "
                   "temp RECONNECT\n"},
    {"421 in the middle of a group", "pipelining",
     READY ONE_SENT "S: 250 ok\nS: 421 4.7.0 too many connections\n! DONE server temp "
                    "RATE-CONN\n! DEAD server temp RATE-CONN\n"},
    {"QUIT is a courtesy: no answer in time", "pipelining",
     READY "> quit\nC: QUIT\n> late\n! DEAD none\n"},
    {"QUIT is a courtesy: any answer will do", "pipelining",
     READY "> quit\nC: QUIT\nS: 500 what\n! DEAD none\n"},
    {"QUIT is a courtesy: garbage will do", "pipelining",
     READY "> quit\nC: QUIT\nS: what\n! DEAD none\n"},

    {"BDAT in place of DATA, in one group with its content", "pipelining chunking",
     CHUNKS
     "> submit a@b c@d 8bit size=5\nC: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nC: BDAT 5 LAST\n"
     "! BODY\n> last .hi\nC: .hi\nS: 250 ok\nS: 250 ok\nS: 250 5 octets\n! RCPT 0 none\n"
     "! DONE none\n! IDLE\n"},
    {"BDAT, one by one", "chunking",
     CHUNKS
     "> submit a@b c@d size=4\nC: MAIL FROM:<a@b>\nS: 250 ok\nC: RCPT TO:<c@d>\nS: 250 ok\n"
     "! RCPT 0 none\nC: BDAT 4 LAST\n! BODY\n> last hi\nC: hi\nS: 250 ok\n! DONE none\n"
     "! IDLE\n"},
    {"BDAT is not used where it is not offered", "pipelining chunking", READY ONE_SENT},
    {"BDAT is not used where it is not wanted", "pipelining", CHUNKS ONE_SENT},
    {"BODY goes with BDAT as with DATA", "chunking",
     HELLO "S: 250-s\nS: 250-8BITMIME\nS: 250 CHUNKING\n! IDLE\n> submit a@b c@d 8bit size=4\n"
           "C: MAIL FROM:<a@b> BODY=8BITMIME\n"},
    {"a large content waits for its recipients", "pipelining chunking",
     CHUNKS "> submit a@b c@d size=65537\nC: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nS: 250 ok\n"
            "S: 250 ok\n! RCPT 0 none\nC: BDAT 65537 LAST\n! BODY\n"},
    {"a large content is not sent to nobody", "pipelining chunking",
     CHUNKS "> submit a@b c@d size=65537\nC: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nS: 250 ok\n"
            "S: 550 5.1.1 who\n! RCPT 0 recipient perm RCPT-UNKNOWN\n! DONE none\n! IDLE\n"},
    {"content does not go ahead where the server may have left", "pipelining chunking",
     CHUNKS GROUP
     "S: 250 ok\nS: 250 ok\nS: 250 ok\n! RCPT 0 none\n! DONE none\n! IDLE\n> wait\n"
     "> submit a@b c@d size=4\nC: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\n> eof\n"
     "! DONE server temp RECONNECT\n! DEAD server temp RECONNECT\n"},
    {"BDAT refused: the next begins with RSET", "pipelining chunking",
     CHUNKS GROUP
     "S: 250 ok\nS: 250 ok\nS: 554 5.7.1 spam\n! RCPT 0 none\n"
     "! DONE message perm CONTENT-REJECT\n! IDLE\n> submit a@b c@d size=4\nC: RSET\n"
     "C: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nC: BDAT 4 LAST\n! BODY\n"},
    {"BDAT is not known: a fresh connection, without it", "pipelining chunking",
     CHUNKS GROUP "S: 250 ok\nS: 250 ok\nS: 502 5.5.1 what\n! RCPT 0 none\n"
                  "! DONE server temp CHUNKING-REFUSED\n! DEAD server temp CHUNKING-REFUSED\n"},
    {"success before the last octet left is none", "pipelining chunking",
     CHUNKS
     "> submit a@b c@d size=4\nC: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nC: BDAT 4 LAST\n! BODY\n"
     "S: 250 ok\nS: 250 ok\nS: 250 ok\n! RCPT 0 none\n! DONE server temp PROTO-DESYNC\n"
     "! DEAD server temp PROTO-DESYNC\n"},
    {"a refused message's content must be whole all the same", "pipelining chunking",
     CHUNKS
     "> submit a@b c@d size=4\nC: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nC: BDAT 4 LAST\n! BODY\n"
     "S: 451 4.3.0 no\nS: 503 no\n> last hi\nC: hi\nS: 503 no\n"
     "! DONE message temp MSG-TEMP\n! IDLE\n"},
    {"a server that answers a refused message's BDAT before its octets", "pipelining chunking",
     CHUNKS
     "> submit a@b c@d size=4\nC: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nC: BDAT 4 LAST\n! BODY\n"
     "S: 451 4.3.0 no\nS: 503 no\nS: 503 no\n! DONE message temp MSG-TEMP\n! DEAD none\n"},
    {"BDAT, and the last octet never left: no doubt", "pipelining chunking",
     CHUNKS
     "> submit a@b c@d size=4\nC: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nC: BDAT 4 LAST\n! BODY\n"
     "> stuck\n> last hi\nS: 250 ok\nS: 250 ok\n! RCPT 0 none\n> eof\n"
     "! DONE message temp LOST-MIDDATA\n! DEAD message temp LOST-MIDDATA\n"},
    {"an empty message behind BDAT", "pipelining chunking",
     CHUNKS
     "> submit a@b c@d size=0\nC: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nC: BDAT 0 LAST\n! BODY\n"
     "> last\nS: 250 ok\nS: 250 ok\nS: 250 ok\n! RCPT 0 none\n! DONE none\n! IDLE\n"},

    {"our name refused: our address in its place", "literal",
     HELLO "S: 550 bad name\nC: EHLO [192.0.2.1]\nS: 250 s\n! IDLE\n"},
    {"our name and our address refused", "literal starttls",
     HELLO "S: 501 bad name\nC: EHLO [192.0.2.1]\nS: 501 bad name\n" BYE
           "! DEAD account perm EHLO-NAME\n"},
    {"in TLS our name is tried again", "literal starttls",
     HELLO
     "S: 553 bad\nC: EHLO [192.0.2.1]\nS: 250-s\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\n"
     "! STARTTLS\n> secured\nC: EHLO me.example\n"},

    {"LMTP: a reply for each recipient that was accepted", "pipelining lmtp",
     "S: 220 hi\nC: LHLO me.example\nS: 250-s\nS: 250 PIPELINING\n! IDLE\n"
     "> submit a@b c@d e@f g@h\nC: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nC: RCPT TO:<e@f>\n"
     "C: RCPT TO:<g@h>\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 550 5.1.1 who\nS: 250 ok\nS: 354 go\n"
     "! RCPT 0 none\n! RCPT 1 recipient perm RCPT-UNKNOWN\n! RCPT 2 none\n! BODY\n> last hi\n"
     "C: hi\nC: .\nS: 250 ok\nS: 552 5.2.2 full\n! RCPT 0 delivered none\n"
     "! RCPT 2 recipient perm RCPT-REFUSED\n! DONE none\n! IDLE\n"},
    {"LMTP: some replies and then none", "lmtp",
     "S: 220 hi\nC: LHLO me.example\nS: 250 s\n! IDLE\n> submit a@b c@d e@f\n"
     "C: MAIL FROM:<a@b>\nS: 250 ok\nC: RCPT TO:<c@d>\nS: 250 ok\n! RCPT 0 none\n"
     "C: RCPT TO:<e@f>\nS: 250 ok\n! RCPT 1 none\nC: DATA\nS: 354 go\n! BODY\n> last hi\nC: "
     "hi\n"
     "C: .\nS: 451 4.3.0 disk\n! RCPT 0 recipient temp MSG-TEMP\n> eof\n"
     "! DONE message temp ambiguous LOST-AFTERDOT\n! DEAD message temp ambiguous "
     "LOST-AFTERDOT\n"},

    {"silence where STARTTLS is configured", "starttls",
     "> late\n! DEAD server temp MODE-SILENT\n"},
    {"TLS from the first byte where STARTTLS is configured", "starttls",
     "S| \x15\x03\x03\n! DEAD account perm MODE-TLSBYTES\n"},
    {"a web server", "", "S: HTTP/1.1 400 Bad Request\n! DEAD server temp MODE-HTTP\n"},
    {"an IMAP server", "", "S: * OK ready\n! DEAD account perm MODE-OTHERPROTO\n"},
    {"an SSH server that hangs up inside its line", "",
     "S| SSH-2.0\n> eof\n! DEAD account perm MODE-OTHERPROTO\n"},
    {"time runs out while TLS starts", "starttls",
     OFFERED("STARTTLS") "C: STARTTLS\nS: 220 go\n! STARTTLS\n> late\n"
                         "! DEAD server temp TLS-TIMEOUT\n"},
    {"the connection ends while TLS starts", "starttls",
     OFFERED("STARTTLS") "C: STARTTLS\nS: 220 go\n! STARTTLS\n> eof\n"
                         "! DEAD server temp TLS-CLOSED\n"},
    {"what the owner answers after the end is without effect", "login",
     OFFERED("AUTH LOGIN") "! AUTH LOGIN\n> eof\n! DEAD server temp LOST-STAGE\n"
                           "> auth LOGIN\n> quit\n> eof\n"},
};

START_TEST(every_dialogue_ends_as_written_however_it_is_cut)
{
    dialogue_run(&dialogues[_i]);
}
END_TEST

/* The whole way with so many recipients. */
static void run_recipients(unsigned n)
{
    struct buf script;
    buf_init(&script, 1 << 16);
    buf_puts(&script, READY "> submit a@b");
    for (unsigned i = 0; i < n; i++)
        buf_printf(&script, " r%u@d", i);
    buf_puts(&script, "\nC: MAIL FROM:<a@b>\n");
    for (unsigned i = 0; i < n; i++)
        buf_printf(&script, "C: RCPT TO:<r%u@d>\n", i);
    buf_puts(&script, "C: DATA\nS: 250 ok\n");
    for (unsigned i = 0; i < n; i++)
        buf_puts(&script, "S: 250 ok\n");
    buf_puts(&script, "S: 354 go\n");
    for (unsigned i = 0; i < n; i++)
        buf_printf(&script, "! RCPT %u none\n", i);
    buf_puts(&script, "! BODY\n> last hi\nC: hi\nC: .\nS: 250 ok\n! DONE none\n! IDLE\n");
    char *text = buf_strdup(&script);
    dialogue_run(&(struct dialogue){"many recipients", "pipelining", text});
    free(text);
    buf_release(&script);
}

START_TEST(a_full_transaction_fits_the_ring_of_replies_owed)
{
    run_recipients(SMTP_CLIENT_RECIPIENTS_MAX);
}
END_TEST

START_TEST(a_long_ehlo_and_a_long_challenge_are_read)
{
    struct buf script;
    buf_init(&script, 1 << 18);
    buf_puts(&script, HELLO "S: 250-s\n");
    for (int i = 0; i < 200; i++)
        buf_printf(&script, "S: 250-X-WORD-%d %0100d\n", i, i);
    buf_puts(&script, "S: 250 AUTH X\n! AUTH X\n> auth X\nC: AUTH X\nS: 334 ");
    for (int i = 0; i < 12288 / 4; i++)
        buf_puts(&script, "YWFh");
    buf_puts(&script, "\n! CHALLENGE ");
    for (int i = 0; i < 12288 / 4; i++)
        buf_puts(&script, "aaa");
    buf_puts(&script, "\n");
    char *text = buf_strdup(&script);
    dialogue_run_long(&(struct dialogue){"long", "login", text});
    free(text);
    buf_release(&script);
}
END_TEST

/* AUTH PLAIN with an initial response of n octets is a line of line_bytes. */
static void expect_auth_line(size_t n, size_t line_bytes)
{
    struct smtp_client_conf conf = {.ehlo_name = "x", .login = true};
    struct smtp_client *c = smtp_client_new(&conf, 0);
    struct buf *out = smtp_client_out(c);
    static const char offer[] = "250-s\r\n250 AUTH PLAIN\r\n";
    static char response[600];
    smtp_client_feed(c, "220 hi\r\n", 8, 0);
    buf_consume(out, buf_len(out));
    smtp_client_feed(c, offer, sizeof offer - 1, 0);
    smtp_client_auth(c, "PLAIN", &(struct str){response, n}, 0);
    ck_assert_uint_eq(buf_len(out), line_bytes);
    smtp_client_free(c);
}

START_TEST(an_initial_response_goes_along_in_up_to_512_octets)
{
    expect_auth_line(0, strlen("AUTH PLAIN =\r\n"));
    expect_auth_line(372, strlen("AUTH PLAIN \r\n") + 496);
    expect_auth_line(373, strlen("AUTH PLAIN\r\n"));
}
END_TEST

START_TEST(a_broken_exchange_names_the_mechanism_to_leave_out)
{
    dialogue_run(&(struct dialogue){
        "not base64", "login",
        OFFERED("AUTH LOGIN") "! AUTH LOGIN\n> auth LOGIN\nC: AUTH LOGIN\nS: 334 Username:\n"
                              "C: *\nS: 501 so\n" BYE "! DEAD server temp AUTH-BADSERVER\n"});
    ck_assert_ptr_nonnull(strstr(dialogue_sentences(), "| leave LOGIN out of auth"));
}
END_TEST

START_TEST(starttls_on_the_first_line_is_told)
{
    dialogue_run(&(struct dialogue){"first line", "starttls",
                                    HELLO "S: 250-STARTTLS\nS: 250 SIZE\n" BYE
                                          "! DEAD account perm STARTTLS-MISSING\n"});
    ck_assert_ptr_nonnull(strstr(dialogue_sentences(), "on the first line"));
    ck_assert_ptr_nonnull(strstr(dialogue_sentences(), "port = 465"));
}
END_TEST

START_TEST(what_is_put_up_with_is_known)
{
    static const struct {
        const char *reply;
        unsigned oddities;
    } rows[] = {{"S: 354 go\n", 0},
                {"S: 350 go\n", SMTP_CLIENT_NOT_354},
                {"S: 354-go\nS: 350 on\n", SMTP_CLIENT_MIXED_CODES | SMTP_CLIENT_NOT_354}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char script[2048];
        snprintf(script, sizeof script, "%s%s! RCPT 0 none\n! BODY\n",
                 READY ONE_SENT "S: 250 ok\nS: 250 ok\n", rows[i].reply);
        dialogue_run(&(struct dialogue){"oddities", "pipelining", script});
        ck_assert_uint_eq(dialogue_oddities(), rows[i].oddities);
    }
    struct smtp_client_conf conf = {.ehlo_name = "x"};
    struct smtp_client *c = smtp_client_new(&conf, 0);
    smtp_client_feed(c, "220 hi\n", 7, 0);
    ck_assert_uint_eq(smtp_client_oddities(c), SMTP_CLIENT_BARE_LF);
    smtp_client_free(c);
}
END_TEST

START_TEST(secrets_do_not_stay_in_the_output_buffer)
{
    struct smtp_client_conf conf = {.ehlo_name = "x", .login = true};
    struct smtp_client *c = smtp_client_new(&conf, 0);
    static const char offer[] = "250-s\r\n250 AUTH PLAIN\r\n";
    smtp_client_feed(c, "220 hi\r\n", 8, 0);
    struct buf *out = smtp_client_out(c);
    buf_consume(out, buf_len(out));
    smtp_client_feed(c, offer, sizeof offer - 1, 0);
    smtp_client_auth(c, "PLAIN", &STR_LIT("secret"), 0);
    ck_assert(str_eq(buf_str(out), STR_LIT("AUTH PLAIN c2VjcmV0\r\n")));
    buf_consume(out, buf_len(out));
    smtp_client_feed(c, "235 ok\r\n", 8, 0);
    ck_assert_ptr_null(out->memory);
    ck_assert(out->secret);
    smtp_client_free(c);
}
END_TEST

START_TEST(the_server_s_words_are_kept_and_harmless)
{
    dialogue_run(&(struct dialogue){
        "words", "",
        "S: 554-5.7.1 go \x1b[31maway\nS: 554 5.7.1 you\nC: QUIT\nS: 221 bye\n"
        "! DEAD server temp GREET-554\n"});
    ck_assert_ptr_nonnull(
        strstr(dialogue_sentences(), "| 554 5.7.1 go \\x1B[31maway 5.7.1 you"));
    ck_assert_ptr_nonnull(
        strstr(dialogue_sentences(), "554 5.7.1 instead of the greeting 220"));
}
END_TEST

/* Each time of the dialogue, from the moment it was armed. */
START_TEST(each_state_has_its_deadline_and_dripping_bytes_do_not_move_it)
{
    struct smtp_client_conf conf = {.ehlo_name = "x",
                                    .timeouts = {.greeting_ms = 100, .reply_ms = 20}};
    struct smtp_client *c = smtp_client_new(&conf, 1000);
    ck_assert_int_eq(smtp_client_deadline(c), 1100);
    smtp_client_feed(c, "2", 1, 1050);
    smtp_client_feed(c, "2", 1, 1090);
    ck_assert_int_eq(smtp_client_deadline(c), 1100);
    smtp_client_feed(c, "0 hi\r\n", 6, 1099);
    ck_assert_int_eq(smtp_client_deadline(c), 1119);
    struct buf *out = smtp_client_out(c);
    buf_consume(out, buf_len(out));
    smtp_client_feed(c, "250 s\r\n", 7, 1110);
    ck_assert_int_eq(smtp_client_deadline(c), INT64_MAX);
    smtp_client_quit(c, 2000);
    ck_assert_int_eq(smtp_client_deadline(c), 7000);
    smtp_client_free(c);
}
END_TEST

START_TEST(progress_moves_the_deadline_of_content_and_of_nothing_else)
{
    struct smtp_client_conf conf = {.ehlo_name = "x"};
    static const struct smtp_recipient to[] = {{.address = "c@d"}};
    struct smtp_transaction t = {
        .sender = "a@b", .recipients = to, .n_recipients = 1, .body_bytes = 4};
    struct smtp_client *c = smtp_client_new(&conf, 0);
    struct buf *out = smtp_client_out(c);
    static const char *const replies[] = {"220 hi\r\n", "250 s\r\n", "250 ok\r\n", "250 ok\r\n",
                                          "354 go\r\n"};
    static const int64_t deadlines_ms[] = {301000, INT64_MAX, 301000, 121000, 180001};
    for (int i = 0; i < 5; i++) {
        buf_consume(out, buf_len(out));
        smtp_client_progress(c, 1);
        if (i == 2)
            smtp_client_submit(c, &t, 1000);
        buf_consume(out, buf_len(out));
        smtp_client_feed(c, replies[i], strlen(replies[i]), 1000);
        smtp_client_progress(c, 1);
        ck_assert_int_eq(smtp_client_deadline(c), deadlines_ms[i]);
    }
    smtp_client_body(c, "hi\r\n", 4, false, 2000);
    ck_assert_int_eq(smtp_client_deadline(c), 182000);
    smtp_client_progress(c, 3000);
    ck_assert_int_eq(smtp_client_deadline(c), 183000);
    smtp_client_body(c, NULL, 0, true, 4000);
    ck_assert_int_eq(smtp_client_deadline(c), 604000);
    smtp_client_free(c);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("smtp_client");
    TCase *tc = tcase_create("smtp_client");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, every_dialogue_ends_as_written_however_it_is_cut, 0,
                        (int)(sizeof dialogues / sizeof dialogues[0]));
    tcase_add_test(tc, a_full_transaction_fits_the_ring_of_replies_owed);
    tcase_add_test(tc, a_long_ehlo_and_a_long_challenge_are_read);
    tcase_add_test(tc, an_initial_response_goes_along_in_up_to_512_octets);
    tcase_add_test(tc, a_broken_exchange_names_the_mechanism_to_leave_out);
    tcase_add_test(tc, starttls_on_the_first_line_is_told);
    tcase_add_test(tc, what_is_put_up_with_is_known);
    tcase_add_test(tc, secrets_do_not_stay_in_the_output_buffer);
    tcase_add_test(tc, the_server_s_words_are_kept_and_harmless);
    tcase_add_test(tc, each_state_has_its_deadline_and_dripping_bytes_do_not_move_it);
    tcase_add_test(tc, progress_moves_the_deadline_of_content_and_of_nothing_else);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
