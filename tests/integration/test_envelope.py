# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client may say of a message on the submission socket besides who gets it."""

import email
import email.policy

import lib
from test_submission import SubmissionCase


class EnvelopeCase(SubmissionCase):
    def setUp(self):
        super().setUp()
        self.daemon.start()

    def hand_in(self, mail="", recipients=(lib.RECIPIENT,), content=lib.WIRE, sender=lib.SENDER):
        """Hand a message in; recipients are what follows RCPT TO:, "<a@b> NAME=value"; the answer
        to its end."""
        client = self.client()
        client.say("EHLO a.example")
        self.assertRegex(client.say(("MAIL FROM:<%s> %s" % (sender, mail)).strip()), "^250")
        for recipient in recipients:
            recipient = recipient if recipient.startswith("<") else "<%s>" % recipient
            self.assertRegex(client.say("RCPT TO:" + recipient), "^250")
        answer = client.say("DATA")
        if not answer.startswith("354"):
            return answer
        client.send(content + b".\r\n")
        return client.reply()

    def report_in(self, records):
        """The one report among the records, as a message."""
        reports = [record for record in records if record["sender"] == ""]
        self.assertEqual([record["recipients"] for record in reports], [[lib.SENDER]])
        return email.message_from_bytes(self.host.content(reports[0]), policy=email.policy.default)

    def fields_of(self, report):
        """The fields of its message and of its recipients."""
        return list(report.iter_parts())[1].get_payload()


class InvalidTest(EnvelopeCase):
    BAD = "<> XINVALID=bad+20one@+0D+0A"

    def test_the_good_recipients_are_served_and_the_sender_told_of_the_bad(self):
        self.assertRegex(self.hand_in(recipients=[lib.RECIPIENT, self.BAD]), "^250 2.0.0 Ok")
        records = self.wait_kept(2)
        self.assertIn([lib.RECIPIENT], [record["recipients"] for record in records])
        report = self.report_in(records)
        text, _, header = report.iter_parts()
        self.assertIn('"bad one@" is not an address', text.get_content())
        self.assertIn("Subject: a test", header.get_content())
        of_message, of_recipient = self.fields_of(report)
        self.assertEqual((of_recipient["Action"], of_recipient["Status"]), ("failed", "5.1.3"))
        self.assertRegex(of_recipient["Diagnostic-Code"], "^x-tranter; RCPT-SYNTAX: ")
        self.assertNotIn("Remote-MTA", of_recipient)
        message_id = of_message["X-Tranter-Queue-Id"]
        self.daemon.wait_log(message_id + r": to=<bad one@>, relay=none, .*dsn=5\.1\.3, "
                             r"status=bounced \(recipient diag=RCPT-SYNTAX: ")
        self.daemon.wait_log(message_id + ": sender non-delivery notification: ")
        self.wait_idle()
        self.check_manners()

    def test_several_are_told_in_one_report_also_of_a_large_message(self):
        content = b"Subject: large\r\n\r\n" + b"0123456789\r\n" * 20000
        self.hand_in(recipients=[self.BAD, lib.RECIPIENT, "<a@b@c> XINVALID=a@b@c"], content=content)
        report = self.report_in(self.wait_kept(2))
        self.assertEqual([part["Status"] for part in self.fields_of(report)[1:]],
                         ["5.1.3", "5.1.3"])
        self.assertIn("Subject: large", list(report.iter_parts())[2].get_content())
        self.wait_idle()

    def test_words_beyond_ascii_are_told_as_they_are(self):
        self.hand_in(recipients=[lib.RECIPIENT, "<> XINVALID=b+C3+A4d+FF"])
        records = self.wait_kept(2)
        self.report_in(records)
        content = self.host.content(max(records, key=lambda record: record["sender"] == ""))
        self.assertIn(b"Final-Recipient: utf-8; b\xc3\xa4d\\xFF\r\n", content)

    def test_with_nobody_else_nothing_is_queued(self):
        self.assertRegex(self.hand_in(recipients=[self.BAD, self.BAD]), r"^501 5\.1\.3 None of ")
        self.assertEqual(self.daemon.queue(), [])
        self.assertEqual(self.host.records, [])

    def test_neither_the_null_sender_nor_a_program_is_told(self):
        automatic = b"Auto-Submitted: auto-replied\r\n" + lib.WIRE
        for sender, content in (("", lib.WIRE), (lib.SENDER, automatic)):
            with self.subTest(sender=sender):
                n = len(self.host.records)
                self.hand_in(recipients=[lib.RECIPIENT, self.BAD], sender=sender, content=content)
                self.assertEqual(self.wait_kept(n + 1)[-1]["recipients"], [lib.RECIPIENT])
                dead = lib.wait_for(lambda: [entry for entry in self.daemon.queue()
                                             if entry["state"] == "dead"], "dead mail")
                self.assertEqual([r["address"] for r in dead[0]["recipients"]], ["bad one@"])
                self.daemon.tranterctl("remove", dead[0]["queue_id"])
                self.wait_idle()

    def test_from_the_network_it_is_not_taken(self):
        self.daemon.stop()
        port = lib.free_port()
        self.daemon.settings["listen"] = [self.daemon.socket, "127.0.0.1:%d" % port]
        self.daemon.start()
        client = self.client(("127.0.0.1", port))
        client.say("EHLO a.example")
        client.say("MAIL FROM:<%s>" % lib.SENDER)
        self.assertRegex(client.say("RCPT TO:" + self.BAD), "^555 ")


if __name__ == "__main__":
    lib.main()
