# SPDX-License-Identifier: GPL-3.0-or-later
"""Dead mail is told to the administrator: once, and once a day."""

import email
import os
import sqlite3

import lib
import reports

ADMIN = "ops@example.com"
DAY_MS = 24 * 3600 * 1000
SUBJECT = "Dead mail on client.example.com: "


class DigestTest(lib.Case):
    def setUp(self):
        super().setUp()
        # So that the daemon looks around each second.
        self.daemon.settings.update({"warn-after": "1s", "admin": ADMIN,
                                     "retry-min": "1h", "retry-max": "1h"})
        self.refuse_bad()

    def refuse_bad(self, *more):
        self.host.script.replace([{"stage": "rcpt", "recipient": "bad*", "action": "reply",
                                   "text": "550 5.1.1 <bad> no such\x1b user"}, *more])

    def dead(self):
        return [entry["queue_id"] for entry in self.daemon.queue() if entry["state"] == "dead"]

    def die(self, *recipients):
        """A message that cannot even be returned; its id."""
        before = set(self.dead())
        self.daemon.submit(*(recipients or ("bad@example.net",)), sender="")
        return lib.wait_for(lambda: set(self.dead()) - before, "a dead message").pop()

    def digest(self, n=1):
        """Subject and text of the n-th message at the smarthost, which must be a digest."""
        record = self.wait_kept(n)[-1]
        self.assertEqual((record["sender"], record["recipients"]), ("", [ADMIN]))
        message = email.message_from_bytes(self.host.content(record), policy=reports.STRICT)
        self.assertEqual(message["To"], ADMIN)
        self.assertEqual(message["Auto-Submitted"], "auto-generated")
        self.assertTrue(message["Date"] and message["Message-ID"] and message["X-Tranter-Report"])
        return message["Subject"], message.get_content()

    def pass_a_day(self):
        self.assertEqual(self.daemon.stop(), 0)
        connection = sqlite3.connect(os.path.join(self.daemon.spool, "queue.db"))
        with connection:
            connection.execute("UPDATE total SET told_ms = told_ms - %d" % DAY_MS)
        connection.close()
        self.daemon.start()

    def let_sweeps_pass(self):
        """A message whose sender is told of a delay after this was called: a digest that was due
        before has been written by then, since what is told of must be dead for 2 s."""
        self.refuse_bad({"stage": "rcpt", "sender": lib.SENDER, "action": "reply",
                         "text": "450 4.2.1 Busy"})
        for _ in range(3):
            self.daemon.mark()
            self.daemon.submit("late@example.net")
            self.daemon.wait_log("sender delay notification: ")
        self.refuse_bad()

    def digests(self):
        return self.daemon.log().count("told of, with no sender to return to")

    def test_dead_mail_is_told_of_with_why_and_what_to_do(self):
        self.daemon.start()
        dead = self.die("bad1@example.net", "bad2@example.net", "bad3@example.net",
                        "bad4@example.net", "bad5@example.net")
        subject, text = self.digest()
        self.assertEqual(subject, SUBJECT + "1 message")
        for words in (dead, "to <bad1@example.net>", "550 5.1.1 <bad> no such\\x1B user",
                      "and to 2 more", "tranterctl remove", "tranterctl show", "30 days"):
            self.assertIn(words, text)
        self.check_manners()

    def test_it_is_told_of_once_and_the_next_on_the_next_day(self):
        self.daemon.start()
        first = self.die()
        self.digest()
        second = self.die()
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.start()
        third = self.die()
        self.let_sweeps_pass()
        self.assertEqual(self.digests(), 1)
        self.wait_kept(4)
        self.pass_a_day()
        lib.wait_for(lambda: self.digests() == 2, "the next digest")
        record = lib.wait_for(lambda: [r for r in self.host.records[4:]
                                       if r["recipients"] == [ADMIN]], "it at the smarthost")[0]
        text = self.host.content(record).decode()
        self.assertIn("Subject: %s2 messages\r\n" % SUBJECT, text)
        self.assertNotIn(first, text)
        self.assertIn(second, text)
        self.assertIn(third, text)

    def test_a_digest_that_is_refused_is_dead_and_no_news(self):
        self.host.script.replace([{"stage": "rcpt", "action": "reply", "text": "550 5.1.1 no"}])
        self.daemon.start()
        self.die()
        lib.wait_for(lambda: len(self.dead()) == 2, "a dead digest")
        self.pass_a_day()
        self.refuse_bad()
        third = self.die()
        subject, text = self.digest()
        self.assertEqual(subject, SUBJECT + "1 message")
        self.assertIn(third, text)

    def test_many_are_counted_and_some_named(self):
        del self.daemon.settings["admin"]
        self.daemon.start()
        session = [b"EHLO x\r\n"]
        session += [b"MAIL FROM:<>\r\nRCPT TO:<bad%d@example.net>\r\nDATA\r\nSubject: x\r\n\r\n.\r\n"
                    % n for n in range(103)]
        done = self.daemon.sendmail("-bs", stdin=b"".join(session) + b"QUIT\r\n")
        self.assertEqual(done.returncode, 0)
        lib.wait_for(lambda: len(self.dead()) == 103, "dead mail", deadline=60)
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.settings["admin"] = ADMIN
        self.daemon.start()
        subject, text = self.digest()
        self.assertEqual(subject, SUBJECT + "103 messages")
        self.assertEqual(text.count("    from <>"), 100)
        self.assertIn("And 3 more: tranterctl queue --state dead", text)

    def test_without_an_administrator_only_the_log_tells(self):
        del self.daemon.settings["admin"]
        self.daemon.start()
        dead = self.die()
        self.daemon.wait_log(r"%s: kept as dead" % dead)
        self.let_sweeps_pass()
        self.assertEqual(self.digests(), 0)


if __name__ == "__main__":
    lib.main()
