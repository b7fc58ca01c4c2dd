# SPDX-License-Identifier: GPL-3.0-or-later
"""The shim: what it hands in, and that its exit status is true."""

import contextlib
import os
import re
import signal
import socket
import stat
import subprocess
import threading
import time
import unittest

import lib

LARGE = 50 * 1024 * 1024


def listen(path):
    """A listening socket that appears at once with all that it needs."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path + ".new")
    listener.listen(8)
    os.chmod(path + ".new", 0o666)
    os.rename(path + ".new", path)
    return listener


class Submission:
    """A submission socket that gives the answers it is told. answers: by command, and "." for the
    end of the content; "" closes the connection in place of an answer."""

    PLAIN = {"EHLO": "250 here", "LHLO": "250 here", "MAIL": "250 2.1.0 Ok", "RCPT": "250 2.1.5 Ok",
             "DATA": "354 Go", ".": "250 2.0.0 Kept", "QUIT": "221 2.0.0 Bye",
             "RSET": "250 2.0.0 Ok", "NOOP": "250 2.0.0 Ok"}

    def __init__(self, path, **answers):
        self.path = path
        self.answers = dict(self.PLAIN, **answers)
        self.release = threading.Event()  # the answer to the content waits for it
        self.release.set()
        self.content_bytes = 0
        self.complete = 0  # contents that came to their end
        self.commands = []
        self.listener = listen(path)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve_one, args=(sock,), daemon=True).start()

    def serve_one(self, sock):
        with contextlib.suppress(OSError):  # the client may leave at any time
            self.converse(sock)

    def converse(self, sock):
        recipients, lmtp = 0, False
        with sock, sock.makefile("rb") as lines:
            sock.sendall(b"220 here ESMTP\r\n")
            for line in lines:
                verb = line.split()[0].decode("latin-1").upper()
                self.commands.append(line.decode("latin-1").rstrip("\r\n"))
                if not self.say(sock, verb):
                    return
                lmtp = lmtp or verb == "LHLO"
                recipients += verb == "RCPT"
                if verb == "DATA" and self.answers["DATA"].startswith("354"):
                    if not self.read_content(lines):
                        return
                    for _ in range(recipients if lmtp else 1):
                        if not self.say(sock, "."):
                            return

    def say(self, sock, verb):
        answer = self.answers.get(verb, "500 5.5.1 What?")
        try:
            sock.sendall(answer.encode() + b"\r\n" if answer else b"")
        except OSError:
            return False  # the shim does not wait for the answer to QUIT
        return bool(answer)

    def read_content(self, lines):
        for line in lines:
            if line == b".\r\n":
                self.complete += 1
                self.release.wait()
                return True
            self.content_bytes += len(line)
        return False

    def close(self):
        self.release.set()
        self.listener.shutdown(socket.SHUT_RDWR)  # or the thread would accept for the next test
        self.thread.join()
        self.listener.close()


class ShimTest(unittest.TestCase):
    """The shim against a submission socket of the test's own."""

    def setUp(self):
        self.place = lib.Place()
        self.addCleanup(self.place.remove)
        self.daemon = lib.Daemon(self.place)  # never started: its socket is ours

    def serve(self, **answers):
        submission = Submission(self.daemon.socket, **answers)
        self.addCleanup(submission.close)
        return submission

    def status(self, **answers):
        """The shim's exit status where the daemon gives these answers."""
        submission = self.serve(**answers)
        done = self.daemon.sendmail("-i", "--", lib.RECIPIENT, wait="0")
        os.unlink(self.daemon.socket)
        if done.returncode:
            self.assertRegex(done.stderr, rb"\Asendmail: [ -~]+\n\Z")
        else:
            self.assertEqual(done.stderr, b"")
        self.assertEqual(done.stdout, b"")
        return done.returncode

    def popen(self, *arguments, **more):
        return subprocess.Popen([self.place.programs["sendmail"], *arguments],
                                stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                                env=dict(self.daemon.environment(), TRANTER_WAIT="0"),
                                **lib.identity(self.place.user), **more)

    def test_the_exit_status_tells_what_the_daemon_said(self):
        for answers, status in (
                ({}, 0),
                ({".": "452 4.3.1 Disk full"}, 71),
                ({".": "451 4.3.0 Cannot store"}, 71),
                ({".": "552 5.3.4 Too large"}, 69),
                ({".": "554 5.6.0 Not a message"}, 65),
                ({".": "554 5.7.1 Refused"}, (69, 77)),
                ({".": ""}, 71),
                ({"DATA": "452 4.3.1 Disk full"}, 71),
                ({"DATA": ""}, 71),
                ({"MAIL": "452 4.3.1 Disk full"}, 71),
                ({"MAIL": "550 5.7.1 Not allowed"}, 77),
                ({"RCPT": ""}, 71)):
            with self.subTest(answers=answers):
                self.assertIn(self.status(**answers), status if isinstance(status, tuple) else
                              (status,))

    def test_a_greeting_of_421_is_no_success(self):
        listener = listen(self.daemon.socket)
        self.addCleanup(listener.close)

        def refuse():
            while True:
                try:
                    sock, _ = listener.accept()
                except OSError:
                    return
                with sock:
                    sock.sendall(b"421 4.3.2 Stopping\r\n")
        threading.Thread(target=refuse, daemon=True).start()
        self.assertEqual(self.daemon.sendmail("-i", lib.RECIPIENT, wait="0").returncode, 71)

    def test_it_does_not_exit_before_the_answer(self):
        submission = self.serve()
        submission.release.clear()
        process = self.popen("-i", lib.RECIPIENT)
        process.stdin.write(lib.MESSAGE)
        process.stdin.close()
        lib.wait_for(lambda: submission.complete, "the end of the content")
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(0.3)
        submission.release.set()
        self.assertEqual(process.wait(lib.PATIENCE), 0)
        process.stderr.close()

    def test_an_absent_daemon_is_71_with_a_sentence(self):
        began = time.monotonic()
        done = self.daemon.sendmail("-i", lib.RECIPIENT, wait="1")
        self.assertEqual(done.returncode, 71)
        self.assertGreaterEqual(time.monotonic() - began, 0.9)
        self.assertRegex(done.stderr, rb"\Asendmail: [ -~]+\n\Z")
        self.assertIn(self.daemon.socket.encode(), done.stderr)
        self.assertIn(b"No such file", done.stderr)

    def test_it_waits_for_a_daemon_that_comes_late(self):
        process = subprocess.Popen([self.place.programs["sendmail"], "-i", lib.RECIPIENT],
                                   stdin=subprocess.PIPE, env=self.daemon.environment(),
                                   **lib.identity(self.place.user))
        process.stdin.write(lib.MESSAGE)
        process.stdin.close()
        time.sleep(0.3)  # it finds nobody at first; the promise is only that it asks again
        submission = self.serve()
        self.assertEqual(process.wait(lib.PATIENCE), 0)
        self.assertEqual(submission.complete, 1)

    def test_a_shim_that_is_killed_hands_nothing_in(self):
        submission = self.serve()
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number):
                process = self.popen("-i", lib.RECIPIENT)
                process.stdin.write(b"Subject: half\n\n" + b"x" * 70 + b"\n")
                process.stdin.flush()
                # A shim that connects late has nothing to abort; one that is early must abort.
                time.sleep(0.1)
                process.send_signal(number)
                self.assertEqual(process.wait(lib.PATIENCE), -number)
                process.stderr.close()
                try:
                    process.stdin.close()
                except BrokenPipeError:
                    pass
        self.assertEqual(submission.complete, 0)

    def test_50_mb_pass_in_constant_memory(self):
        submission = self.serve()
        submission.release.clear()
        process = self.popen("-i", lib.RECIPIENT)
        process.stdin.write(b"Subject: large\n\n")
        block = (b"y" * 76 + b"\n") * 1000
        for _ in range(LARGE // len(block) + 1):
            process.stdin.write(block)
        process.stdin.close()
        lib.wait_for(lambda: submission.complete, "the end of the content", 60)
        with open("/proc/%d/status" % process.pid, encoding="ascii") as file:
            peak = int(re.search(r"VmHWM:\s+(\d+)", file.read())[1])
        submission.release.set()
        self.assertEqual(process.wait(lib.PATIENCE), 0)
        process.stderr.close()
        self.assertGreater(submission.content_bytes, LARGE)
        self.assertLess(peak, 4096 if not lib.sanitized() else 65536)

    def test_usage_errors_are_64_and_are_found_before_the_daemon_is_asked(self):
        submission = self.serve()
        for arguments in (["-i"], ["-t"], ["--frobnicate"], ["-f"], ["-bd", lib.RECIPIENT],
                          ["-i", "undisclosed-recipients:;"], ["-i", ""]):
            with self.subTest(arguments=arguments):
                done = self.daemon.sendmail(*arguments, stdin=b"Subject: nobody\n\nx\n", wait="0")
                self.assertEqual(done.returncode, 64, done.stderr)
                self.assertRegex(done.stderr, rb"\Asendmail: [ -~]+\n\Z")
        self.assertEqual(submission.complete, 0)

    def test_bad_addresses_are_65(self):
        submission = self.serve()
        for arguments in (["a@b@c"], ["evil@example.net\nRCPT TO:<x@y.example>"],
                          ["-f", "a\nb@example.com", lib.RECIPIENT]):
            with self.subTest(arguments=arguments):
                done = self.daemon.sendmail("-i", *arguments, wait="0")
                self.assertEqual(done.returncode, 65, done.stderr)
        self.assertEqual(submission.complete, 0)

    def test_unreadable_input_is_74_and_closed_input_66(self):
        submission = self.serve()
        command = [self.place.programs["sendmail"], "-i", lib.RECIPIENT]
        directory = os.open("/", os.O_RDONLY)
        done = subprocess.run(command, stdin=directory, env=self.daemon.environment(),
                              capture_output=True, check=False)
        os.close(directory)
        self.assertEqual(done.returncode, 74, done.stderr)
        done = subprocess.run(["sh", "-c", 'exec "$@" <&-', "sh", *command],
                              env=self.daemon.environment(), capture_output=True, check=False)
        self.assertEqual(done.returncode, 66, done.stderr)
        self.assertEqual(submission.complete, 0)

    def test_it_links_libc_alone_and_has_no_privileges(self):
        done = subprocess.run(["readelf", "-d", self.place.programs["sendmail"]],
                              capture_output=True, text=True, check=True)
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", done.stdout)
        if lib.sanitized():
            needed = [name for name in needed if name.startswith(("libtranter", "libgnutls"))]
            needed.append("libc.so.6")
        self.assertEqual(needed, ["libc.so.6"])
        mode = os.stat(os.path.join(lib.BUILD, lib.PROGRAMS["sendmail"])).st_mode
        self.assertFalse(mode & (stat.S_ISUID | stat.S_ISGID))


class SendmailTest(lib.Case):
    """From the shim's arguments to what the smarthost receives."""

    def setUp(self):
        super().setUp()
        self.daemon.start()

    def sent(self, *arguments, stdin, **more):
        """Run the shim, which must succeed in silence; the record and content at the smarthost."""
        before = len(self.host.records)
        done = self.daemon.sendmail(*arguments, stdin=stdin, **more)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
        record = self.wait_kept(before + 1)[-1]
        self.check_manners()
        header, _, body = self.host.content(record).partition(b"\r\n\r\n")
        return record, header + b"\r\n", body

    def test_header_recipients_are_found_and_bcc_goes(self):
        record, header, body = self.sent("-t", "-i", stdin=(
            b"From: app@example.com\nTo: One <one@example.net>,\n\ttwo@example.net\n"
            b"cC: \"Three, 3\" <three@example.net>\nBcc: four@example.net,\n five@example.net\n"
            b"Subject: all of them\n\nbody\n"))
        self.assertEqual(sorted(record["recipients"]), sorted(
            name + "@example.net" for name in ("one", "two", "three", "four", "five")))
        self.assertNotRegex(header, rb"(?im)^bcc|four|five")
        self.assertIn(b'cC: "Three, 3" <three@example.net>\r\n', header)
        self.assertEqual(body, b"body\r\n")

    def test_operands_are_recipients_and_dash_dash_ends_options(self):
        record, _, _ = self.sent("-i", "-bm", "--", "one@example.net", "Two <two@example.net>",
                                 "-three@example.net", stdin=lib.MESSAGE)
        self.assertEqual(record["recipients"],
                         ["one@example.net", "two@example.net", "-three@example.net"])

    def test_operands_are_added_to_those_of_the_header_once(self):
        record, _, _ = self.sent("-ti", "more@example.net", lib.RECIPIENT, stdin=lib.MESSAGE)
        self.assertEqual(sorted(record["recipients"]), ["more@example.net", lib.RECIPIENT])

    def test_names_without_a_domain_are_completed(self):
        record, header, _ = self.sent("-i", "-f", "cron", "root",
                                      stdin=b"From: root (Cron Daemon)\nTo: root\n\nx\n")
        self.assertEqual((record["sender"], record["recipients"]),
                         ("cron@example.com", ["root@example.com"]))
        self.assertIn(b"From: root@example.com (Cron Daemon)\r\nTo: root@example.com\r\n", header)

    def test_the_sender_is_f_or_r_and_the_last_one_wins(self):
        for arguments, sender in ((["-f", "a@example.com"], "a@example.com"),
                                  (["-ra@example.com"], "a@example.com"),
                                  (["-f", "x@example.com", "-fb@example.com"], "b@example.com"),
                                  (["-f", "<>"], ""), (["-f", ""], "")):
            with self.subTest(arguments=arguments):
                record, _, _ = self.sent("-i", *arguments, lib.RECIPIENT, stdin=lib.MESSAGE)
                self.assertEqual(record["sender"], sender)

    def test_the_full_name_completes_a_missing_from(self):
        _, header, _ = self.sent("-i", "-F", "Cron, the Daemon", "-f", "cron@example.com",
                                 lib.RECIPIENT, stdin=b"Subject: no From\n\nx\n")
        self.assertIn(b'From: "Cron, the Daemon" <cron@example.com>\r\n', header)

    def test_what_is_missing_is_added_and_nothing_else(self):
        given = b"Subject: plain\nX-Odd :  kept   as it is\n"
        _, header, body = self.sent("-i", "-f", lib.SENDER, lib.RECIPIENT,
                                    stdin=given + b"\nx\n")
        names = re.findall(rb"(?m)^([!-9;-~]+) ?:", header)
        self.assertEqual(names[0], b"Received")
        self.assertEqual(sorted(names), sorted([b"Received", b"Subject", b"X-Odd", b"Date",
                                                b"Message-ID", b"From"]))
        self.assertIn(given.replace(b"\n", b"\r\n"), header)
        self.assertEqual(body, b"x\r\n")

    def test_g_adds_received_alone_and_completes_no_header(self):
        given = b"Subject: passed on\nFrom: root\nTo: cron\n"
        record, header, _ = self.sent("-i", "-G", "-f", "app", lib.RECIPIENT, stdin=given + b"\nx\n")
        self.assertEqual(record["sender"], "app@example.com")
        self.assertRegex(header, rb"\AReceived: [^\r]*\r\n(\t[^\r]*\r\n)*"
                         + re.escape(given.replace(b"\n", b"\r\n")) + rb"\Z")

    def test_the_received_line_names_the_uid(self):
        uid = os.getuid() or 12345
        user = (uid, uid) if self.place.user else None
        record, header, _ = self.sent("-i", "-f", lib.SENDER, lib.RECIPIENT, stdin=lib.MESSAGE,
                                      user=user)
        received = re.match(rb"Received: (?:.*\r\n)(?:[ \t].*\r\n)*", header)[0]
        self.assertIn(b"uid %d" % uid, received)
        self.assertIn(b"by client.example.com", received)
        self.assertTrue(self.daemon.logged(r"[0-9A-F]{10,}: uid=%d from=<%s>" % (uid, lib.SENDER)))
        self.assertEqual(record["sender"], lib.SENDER)

    def test_addresses_in_utf_8_go_out_where_the_smarthost_takes_them(self):
        self.host.capabilities += ("SMTPUTF8",)
        record, header, _ = self.sent("-t", "-i", "-f", lib.SENDER, stdin=(
            "To: böb@example.net, rcpt@bücher.example\nSubject: für dich\n\nx\n".encode()))
        self.assertEqual([name.encode("latin-1").decode() for name in record["recipients"]],
                         ["böb@example.net", "rcpt@xn--bcher-kva.example"])
        self.assertRegex(header, rb"\AReceived: [^;]* with UTF8SMTP id ")
        self.assertIn("Subject: für dich\r\n".encode(), header)

    def test_without_smtputf8_only_the_address_that_needs_it_fails(self):
        self.daemon.submit("böb@example.net", "ok@example.net",
                           message="Subject: für dich\n\nx\n".encode())
        record, report = sorted(self.wait_kept(2), key=lambda kept: kept["sender"], reverse=True)
        self.assertEqual(record["recipients"], ["ok@example.net"])
        self.assertIn("Subject: für dich\r\n".encode(), self.host.content(record))
        self.assertEqual((report["sender"], report["recipients"]), ("", [lib.SENDER]))
        text = self.host.content(report)
        self.assertIn("Final-Recipient: utf-8; böb@example.net\r\n".encode(), text)
        self.assertIn(b"\r\nStatus: 5.6.7\r\n", text)
        self.assertNotIn(b"ok@example.net", text.partition(b"message/global-headers")[0])
        self.check_manners()

    def test_line_ends_become_crlf_once_and_8_bit_octets_stay(self):
        record, header, body = self.sent("-i", "-f", lib.SENDER, lib.RECIPIENT, stdin=(
            b"Subject: mixed\r\nX-Latin: \xe4\r\n\nunix\ndos\r\n\r\n.\n..\nna\xc3\xafve \xff\nend"))
        self.assertIn(b"Subject: mixed\r\nX-Latin: \xe4\r\n", header)
        self.assertEqual(body, b"unix\r\ndos\r\n\r\n.\r\n..\r\nna\xc3\xafve \xff\r\nend\r\n")
        self.assertEqual(record["parameters"].get("BODY"), "8BITMIME")

    def test_a_lone_dot_ends_the_input_unless_i_is_given(self):
        text = b"Subject: dot\n\nbefore\n.\nafter\n"
        self.assertEqual(self.sent(lib.RECIPIENT, stdin=text)[2], b"before\r\n")
        self.assertEqual(self.sent("-oi", lib.RECIPIENT, stdin=text)[2],
                         b"before\r\n.\r\nafter\r\n")

    def test_options_of_other_mailers_are_accepted_and_ignored(self):
        record, _, _ = self.sent("-oem", "-oi", "-odi", "-m", "-B8BITMIME", "-h", "5",
                                 "-O", "DeliveryMode=b", "-L", "tag", "-U", lib.RECIPIENT,
                                 stdin=lib.MESSAGE)
        self.assertEqual(record["recipients"], [lib.RECIPIENT])

    def test_bs_is_a_dialogue_on_standard_input(self):
        done = self.daemon.sendmail("-bs", stdin=(
            b"EHLO a.example\r\nMAIL FROM:<app@example.com>\r\nRCPT TO:<rcpt@example.net>\r\n"
            b"DATA\r\nSubject: bs\r\n\r\n..dot\r\n.\r\nQUIT\r\n"))
        self.assertEqual(done.returncode, 0, done.stderr)
        codes = re.findall(rb"(?m)^(\d{3}) ", done.stdout)
        self.assertEqual(codes, [b"220", b"250", b"250", b"250", b"354", b"250", b"221"])
        record = self.wait_kept()[0]
        self.assertTrue(self.host.content(record).endswith(b"\r\n\r\n.dot\r\n"))

    def test_too_large_a_message_is_69_and_leaves_nothing(self):
        self.daemon.stop()
        self.daemon.settings["message-size-limit"] = "100K"
        self.daemon.start()
        done = self.daemon.sendmail("-i", lib.RECIPIENT, stdin=b"Subject: x\n\n" + b"y\n" * 200000)
        self.assertEqual(done.returncode, 69, done.stderr)
        self.assertRegex(done.stderr, rb"\Asendmail: [ -~]*(?i:large|size)[ -~]*\n\Z")
        self.assertEqual(self.daemon.queue(), [])

    def test_q_asks_for_a_retry_and_bp_lists(self):
        self.host.script.replace([{"stage": "rcpt", "action": "reply", "text": "450 4.2.0 Later",
                                   "times": 1}])
        self.daemon.stop()
        self.daemon.settings.update({"retry-min": "1h", "retry-max": "1h"})
        self.daemon.start()
        self.assertEqual(self.daemon.sendmail("-bp", stdin=b"").stdout, b"Mail queue is empty\n")
        self.daemon.submit()
        self.daemon.wait_log("status=deferred")
        self.assertIn(b"4.2.0 Later", self.daemon.sendmail("-bp", stdin=b"").stdout)
        self.assertEqual(self.daemon.sendmail("-q", stdin=b"").returncode, 0)
        self.wait_kept()


if __name__ == "__main__":
    lib.main()
