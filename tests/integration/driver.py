# SPDX-License-Identifier: GPL-3.0-or-later
"""Automake's test driver for modules of unittest: each test has a line of its own in the summary.

Called by `make check` with automake's options, then "--", the interpreter and the module. It runs
in the interpreter that automake names and writes the .log and the .trs file.
"""

import argparse
import contextlib
import importlib.util
import os
import signal
import sys
import time
import unittest


class Result(unittest.TextTestResult):
    """Notes what became of each test besides printing it."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.outcomes = []

    def note(self, outcome, test):
        self.outcomes.append((outcome, test.id().split(".", 1)[-1].rstrip(")")))

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def addSuccess(self, test):
        super().addSuccess(test)
        self.stream.writeln("    %.1f s" % (time.monotonic() - self.began))
        self.note("PASS", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note("FAIL", test)

    def addError(self, test, err):
        super().addError(test, err)
        self.note("ERROR", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note("SKIP", test)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.note("FAIL", subtest)


def load(path):
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return unittest.defaultTestLoader.loadTestsFromModule(module)


def run(path):
    """What became of each test of the module: a list of (outcome, name)."""
    try:
        suite = load(path)
    except Exception as error:  # whatever keeps the module from loading is a failed test
        print("%s: %r" % (path, error))
        return [("ERROR", "the module loads")]
    runner = unittest.TextTestRunner(sys.stdout, verbosity=2, resultclass=Result)
    return runner.run(suite).outcomes or [("ERROR", "the module has tests")]


def parse_arguments():
    parser = argparse.ArgumentParser()
    for option in ("test-name", "log-file", "trs-file", "color-tests", "expect-failure",
                   "enable-hard-errors", "collect-skipped-logs"):
        parser.add_argument("--" + option)
    parser.add_argument("program", nargs="+")
    return parser.parse_args()


def main():
    # A background job may have begun with these ignored, and programs under test inherit that.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    given = parse_arguments()
    saved = os.dup(1)
    with open(given.log_file, "w", buffering=1, encoding="utf-8") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
            outcomes = run(given.program[-1])
    with open(saved, "w", encoding="utf-8") as terminal:
        for outcome, name in outcomes:
            terminal.write("%s: %s %s\n" % (outcome, given.test_name, name))
    worst = [outcome for outcome in ("ERROR", "FAIL", "PASS", "SKIP")
             if outcome in dict(outcomes)][0]
    with open(given.trs_file, "w", encoding="utf-8") as trs:
        for outcome, name in outcomes:
            trs.write(":test-result: %s %s\n" % (outcome, name))
        trs.write(":global-test-result: %s\n:recheck: %s\n:copy-in-global-log: %s\n" % (
            worst, "yes" if worst in ("FAIL", "ERROR") else "no",
            "no" if worst == "PASS" else "yes"))


if __name__ == "__main__":
    main()
