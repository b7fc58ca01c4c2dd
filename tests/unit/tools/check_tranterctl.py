# SPDX-License-Identifier: GPL-3.0-or-later
"""The built tranterctl asks the right question, and passes the answer on."""

import json
import os
import pty
import signal
import subprocess
import tempfile
import unittest

from daemon import Control

BUILD = os.environ.get("TRANTER_BUILDDIR", os.getcwd())
TRANTERCTL = os.path.join(BUILD, "src/tools/tranterctl")
PATIENCE = 20
CONFIGURATION = 'aliases = ""\ncontrol = "%s"\nsmarthost "main" {\n    host = "127.0.0.1"\n}\n'


class Stopped(Control):
    """Has come to 5 of 100 when whoever asks has heard enough."""

    def __init__(self, path):
        super().__init__(path, b"3\nabcend 75 stopped\n")

    def serve(self, connection):
        with connection.makefile("rb") as lines:
            self.questions.append(lines.readline().decode())
            connection.sendall(b"at 5 100\n")
            lines.read()
        connection.sendall(self.answer)



class TranterctlTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="tranter.")
        self.addCleanup(self.directory.cleanup)
        self.path = self.file("control.sock")
        self.configuration = self.file("tranter.conf")
        self.write(CONFIGURATION % self.path)

    def file(self, name):
        return os.path.join(self.directory.name, name)

    def write(self, text):
        with open(self.configuration, "w", encoding="utf-8") as file:
            file.write(text)

    def answer(self, answer=b"3\nabcend 0\n"):
        server = Control(self.path, answer)
        self.addCleanup(server.stop)
        return server

    def run_it(self, *arguments, **environment):
        result = subprocess.run((TRANTERCTL,) + arguments, env=environment, timeout=PATIENCE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        return result.returncode, result.stdout, result.stderr.decode()

    def call(self, *arguments):
        return self.run_it("-c", self.configuration, *arguments)

    def test_commands_ask_their_question(self):
        server = self.answer()
        cases = ((("queue",), "queue\n"), (("show", "A1"), "show A1\n"),
                 (("show", "--raw", "A1"), "show raw A1\n"), (("queue", "A1"), "queue A1\n"),
                 (("queue", "--all"), "queue all\n"),
                 (("queue", "--from", "a b+@x", "--state=held,dead"),
                  "queue from=a+20b+2B@x state=held,dead\n"),
                 (("remove", "--to", "*", "--older", "2d", "--user", "0"),
                  "remove count to=* older=172800000 user=0\n"),
                 (("retry", "--user", "root", "--json"), "retry json count user=0\n"), (("mailq",), "queue\n"), (("queue", "--json"), "queue json\n"),
                 (("status",), "status\n"), (("--json", "status"), "status json\n"),
                 (("status", "--warning-age", "4h", "--critical-dead=1"), "status warning-age=4h critical-dead=1\n"),
                 (("metrics",), "metrics\n"),
                 (("retry",), "retry count all\n"),
                 (("retry", "--all"), "retry count all\n"),
                 (("retry", "A1", "B2"), "retry count A1 B2\n"),
                 (("remove", "A1"), "remove count A1\n"), (("hold", "A1"), "hold count A1\n"),
                 (("release", "--all"), "release count all\n"),
                 (("remove", "--all"), "remove count all\n"), (("reload",), "reload\n"))
        for arguments, question in cases:
            with self.subTest(arguments=arguments):
                self.assertEqual(self.call(*arguments), (0, b"abc", ""))
                self.assertEqual(server.questions.pop(), question)

    def why(self, *arguments):
        """What tranterctl why says, in lines; the daemon is not there to be asked."""
        code, out, err = self.call("why", *arguments)
        self.assertEqual((code, err), (0, ""))
        return out.decode().splitlines()

    def write_aliases(self, text):
        self.aliases = self.file("aliases")
        with open(self.aliases, "w", encoding="utf-8") as file:
            file.write(text)
        self.write("aliases = \"%s\"\nhostname = \"web1.example.com\"\ndomain = \"example.com\"\n"
                   "smarthost \"main\" {\n  host = \"smtp.example.com\"\n  user = \"u\"\n"
                   "  password-file = \"/the/password\"\n}\n"
                   "smarthost \"spare\" { host = \"192.0.2.1\" port = 465 tls-verify = \"none\" }\n"
                   % self.aliases)

    def test_why_says_which_settings_apply_and_where_they_stand(self):
        self.write_aliases("root: ops, boss@example.net\n\nops: \\\\root, a@example.net\n".replace("\\\\", "\\"))
        self.assertEqual(self.why("root"), [
            "root, a user of this host",
            "  alias root, %s:1" % self.aliases,
            "    alias ops, %s:3" % self.aliases,
            "      to root@example.com, a user of this host, completed with the domain",
            "      to a@example.net",
            "    to boss@example.net",
            "rewrite: none",
            "route: none; smarthosts in the order written, the next where one is down",
            "  1. main, smtp.example.com port 587 (%s:4)" % self.configuration,
            "     TLS: STARTTLS required; certificate and the name smtp.example.com are checked "
            "against the system's authorities",
            "     login: u, password from /the/password",
            "  2. spare, 192.0.2.1 port 465 (%s:9)" % self.configuration,
            "     TLS: from the first byte; whoever answers is trusted (tls-verify = \"none\")",
            "     login: none"])
        self.assertEqual(self.why("Bob <b@example.org>")[:2],
                         ["b@example.org", "  to b@example.org"])
        self.assertEqual(self.why("\\root")[:2], [
            "\\root, a user of this host",
            "  to root@example.com, a user of this host, completed with the domain"])

    def test_why_names_a_command_without_its_arguments(self):
        self.write("smarthost \"main\" {\n  host = \"smtp.example.com\"\n  user = \"u\"\n"
                   "  password-command = \"/usr/bin/pass show private\"\n}\n"
                   "smarthost \"spare\" { host = \"192.0.2.1\" user = \"u\"\n"
                   "  token-command = \"/usr/bin/oama access me\" }\n")
        said = self.why("a@example.net")
        self.assertIn("     login: u, password from password-command /usr/bin/pass", said)
        self.assertIn("     login: u, token from token-command /usr/bin/oama", said)
        hosts = json.loads(self.why("a@example.net", "--json")[0])["smarthosts"]
        self.assertEqual([host["credential"] for host in hosts],
                         ["password-command /usr/bin/pass", "token-command /usr/bin/oama"])

    def test_why_says_it_to_programs_too(self):
        self.write_aliases("root: a@example.net\nnoreply: /dev/null\n")
        step = {"name": "root", "file": self.aliases, "line": 1}
        said = json.loads(self.why("root", "--json", "--from", "x@y", "--user", "web")[0])
        self.assertEqual((said["address"], said["local"], said["from"], said["user"]),
                         ("root", True, "x@y", "web"))
        self.assertEqual(said["recipients"], [
            {"address": "a@example.net", "by": "address", "aliases": [step]}])
        self.assertEqual((said["rewrite"], said["route"]), (None, None))
        self.assertEqual([(host["name"], host["tls"], host["tls_verify"], host["credential"])
                          for host in said["smarthosts"]],
                         [("main", "starttls", "full", "/the/password"),
                          ("spare", "implicit", "none", None)])
        said = json.loads(self.why("noreply", "--json")[0])
        self.assertEqual([(to["by"], to.get("address")) for to in said["recipients"]],
                         [("nobody", None)])

    def test_why_takes_one_address_and_files_that_can_be_read(self):
        self.write_aliases("root: a@b\n")
        for words in ((), ("a@b", "c@d"), ("a@b, c@d",), ("a@b@c",), ("",)):
            with self.subTest(words):
                code, out, err = self.call("why", *words)
                self.assertEqual((code, out, err.count("\n")), (64, b"", 1))
        self.write_aliases("root: a@b\nnonsense\n")
        code, out, err = self.call("why", "root")
        self.assertEqual((code, out.splitlines()[2]), (0, b"    to a@b"))
        self.assertIn("%s:2: this is no alias" % self.aliases, err)
        self.assertEqual(self.call("check")[:2], (78, b""))
        os.unlink(self.aliases)
        for words in (("why", "root"), ("check",)):
            code, out, err = self.call(*words)
            self.assertEqual((code, out), (78, b""))
            self.assertIn("the alias file %s cannot be read" % self.aliases, err)
    def test_an_interrupt_ends_a_change_and_tells_its_count(self):
        server = Stopped(self.path)
        self.addCleanup(server.stop)
        main, other = pty.openpty()
        self.addCleanup(os.close, main)
        process = subprocess.Popen((TRANTERCTL, "-c", self.configuration, "remove", "--all"), stdout=subprocess.PIPE,
                                   stderr=other)
        os.close(other)
        self.addCleanup(process.stdout.close)
        seen = b""
        while b"5 of 100" not in seen:
            seen += os.read(main, 4096)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.stdout.read(), b"abc")
        self.assertEqual(process.wait(PATIENCE), -signal.SIGINT)
        while b"tranterctl: stopped" not in seen:
            seen += os.read(main, 4096)
        self.assertEqual(server.questions, ["remove count progress all\n"])

    def test_the_daemon_decides_the_exit_status_and_the_words(self):
        self.answer(b"end 67 no message A1 is in the queue\n")
        self.assertEqual(self.call("remove", "A1"),
                         (67, b"", "tranterctl: no message A1 is in the queue\n"))

    def test_a_large_answer_is_passed_on_whole(self):
        text = b"x" * 99 + b"\n"
        self.answer(b"".join(b"100\n" + text for _ in range(20000)) + b"end 0\n")
        self.assertEqual(self.call("queue")[:2], (0, text * 20000))

    def test_an_answer_without_an_end_is_69(self):
        self.answer(b"3\nabc")
        code, out, err = self.call("queue")
        self.assertEqual((code, out, err.count("\n")), (69, b"abc", 1))

    def test_a_daemon_that_is_away_is_69(self):
        code, out, err = self.call("status")
        self.assertEqual((code, out), (69, b""))
        self.assertIn(self.path, err)

    def test_words_that_do_not_fit_are_64_and_ask_nothing(self):
        server = self.answer()
        cases = ((), ("fly",), ("queue", "x y"), ("reload", "--json"), ("remove",), ("remove", "--all", "A1"),
                 ("retry", "--all", "A1"), ("remove", "A1 B2"), ("remove", "A1\nremove all"), ("remove", ""),
                 ("remove", "all"), ("remove", "x" * 65), ("--fly", "queue"), ("status", "--all"),
                 ("queue", "A=1"), ("hold",), ("hold", "--older", "soon"), ("queue", "--user", "no such"),
                 ("queue", "--all", "A1"), ("queue", "--raw"), ("status", "--from", "x"), ("remove", "--from"),
                 ("release",), ("return",), ("diagnose", "main", "spare"),
                 ("diagnose", "nosuch"), ("diagnose", "--all"), ("diagnose", "--to", "a b"),
                 ["remove"] + ["A%063d" % i for i in range(1100)])
        for arguments in cases:
            with self.subTest(arguments=arguments[:4]):
                code, out, err = self.call(*arguments)
                self.assertEqual((code, out), (64, b""))
                self.assertNotEqual(err, "")
        self.assertEqual(server.questions, [])

    def test_check_tells_good_from_bad(self):
        code, out, err = self.call("check")
        self.assertEqual((code, err), (0, ""))
        self.assertIn(b'well written; "tranterd -t" also tries the passwords', out)
        self.write("smarthost \"main\" {\n    hoost = \"x\"\n}\n")
        code, out, err = self.call("check")
        self.assertEqual((code, out), (78, b""))
        self.assertIn(self.configuration + ":2:", err)
        code, out, err = self.call("check", "--json")
        found = json.loads(out)
        self.assertEqual((code, err, found["good"], found["file"]),
                         (78, "", False, self.configuration))
        self.assertTrue(found["problems"][0].startswith(self.configuration + ":2:"))

    def test_check_tells_json_of_what_is_good(self):
        code, out, err = self.call("check", "--json")
        self.assertEqual((code, json.loads(out), err),
                         (0, {"file": self.configuration, "good": True, "problems": []}, ""))

    def test_a_configuration_that_was_named_must_be_good(self):
        server = self.answer()
        self.write("nonsense")
        code, out, err = self.call("queue")
        self.assertEqual((code, out), (78, b""))
        self.assertIn("TRANTER_CONTROL", err)
        self.assertEqual(server.questions, [])

    def test_the_daemon_is_reached_while_its_configuration_is_bad(self):
        server = self.answer()
        self.write("nonsense")
        self.assertEqual(self.run_it("-c", self.configuration, "reload", TRANTER_CONTROL=self.path),
                         (0, b"abc", ""))
        self.assertEqual(server.questions, ["reload\n"])

    def test_the_environment_goes_before_the_default_configuration(self):
        server = self.answer()
        self.assertEqual(self.run_it("queue", TRANTER_CONTROL=self.path)[0], 0)
        self.assertEqual(server.questions, ["queue\n"])

    def test_the_configuration_goes_before_the_environment(self):
        server = self.answer()
        self.run_it("-c", self.configuration, "queue", TRANTER_CONTROL=self.file("other"))
        self.assertEqual(server.questions, ["queue\n"])

    def test_help_and_version_need_nothing(self):
        for option, word in (("--help", b"remove"), ("--version", b"tranter ")):
            code, out, err = self.run_it(option)
            self.assertEqual((code, err), (0, ""))
            self.assertIn(word, out)
