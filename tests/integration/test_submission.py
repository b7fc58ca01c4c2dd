# SPDX-License-Identifier: GPL-3.0-or-later
"""The submission socket: ESMTP and LMTP, strict, bounded, and fair to its other clients."""

import contextlib
import re
import shutil
import smtplib
import socket
import threading
import time

import lib

LARGE = 50 * 1000 * 1000
MEMORY_KIB = 64 * 1024


class Client:
    """A client that speaks plainly, so that a test decides on each byte."""

    def __init__(self, sock):
        self.sock = sock
        self.lines = sock.makefile("rb")

    def reply(self):
        """The next reply: its lines, joined by a line feed; "" at the end of file."""
        text = []
        while True:
            line = self.lines.readline().decode("ascii").rstrip("\r\n")
            text.append(line)
            if line[3:4] != "-":
                return "\n".join(text)

    def send(self, data):
        self.sock.sendall(data)

    def say(self, line):
        self.send(line.encode("latin-1") + b"\r\n")
        return self.reply()

    def begin(self, hello="EHLO a.example", sender=lib.SENDER, recipients=(lib.RECIPIENT,)):
        """Up to the 354 of DATA."""
        answers = [self.say(hello), self.say("MAIL FROM:<%s>" % sender)]
        answers += [self.say("RCPT TO:<%s>" % recipient) for recipient in recipients]
        answers.append(self.say("DATA"))
        return answers


class SubmissionCase(lib.Case):
    def client(self, address=None):
        if address:
            sock = socket.create_connection(address, lib.PATIENCE)
        else:
            sock = self.daemon.connect()
        self.addCleanup(sock.close)
        client = Client(sock)
        self.assertRegex(client.reply(), r"^220 client\.example\.com ")
        return client


class SubmissionTest(SubmissionCase):
    def setUp(self):
        super().setUp()
        self.port = lib.free_port()
        self.daemon.listen.append("127.0.0.1:%d" % self.port)
        self.daemon.settings["recipient-limit"] = 5
        self.daemon.start()

    def test_smtplib_delivers_by_lmtp_over_the_socket(self):
        with smtplib.LMTP(self.daemon.socket) as client:
            # One recipient: smtplib reads one reply after the content, LMTP gives one for each.
            client.sendmail(lib.SENDER, [lib.RECIPIENT], lib.WIRE)
        record = self.wait_kept()[0]
        self.assertEqual(record["recipients"], [lib.RECIPIENT])
        self.assertRegex(self.host.content(record), rb"\AReceived: [^:]* with LMTP")
        self.check_manners()

    def test_smtplib_delivers_by_smtp_over_loopback(self):
        with smtplib.SMTP("127.0.0.1", self.port) as client:
            client.sendmail(lib.SENDER, [lib.RECIPIENT], lib.WIRE)
        record = self.wait_kept()[0]
        self.assertRegex(self.host.content(record), rb"\AReceived: [^:]* with ESMTP")
        self.check_manners()

    def test_only_what_is_honoured_is_advertised(self):
        words = self.client().say("EHLO a.example").split("\n")[1:]
        offered = {word[4:].split(" ")[0] for word in words}
        self.assertLessEqual({"PIPELINING", "SIZE", "8BITMIME", "ENHANCEDSTATUSCODES"}, offered)
        self.assertLessEqual(offered, {"PIPELINING", "SIZE", "8BITMIME", "ENHANCEDSTATUSCODES",
                                       "SMTPUTF8", "DSN", "XTRANTER"})
        self.assertRegex("\n".join(words), r"(?m)^250[- ]XTRANTER RCPTMAX=\d+$")
        network = self.client(("127.0.0.1", self.port)).say("EHLO a.example")
        self.assertNotIn("XTRANTER", network)

    def test_a_message_in_a_circle_is_refused(self):
        circle = b"Received: x\r\n" * 51
        here = (b"Received: from a\r\n\tby client.example.com (tranter) with ESMTP id 1;\r\n"
                b"\tThu, 1 Jan 1970 00:00:00 +0000\r\n") * 4
        client = self.client()
        for header in (circle, here):
            client.begin()
            client.send(header + lib.WIRE + b".\r\n")
            self.assertRegex(client.reply(), r"^554 5\.4\.6 Too many hops")
            done = self.daemon.sendmail("-i", lib.RECIPIENT, stdin=header + lib.MESSAGE)
            self.assertEqual(done.returncode, 69)
            self.assertIn(b"circle", done.stderr)
        self.assertEqual(self.host.records, [])

    def test_a_pipelined_session_in_one_write_is_answered_in_order(self):
        client = self.client()
        client.say("EHLO a.example")
        client.send(b"MAIL FROM:<app@example.com>\r\nRCPT TO:<one@example.net>\r\n"
                    b"RCPT TO:<bad address>\r\nRCPT TO:<two@example.net>\r\nDATA\r\n")
        codes = [client.reply()[:3] for _ in range(5)]
        self.assertEqual(codes[0:2] + codes[3:5], ["250", "250", "250", "354"])
        self.assertRegex(codes[2], "5..")
        client.send(b"Subject: x\r\n\r\n.\r\nMAIL FROM:<app@example.com>\r\nRSET\r\nQUIT\r\n")
        self.assertEqual([client.reply()[:3] for _ in range(4)], ["250", "250", "250", "221"])
        self.assertEqual(self.wait_kept()[0]["recipients"], ["one@example.net", "two@example.net"])

    def test_lmtp_answers_for_each_recipient(self):
        client = self.client()
        client.begin("LHLO a.example", recipients=["a@example.net", "b@example.net"])
        client.send(b"Subject: x\r\n\r\n.\r\n")
        self.assertEqual([client.reply()[:3] for _ in range(2)], ["250", "250"])
        self.assertRegex(client.say("NOOP"), "^250")

    def test_commands_out_of_order_are_503_or_501_and_harmless(self):
        client = self.client()
        for line, code in (("MAIL FROM:<a@example.com>", "503"), ("EHLO a.example", "250"),
                           ("RCPT TO:<a@example.com>", "503"), ("DATA", "503"),
                           ("MAIL FROM:<a@example.com> FOO=bar", "555"),
                           ("MAIL FROM:<a@b@c>", "5.."), ("MAIL FROM:<a@example.com>", "250"),
                           ("MAIL FROM:<a@example.com>", "503"), ("DATA", "503"), ("RSET", "250"),
                           ("VRFY root", "252"), ("STARTTLS", "50."), ("AUTH PLAIN AGEAYg==", "50."),
                           ("NOOP", "250")):
            with self.subTest(line=line):
                self.assertRegex(client.say(line), "^%s[ -]" % code)

    def test_limits_of_recipients_line_and_size_are_told(self):
        client = self.client()
        client.say("EHLO a.example")
        answer = client.say("MAIL FROM:<a@example.com> SIZE=999999999")
        self.assertRegex(answer, r"^552 5\.3\.4 .*\d")
        client.say("MAIL FROM:<a@example.com>")
        for number in range(5):
            self.assertRegex(client.say("RCPT TO:<r%d@example.net>" % number), "^250")
        self.assertRegex(client.say("RCPT TO:<r5@example.net>"), r"^452 4\.5\.3 .*\b5\b")
        self.assertRegex(client.say("RSET"), "^250")
        self.assertRegex(client.say("NOOP " + "x" * 5000), "^5")
        self.assertRegex(client.say("NOOP"), "^250")

    def test_bare_line_ends_are_refused_after_the_true_end(self):
        for content in (b"Subject: x\r\n\r\na\n.\nMAIL FROM:<evil@example.com>\r\n",
                        b"Subject: x\r\n\r\na\n.\r\nRSET\r\n", b"Subject: x\r\n\r\na\r.\r\nb\r\n",
                        b"Subject: x\r\n\r\na\r\n.\rb\r\n", b"Subject: x\r\n\r\na\r\n.\nb\r\n",
                        b"Subject: x\n\nbody\r\n"):
            with self.subTest(content=content):
                client = self.client()
                client.begin()
                client.send(content + b".\r\n")
                self.assertRegex(client.reply(), r"^55\d 5\.\d\.\d+ .*(?:CR|LF)")
                self.assertRegex(client.say("NOOP"), "^250")
        self.assertEqual(self.daemon.queue(), [])
        self.assertEqual(self.host.records, [])

    def test_an_http_request_over_loopback_ends_the_session(self):
        with socket.create_connection(("127.0.0.1", self.port), lib.PATIENCE) as sock:
            sock.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\nMAIL FROM:<a@example.com>\r\n"
                         b"RCPT TO:<b@example.net>\r\nDATA\r\nx\r\n.\r\n")
            heard = b""
            with contextlib.suppress(ConnectionResetError):
                while True:
                    data = sock.recv(4096)
                    if not data:
                        break
                    heard += data
        self.assertNotRegex(heard, rb"(?m)^(250|354)")
        self.assertEqual(self.daemon.queue(), [])

    def test_a_client_that_leaves_before_the_end_leaves_nothing(self):
        client = self.client()
        client.begin()
        client.send(b"Subject: x\r\n\r\n" + b"x" * 70 + b"\r\n" * 3000)
        client.sock.close()
        self.assertRegex(self.client().say("EHLO a.example"), "^250")
        self.assertEqual(self.daemon.queue(), [])
        self.assertEqual(self.host.records, [])

    def test_a_header_without_end_is_refused_and_body_of_that_size_is_not(self):
        field = b"X-Long: " + b"h" * 60 + b"\r\n"
        for content, code in ((field * 20000 + b"\r\nx\r\n", r"55\d 5\.\d\.\d .*\d"),
                              (b"Subject: x\r\n\r\n" + field * 20000, "250 ")):
            client = self.client()
            client.begin()
            client.send(content + b".\r\n")
            self.assertRegex(client.reply(), "^" + code)
        self.wait_kept(1)

    def test_a_hop_loop_is_refused(self):
        client = self.client()
        client.begin()
        client.send(b"Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\r\n" * 60 +
                    b"Subject: x\r\n\r\n.\r\n")
        self.assertRegex(client.reply(), r"^554 5\.4\.6 ")

    def test_twenty_bad_commands_end_the_session(self):
        client = self.client()
        answers = []
        for _ in range(30):
            answers.append(client.say("FROBNICATE"))
            if answers[-1].startswith("421"):
                break
        self.assertTrue(answers[-1].startswith("421"), answers[-1])


class RepeatTest(SubmissionCase):
    """A client that did not hear the answer submits again, with the same id."""

    XID = "0123456789abcdef0123456789abcdef"

    def setUp(self):
        super().setUp()
        self.host.stop()  # what is accepted stays in the queue
        self.daemon.start()

    def hand_in(self, xid, content=b"Subject: x\r\n\r\nonce\r\n"):
        client = self.client()
        client.say("EHLO a.example")
        self.assertRegex(client.say("MAIL FROM:<%s> XID=%s" % (lib.SENDER, xid)), "^250")
        self.assertRegex(client.say("RCPT TO:<%s>" % lib.RECIPIENT), "^250")
        self.assertRegex(client.say("DATA"), "^354")
        client.send(content + b".\r\n")
        return client

    def queued_as(self, client):
        return re.fullmatch(r"250 2\.0\.0 Ok: queued as ([0-9A-F]+)", client.reply())[1]

    def deliver(self, n):
        self.host.start()
        self.daemon.tranterctl("retry", "--all", user=(0, 0) if self.place.user else None)
        self.wait_kept(n)
        self.wait_idle()

    def test_a_kill_before_the_reply_and_a_second_submission_yield_one_message(self):
        self.hand_in(self.XID)
        first = self.daemon.wait_log(r"([0-9A-F]+): message-id=")[1]
        self.daemon.kill()
        self.daemon.start()
        self.daemon.mark()
        self.assertEqual(self.queued_as(self.hand_in(self.XID)), first)
        self.daemon.wait_log(first + r": submitted again by uid \d+")
        self.assertEqual([entry["queue_id"] for entry in self.daemon.queue()], [first])
        self.deliver(1)

    def test_a_second_submission_after_the_delivery_sends_nothing(self):
        first = self.queued_as(self.hand_in(self.XID))
        self.deliver(1)
        large = b"Subject: x\r\n\r\n" + b"again\r\n" * 50000
        self.assertEqual(self.queued_as(self.hand_in(self.XID, large)), first)
        self.assertEqual(self.daemon.queue(), [])
        self.assertEqual(self.daemon.stop(), 0)
        self.assertEqual(len(self.host.records), 1)

    def test_another_id_is_another_message(self):
        first = self.queued_as(self.hand_in(self.XID))
        self.assertNotEqual(self.queued_as(self.hand_in(self.XID[::-1])), first)
        self.deliver(2)


class FullTest(SubmissionCase):
    def test_a_disk_that_is_nearly_full_takes_no_mail_and_sends_what_it_has(self):
        free = shutil.disk_usage(self.place.path).free
        if free >= 1 << 40:
            self.skipTest("more than 1024 GiB are free, which is the largest limit there is")
        self.host.stop()
        self.daemon.start().submit()
        self.daemon.wait_log(lib.WAITS)
        self.daemon.stop()
        self.daemon.settings["minimum-free-space"] = "1024G"
        self.daemon.start()
        done = self.daemon.sendmail("-i", lib.RECIPIENT)
        self.assertEqual(done.returncode, 71)
        self.assertRegex(done.stderr, rb"\Asendmail: [ -~]+(space|free|full)[ -~]*\n\Z")
        client = self.client()
        client.say("EHLO a.example")
        self.assertRegex(client.say("MAIL FROM:<a@example.com>"), r"^452 4\.3\.1 ")
        self.host.start()
        self.wait_kept()
        self.daemon.wait_queue(0)


class LoadTest(SubmissionCase):
    def setUp(self):
        super().setUp()
        self.daemon.start()

    def test_50_mb_pass_in_constant_memory(self):
        self.daemon.submit()
        self.wait_kept()
        before = self.daemon.memory_kib()
        content = b"Subject: large\r\n\r\n" + (b"z" * 76 + b"\r\n") * (LARGE // 78)
        client = self.client()
        client.begin()
        client.send(content)
        client.send(b".\r\n")
        self.assertRegex(client.reply(), "^250")
        record = self.wait_kept(2, deadline=60)[-1]
        self.assertTrue(self.host.content(record).endswith(content[-LARGE // 2:]))
        peak = self.daemon.memory_kib()
        print("    peak %d KiB, before %d KiB" % (peak, before), end=" ")
        if not lib.sanitized():
            self.assertLess(peak, MEMORY_KIB)
            self.assertLess(peak - before, 24 * 1024)
        self.check_manners()

    def test_500_idle_clients_and_a_slow_one_harm_nobody(self):
        slow = self.client()
        slow.begin()
        stop = threading.Event()

        def drip():
            with contextlib.suppress(OSError):
                for byte in b"Subject: slow\r\n\r\n" + b"x" * 1000:
                    slow.send(bytes([byte]))
                    if stop.wait(1):
                        return
        dripper = threading.Thread(target=drip, daemon=True)
        dripper.start()
        idle = [self.daemon.connect() for _ in range(500)]
        try:
            for sock in idle:
                self.assertEqual(sock.recv(3), b"220")
            began = time.monotonic()
            for _ in range(10):
                self.daemon.submit()
            self.wait_kept(10)
            self.assertLess(time.monotonic() - began, 10)
            self.assertEqual(self.daemon.queue(), [])
            print("    resident %d KiB" % self.daemon.memory_kib("VmRSS"), end=" ")
        finally:
            stop.set()
            dripper.join()
            for sock in idle:
                sock.close()

    def test_four_submitters_at_once_lose_nothing(self):
        def submit(name):
            with smtplib.LMTP(self.daemon.socket) as client:
                for number in range(25):
                    client.sendmail(lib.SENDER, [lib.RECIPIENT],
                                    b"Subject: %s-%d\r\n\r\nx\r\n" % (name, number))
        self.daemon.submit()
        self.wait_kept()
        open_before = self.daemon.open_files()
        threads = [threading.Thread(target=submit, args=(name,)) for name in (b"a", b"b", b"c", b"d")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        subjects = {re.search(rb"Subject: (.*)\r", self.host.content(record))[1]
                    for record in self.wait_kept(101)}
        self.assertEqual(len(subjects), 101)
        self.daemon.wait_queue(0)
        lib.wait_for(lambda: not self.host.open_sessions(), "the end of idle connections")
        lib.wait_for(lambda: self.daemon.open_files() <= open_before, "closed files")
        self.check_manners()


if __name__ == "__main__":
    lib.main()
