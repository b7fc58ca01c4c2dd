# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail that is late: its sender is told once, and of nothing else."""

import lib
import reports


class DelayTest(lib.Case):
    def setUp(self):
        super().setUp()
        self.daemon.settings["warn-after"] = "1s"
        self.daemon.settings["retry-min"] = self.daemon.settings["retry-max"] = "1h"
        self.put_off()

    def put_off(self):
        """Reports go out, other mail is late."""
        self.host.script.replace([{"stage": "rcpt", "sender": lib.SENDER, "action": "reply",
                                   "text": "450 4.2.1 Mailbox busy"}])

    def told(self):
        return self.daemon.log().count("sender delay notification: ")

    def test_the_sender_is_told_what_holds_it_up_and_until_when_it_is_tried(self):
        self.daemon.start()
        self.daemon.submit()
        report = reports.wait_report(self, lib.SENDER)
        self.assertEqual(report.message["Subject"], "Delayed Mail (still being retried)")
        self.assertEqual(report.actions(), [(lib.RECIPIENT, "delayed")])
        part = report.of_recipients[0]
        self.assertEqual(part["Status"], "4.2.1")
        self.assertEqual(part["Diagnostic-Code"], "smtp; 450 4.2.1 Mailbox busy")
        self.assertTrue(part["Last-Attempt-Date"])
        self.assertTrue(part["Will-Retry-Until"])
        self.assertIn("has not been delivered yet", report.text)
        self.assertIn("Do not send the message again", report.text)
        self.assertIn("Subject: a test", report.original.get_content())
        self.assertEqual(len(self.daemon.queue()), 1)

    def test_the_sender_is_told_once_whatever_happens(self):
        self.daemon.start()
        self.daemon.submit()
        self.wait_kept(1)
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.start()
        self.daemon.submit("second@example.net")
        self.wait_kept(2)
        self.assertEqual(self.told(), 2)
        self.host.script.replace([])
        self.daemon.tranterctl("retry", "--all")
        self.wait_kept(4)
        self.wait_idle()
        self.assertEqual(self.told(), 2)

    def test_mail_that_was_never_tried_is_late_too(self):
        down = self.new_host(start=False)
        down.port = lib.free_port()
        self.daemon.smarthosts = []
        self.daemon.add_smarthost(down)
        self.daemon.start()
        self.daemon.submit("one@example.net")
        self.daemon.submit("two@example.net")
        lib.wait_for(lambda: self.told() == 2, "two reports of delay")
        self.assertEqual(len(self.daemon.queue()), 4)
        down.start()
        self.daemon.tranterctl("retry", "--all")
        records = lib.wait_for(lambda: len(down.records) == 4 and down.records, "all four")
        texts = [down.content(record) for record in records if not record["sender"]]
        self.assertEqual(len(texts), 2)
        for text in texts:
            report = reports.Report(self, text, lib.SENDER)
            self.assertRegex(report.text, "refuses connections on port")

    def check_silence(self):
        """Another message's sender is told, this one's is not."""
        self.daemon.wait_log(r"to=<rcpt@example\.net>, .*status=deferred")
        self.daemon.sendmail("-f", lib.SENDER, "-N", "delay", "other@example.net")
        report = reports.wait_report(self, lib.SENDER)
        self.assertEqual(report.actions(), [("other@example.net", "delayed")])
        self.assertEqual(self.told(), 1)

    def test_who_asks_for_failure_alone_is_not_told_of_delay(self):
        self.daemon.start()
        self.daemon.sendmail("-f", lib.SENDER, "-N", "failure", lib.RECIPIENT)
        self.check_silence()

    def test_who_asks_for_nothing_is_told_nothing(self):
        self.daemon.start()
        self.daemon.sendmail("-f", lib.SENDER, "-N", "never", lib.RECIPIENT)
        self.check_silence()

    def test_what_a_program_sent_by_itself_is_not_reported(self):
        self.daemon.start()
        self.daemon.submit(message=b"Auto-Submitted: auto-generated\n" + lib.MESSAGE)
        self.check_silence()

    def test_a_null_sender_is_told_nothing(self):
        self.host.script.replace([{"stage": "rcpt", "recipient": "*@example.net",
                                   "action": "reply", "text": "450 4.2.1 Mailbox busy"}])
        self.daemon.start()
        self.daemon.submit(sender="")
        self.check_silence()

    def test_zero_turns_it_off(self):
        self.daemon.settings["warn-after"] = "0"
        self.daemon.settings["lifetime"] = "2s"
        self.daemon.start()
        self.daemon.submit()
        report = reports.wait_report(self, lib.SENDER)
        self.assertEqual(report.actions(), [(lib.RECIPIENT, "failed")])
        self.assertEqual(self.told(), 0)


if __name__ == "__main__":
    lib.main()
