# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused for good returns to its sender as a report, or is kept as dead: it never
disappears."""

import email
import email.policy

import lib
import reports


class ReportTest(lib.Case):
    def setUp(self):
        super().setUp()
        self.daemon.start()

    def script(self, *rules):
        self.host.script.replace(rules)

    def refuse(self, pattern="bad*", text="550 5.1.1 <bad> no such\x1b user"):
        self.script({"stage": "rcpt", "recipient": pattern, "action": "reply", "text": text})

    def report(self, n=1):
        """The n-th message at the smarthost, which must be a report to the sender."""
        record = self.wait_kept(n)[-1]
        self.assertEqual((record["sender"], record["recipients"]), ("", [lib.SENDER]))
        message = email.message_from_bytes(self.host.content(record), policy=email.policy.default)
        self.assertEqual(message.get_content_type(), "multipart/report")
        self.assertEqual(message.get_param("report-type"), "delivery-status")
        return message

    def test_a_refused_recipient_is_reported_in_full(self):
        self.refuse()
        self.daemon.submit("bad@example.net", "bad2@example.net")
        self.daemon.wait_log(r"to=<bad@example\.net>, .*dsn=5\.1\.1, status=bounced .*recipient")
        message = self.report()
        self.assertEqual(message["To"], lib.SENDER)
        self.assertRegex(message["From"], r"(?i)mailer-daemon@example\.com")
        self.assertEqual(message["Auto-Submitted"], "auto-replied")
        self.assertTrue(message["Date"] and message["Message-ID"] and message["Subject"])
        text, status, header = message.iter_parts()
        self.assertEqual([part.get_content_type() for part in (text, status, header)],
                         ["text/plain", "message/delivery-status", "text/rfc822-headers"])
        self.assertIn("no such", text.get_content())
        of_message, *of_recipients = status.get_payload()
        self.assertEqual(of_message["Reporting-MTA"], "dns; client.example.com")
        self.assertTrue(of_message["Arrival-Date"])
        self.assertEqual([part["Final-Recipient"] for part in of_recipients],
                         ["rfc822; bad@example.net", "rfc822; bad2@example.net"])
        for part in of_recipients:
            self.assertEqual((part["Action"], part["Status"]), ("failed", "5.1.1"))
            self.assertRegex(part["Diagnostic-Code"], r"^smtp; 550 5\.1\.1 <bad> no such")
            self.assertEqual(part["Remote-MTA"], "dns; localhost")
        self.assertIn("Subject: a test", header.get_content())
        self.assertNotIn("One line.", self.host.content(self.host.records[0]).decode())
        self.assertNotIn(b"\x1b", self.host.content(self.host.records[0]))
        self.wait_idle()
        self.check_manners()

    def test_the_good_recipients_are_served_and_one_report_is_sent(self):
        self.refuse()
        self.daemon.submit("good@example.net", "bad@example.net")
        records = self.wait_kept(2)
        self.assertEqual([record["recipients"] for record in records],
                         [["good@example.net"], [lib.SENDER]])
        self.wait_idle()

    def test_refused_content_is_reported_for_all_recipients(self):
        self.script({"stage": "dot", "sender": lib.SENDER, "action": "reply",
                     "text": "554 5.7.1 Spam\n554 5.7.1 in two lines".replace("554 5", "554-5", 1)})
        self.daemon.submit("a@example.net", "b@example.net")
        status = list(self.report().iter_parts())[1]
        self.assertEqual([part["Status"] for part in status.get_payload()[1:]], ["5.7.1", "5.7.1"])
        self.daemon.wait_log(r"status=bounced .*message")

    def test_a_message_larger_than_the_smarthost_takes_is_reported(self):
        self.host.capabilities = ("SIZE 8000", "8BITMIME", "PIPELINING")
        self.daemon.submit(message=lib.MESSAGE + b"0123456789\n" * 1000)
        self.daemon.wait_log(r"dsn=5\.3\.4, status=bounced")
        self.report()
        self.assertEqual(self.host.sessions, 1)
        self.check_manners()

    def test_an_early_refusal_while_content_goes_out_is_the_answer(self):
        self.script({"stage": "body", "after": 100000, "action": "reply", "times": 1,
                     "text": "552 5.3.4 More than we take"})
        self.daemon.submit(message=lib.MESSAGE + b"0123456789\n" * 400000)
        self.daemon.wait_log(r"dsn=5\.3\.4, status=bounced .*552 5\.3\.4 More than we take")
        self.report()

    def test_a_null_sender_gets_no_report_and_the_message_is_kept_as_dead(self):
        self.refuse()
        self.daemon.submit("bad@example.net", sender="")
        self.daemon.wait_log("status=bounced")
        entry = lib.wait_for(lambda: [e for e in self.daemon.queue() if e["state"] == "dead"],
                             "a dead message")[0]
        self.assertEqual(entry["recipients"][0]["address"], "bad@example.net")
        self.assertEqual(self.host.records, [])
        self.assertEqual(len(self.daemon.queue()), 1)

    def test_a_report_that_is_refused_is_kept_as_dead(self):
        self.refuse("*")
        self.daemon.submit("bad@example.net")
        entry = lib.wait_for(lambda: [e for e in self.daemon.queue() if e["state"] == "dead"],
                             "a dead message")[0]
        self.assertEqual(entry["recipients"][0]["address"], lib.SENDER)
        self.assertEqual(len(self.daemon.queue()), 1)

    def refuse_null_sender(self):
        self.script({"stage": "rcpt", "recipient": "bad*", "action": "reply",
                     "text": "550 5.1.1 no such user"},
                    {"stage": "mail", "sender": "", "action": "reply",
                     "text": "550 5.7.60 null sender not allowed"})

    def restart(self, **settings):
        self.daemon.stop()
        self.daemon.settings.update(settings)
        self.daemon.start()

    def test_where_no_null_sender_is_taken_a_report_goes_under_the_administrators(self):
        self.restart(admin="ops@example.com")
        self.refuse_null_sender()
        self.daemon.submit("bad@example.net")
        record = self.wait_kept(1)[0]
        self.assertEqual((record["sender"], record["recipients"]),
                         ("ops@example.com", [lib.SENDER]))
        reports.Report(self, self.host.content(record), lib.SENDER)
        self.wait_idle()
        self.check_manners()

    def dead(self):
        return lib.wait_for(lambda: [e for e in self.daemon.queue() if e["state"] == "dead"],
                            "a dead message")

    def test_without_an_administrator_it_is_dead(self):
        self.refuse_null_sender()
        self.daemon.submit("bad@example.net")
        entry, = self.dead()
        self.assertEqual(entry["recipients"][0]["code"], "SENDER-NULL")
        self.assertEqual(self.host.records, [])

    def test_where_his_address_is_refused_too_it_is_dead(self):
        self.restart(admin="ops@example.com")
        self.refuse_null_sender()
        self.host.script.replace([
            {"stage": "rcpt", "sender": lib.SENDER, "action": "reply",
             "text": "550 5.1.1 no such user"},
            {"stage": "mail", "sender": "ops@example.com", "action": "reply",
             "text": "550 5.7.60 Client does not have permissions to send as this sender"},
            {"stage": "mail", "sender": "", "action": "reply",
             "text": "550 5.7.60 null sender not allowed"}])
        self.daemon.submit("bad@example.net")
        self.dead()
        self.assertEqual(len(self.daemon.queue()), 1)

    def test_a_report_that_comes_back_under_another_sender_is_not_reported(self):
        self.refuse()
        self.daemon.submit("bad@example.net",
                           message=b"X-Tranter-Report: 0123456789AB\n" + lib.MESSAGE)
        self.dead()
        self.assertEqual(self.host.records, [])

    def test_a_lifetime_that_is_over_returns_the_message(self):
        self.daemon.stop()
        self.daemon.settings["lifetime"] = "1s"
        self.daemon.start()
        self.script({"stage": "rcpt", "sender": lib.SENDER, "action": "reply",
                     "text": "450 4.2.1 Busy"})
        self.daemon.submit()
        self.daemon.wait_log(r"to=<rcpt@example\.net>, .*status=expired")
        status = list(self.report().iter_parts())[1]
        self.assertEqual(status.get_payload()[1]["Action"], "failed")

    def test_dead_mail_goes_when_it_has_been_kept_for_long_enough(self):
        self.daemon.stop()
        self.daemon.settings["keep-dead"] = "1s"
        self.daemon.start()
        self.refuse()
        self.daemon.submit("bad@example.net", sender="")
        self.daemon.wait_log(r"kept as dead")
        self.daemon.wait_log(r"removed: it has been dead for longer than keep-dead")
        self.daemon.wait_queue(0)

    def test_dead_and_bounced_mail_survives_a_restart(self):
        self.refuse()
        self.daemon.submit("bad@example.net", sender="")
        lib.wait_for(lambda: [e for e in self.daemon.queue() if e["state"] == "dead"], "dead mail")
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.start()
        self.assertEqual([e["state"] for e in self.daemon.queue()], ["dead"])


if __name__ == "__main__":
    lib.main()
