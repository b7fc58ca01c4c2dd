# SPDX-License-Identifier: GPL-3.0-or-later
"""The built sendmail keeps its word to those who call it, whatever the daemon does."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from daemon import EHLO, Control, Smtp, peak_kib, remove

BUILD = os.environ.get("TRANTER_BUILDDIR", os.getcwd())
SENDMAIL = os.path.join(BUILD, "src/tools/sendmail")
MESSAGE = b"From: a@b\nTo: c@d\n\nhello\n"
PATIENCE = 20


class ShimTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="tranter.")
        self.addCleanup(self.directory.cleanup)
        self.path = os.path.join(self.directory.name, "smtp.sock")
        self.environment = {"TRANTER_SOCKET": self.path, "TRANTER_WAIT": "0",
                            "LC_ALL": "tr_TR.bogus", "ASAN_OPTIONS": "detect_leaks=1"}

    def daemon(self, **script):
        server = Smtp(self.path, **script)
        self.addCleanup(server.stop)
        return server

    def start(self, *arguments, name="sendmail", **options):
        options.setdefault("stdin", subprocess.PIPE)
        options.setdefault("executable", SENDMAIL)
        return subprocess.Popen((name,) + arguments, env=self.environment,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def call(self, *arguments, text=MESSAGE, **options):
        """(exit status, standard output, standard error) of a call with text as its input."""
        with self.start(*arguments, **options) as process:
            out, err = process.communicate(text, timeout=PATIENCE)
        return process.returncode, out, err

    def refused(self, status, *arguments, **options):
        """The line on standard error of a call that must end with status, and say one line."""
        code, out, err = self.call(*arguments, **options)
        self.assertEqual((code, out), (status, b""), err)
        self.assertRegex(err, rb"\Asendmail: [ -~]+\n\Z")
        return err.decode()

    def accepted(self, *arguments, **options):
        self.assertEqual(self.call(*arguments, **options), (0, b"", b""))

    def over(self, server):
        self.assertTrue(server.over.wait(PATIENCE))


class SubmissionTest(ShimTest):
    def test_a_message_goes_out_in_silence(self):
        server = self.daemon()
        self.accepted("-i", "-f", "a@b", "c@d", "e@f")
        self.over(server)
        self.assertEqual(server.commands, ["EHLO localhost", "MAIL FROM:<a@b> BODY=8BITMIME",
                                           "RCPT TO:<c@d>", "RCPT TO:<e@f>", "DATA", "QUIT"])
        self.assertEqual(server.content, b"From: a@b\r\nTo: c@d\r\n\r\nhello\r\n")

    def test_one_write_carries_the_whole_envelope(self):
        server = self.daemon()
        self.accepted("-f", "a@b", "c@d", "e@f")
        self.assertEqual(server.segments[1].count(b"\r\n"), 4)

    def test_recipients_come_from_the_header_and_the_operands(self):
        server = self.daemon()
        self.accepted("-ti", "-f", "", "x@y", "C@D", text=b"Bcc: e@f, g@h\nTo: C@d,\n x@y\nFrom: a\n\n")
        self.assertEqual([line for line in server.commands if line[:4] in ("MAIL", "RCPT")],
                         ["MAIL FROM:<> BODY=8BITMIME", "RCPT TO:<x@y>", "RCPT TO:<C@D>",
                          "RCPT TO:<e@f>", "RCPT TO:<g@h>"])
        self.assertEqual(server.content, b"Bcc: e@f, g@h\r\nTo: C@d,\r\n x@y\r\nFrom: a\r\n\r\n")

    def test_bytes_and_lines_arrive_as_they_should(self):
        body = b"\xff\xc3\xa4\r\n.x\n.\n..\ntail\0\r1%\r2%\nend"
        wire = b"\xff\xc3\xa4\r\n..x\r\n..\r\n...\r\ntail\r\n1%\r\n2%\r\nend\r\n"
        server = self.daemon()
        self.accepted("-oi", "c@d", text=b"From: a\n\n" + body)
        self.assertEqual(server.content, b"From: a\r\n\r\n" + wire)

    def test_without_i_a_dot_ends_the_message(self):
        server = self.daemon()
        self.accepted("c@d", text=b"From: a\n\nx\n.\nnot this\n")
        self.assertEqual(server.content, b"From: a\r\n\r\nx\r\n")

    def test_after_the_dot_nobody_is_waited_for(self):
        self.daemon()
        with self.start("c@d") as process:
            process.stdin.write(b"From: a\n\nx\n.\n")
            process.stdin.flush()
            self.assertEqual(process.wait(PATIENCE), 0)

    def test_a_missing_from_gets_the_full_name(self):
        server = self.daemon()
        self.accepted("-F", "Bob B.", "-f", "a@b", "c@d", text=b"To: c@d\n\nx\n")
        self.assertEqual(server.content, b'From: "Bob B." <a@b>\r\nTo: c@d\r\n\r\nx\r\n')

    def test_name_in_the_environment_is_a_full_name(self):
        server = self.daemon()
        self.environment["NAME"] = "Bob"
        self.accepted("-f", "a@b", "c@d", text=b"\nx\n")
        self.assertEqual(server.content, b"From: Bob <a@b>\r\n\r\nx\r\n")

    def test_the_null_sender_and_G_add_nothing(self):
        for arguments in (("-f", "<>"), ("-G", "-f", "a@b")):
            remove(self.path)
            server = self.daemon()
            self.accepted(*arguments, "c@d", text=b"\nx\n")
            self.assertEqual(server.content, b"\r\nx\r\n")

    def test_a_resend_gets_resent_from(self):
        server = self.daemon()
        self.accepted("-F", "A", "-f", "a@b", "-t", text=b"Resent-To: c@d\nTo: e@f\n\nx\n")
        self.assertEqual(server.content,
                         b"Resent-From: A <a@b>\r\nResent-To: c@d\r\nTo: e@f\r\n\r\nx\r\n")
        self.assertEqual(server.commands[2], "RCPT TO:<c@d>")

    def test_dsn_and_smtputf8_are_asked_for(self):
        server = self.daemon()
        self.accepted("-N", "never", "-R", "hdrs", "-V", "a=b", "-f", "a", "b\xf6b@d")
        self.assertEqual(server.commands[1:3],
                         ["MAIL FROM:<a> BODY=8BITMIME SMTPUTF8 RET=hdrs ENVID=a+3Db",
                          "RCPT TO:<b\xc3\xb6b@d> NOTIFY=never"])

    def test_v_says_the_queue_id_on_standard_error(self):
        self.daemon()
        code, out, err = self.call("-v", "c@d")
        self.assertEqual((code, out), (0, b""))
        self.assertIn(b"ABC123", err)

    def test_ten_thousand_recipients_do_not_block(self):
        server = self.daemon(RCPT="250 2.1.5 " + "x" * 200)
        header = b"From: a\nTo: " + b",\n ".join(b"u%d@example.com" % i for i in range(10000))
        self.accepted("-t", text=header + b"\n\nx\n")
        self.assertEqual(sum(line.startswith("RCPT ") for line in server.commands), 10000)

    def test_one_bad_address_among_good_ones_costs_a_line(self):
        server = self.daemon()
        code, out, err = self.call("a@b@c", "c@d")
        self.assertEqual((code, out), (0, b""))
        self.assertRegex(err, rb'\Asendmail: "a@b@c" is not an address[ -~]+\n\Z')
        self.assertEqual(server.commands[2:4], ["RCPT TO:<c@d>", "DATA"])

    def test_one_recipient_refused_among_good_ones_costs_a_line(self):
        server = self.daemon(RCPT=["550 5.1.1 who?", "250 ok"])
        code, out, err = self.call("x@y", "c@d")
        self.assertEqual((code, out), (0, b""))
        self.assertRegex(err, rb"\Asendmail: [ -~]*<x@y>: 550 5.1.1 who\?[ -~]+\n\Z")
        self.assertTrue(server.whole)

    def test_eq_says_nothing(self):
        self.daemon(FINAL="451 4.3.0 no")
        self.assertEqual(self.call("-oeq", "c@d"), (71, b"", b""))


class RefusalTest(ShimTest):
    def test_exit_status_and_words_follow_the_reply(self):
        cases = (
            (71, {"GREETING": "421 4.3.2 later"}),
            (69, {"GREETING": "554 no"}),
            (71, {"EHLO": "421 4.3.2 later"}),
            (71, {"MAIL": "451 4.3.0 later"}),
            (69, {"MAIL": "552 5.3.4 too large"}),
            (77, {"MAIL": "550 5.7.1 not you"}),
            (65, {"MAIL": "553 5.1.7 bad sender"}),
            (65, {"RCPT": "550 5.1.1 nobody", "DATA": "554 5.5.1 no valid recipients"}),
            (71, {"RCPT": ["250 ok", "452 4.5.3 too many"]}),
            (71, {"DATA": "451 4.3.0 disk full"}),
            (71, {"FINAL": "452 4.3.1 disk full"}),
            (69, {"FINAL": "552 5.3.4 message size over 50M"}),
            (69, {"FINAL": "554 5.4.6 loop"}),
            (65, {"FINAL": "550 5.6.0 bare CR"}),
        )
        for status, script in cases:
            with self.subTest(script=script):
                remove(self.path)
                step, reply = list(script.items())[0]
                reply = reply if isinstance(reply, str) else reply[-1]
                server = self.daemon(**script)
                self.assertIn(reply, self.refused(status, "c@d", "e@f"))
                self.over(server)
                self.assertEqual(server.whole, step == "FINAL")

    def test_recipients_all_refused_get_no_message_even_if_the_daemon_would_take_it(self):
        server = self.daemon(RCPT="550 5.1.1 nobody")
        self.refused(65, "c@d")
        self.over(server)
        self.assertFalse(server.whole)

    def test_a_lost_connection_is_not_a_success(self):
        for step in ("GREETING", "EHLO", "MAIL", "RCPT", "DATA", "FINAL"):
            with self.subTest(step=step):
                remove(self.path)
                self.daemon(**{step: None})
                words = self.refused(71, "c@d")
                self.assertIn("lost", words)
                self.assertEqual("may have been queued" in words, step == "FINAL")

    def test_what_is_not_smtp_is_not_a_success(self):
        for step in ("GREETING", "EHLO", "MAIL", "FINAL"):
            with self.subTest(step=step):
                remove(self.path)
                self.daemon(**{step: "250ok"})
                self.assertIn("not SMTP", self.refused(71, "c@d"))

    def test_an_early_yes_is_not_a_success(self):
        server = self.daemon(DATA="354 go on\r\n250 2.0.0 ok")
        self.refused(71, "c@d")
        self.over(server)
        self.assertFalse(server.whole)

    def test_a_remote_word_is_made_ascii(self):
        self.daemon(FINAL="550 n\xf6\x1b[2J")
        self.assertIn("n\\xC3\\xB6\\x1B[2J", self.refused(69, "c@d"))

    def test_the_caller_may_finish_writing_when_the_message_is_refused(self):
        for script in ({"MAIL": "552 5.3.4 too large"}, {"GREETING": None},
                       {"stop after": 100000}):
            with self.subTest(script=script):
                remove(self.path)
                self.daemon(**script)
                with self.start("c@d") as process:
                    process.stdin.write(MESSAGE + b"x" * 70 + b"\n")
                    for _ in range(64):
                        process.stdin.write(b"line\n" * 13000)
                    process.stdin.close()
                    self.assertIn(process.wait(PATIENCE), (69, 71))
                    self.assertEqual(process.stderr.read().count(b"\n"), 1)

    def test_bad_addresses_send_nothing(self):
        server = self.daemon()
        cases = ((65, "a@b@c"), (65, "a\nb@c"), (65, "c@d", "x\r\nRCPT TO:<y>"), (65, "-f", "a\nb", "c"),
                 (65, "-f", "a@b@c", "c"), (65, "-f", "a, b", "c"), (64,), (64, ""), (64, "<>"),
                 (64, "undisclosed-recipients:;"))
        for status, *arguments in cases:
            with self.subTest(arguments=arguments):
                self.refused(status, *arguments)
        self.refused(64, "-t", text=b"Subject: x\n\nTo: a@b\n")
        self.refused(65, "-t", text=b"To: a@b@c\n\nx\n")
        self.assertEqual(server.connections, 0)

    def test_a_header_without_an_end_is_refused(self):
        server = self.daemon()
        self.assertIn("1048576", self.refused(65, "c@d", text=b"X: y\n" * 300000))
        self.assertEqual(server.connections, 0)

    def test_bad_options_are_refused_before_the_message_is_read(self):
        for arguments in (("-y", "c@d"), ("-f",), ("-bd",), ("-bt",), ("c@d", "-f", "a@b"), ("--x",)):
            with self.subTest(arguments=arguments), self.start(*arguments) as process:
                self.assertEqual(process.wait(PATIENCE), 64)
                self.assertRegex(process.stderr.read(), rb"\Asendmail: [ -~]+\n\Z")


class AwayTest(ShimTest):
    def test_a_missing_daemon_is_named_with_the_way_out(self):
        words = self.refused(71, "c@d")
        self.assertIn(self.path, words)
        self.assertIn("systemctl status", words)

    def test_a_dead_socket_is_named(self):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.path)
        listener.close()
        self.assertIn("refused", self.refused(71, "c@d"))

    def test_a_socket_with_a_full_queue_does_not_hang(self):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path)
            listener.listen(0)
            clients = [socket.socket(socket.AF_UNIX) for _ in range(3)]
            for client in clients:
                client.setblocking(False)
                client.connect_ex(self.path)
            self.assertIn("accepts no more", self.refused(71, "c@d"))
            for client in clients:
                client.close()

    def test_a_daemon_that_comes_back_is_waited_for(self):
        self.environment["TRANTER_WAIT"] = "20"
        with self.start("c@d") as process:
            process.stdin.write(MESSAGE)
            process.stdin.close()
            with self.assertRaises(subprocess.TimeoutExpired):
                process.wait(0.2)
            self.daemon()
            self.assertEqual(process.wait(PATIENCE), 0)
            self.assertEqual(process.stderr.read(), b"")

    def test_a_path_that_is_too_long_is_a_configuration_error(self):
        self.environment["TRANTER_SOCKET"] = "/tmp/" + "x" * 200
        self.assertIn("too long", self.refused(78, "c@d"))

    def test_a_closed_door_is_77(self):
        self.daemon()
        os.chmod(self.path, 0)
        options = {}
        if os.getuid() == 0:  # who may connect to every socket
            os.chmod(self.directory.name, 0o755)
            copy = shutil.copy2(SENDMAIL, self.directory.name)
            options = {"executable": copy, "user": 65534, "group": 65534, "extra_groups": []}
        self.assertIn("Permission denied", self.refused(77, "c@d", **options))

    def test_a_slow_writer_of_a_small_message_keeps_no_session_waiting(self):
        server = self.daemon()
        with self.start("c@d") as process:
            process.stdin.write(MESSAGE)
            process.stdin.flush()
            with self.assertRaises(subprocess.TimeoutExpired):
                process.wait(0.2)
            self.assertEqual(server.connections, 0)
            process.stdin.close()
            self.assertEqual(process.wait(PATIENCE), 0)


class OwnDaemonTest(ShimTest):
    """What the shim says to a daemon that offers XTRANTER."""

    def own(self, offer="", **script):
        return self.daemon(EHLO=EHLO.replace("250 SMTPUTF8", "250-SMTPUTF8") + "\r\n250 XTRANTER" + offer,
                           **script)

    def setUp(self):
        super().setUp()
        self.environment["TRANTER_WAIT"] = "20"

    @staticmethod
    def ids(server):
        return [re.fullmatch(r"MAIL FROM:<.*> BODY=8BITMIME XID=([0-9a-f]{32})", line)[1]
                for line in server.commands if line.startswith("MAIL")]

    def test_each_message_has_an_id_of_its_own(self):
        server = self.own()
        self.accepted("-f", "a@b", "c@d")
        self.accepted("-f", "a@b", "c@d")
        self.assertEqual(len(set(self.ids(server))), 2)

    def test_what_is_no_address_is_told_to_the_daemon_too(self):
        server = self.own(RCPT=["250 ok", "550 5.1.1 no", "250 ok", "250 ok"])
        code, out, err = self.call("a@b@c", "x", 'un"balanced', "-bm@d")
        self.assertEqual((code, out, err.count(b"\n")), (0, b"", 1))
        self.assertEqual([line for line in server.commands if line.startswith("RCPT")],
                         ["RCPT TO:<MAILER-DAEMON> XINVALID=a@b@c",
                          'RCPT TO:<MAILER-DAEMON> XINVALID=un"balanced',
                          "RCPT TO:<x>", "RCPT TO:<-bm@d>"])

    def test_G_asks_for_the_header_as_it_is(self):
        server = self.own()
        self.accepted("-G", "-f", "a@b", "c@d", text=b"\nx\n")
        self.assertTrue(server.commands[1].endswith(" XASIS"))
        self.assertEqual(server.content, b"\r\nx\r\n")

    def test_a_daemon_that_cannot_do_that_gets_it_all_the_same(self):
        server = self.own(MAIL=["555 5.5.4 XASIS is not known", "250 ok"])
        self.accepted("-G", "-f", "a@b", "c@d", text=b"\nx\n")
        mails = [line for line in server.commands if line.startswith("MAIL")]
        self.assertEqual([line.endswith(" XASIS") for line in mails], [True, False])
        self.assertEqual(server.contents, [b"\r\nx\r\n"])

    def given_again(self, server, text, **options):
        """The message that had no answer the first time comes a second time, with the same id."""
        self.accepted("-i", "-f", "a@b", "c@d", text=text, **options)
        ids = self.ids(server)
        self.assertEqual((len(ids), len(set(ids))), (2, 1))
        self.assertEqual(server.contents, [text.replace(b"\n", b"\r\n")] * 2)

    def test_a_lost_answer_is_asked_for_again(self):
        for size in (0, 100000, 900000):
            with self.subTest(size=size):
                remove(self.path)
                self.given_again(self.own(FINAL=[None, "250 2.0.0 queued as ABC123"]),
                                 MESSAGE + b"y" * size + b"\n")

    def test_a_regular_file_is_read_again_whatever_its_size(self):
        text = MESSAGE + (b"x" * 75 + b"\n") * 60000
        with tempfile.TemporaryFile() as file:
            file.write(b"before" + text)
            file.flush()
            file.seek(len(b"before"))
            server = self.own(FINAL=[None, "250 2.0.0 queued as ABC123"])
            with self.start("-i", "-f", "a@b", "c@d", stdin=file) as process:
                self.assertEqual(process.wait(PATIENCE), 0)
                self.assertEqual(process.stderr.read(), b"")
        self.assertEqual(server.contents, [text.replace(b"\n", b"\r\n")] * 2)
        self.assertEqual(len(set(self.ids(server))), 1)

    def test_what_cannot_be_had_again_is_71_in_doubt(self):
        server = self.own(FINAL=[None, "250 ok"])
        words = self.refused(71, "-i", "c@d", text=MESSAGE + (b"x" * 75 + b"\n") * 30000)
        self.assertIn("may have been queued", words)
        self.assertEqual(server.connections, 1)

    def test_a_daemon_without_ids_is_not_given_it_twice(self):
        server = self.daemon(FINAL=[None, "250 ok"])
        self.assertIn("may have been queued", self.refused(71, "c@d"))
        self.assertEqual(server.connections, 1)

    def test_doubt_stays_until_the_daemon_says_yes(self):
        self.own(FINAL=[None, "451 4.3.0 later"])
        self.assertIn("may have been queued", self.refused(71, "c@d"))

    def test_a_connection_lost_early_is_made_again(self):
        for step, lost in (("GREETING", [None, "220 x"]), ("MAIL", [None, "250 ok"]),
                           ("RCPT", [None, "250 ok"]), ("DATA", [None, "354 go"]),
                           ("GREETING", ["421 4.3.2 going", "220 x"]),
                           ("FINAL", ["421 4.3.2 going", "250 ok"])):
            with self.subTest(step=step, lost=lost):
                remove(self.path)
                server = self.own(**{step: lost})
                self.accepted("c@d")
                self.assertEqual((server.connections, server.whole), (2, True))

    def test_it_is_not_tried_for_ever(self):
        server = self.own(FINAL=None)
        self.assertIn("may have been queued", self.refused(71, "c@d"))
        self.assertEqual(server.connections, 4)

    def test_a_daemon_that_dies_is_waited_for(self):
        self.environment["TRANTER_WAIT"] = "1"
        server = self.own(MAIL=None)
        server.at_loss = lambda: remove(self.path)
        self.assertIn("nothing was sent", self.refused(71, "c@d"))

    def test_many_recipients_go_in_parts(self):
        server = self.own(" RCPTMAX=3")
        self.accepted("-i", *("u%d@d" % i for i in range(8)))
        self.assertEqual([line for line in server.commands if line.startswith("RCPT")],
                         ["RCPT TO:<u%d@d>" % i for i in range(8)])
        self.assertEqual((server.connections, len(set(self.ids(server)))), (3, 3))
        self.assertEqual(server.contents, [MESSAGE.replace(b"\n", b"\r\n")] * 3)

    def test_a_part_that_fails_is_owned_up_to(self):
        self.environment["TRANTER_WAIT"] = "0"
        self.own(" RCPTMAX=2", FINAL=["250 ok", "452 4.3.1 disk full"])
        words = self.refused(71, "a@d", "b@d", "c@d")
        self.assertRegex(words, r"2 recipients, to <b@d>, get the message, the others do not: .*disk full")

    def test_parts_that_cannot_be_had_again_are_not_begun(self):
        server = self.own(" RCPTMAX=2")
        words = self.refused(69, "a@d", "b@d", "c@d", text=MESSAGE + (b"x" * 75 + b"\n") * 30000)
        self.assertIn("regular file", words)
        self.assertFalse(server.whole)

    def test_ids_and_bad_addresses_stay_with_the_first_part(self):
        server = self.own(" RCPTMAX=2")
        code, _, _ = self.call("a@b@c", "a@d", "b@d")
        self.assertEqual(code, 0)
        self.assertEqual([line for line in server.commands if line.startswith("RCPT")],
                         ["RCPT TO:<MAILER-DAEMON> XINVALID=a@b@c", "RCPT TO:<a@d>", "RCPT TO:<b@d>"])


class DeathTest(ShimTest):
    """Whoever dies before the final dot leaves nothing queued."""

    def test_a_shim_that_is_killed_sends_no_dot(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
            with self.subTest(signal=number):
                remove(self.path)
                server = self.daemon()
                with self.start("c@d") as process:
                    process.stdin.write(MESSAGE + b"x\n" * 200000)
                    process.stdin.flush()
                    self.until(lambda: server.content_bytes > 65536)
                    process.send_signal(number)
                    self.assertEqual(process.wait(PATIENCE), -number)
                self.over(server)
                self.assertFalse(server.whole)

    def until(self, true):
        end = time.monotonic() + PATIENCE
        while not true():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)

    def test_a_producer_that_ends_has_sent_a_message(self):
        server = self.daemon()
        with subprocess.Popen(["sh", "-c", "printf 'From: a\\n\\nx\\n'; kill -9 $$"],
                              stdout=subprocess.PIPE) as producer:
            self.accepted("c@d", text=None, stdin=producer.stdout)
        self.assertEqual(server.content, b"From: a\r\n\r\nx\r\n")

    def test_a_message_that_cannot_be_read_is_74(self):
        self.daemon()
        directory = os.open(self.directory.name, os.O_RDONLY)
        self.addCleanup(os.close, directory)
        self.refused(74, "c@d", text=None, stdin=directory)
        write_only = os.open("/dev/null", os.O_WRONLY)
        self.addCleanup(os.close, write_only)
        self.refused(74, "c@d", text=None, stdin=write_only)


class ProcessTest(ShimTest):
    def shell(self, command, text=MESSAGE):
        return subprocess.run(["sh", "-c", command, SENDMAIL], env=self.environment, input=text,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE,
                              check=False)

    def test_a_closed_standard_input_is_66(self):
        self.daemon()
        for mode in ("", "-bs"):
            result = self.shell('"$0" %s c@d <&-' % mode)
            self.assertEqual((result.returncode, result.stdout), (66, b""))
            self.assertEqual(result.stderr.count(b"\n"), 1)

    def test_dev_null_is_an_empty_message(self):
        server = self.daemon()
        self.assertEqual(self.shell('"$0" -f a@b -F A c@d </dev/null').returncode, 0)
        self.assertEqual(server.content, b"From: A <a@b>\r\n\r\n")

    def test_closed_output_hurts_nobody(self):
        server = self.daemon()
        self.assertEqual(self.shell('"$0" c@d >&- 2>&-').returncode, 0)
        self.assertEqual(server.content, b"From: a@b\r\nTo: c@d\r\n\r\nhello\r\n")
        remove(self.path)
        self.assertEqual(self.shell('"$0" c@d >&- 2>&-').returncode, 71)

    def test_a_bare_environment_is_enough(self):
        self.daemon()
        result = self.shell('cd "%s/gone" && rmdir "../gone" && umask 777 && trap "" PIPE CHLD HUP && '
                            'exec env -i TRANTER_SOCKET="$TRANTER_SOCKET" "$0" -oi c@d'
                            % self.make("gone"))
        self.assertEqual((result.returncode, result.stderr), (0, b""))

    def make(self, name):
        os.mkdir(os.path.join(self.directory.name, name))
        return self.directory.name

    def test_it_links_libc_alone(self):
        with open(SENDMAIL, "rb") as file:
            if b"__asan_init" in file.read():
                self.skipTest("a build with sanitizers links what they need")
        listing = subprocess.run(["ldd", SENDMAIL], stdout=subprocess.PIPE, check=True).stdout.decode()
        names = [line.split()[0].split("/")[-1] for line in listing.splitlines()]
        extra = [name for name in names if not name.startswith(("linux-vdso", "linux-gate", "libc.so", "ld"))]
        self.assertEqual(extra, [])

    def peak_of(self, mebibytes):
        """Peak memory in KiB while a message of that size passes, and what the daemon got."""
        remove(self.path)
        server = self.daemon()
        server.keep = False
        block = (b"x" * 75 + b"\n") * 13797
        with self.start("-i", "c@d") as process:
            server.at_final = lambda: setattr(server, "peak", peak_kib(process.pid))
            process.stdin.write(MESSAGE)
            for _ in range(mebibytes):
                process.stdin.write(block)
            process.stdin.close()
            self.assertEqual(process.wait(PATIENCE), 0)
        self.assertGreater(server.content_bytes, mebibytes * len(block))
        return server.peak

    def test_fifty_megabytes_pass_through_constant_memory(self):
        small, large = self.peak_of(1), self.peak_of(50)
        print("    peak %d KiB for 1 MiB, %d KiB for 50 MiB" % (small, large))
        self.assertLess(large, small + 1024)

    def test_a_line_of_two_megabytes_passes(self):
        server = self.daemon()
        self.accepted("-i", "c@d", text=b"From: a\n\n" + b"x" * 2000000 + b"\n")
        self.assertEqual(len(server.content), len(b"From: a\r\n\r\n\r\n") + 2000000)


class SessionTest(ShimTest):
    def test_bs_is_a_session_of_the_daemons(self):
        server = self.daemon()
        code, out, err = self.call("-bs", text=b"EHLO x\nMAIL FROM:<a>\nRCPT TO:<c@d>\nDATA\n"
                                               b"hi\n..x\n.\nQUIT\n")
        self.assertEqual((code, err), (0, b""))
        self.assertEqual(out.decode().split("\r\n")[0], "220 localhost")
        self.assertIn("queued as ABC123", out.decode())
        self.assertEqual(server.commands, ["EHLO x", "MAIL FROM:<a>", "RCPT TO:<c@d>", "DATA", "QUIT"])
        self.assertEqual(server.content, b"hi\r\n..x\r\n")

    def test_bs_talks_turn_by_turn(self):
        self.daemon()
        with self.start("-bs") as process:
            self.assertEqual(process.stdout.readline(), b"220 localhost\r\n")
            process.stdin.write(b"MAIL FROM:<a>\r\n")
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), b"250 2.1.0 ok\r\n")
            process.stdin.write(b"QUIT\r\n")
            process.stdin.flush()
            self.assertEqual(process.wait(PATIENCE), 0)

    def test_bs_that_loses_its_caller_sends_no_dot(self):
        server = self.daemon()
        self.call("-bs", text=b"MAIL FROM:<a>\r\nRCPT TO:<c@d>\r\nDATA\r\nhalf")
        self.over(server)
        self.assertFalse(server.whole)

    def test_bs_without_a_daemon_gets_a_reply(self):
        code, out, err = self.call("-bs", text=b"QUIT\r\n")
        self.assertEqual((code, out[:4], err.count(b"\n")), (71, b"421 ", 1))


class QuestionTest(ShimTest):
    def control(self, answer=b"3\nabc4\ndef\nend 0\n"):
        path = os.path.join(self.directory.name, "control.sock")
        remove(path)
        server = Control(path, answer)
        self.addCleanup(server.stop)
        return server

    def test_names_and_options_ask_their_question(self):
        for name, arguments, question in (
                ("mailq", (), "queue\n"), ("sendmail", ("-bp",), "queue\n"),
                ("mailq", ("--json",), "queue json\n"), ("mailq", ("-C", "x"), "queue\n"),
                ("sendmail", ("-q",), "retry all\n"), ("runq", (), "retry all\n"),
                ("sendmail", ("-qRa b",), "retry match=R:a b\n"),
                ("sendmail", ("-q!Sx",), "retry match=!S:x\n"),
                ("newaliases", (), "aliases\n"), ("sendmail", ("-bi",), "aliases\n")):
            with self.subTest(name=name, arguments=arguments):
                server = self.control()
                self.assertEqual(self.call(*arguments, name=name), (0, b"abcdef\n", b""))
                self.assertEqual(server.questions, [question])

    def test_the_daemon_decides_the_exit_status_and_the_words(self):
        self.control(b"end 77 not permitted\n")
        self.assertEqual(self.call("-q"), (77, b"", b"sendmail: not permitted\n"))

    def test_an_answer_without_an_end_is_69(self):
        for answer in (b"", b"3\nabc", b"3\nabcend 0", b"nonsense\n"):
            with self.subTest(answer=answer):
                self.control(answer)
                code, _, err = self.call(name="mailq")
                self.assertEqual((code, err.count(b"\n")), (69, 1))

    def test_a_daemon_that_is_away_is_69_but_not_for_newaliases(self):
        for arguments in (("-bp",), ("-q",), ("-bv", "a@b")):
            self.assertIn("mail system is down", self.refused(69, *arguments))
        self.accepted(name="newaliases")

    def test_tranter_control_names_another_socket(self):
        path = os.path.join(self.directory.name, "other")
        server = Control(path, b"end 0\n")
        self.addCleanup(server.stop)
        self.environment["TRANTER_CONTROL"] = path
        self.accepted("-bp")
        self.assertEqual(server.questions, ["queue\n"])

    def test_bv_checks_and_sends_nothing(self):
        server = self.daemon()
        control = self.control(b"2\nx\nend 0\n")
        self.assertEqual(self.call("-bv", "Bob <a@b>, \\root", '"j d"@e'), (0, b"x\n", b""))
        self.assertEqual(control.questions, ["verify a@b \\root \"j+20d\"@e\n"])
        self.refused(67, "-bv", "a@b@c")
        self.refused(64, "-bv")
        self.assertEqual((control.connections, server.connections), (1, 0))
        self.assertEqual(self.call("-bv", "a@b@c", "d@e")[:2], (67, b"x\n"))

    def test_a_backslash_asks_for_no_alias_where_that_can_be_asked(self):
        for keyword, more in (("XTRANTER", " XEXACT"), ("X-NO-XTRANTER", "")):
            with self.subTest(keyword):
                server = Smtp(self.path, EHLO="250-localhost\r\n250 " + keyword)
                self.accepted("-i", "--", "\\root", "root", "\\root", "\\a@b")
                self.assertEqual([line for line in server.commands if line.startswith("RCPT")],
                                 ["RCPT TO:<root>" + more, "RCPT TO:<root>",
                                  "RCPT TO:<a@b>" + more])
                server.stop()
                os.unlink(self.path)

    def test_modes_that_do_nothing_do_it_in_silence(self):
        for name, arguments in (("hoststat", ()), ("purgestat", ()), ("sendmail", ("-bh",)),
                                ("sendmail", ("-q30m",)), ("sendmail", ("-qf",))):
            self.accepted(*arguments, name=name)
