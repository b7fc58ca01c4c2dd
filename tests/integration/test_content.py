# SPDX-License-Identifier: GPL-3.0-or-later
"""Content that does not fit the line limit or the smarthost: changed on its way out, so that its
meaning arrives, while the queue keeps what came. Python's parser is the judge of what arrives."""

import email
import email.policy
import random

import lib
from smarthost import CHUNKING

SEVEN = ("PIPELINING", "SIZE 104857600", "ENHANCEDSTATUSCODES")
MEBIBYTE = 1024 * 1024
LINE = "0123456789 =\u00f6\u20ac\U0001d11e-.\t".encode() * (MEBIBYTE // 24)


def text(body, *fields):
    """A message as a program writes it, with LF."""
    head = (b"From: app@example.com", b"To: rcpt@example.net", b"Subject: a test") + fields
    return b"\n".join(head) + b"\n\n" + body


def part(kind, body, encoding=b"8bit"):
    return (b"--limit\nContent-Type: " + kind + b"\nContent-Transfer-Encoding: " + encoding +
            b"\n\n" + body + b"\n")


def words(mail):
    """The text of a part as its characters, with LF."""
    return mail.get_content().replace("\r\n", "\n")


class ContentCase(lib.Case):
    capabilities = None

    def setUp(self):
        super().setUp()
        if self.capabilities:
            self.host.capabilities = self.capabilities
        self.daemon.start()

    def deliver(self, message):
        """Hand a message in, and give what arrived, with its record."""
        n = len(self.host.records)
        self.daemon.submit(message=message)
        record = self.wait_kept(n + 1)[n]
        return self.host.content(record), record

    def parsed(self, message):
        """What arrived, read by Python's parser, which must find nothing wrong with it."""
        raw, _ = self.deliver(message)
        mail = email.message_from_bytes(raw, policy=email.policy.SMTP)
        for one in mail.walk():
            self.assertEqual(one.defects, [], one.get_content_type())
        return mail

    def body(self, message):
        """The body that a reader of the arrived message sees, as it was handed in."""
        return self.parsed(message).get_payload(decode=True).replace(b"\r\n", b"\n")

    def check_untouched(self, message):
        raw, _ = self.deliver(message)
        self.assertTrue(raw.endswith(message.replace(b"\n", b"\r\n").split(b"\r\n\r\n", 1)[1]))
        return raw


class LongLineTest(ContentCase):
    def test_lines_of_998_octets_pass_unchanged(self):
        for line in (b"x" * 998, b"." * 998, b"x" * 996 + "ö".encode(), b"x" * 997):
            raw = self.check_untouched(text(line + b"\n" + line + b"\nend\n"))
            self.assertNotIn(b"Content-Transfer-Encoding", raw)
        self.assertFalse(self.daemon.logged("content changed"))
        self.check_manners()

    def test_longer_lines_of_a_plain_message_arrive_as_they_were_written(self):
        for line in (b"x" * 999, b"x" * 997 + "ö".encode(), b"." * 999, b" " * 999, b"=" * 999,
                     b"x" * MEBIBYTE, LINE, b"\t" * MEBIBYTE):
            body = b"before\n\n" + line + b"\n.\n" + line + b"\nFrom behind \n"
            self.assertEqual(self.body(text(body)), body)
        self.check_manners()

    def test_what_is_added_says_what_the_body_is(self):
        for line, charset in ((b"x" * 999, "us-ascii"), ("ö".encode() * 500, "utf-8"),
                              (b"\xff" * 999, "unknown-8bit")):
            mail = self.parsed(text(line + b"\n"))
            self.assertEqual(mail["MIME-Version"], "1.0")
            self.assertEqual(mail.get_content_type(), "text/plain")
            self.assertEqual(mail.get_param("charset"), charset)
        self.check_manners()

    def test_a_text_with_its_own_type_keeps_it(self):
        line = "ö".encode("latin-1") * 5000
        for encoding in (b"8bit", b"7bit", b"binary"):
            mail = self.parsed(text(b"<p>" + line + b"\n", b"MIME-Version: 1.0",
                                    b"Content-Transfer-Encoding: " + encoding,
                                    b"Content-Type: text/html; charset=iso-8859-1"))
            self.assertEqual(mail.get_all("Content-Transfer-Encoding"), ["quoted-printable"])
            self.assertEqual(mail.get_content_type(), "text/html")
            self.assertEqual(words(mail), "<p>" + "ö" * 5000 + "\n")
        self.check_manners()

    def test_any_other_body_is_broken_with_a_blank(self):
        head = (b"MIME-Version: 1.0", b"Content-Type: multipart/mixed; boundary=limit")
        body = part(b"text/plain", LINE) + b"--limit--\n"
        raw, _ = self.deliver(text(body, *head))
        arrived = raw.split(b"\r\n\r\n", 1)[1]
        self.assertEqual(arrived.replace(b"\r\n ", b""), body.replace(b"\n", b"\r\n"))
        for line in arrived.split(b"\r\n"):
            line.decode()  # no character was cut
        self.assertTrue(self.daemon.logged("header lines folded: 0, body lines broken: 1, parts "
                                           "encoded anew: 0$"))
        self.check_manners()

    def test_headers_are_folded_and_mean_the_same(self):
        names = ", ".join("Name %d <r%d@example.net>" % (n, n) for n in range(10000))
        words = " ".join("word%d" % n for n in range(1000))
        mail = self.parsed(text(b"body\n", b"Cc: " + names.encode(), b"X-Words: " + words.encode()))
        self.assertEqual(mail["X-Words"], words)
        self.assertEqual([a.addr_spec for a in mail["Cc"].addresses],
                         ["r%d@example.net" % n for n in range(10000)])
        self.assertEqual(mail.get_payload(), "body\r\n")
        self.check_manners()

    def test_a_header_without_blanks_is_folded_hard(self):
        long = "ö" * 2000
        raw, _ = self.deliver(text(b"body\n", b"X-Long:" + long.encode(),
                                   b"X-Mebi: " + b"m" * (MEBIBYTE - 99000)))
        head = raw.split(b"\r\n\r\n", 1)[0].decode()
        self.assertIn("X-Long:" + long, head.replace("\r\n ", ""))
        self.assertIn("X-Mebi:" + "m" * (MEBIBYTE - 99000), head.replace("\r\n ", ""))
        self.check_manners()

    def test_random_bodies_arrive_as_they_were_written(self):
        chance = random.Random(998)
        for _ in range(20):
            lines = [bytes(chance.choices(b" \t=-.xyzF\xc3\xb6\xff\x01", k=chance.choice(
                (0, 1, 3, 75, 76, 77, 998, 999, 5000, 70000)))) for _ in range(chance.randrange(9))]
            body = b"\n".join([b"x" * 1000] + lines) + b"\n"
            self.assertEqual(self.body(text(body)), body)
        self.check_manners()

    def test_fifty_mebibytes_on_one_line_take_no_memory(self):
        body = LINE * 48 + b"\n"
        self.daemon.submit()
        self.wait_kept(1)
        before = self.daemon.memory_kib()
        self.daemon.submit(message=text(body))
        record = self.wait_kept(2, deadline=60)[1]
        if not lib.sanitized():
            self.assertLess(self.daemon.memory_kib() - before, 16 * 1024)
        mail = email.message_from_bytes(self.host.content(record))
        self.assertEqual(mail.get_payload(decode=True), body.replace(b"\n", b"\r\n"))
        self.check_manners()

    def test_a_report_about_such_a_message_has_no_long_line(self):
        self.host.script.replace([{"stage": "rcpt", "action": "reply", "text": "550 5.1.1 No",
                                   "recipient": lib.RECIPIENT}])
        self.daemon.submit(message=text(b"body\n", b"X-Long: " + b"x" * 5000))
        record = self.wait_kept(1)[0]
        self.assertEqual(record["recipients"], [lib.SENDER])
        self.assertIn(b"xxxx", self.host.content(record))
        self.wait_idle()
        self.check_manners()


class LongLineChunkedTest(LongLineTest):
    """The smarthost takes BDAT."""

    capabilities = CHUNKING


class QueueTest(ContentCase):
    def test_the_queue_keeps_what_came(self):
        """One smarthost without 8BITMIME refuses for now; one with it gets what was written."""
        first, second = self.host, self.new_host()
        first.capabilities = SEVEN
        first.script.replace([{"stage": "dot", "action": "reply", "text": "451 4.3.0 Later"}])
        body = "Grüße\n".encode() + b"x" * 998 + b"\n"
        message = text(body)
        self.daemon.submit(message=message)
        self.daemon.wait_log("status=deferred")
        self.assertTrue(self.daemon.logged("content changed .* parts encoded anew: 1; it does not "
                                           "offer 8BITMIME"))
        self.daemon.smarthosts.clear()
        self.daemon.add_smarthost(second)
        self.daemon.stop()
        self.daemon.start()
        record = self.wait_kept(1, host=second)[0]
        self.assertTrue(second.content(record).endswith(b"\r\n\r\n" + body.replace(b"\n", b"\r\n")))
        self.assertEqual(record["parameters"]["BODY"], "8BITMIME")
        self.check_manners()

    def test_a_server_that_leaves_while_content_is_measured_loses_nothing(self):
        self.host.script.replace([{"stage": "auth", "action": "close", "times": 1,
                                   "text": "235 2.7.0 Authentication successful"}])
        body = LINE * 10 + b"\n"
        self.assertEqual(self.body(text(body)), body)
        self.wait_idle()
        self.assertEqual(self.host.sessions, 2)
        self.check_manners()


class SevenBitTest(ContentCase):
    """The smarthost does not offer 8BITMIME."""

    capabilities = SEVEN

    def test_plain_text_arrives_as_it_was_written(self):
        for line in ("Grüße =".encode(), b"\xff\xfe", LINE):
            body = line + b" \n\nend\n"
            self.assertEqual(self.body(text(body)), body)
        self.check_manners()

    def test_ascii_passes_unchanged(self):
        self.check_untouched(text(b"plain\n.\n" + b"x" * 998 + b"\n"))
        self.assertFalse(self.daemon.logged("content changed"))
        self.check_manners()

    def test_a_text_with_its_own_type_keeps_it(self):
        mail = self.parsed(text("Grüße\n".encode("latin-1"), b"MIME-Version: 1.0",
                                b"Content-Type: text/plain; charset=iso-8859-1",
                                b"Content-Transfer-Encoding: 8bit"))
        self.assertEqual(words(mail), "Grüße\n")
        self.check_manners()

    def test_each_part_is_encoded_on_its_own(self):
        inner = b"Subject: within\nMIME-Version: 1.0\n\n" + "innen ß\n".encode()
        image = bytes(byte for byte in range(1, 256) if byte not in b"\r\n") * 3 + b"\n\nx"
        encoded = part(b"application/x", b"w7Y=", b"base64")
        mail = self.parsed(text(
            b"\n" + part(b"text/plain; charset=utf-8", "Grüße\n".encode()) +
            part(b"image/x-raw", image) + encoded + part(b"message/rfc822", inner) +
            part(b"text/plain", b"ascii", b"7bit") + b"--limit--\n", b"MIME-Version: 1.0",
            b"Content-Transfer-Encoding: 8bit", b"Content-Type: multipart/mixed; boundary=limit"))
        parts = mail.get_payload()
        self.assertEqual(words(parts[0]), "Grüße\n")
        self.assertEqual(parts[1].get_content(), image.replace(b"\n", b"\r\n"))
        self.assertEqual(parts[1]["Content-Transfer-Encoding"], "base64")
        self.assertEqual(parts[2].get_content(), "ö".encode())
        self.assertEqual(words(parts[3].get_content()), "innen ß\n")
        self.assertEqual(parts[4]["Content-Transfer-Encoding"], "7bit")
        self.assertEqual(mail["Content-Transfer-Encoding"], "7bit")
        self.check_manners()

    def test_what_is_signed_goes_out_untouched(self):
        body = part(b"text/plain; charset=utf-8", "Grüße\n".encode()) + b"--limit--\n"
        self.check_untouched(text(body, b"MIME-Version: 1.0",
                                  b"Content-Type: multipart/signed; boundary=limit"))
        self.assertEqual(self.host.violations,
                         ["session 1: octets over 127 without BODY=8BITMIME"])
        self.host.violations.clear()


class SevenBitChunkedTest(SevenBitTest):
    """And takes BDAT."""

    capabilities = SEVEN + ("CHUNKING",)


if __name__ == "__main__":
    lib.main()
