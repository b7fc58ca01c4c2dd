# SPDX-License-Identifier: GPL-3.0-or-later
"""A sender says when to be told of what (RFC 3461): by options of sendmail, by parameters on the
socket, and in dropped files."""

import os
import smtplib

import lib

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


if __name__ == "__main__":
    lib.main()
