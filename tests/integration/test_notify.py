# SPDX-License-Identifier: GPL-3.0-or-later
"""A sender says when to be told of what (RFC 3461): by options of sendmail, by parameters on the
socket, and in dropped files."""

import os
import re
import smtplib

import lib
import reports

BAD = "bad@example.net"


class NotifyTest(lib.Case):
    def setUp(self):
        super().setUp()
        self.host.script.replace([{"stage": "rcpt", "recipient": "bad*", "action": "reply",
                                   "text": "550 5.1.1 no such user"}])

    def send(self, *options, to=(BAD,)):
        done = self.daemon.sendmail("-i", "-f", lib.SENDER, *options, "--", *to)
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def check_silence(self, to=BAD):
        """The message was refused, nobody was told, and nothing of it is left."""
        self.daemon.wait_log(r"to=<%s>, .*status=bounced" % to)
        self.wait_idle()
        self.assertIsNone(self.daemon.logged("non-delivery notification"))
        self.assertEqual(self.host.records, [])

    def test_who_never_wants_to_be_told_is_not_told(self):
        self.daemon.start()
        self.send("-N", "never")
        self.check_silence()

    def test_who_wants_to_be_told_of_success_alone_is_not_told_of_failure(self):
        self.daemon.start()
        self.send("-N", "success,delay")
        self.check_silence()

    def test_parameters_on_the_socket_say_the_same(self):
        self.daemon.start()
        with smtplib.SMTP() as client:
            client.sock = self.daemon.connect()
            client.file = None
            self.assertEqual(client.getreply()[0], 220)
            client.ehlo("a.example")
            self.assertTrue(client.has_extn("dsn"))
            client.sendmail(lib.SENDER, [BAD], lib.WIRE, ["RET=HDRS", "ENVID=QQ+2B1"],
                            ["NOTIFY=NEVER", "ORCPT=rfc822;other@example.org"])
        self.check_silence()

    def test_a_session_through_sendmail_says_the_same(self):
        self.daemon.start()
        session = (b"EHLO x\nMAIL FROM:<%s>\nRCPT TO:<%s> NOTIFY=NEVER\nDATA\nSubject: x\n.\nQUIT\n"
                   % (lib.SENDER.encode(), BAD.encode()))
        self.assertEqual(self.daemon.sendmail("-bs", stdin=session).returncode, 0)
        self.check_silence()

    def test_a_dropped_message_says_the_same(self):
        os.chmod(self.place.directory(self.daemon.name, "spool"), 0o711)
        drop = self.place.directory(self.daemon.name, "spool", "drop")
        os.chmod(drop, 0o1733)
        done = self.daemon.sendmail("-N", "never", "-f", lib.SENDER, BAD, wait="0",
                                    env={"TRANTER_DROP": drop})
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.daemon.start()
        self.check_silence()

    def test_one_that_cannot_be_read_may_want_no_report_either(self):
        self.daemon.start()
        done = self.daemon.sendmail("-f", lib.SENDER, "-N", "never", "b@d@x", "good@example.net")
        self.assertEqual(done.returncode, 0)
        self.wait_kept(1)
        self.wait_idle()
        self.assertIsNone(self.daemon.logged("non-delivery notification"))

    def two_reports(self):
        """Of failure and of success, which software takes for a failure if they are one."""
        records = self.wait_kept(3)[1:]
        found = [reports.Report(self, self.host.content(record), lib.SENDER) for record in records]
        found.sort(key=lambda report: report.message["Subject"], reverse=True)
        self.assertEqual([report.message["Subject"] for report in found],
                         ["Undelivered Mail Returned to Sender", "Successful Mail Delivery Report"])
        return found

    def test_a_success_is_reported_where_the_smarthost_reports_none(self):
        self.daemon.start()
        self.send("-N", "success,failure", "-V", "QQ 1+2", to=("good@example.net", BAD))
        bad, good = self.two_reports()
        self.assertEqual(bad.actions(), [(BAD, "failed")])
        self.assertEqual(good.actions(), [("good@example.net", "relayed")])
        for report in (bad, good):
            self.assertEqual(report.of_message["Original-Envelope-Id"], "QQ 1+2")
        relayed = good.of_recipients[0]
        self.assertEqual((relayed["Status"], relayed["Remote-MTA"]), ("2.0.0", "dns; localhost"))
        self.assertRegex(relayed["Diagnostic-Code"], "smtp; 250 2.0.0 Ok: kept as ")
        self.assertTrue(relayed["Last-Attempt-Date"])
        self.wait_idle()
        self.check_manners()

    def test_of_an_alias_one_success_is_reported(self):
        self.daemon.settings["aliases"] = self.place.write(
            "aliases", "list: one@example.net, two@example.net, bad@example.net\n")
        self.daemon.start()
        self.send("-N", "success,failure", to=("list",))
        bad, good = self.two_reports()
        self.assertEqual(good.actions(), [("one@example.net", "relayed")])
        self.assertEqual(bad.actions(), [(BAD, "failed")])
        for report in (bad, good):
            self.assertEqual(report.of_recipients[0]["Original-Recipient"],
                             "rfc822; list@example.com")

    def test_a_success_alone_is_good_news_with_the_header_alone(self):
        self.daemon.start()
        self.send("-N", "success", "-R", "full", to=("good@example.net",))
        self.wait_kept(2)
        report = reports.wait_report(self, lib.SENDER, 2)
        self.assertEqual(report.message["Subject"], "Successful Mail Delivery Report")
        self.assertEqual(report.original.get_content_type(), "text/rfc822-headers")
        self.daemon.wait_log("sender delivery status notification: ")

    def test_of_what_requires_tls_the_report_does_too_and_has_the_header_alone(self):
        """RFC 8689 5."""
        self.host.script.replace([{"stage": "ehlo", "action": "offer", "words": ["REQUIRETLS"]},
                                  {"stage": "rcpt", "recipient": "bad*", "action": "reply",
                                   "text": "550 5.1.1 no such user"}])
        self.daemon.start()
        session = (b"EHLO x\nMAIL FROM:<%s> RET=FULL REQUIRETLS\nRCPT TO:<%s>\nDATA\nSubject: x\n"
                   b"\nfor you alone\n.\nQUIT\n" % (lib.SENDER.encode(), BAD.encode()))
        self.assertEqual(self.daemon.sendmail("-bs", stdin=session).returncode, 0)
        record = self.wait_kept(1)[0]
        self.assertIn("REQUIRETLS", record["parameters"])
        content = self.host.content(record)
        self.assertNotIn(b"for you alone", content)
        report = reports.Report(self, content, lib.SENDER)
        self.assertEqual(report.original.get_content_type(), "text/rfc822-headers")

    def test_a_success_is_not_reported_unasked(self):
        self.daemon.start()
        self.send(to=("good@example.net",))
        self.wait_kept(1)
        self.wait_idle()
        self.assertIsNone(self.daemon.logged("notification"))

    def test_who_reports_by_itself_is_asked_to_and_left_to_it(self):
        self.host.capabilities += ("DSN",)
        self.daemon.start()
        self.send("-N", "success,failure", "-V", "QQ 1", "-R", "hdrs", to=("good@example.net", BAD))
        record = self.wait_kept(2)[0]
        self.assertEqual((record["parameters"]["RET"], record["parameters"]["ENVID"]),
                         ("HDRS", "QQ+201"))
        self.assertEqual(record["asked_of_recipients"], [{"NOTIFY": "SUCCESS,FAILURE"}])
        report = reports.wait_report(self, lib.SENDER, 2)
        self.assertEqual(report.actions(), [(BAD, "failed")])
        self.wait_idle()
        self.check_manners()

    def test_the_original_recipient_is_named(self):
        self.daemon.start()
        session = (b"EHLO x\nMAIL FROM:<%s>\nRCPT TO:<%s> ORCPT=rfc822;list+2Bowner@example.org\n"
                   b"DATA\nSubject: x\n.\nQUIT\n" % (lib.SENDER.encode(), BAD.encode()))
        self.assertEqual(self.daemon.sendmail("-bs", stdin=session).returncode, 0)
        report = reports.wait_report(self, lib.SENDER)
        self.assertEqual(report.of_recipients[0]["Original-Recipient"],
                         "rfc822; list+owner@example.org")

    def returned(self, *options, message=lib.MESSAGE):
        done = self.daemon.sendmail("-i", "-f", lib.SENDER, *options, BAD, stdin=message)
        self.assertEqual(done.returncode, 0)
        return reports.wait_report(self, lib.SENDER).original

    def test_the_whole_message_comes_back_where_it_is_asked_for(self):
        self.daemon.start()
        original = self.returned("-R", "full")
        self.assertEqual(original.get_content_type(), "message/rfc822")
        whole = original.get_content()
        self.assertEqual(whole["Subject"], "a test")
        self.assertEqual(whole.get_content().rstrip("\r\n"), "One line.")

    def test_the_header_comes_back_where_that_is_asked_for_or_nothing(self):
        self.daemon.start()
        original = self.returned("-R", "hdrs")
        self.assertEqual(original.get_content_type(), "text/rfc822-headers")
        self.assertIn("Subject: a test", original.get_content())
        self.assertNotIn("One line.", original.get_content())

    def test_a_large_message_does_not_come_back_whole(self):
        self.daemon.start()
        original = self.returned("-R", "full", message=lib.MESSAGE + b"0123456789\n" * 6000)
        self.assertEqual(original.get_content_type(), "text/rfc822-headers")

    def test_a_whole_message_in_eight_bits_with_long_lines_comes_back_readable(self):
        self.daemon.start()
        text = "\u00e4\u00f6\u00fc " * 500
        original = self.returned("-R", "full", message=(
            "Subject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
            "Content-Transfer-Encoding: 8bit\n\n%s\n" % text).encode())
        whole = original.get_content()
        self.assertEqual(whole.get_content().split(), text.split())
        self.check_manners()


    def test_who_reads_reports_for_a_living_reads_ours(self):
        self.host.script.replace([
            {"stage": "rcpt", "recipient": "bad*", "action": "reply",
             "text": "550 5.1.1 <bad@example.net>: Recipient address rejected: User unknown"},
            {"stage": "rcpt", "recipient": "full*", "action": "reply",
             "text": "552 5.2.2 Mailbox is over quota"}])
        self.daemon.start()
        done = self.daemon.sendmail("-i", "-f", lib.SENDER, "-N", "success,failure", "good@example.net",
                                    BAD, "full@example.net",
                                    stdin=b"Message-ID: <the.one@example.com>\n" + lib.MESSAGE)
        self.assertEqual(done.returncode, 0)
        bad, _ = self.two_reports()
        told, *recipients = reports.read_by_bounce_parser(self, bad.message.as_bytes())
        self.assertEqual(told, ["bounce", "<the.one@example.com>"])
        self.assertEqual(sorted(recipients), [[BAD, "user_unknown", "550"],
                                              ["full@example.net", "over_quota", "552"]])

    def test_a_delay_and_a_success_are_no_bounce_to_it(self):
        self.daemon.settings.update({"warn-after": "1s", "retry-min": "1h", "retry-max": "1h"})
        self.host.script.replace([{"stage": "rcpt", "recipient": "late*", "action": "reply",
                                   "text": "450 4.2.1 Busy"}])
        self.daemon.start()
        self.send("-N", "success", to=("good@example.net",))
        self.wait_kept(2)
        self.send(to=("late@example.net",))
        self.wait_kept(3)
        for record in self.host.records[1:]:
            told, *_ = reports.read_by_bounce_parser(self, self.host.content(record))
            self.assertEqual(told[0], "none", self.host.content(record).decode())

    def test_addresses_in_utf8_make_it_a_global_report(self):
        self.host.capabilities += ("SMTPUTF8",)
        self.daemon.start()
        done = self.daemon.sendmail("-i", "-f", lib.SENDER, "-R", "full", "bad\u00f6@example.net",
                                    stdin="Subject: \u00e4\n\nx\n".encode())
        self.assertEqual(done.returncode, 0)
        report = reports.wait_report(self, lib.SENDER)
        self.assertEqual([part.get_content_type() for part in (report.status, report.original)],
                         ["message/global-delivery-status", "message/global"])
        self.check_manners()

    def test_a_global_report_passes_a_server_without_8bitmime(self):
        self.host.capabilities = ("PIPELINING", "CHUNKING")
        self.daemon.start()
        done = self.daemon.sendmail("-i", "-f", lib.SENDER, "-R", "full", "bad\u00f6@example.net",
                                    stdin="Subject: \u00e4\n\n\u00fc\n".encode())
        self.assertEqual(done.returncode, 0)
        content = self.host.content(self.wait_kept()[0])
        self.assertTrue(content.isascii(), content)
        for kind, words in ((b"message/global-delivery-status", b"Final-Recipient: utf-8; bad=C3=B6@"),
                            (b"message/global", b"Subject: =C3=A4\r\n")):
            header, body = re.search(rb"\r\n(Content-Type: %s\r\n[^\0]*?)\r\n\r\n([^\0]*?)\r\n--" % kind,
                                     content).groups()
            self.assertIn(b"Content-Transfer-Encoding: quoted-printable", header)
            self.assertIn(words, body)
        self.check_manners()


class ManyReportsTest(lib.Case):
    """A program that sends without end to who is not there, in the name of somebody else."""

    def test_an_address_gets_so_many_reports_an_hour_and_the_others_are_kept(self):
        self.host.script.replace([{"stage": "rcpt", "recipient": "bad*", "action": "reply",
                                   "text": "550 5.1.1 no such user"}])
        self.daemon.start()
        session = [b"EHLO x\r\n"]
        for n in range(103):
            session.append(b"MAIL FROM:<victim@example.com>\r\nRCPT TO:<bad%d@example.net>\r\nDATA\r\n"
                           b"Subject: %d\r\n\r\n.\r\n" % (n, n))
        session.append(b"QUIT\r\n")
        self.assertEqual(self.daemon.sendmail("-bs", stdin=b"".join(session)).returncode, 0)
        self.wait_kept(100, deadline=60)
        dead = lib.wait_for(lambda: (lambda q: q if len(q) == 3 else None)(self.daemon.queue()),
                            "three dead reports")
        for entry in dead:
            self.assertEqual((entry["state"], entry["sender"]), ("dead", ""))
            self.assertEqual(entry["recipients"][0]["address"], "victim@example.com")
            self.assertEqual(entry["recipients"][0]["code"], "REPORT-LIMIT")
        self.daemon.wait_log(r"kept as dead: the sender of \w+ got 100 reports within an hour")
        self.daemon.submit("bad@example.net")
        self.wait_kept(101)


if __name__ == "__main__":
    lib.main()
