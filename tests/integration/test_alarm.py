# SPDX-License-Identifier: GPL-3.0-or-later
"""Alarms that are not mail: exit status and first line of status, the service manager's line, the
metrics and their file."""

import json
import os
import re
import shutil
import subprocess

import lib
from test_relay import rule
from test_service import Manager

PROMTOOL = shutil.which("promtool")


class AlarmCase(lib.Case):
    def status(self, *options):
        """Exit status and first line."""
        done = self.daemon.tranterctl("status", *options)
        self.assertEqual(done.stderr, b"")
        return done.returncode, done.stdout.decode().split("\n")[0]

    def metrics(self):
        """The text; it must be sound."""
        done = self.daemon.tranterctl("metrics")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout.decode()

    def value(self, sample):
        """Of a sample by its name and labels."""
        found = re.search("^%s (.*)$" % re.escape(sample), self.metrics(), re.MULTILINE)
        self.assertIsNotNone(found, "%s in\n%s" % (sample, self.metrics()))
        return float(found[1])


class StatusTest(AlarmCase):
    def test_all_is_well_is_0(self):
        self.daemon.start().submit()
        self.wait_kept()
        self.daemon.wait_queue(0)
        self.assertEqual(self.status(), (0, "TRANTER OK - 0 messages wait | new=0 deferred=0 "
                                            "held=0 dead=0 oldest=0s"))

    def test_no_way_out_is_2_and_says_why(self):
        self.host.users = {lib.USER: "another"}
        self.daemon.start().submit()
        self.daemon.wait_log("is down")
        code, line = self.status()
        self.assertEqual(code, 2)
        self.assertRegex(line, r'^TRANTER CRITICAL - smarthost "main" has been down for \d+ s, '
                               r'account AUTH-REJECTED: .* \| new=1 ')
        done = self.daemon.tranterctl("status", "--json")
        self.assertEqual((done.returncode, json.loads(done.stdout)["verdict"]), (2, "CRITICAL"))
        self.assertEqual(json.loads(done.stdout)["summary"].split(" ")[1], "CRITICAL")

    def test_one_of_two_that_is_down_is_1(self):
        spare = self.new_host()
        self.daemon.add_smarthost(spare, "spare")
        self.host.stop()
        self.daemon.start().submit()
        self.wait_kept(host=spare)
        code, line = self.status()
        self.assertEqual((code, line.split(" - ")[0]), (1, "TRANTER WARNING"))

    def test_the_limits_are_options(self):
        self.start_deferred(2)
        lib.wait_for(lambda: not re.search("oldest=0s", self.status()[1]), "a second's age")
        for options, code in (((), 0), (("--warning-queue", "3"), 0), (("--warning-queue=2",), 1),
                              (("--warning-queue=1", "--critical-queue=2"), 2),
                              (("--warning-age=1s",), 1), (("--critical-age=1s",), 2),
                              (("--critical-age=1h",), 0), (("--warning-age=0",), 0)):
            self.assertEqual(self.status(*options)[0], code, (options, self.status(*options)))

    def test_dead_mail_is_1(self):
        self.host.script.replace([rule("rcpt", "reply", "550 5.1.1 No such user")])
        self.daemon.start().submit(sender="")
        self.daemon.wait_log("kept as dead")
        self.assertEqual(self.status()[0], 1)
        self.assertEqual(self.status("--warning-dead=0")[0], 0)
        self.assertEqual(self.status("--critical-dead=1")[0], 2)

    def test_a_refused_reload_is_1(self):
        self.daemon.start()
        self.place.write(self.daemon.conf, "frobnicate = 1\n")
        self.daemon.tranterctl("reload", user=(0, 0) if self.place.user else None)
        done = self.daemon.run("tranterctl", "status")  # of the old configuration's socket
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(b"frobnicate", done.stdout.split(b"\n")[0])

    def test_what_is_no_limit_is_64_and_an_absent_daemon_69(self):
        self.daemon.start()
        for option in ("--warning-age=soon", "--warning-queue=-1", "--warning-age=1 h"):
            self.assertEqual(self.daemon.tranterctl("status", option).returncode, 64, option)
        self.assertEqual(self.daemon.tranterctl("queue", "--warning-age=1h").returncode, 64)
        self.daemon.stop()
        self.assertEqual(self.daemon.tranterctl("status").returncode, 69)


class ManagerTest(AlarmCase):
    def test_the_service_manager_is_told_what_is_wrong(self):
        manager = Manager(self.place)
        self.addCleanup(manager.close)
        self.daemon.environment = lambda own=self.daemon.environment: dict(
            own(), NOTIFY_SOCKET=manager.path)
        self.daemon.smarthosts[0][1]["password-file"] = self.place.write("wrong", "wrong\n", 0o600)
        self.daemon.start()
        manager.wait("STATUS=running")
        self.daemon.submit()
        manager.wait_for('STATUS=smarthost "main" has been down for .*AUTH-REJECTED')
        self.place.write("wrong", lib.PASSWORD + "\n", 0o600)
        manager.wait("STATUS=running")


class MetricsTest(AlarmCase):
    def promtool(self, text):
        """promtool's opinion of it."""
        if not PROMTOOL:
            self.skipTest("promtool is not installed (./bootstrap install all)")
        done = subprocess.run([PROMTOOL, "check", "metrics"], input=text.encode(),
                              capture_output=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))

    def test_what_is_counted(self):
        self.host.script.replace([
            rule("rcpt", "reply", "550 5.1.1 No such user", recipient="gone@*"),
            rule("rcpt", "reply", "450 4.2.1 Busy", recipient="busy@*")])
        self.daemon.settings["retry-min"] = self.daemon.settings["retry-max"] = "1h"
        self.daemon.start().submit("one@example.net", "gone@example.net", "busy@example.net")
        self.wait_kept(2)  # and the report
        self.daemon.wait_queue(1)
        for outcome, scope, status, n in (("sent", "none", "2.0.0", 2),
                                          ("bounced", "recipient", "5.1.1", 1),
                                          ("deferred", "recipient", "4.2.1", 1)):
            self.assertEqual(self.value('tranter_outcomes_total{outcome="%s",scope="%s",status="%s"}'
                                        % (outcome, scope, status)), n)
        self.assertEqual(self.value('tranter_queue_messages{state="deferred"}'), 1)
        self.assertEqual(self.value('tranter_submissions_total{answer="accepted"}'), 1)
        self.assertEqual(self.value("tranter_commit_duration_seconds_count"), 1)
        self.assertEqual(self.value('tranter_commit_duration_seconds_bucket{le="+Inf"}'), 1)
        self.assertEqual(self.value('tranter_smarthost_up{smarthost="main"}'), 1)
        self.assertRegex(self.metrics(), r'tranter_smarthost_session_info\{smarthost="main",'
                                         r'tls="TLSv1\.3",auth="PLAIN"\} 1\n')
        self.assertTrue(self.metrics().endswith("# EOF\n"))
        self.promtool(self.metrics())

    def test_a_smarthost_that_is_down(self):
        self.host.stop()
        self.daemon.smarthosts[0][1]["rate"] = "9/m"
        self.daemon.start().submit()
        self.daemon.wait_log("is down")
        self.assertEqual(self.value('tranter_smarthost_up{smarthost="main"}'), 0)
        self.assertEqual(self.value('tranter_smarthost_fault{smarthost="main",scope="server",'
                                    'code="TCP-REFUSED"}'), 1)
        self.promtool(self.metrics())

    def test_a_message_that_is_refused_is_counted(self):
        self.daemon.settings["minimum-free-space"] = "1024G"
        self.daemon.start()
        done = self.daemon.sendmail("--", lib.RECIPIENT)
        self.assertEqual(done.returncode, 71)
        self.assertIn(b"the mail daemon takes no mail now: 452 4.3.1", done.stderr)
        self.assertGreaterEqual(self.value('tranter_submissions_total{answer="deferred"}'), 1)
        done = self.daemon.tranterctl("status")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"CRITICAL - new mail is refused: the spool's file system has", done.stdout)

    def test_the_file_is_there_from_the_start_and_new_at_the_end(self):
        directory = self.place.directory("collector")
        path = os.path.join(directory, "tranter.prom")
        self.daemon.settings["metrics-file"] = path
        self.daemon.start()
        first = os.stat(path)
        self.assertEqual(first.st_mode & 0o7777, 0o644)
        self.daemon.submit()
        self.wait_kept()
        self.daemon.wait_queue(0)
        self.assertEqual(self.daemon.stop(), 0)
        with open(path, encoding="ascii") as file:
            text = file.read()
        self.assertNotEqual(os.stat(path).st_ino, first.st_ino)
        self.assertIn('tranter_submissions_total{answer="accepted"} 1\n', text)
        self.assertEqual(os.listdir(directory), ["tranter.prom"])
        self.promtool(text)

    def test_its_directory_is_looked_for_when_the_configuration_is_checked(self):
        self.daemon.settings["metrics-file"] = self.place.file("missing", "tranter.prom")
        self.daemon.write_configuration()
        done = self.daemon.run("tranterd", "-c", self.place.file(self.daemon.conf), "-t")
        self.assertEqual(done.returncode, 78)
        self.assertRegex(done.stderr, rb"metrics-file .*missing/tranter\.prom: its directory: No such")

    def test_a_file_that_cannot_be_written_is_told_once_and_stops_nothing(self):
        self.daemon.settings["metrics-file"] = self.place.file("missing", "tranter.prom")
        self.daemon.start().submit()
        self.wait_kept()
        self.daemon.wait_log("cannot write metrics-file .*missing")


if __name__ == "__main__":
    lib.main()
