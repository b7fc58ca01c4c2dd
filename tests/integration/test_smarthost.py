# SPDX-License-Identifier: GPL-3.0-or-later
"""The smarthost of the tests notices what it is there to notice."""

import json
import os
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

import lib
from certificates import Certificates
from smarthost import Smarthost

TEXT = b"Subject: x\r\n\r\n.dot\r\n..\r\nend\r\n"


class SmarthostTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="tranter.")
        cls.certificates = Certificates.make(os.path.join(cls.directory.name, "certificates"))

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()

    def setUp(self):
        self.host = self.start()

    def start(self, **options):
        directory = os.path.join(self.directory.name, self._testMethodName)
        host = Smarthost(directory, self.certificates, **options).start()
        self.addCleanup(host.stop)
        return host

    def trust(self):
        return ssl.create_default_context(cafile=self.certificates.ca)

    def client(self, login=True):
        client = smtplib.SMTP("localhost", self.host.port, timeout=10)
        self.addCleanup(client.close)
        client.starttls(context=self.trust())
        if login:
            client.login(lib.USER, lib.PASSWORD)
        return client

    def speak(self, *pieces):
        """Send each piece after a reply, in clear; then read until the end of file."""
        with socket.create_connection(("127.0.0.1", self.host.port), 10) as sock:
            sock.recv(4096)
            for piece in pieces:
                sock.sendall(piece)
                sock.recv(4096)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(4096):
                pass

    def assert_violation(self, pattern):
        lib.wait_for(lambda: self.host.violations, "a violation", 5)
        self.assertRegex("\n".join(self.host.violations), pattern)

    def test_a_good_client_is_served_and_recorded(self):
        client = self.client()
        client.sendmail("a@b.example", ["c@d.example", "e@f.example"], TEXT)
        client.quit()
        self.assertEqual(self.host.violations, [])
        with open(self.host.path_of(1)[:-3] + "json", encoding="utf-8") as file:
            record = json.load(file)
        self.assertEqual(record["recipients"], ["c@d.example", "e@f.example"])
        self.assertEqual((record["user"], record["mechanism"]), (lib.USER, "PLAIN"))
        self.assertRegex(record["tls"], r"^TLSv1\.[23]$")
        self.assertEqual(self.host.content(record), TEXT)

    def test_login_works_and_a_wrong_password_does_not(self):
        self.host.mechanisms = ("LOGIN",)
        self.client().quit()
        client = self.client(login=False)
        with self.assertRaises(smtplib.SMTPAuthenticationError):
            client.login(lib.USER, "wrong")

    def test_mail_without_a_login_is_refused(self):
        with self.assertRaises(smtplib.SMTPSenderRefused):
            self.client(login=False).sendmail("a@b.example", ["c@d.example"], TEXT)
        self.assert_violation("before a login")

    def test_clear_text_is_noticed(self):
        self.speak(b"EHLO a.example\r\n", b"AUTH PLAIN AGEAYg==\r\n")
        self.assert_violation("AUTH in clear")

    def test_pipelining_behind_starttls_is_noticed(self):
        self.speak(b"EHLO a.example\r\n", b"STARTTLS\r\nEHLO a.example\r\n")
        self.assert_violation("before the reply to STARTTLS")

    def test_pipelining_that_was_not_offered_is_noticed(self):
        self.host.capabilities = ()
        self.speak(b"EHLO a.example\r\n", b"RSET\r\nRSET\r\n")
        self.assert_violation("before the reply to RSET")

    def test_speaking_first_is_noticed(self):
        self.host.script.replace([{"stage": "greeting", "action": "delay", "seconds": 0.2}])
        with socket.create_connection(("127.0.0.1", self.host.port), 10) as sock:
            sock.sendall(b"EHLO a.example\r\n")
            sock.recv(100)
        self.assert_violation("before the reply to the connect")

    def test_bad_lines_are_noticed(self):
        for bad, pattern in ((b"EHLO a.example\n", "bare LF"), (b"EHLO a b\r\n", "neither"),
                             (b"NOOP \xff\r\n", "must not have"), (b"FOO\r\n", "unknown"),
                             (b"NOOP " + b"x" * 600 + b"\r\n", "longer")):
            with self.subTest(bad=bad[:20]):
                self.host.violations.clear()
                self.speak(bad)
                self.assert_violation(pattern)

    def test_bad_content_is_noticed(self):
        for bad, pattern in ((b"a\nb\r\n", "bare LF"), (b"a\rb\r\n", "bare CR"),
                             (b"a\r\r\n", "bare CR"), (b"a\0\r\n", "NUL"),
                             (b"\xe4\r\n", "8BITMIME"), (b".a\r\n", "doubled"),
                             (b"a" * 999 + b"\r\n", "longer than 998")):
            with self.subTest(bad=bad[:20]):
                self.host.violations.clear()
                client = self.client()
                client.mail("a@b.example")
                client.rcpt("c@d.example")
                client.docmd("DATA")
                client.send(bad + b".\r\n")
                client.getreply()
                self.assert_violation(pattern)

    def test_a_false_size_and_foreign_parameters_are_noticed(self):
        client = self.client()
        client.mail("a@b.example", ["SIZE=1"])
        client.rcpt("c@d.example")
        client.data(TEXT)
        self.assert_violation("SIZE=1, but")
        self.host.violations.clear()
        client.mail("a@b.example", ["RET=HDRS"])
        self.assert_violation("not offered")

    def test_the_script_is_followed(self):
        self.host.script.replace([
            {"stage": "rcpt", "recipient": "bad@*", "action": "reply", "text": "550 5.1.1 No"},
            {"stage": "mail", "message": 2, "action": "reply", "text": "421 4.3.0 Enough"}])
        client = self.client()
        refused = client.sendmail("a@b.example", ["bad@d.example", "c@d.example"], TEXT)
        self.assertEqual(refused, {"bad@d.example": (550, b"5.1.1 No")})
        self.assertEqual(client.mail("a@b.example")[0], 421)

    def test_a_stop_within_a_content_keeps_nothing_of_it(self):
        for _ in range(4):
            client = self.client()
            client.mail("a@example.com")
            client.rcpt("b@example.net")
            client.docmd("DATA")
            stops = threading.Thread(target=self.host.stop)
            stops.start()
            with self.assertRaises((OSError, smtplib.SMTPException)):
                while True:
                    client.send(b"x" * 70 + b"\r\n")
            stops.join()
            self.host.start()
        self.assertEqual((self.host.records, self.host.violations), ([], []))

    def test_a_wrong_certificate_is_shown_when_asked_for(self):
        for kind in ("expired", "wrongname", "selfsigned"):
            with self.subTest(kind=kind):
                self.host.certificate = kind
                with self.assertRaises(ssl.SSLCertVerificationError):
                    self.client()

    def test_it_runs_as_a_program(self):
        directory = os.path.join(self.directory.name, "program")
        program = os.path.join(os.path.dirname(lib.__file__), "..", "smarthost.py")
        process = subprocess.Popen([sys.executable, program, "--directory", directory,
                                    "--starttls", "0", "--implicit", "0", "--user", "u:p"])
        try:
            ready = os.path.join(directory, "ready.json")
            lib.wait_for(lambda: os.path.exists(ready), "ready.json")
            with open(ready, encoding="utf-8") as file:
                facts = json.load(file)
            context = ssl.create_default_context(cafile=facts["ca"])
            with smtplib.SMTP_SSL("localhost", facts["implicit"], context=context) as client:
                client.login("u", "p")
        finally:
            process.terminate()
        self.assertEqual(process.wait(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
