/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several transactions in flight on one connection. */
#include "dialogue.h"

#include <check.h>
#include <stdlib.h>

#define OFFERED(caps) "S: 220 hi\nC: EHLO me.example\nS: 250-s\n" caps "! IDLE\n"
#define CHUNKS OFFERED("S: 250-PIPELINING\nS: 250 CHUNKING\n")
#define DATA OFFERED("S: 250-SIZE 1000\nS: 250 PIPELINING\n")

#define ENVELOPE "C: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\n"
#define BDAT ENVELOPE "C: BDAT 4 LAST\n"
#define CONTENT "> last hi\nC: hi\n"
#define FIRST "> submit a@b c@d size=4\n" BDAT "! BODY #1\n" CONTENT "! ROOM\n"
#define SECOND "> submit a@b c@d size=4\nC: RSET\n" BDAT "! BODY #2\n" CONTENT "! ROOM\n"
#define THIRD "> submit a@b c@d size=4\nC: RSET\n" BDAT "! BODY #3\n" CONTENT
#define OK "S: 250 ok\n"
#define TAKEN OK OK OK

#define DATA_FIRST                                                                             \
    "> submit a@b c@d\nC: MAIL FROM:<a@b> SIZE=9\nC: RCPT TO:<c@d>\nC: DATA\n" OK OK           \
    "S: 354 go\n! RCPT #1 0 none\n! BODY #1\n> last hi\nC: hi\nC: .\n! ROOM\n"
#define DATA_SECOND "> submit a@b c@d\nC: MAIL FROM:<a@b> SIZE=9\nC: RCPT TO:<c@d>\nC: DATA\n"

static const struct dialogue dialogues[] = {
    {"BDAT: three go out before the first reply", "pipeline chunking",
     CHUNKS FIRST SECOND THIRD TAKEN OK TAKEN OK TAKEN
     "! RCPT #1 0 none\n! DONE #1 none\n? ROOM\n! RCPT #2 0 none\n? ROOM\n! DONE #2 none\n? "
     "ROOM\n"
     "! RCPT #3 0 none\n? ROOM\n! DONE #3 none\n! IDLE\n"},
    {"a place that becomes free is told", "pipeline chunking",
     CHUNKS FIRST SECOND THIRD TAKEN
     "! RCPT #1 0 none\n! DONE #1 none\n! ROOM\n> submit a@b c@d size=4\nC: RSET\n" BDAT
     "! BODY #4\n"},
    {"DATA: the next follows the final dot", "pipeline chunking",
     DATA DATA_FIRST DATA_SECOND OK OK OK "S: 354 go\n! DONE #1 none\n? ROOM\n! RCPT #2 0 "
                                          "none\n? ROOM\n! BODY #2\n> last hi\nC: hi\nC: .\n"
                                          "! ROOM\n" OK "! DONE #2 none\n! IDLE\n"},
    {"DATA: the first refused, the next goes on", "pipeline",
     DATA DATA_FIRST DATA_SECOND "S: 554 5.7.1 spam\n" OK OK
                                 "S: 354 go\n! DONE #1 message perm CONTENT-REJECT\n"
                                 "! RCPT #2 0 none\n? ROOM\n! BODY #2\n"},
    {"DATA: the next refused, the first is delivered", "pipeline",
     DATA DATA_FIRST DATA_SECOND OK "S: 451 4.3.0 no\nS: 503 no\nS: 503 no\n! DONE #1 none\n"
                                    "! DONE #2 message temp MSG-TEMP\n! IDLE\n"},
    {"without PIPELINING there is no room", "pipeline chunking",
     OFFERED("S: 250 CHUNKING\n") "> submit a@b c@d size=4\nC: MAIL FROM:<a@b>\n" OK
                                  "C: RCPT TO:<c@d>\n" OK "! RCPT #1 0 none\nC: BDAT 4 LAST\n"
                                  "! BODY #1\n" CONTENT OK "! DONE #1 none\n! IDLE\n"},
    {"with LMTP there is no room", "pipeline lmtp",
     "S: 220 hi\nC: LHLO me.example\nS: 250-s\nS: 250 PIPELINING\n! IDLE\n"
     "> submit a@b c@d\n" ENVELOPE "C: DATA\n" OK OK
     "S: 354 go\n! RCPT #1 0 none\n! BODY #1\n> last hi\nC: hi\nC: .\n"},

    /* A message that is refused does not touch the next. */
    {"the first content refused", "pipeline chunking",
     CHUNKS FIRST SECOND OK OK "S: 554 5.7.1 spam\n" OK TAKEN
                               "! RCPT #1 0 none\n! DONE #1 message perm CONTENT-REJECT\n? "
                               "ROOM\n! RCPT #2 0 none\n? ROOM\n"
                               "! DONE #2 none\n! IDLE\n"},
    {"the first sender refused", "pipeline chunking",
     CHUNKS FIRST SECOND "S: 451 4.3.0 no\nS: 503 no\nS: 503 no\n" OK TAKEN
                         "! DONE #1 message temp MSG-TEMP\n? ROOM\n! RCPT #2 0 none\n? ROOM\n"
                         "! DONE #2 none\n! IDLE\n"},
    {"the first recipient refused", "pipeline chunking",
     CHUNKS FIRST SECOND OK "S: 550 5.1.1 who\nS: 554 nobody\n" OK TAKEN
                            "! RCPT #1 0 recipient perm RCPT-UNKNOWN\n! DONE #1 none\n? ROOM\n"
                            "! RCPT #2 0 none\n? ROOM\n! DONE #2 none\n! IDLE\n"},
    {"the last refused: what comes later begins with RSET", "pipeline chunking",
     CHUNKS FIRST SECOND TAKEN OK OK OK
     "S: 552 5.3.4 big\n! RCPT #1 0 none\n! DONE #1 none\n? ROOM\n! RCPT #2 0 none\n? ROOM\n"
     "! DONE #2 message perm SIZE-REMOTE\n! IDLE\n> submit a@b c@d size=4\nC: RSET\n" BDAT
     "! BODY #3\n"},
    {"one that cannot go out has its end in its turn", "pipeline",
     DATA DATA_FIRST "> submit a@b c@d size=1001\n! ROOM\n> submit a@b c@d\n"
                     "C: MAIL FROM:<a@b> SIZE=9\nC: RCPT TO:<c@d>\nC: DATA\n" OK
                     "! DONE #1 none\n! DONE #2 message perm SIZE-LOCAL\n"},

    {"one that is to be alone waits for those before it, and none goes behind it",
     "pipeline chunking",
     CHUNKS FIRST
     "> submit a@b c@d size=4 alone\nC: RSET\n" ENVELOPE TAKEN OK OK OK
     "! RCPT #1 0 none\n! DONE #1 none\n! RCPT #2 0 none\nC: BDAT 4 LAST\n! BODY #2\n" CONTENT
         OK "! DONE #2 none\n! IDLE\n"},

    /* The connection ends: in doubt are those that were all out, and no others. */
    {"lost before any reply", "pipeline chunking",
     CHUNKS FIRST SECOND "> submit a@b c@d size=4\nC: RSET\n" BDAT "! BODY #3\n> eof\n"
                         "! DONE #1 message temp ambiguous LOST-AFTERDOT\n"
                         "! DONE #2 message temp ambiguous LOST-AFTERDOT\n"
                         "! DONE #3 server temp RECONNECT\n"
                         "! DEAD message temp ambiguous LOST-AFTERDOT\n"},
    {"lost after the first reply to a message", "pipeline chunking",
     CHUNKS FIRST SECOND TAKEN "! RCPT #1 0 none\n! DONE #1 none\n? ROOM\n> eof reset\n"
                               "! DONE #2 message temp ambiguous LOST-AFTERDOT\n"
                               "! DEAD message temp ambiguous LOST-AFTERDOT\n"},
    {"lost with the second still here", "pipeline chunking",
     CHUNKS FIRST "> stuck\n> submit a@b c@d size=4\n! BODY #2\n> last hi\n! ROOM\n> eof\n"
                  "! DONE #1 message temp ambiguous LOST-AFTERDOT\n"
                  "! DONE #2 server temp RECONNECT\n"
                  "! DEAD message temp ambiguous LOST-AFTERDOT\n"},
    {"DATA: lost with the next behind the dot", "pipeline",
     DATA DATA_FIRST DATA_SECOND "> eof\n! DONE #1 message temp ambiguous LOST-AFTERDOT\n"
                                 "! DONE #2 server temp RECONNECT\n"
                                 "! DEAD message temp ambiguous LOST-AFTERDOT\n"},
    {"421 is the answer to the first, and the others were not taken", "pipeline chunking",
     CHUNKS FIRST SECOND "S: 421 4.3.2 bye\n! DONE #1 server temp SERVER-CLOSING\n"
                         "! DONE #2 server temp RECONNECT\n"
                         "! DEAD server temp SERVER-CLOSING\n"},
    {"421 to a content", "pipeline chunking",
     CHUNKS FIRST SECOND OK OK
     "S: 421 4.3.2 bye\n! RCPT #1 0 none\n"
     "! DONE #1 message temp MSG-TEMP\n"
     "! DONE #2 server temp RECONNECT\n! DEAD message temp MSG-TEMP\n"},
    {"421 to a later one", "pipeline chunking",
     CHUNKS FIRST SECOND TAKEN
     "S: 421 4.4.2 enough\n! RCPT #1 0 none\n! DONE #1 none\n? ROOM\n"
     "! DONE #2 server temp RECONNECT\n! DEAD server temp RECONNECT\n"},
    {"time runs out", "pipeline chunking",
     CHUNKS FIRST SECOND TAKEN "! RCPT #1 0 none\n! DONE #1 none\n? ROOM\n> late\n"
                               "! DONE #2 message temp ambiguous TIMEOUT-STAGE\n"
                               "! DEAD message temp ambiguous TIMEOUT-STAGE\n"},
    {"a verdict stands when the connection is lost before its last reply", "pipeline chunking",
     CHUNKS FIRST SECOND "S: 451 4.3.0 no\n> eof\n! DONE #1 message temp MSG-TEMP\n"
                         "! DONE #2 message temp ambiguous LOST-STAGE\n"
                         "! DEAD server temp LOST-STAGE\n"},

    /* Replies that are not those of their commands. */
    {"one too many: nothing that came after it is believed", "pipeline chunking",
     CHUNKS FIRST SECOND OK OK OK "S: 354 what\n! RCPT #1 0 none\n! DONE #1 none\n? ROOM\n"
                                  "! DONE #2 message temp ambiguous PROTO-DESYNC\n"
                                  "! DEAD message temp ambiguous PROTO-DESYNC\n"},
    {"a refused message is in doubt once replies are out of step", "pipeline chunking",
     CHUNKS FIRST "S: 451 4.3.0 no\n" OK OK "! DONE #1 message temp ambiguous PROTO-DESYNC\n"
                  "! DEAD server temp PROTO-DESYNC\n"},
    {"garbage", "pipeline chunking",
     CHUNKS FIRST SECOND "S: what\n! DONE #1 message temp ambiguous PROTO-GARBAGE\n"
                         "! DONE #2 message temp ambiguous PROTO-GARBAGE\n"
                         "! DEAD message temp ambiguous PROTO-GARBAGE\n"},
    {"BDAT is not known", "pipeline chunking",
     CHUNKS FIRST SECOND OK OK "S: 500 5.5.1 what\n! RCPT #1 0 none\n"
                               "! DONE #1 server temp CHUNKING-REFUSED\n"
                               "! DONE #2 server temp RECONNECT\n"
                               "! DEAD server temp CHUNKING-REFUSED\n"},
};

START_TEST(every_dialogue_ends_as_written_however_it_is_cut)
{
    dialogue_run(&dialogues[_i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("smtp_pipeline");
    TCase *tc = tcase_create("smtp_pipeline");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, every_dialogue_ends_as_written_however_it_is_cut, 0,
                        (int)(sizeof dialogues / sizeof dialogues[0]));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
