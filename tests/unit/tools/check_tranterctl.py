# SPDX-License-Identifier: GPL-3.0-or-later
"""The built tranterctl asks the right question, and passes the answer on."""

import os
import subprocess
import tempfile
import unittest

from daemon import Control

BUILD = os.environ.get("TRANTER_BUILDDIR", os.getcwd())
TRANTERCTL = os.path.join(BUILD, "src/tools/tranterctl")
PATIENCE = 20
CONFIGURATION = 'control = "%s"\nsmarthost "main" {\n    host = "127.0.0.1"\n}\n'


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
        cases = ((("queue",), "queue\n"), (("mailq",), "queue\n"), (("queue", "--json"), "queue json\n"),
                 (("status",), "status\n"), (("--json", "status"), "status json\n"),
                 (("retry",), "retry all\n"), (("retry", "--all"), "retry all\n"),
                 (("retry", "A1", "B2"), "retry A1 B2\n"), (("remove", "A1"), "remove A1\n"),
                 (("hold", "A1"), "hold A1\n"), (("release", "--all"), "release all\n"),
                 (("remove", "--all"), "remove all\n"), (("reload",), "reload\n"))
        for arguments, question in cases:
            with self.subTest(arguments=arguments):
                self.assertEqual(self.call(*arguments), (0, b"abc", ""))
                self.assertEqual(server.questions.pop(), question)

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
        cases = ((), ("fly",), ("queue", "x"), ("reload", "--json"), ("remove",), ("remove", "--all", "A1"),
                 ("retry", "--all", "A1"), ("remove", "A1 B2"), ("remove", "A1\nremove all"), ("remove", ""),
                 ("remove", "all"), ("remove", "x" * 65), ("--fly", "queue"), ("status", "--all"),
                 ("show", "A1"), ("hold",), ("release",), ("return", "A1"), ("diagnose",),
                 ("why", "a@b"), ("metrics",), ["remove"] + ["A%063d" % i for i in range(1100)])
        for arguments in cases:
            with self.subTest(arguments=arguments[:4]):
                code, out, err = self.call(*arguments)
                self.assertEqual((code, out), (64, b""))
                self.assertNotEqual(err, "")
        self.assertEqual(server.questions, [])

    def test_check_tells_good_from_bad(self):
        self.assertEqual(self.call("check")[0], 0)
        self.write("smarthost \"main\" {\n    hoost = \"x\"\n}\n")
        code, out, err = self.call("check")
        self.assertEqual((code, out), (78, b""))
        self.assertIn(self.configuration + ":2:", err)

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
