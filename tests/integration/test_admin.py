# SPDX-License-Identifier: GPL-3.0-or-later
"""What an administrator does and reads: queue, status, retry, remove, reload, check, signals, log."""

import os
import re
import shutil
import signal
import subprocess
import tempfile

import lib
import reports

ID = r"[0-9A-F]{10,16}"
DATE = r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d"


class AdminCase(lib.Case):
    def setUp(self):
        super().setUp()
        self.root = (0, 0) if self.place.user else None

    def ctl(self, *arguments, user=None):
        return self.daemon.tranterctl(*arguments, user=user or self.root)

    def text(self, *arguments, user=None, code=0):
        """What a command prints that must succeed, or tell how bad it is."""
        done = self.ctl(*arguments, user=user)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stderr, b"")
        return done.stdout.decode()


class QueueTest(AdminCase):
    def test_an_empty_queue_says_so(self):
        self.daemon.start()
        for arguments in (["queue"], ["-c", "whatever"]):
            done = self.ctl("queue") if arguments == ["queue"] else self.mailq(*arguments)
            self.assertEqual((done.returncode, done.stdout), (0, b"Mail queue is empty\n"))

    def mailq(self, *arguments):
        link = self.place.file("mailq")
        if not os.path.lexists(link):
            os.symlink(self.place.programs["sendmail"], link)
        return subprocess.run([link, *arguments], capture_output=True, check=False,
                              stdin=subprocess.DEVNULL, env=self.daemon.environment(),
                              **lib.identity(self.place.user))

    def test_the_layout_is_that_of_postfix(self):
        self.start_deferred(2)
        done = self.mailq()
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        lines = done.stdout.decode().split("\n")
        self.assertRegex(lines[0], r"/mqueue \(2 requests\)$")
        self.assertRegex(lines[1], r"^-+Queue ID-+ +--Size-- -+Arrival Time-+ -+Sender/Recipient-+$")
        entries = [line for line in lines if re.match(
            r"^%s[ *!#]? +\d+ %s +%s$" % (ID, DATE, re.escape(lib.SENDER)), line)]
        self.assertEqual(len(entries), 2, lines)
        self.assertEqual(len([line for line in lines if re.match(r"^ *\(.*4\.2\.1 Busy.*\)$", line)]), 2)
        self.assertEqual([line.strip() for line in lines if re.match(r"^ +r\d@example\.net$", line)],
                         ["r0@example.net", "r1@example.net"])
        self.assertRegex(lines[-2], r"^-- \d+ Kbytes in 2 Requests\.$")
        self.assertEqual(lines[-1], "")

    def test_what_reads_the_text_counts_right(self):
        """postfix_exporter's pattern, and what people write into scripts."""
        self.start_deferred(3)
        self.daemon.tranterctl("hold", self.daemon.queue()[0]["queue_id"], user=self.root)
        lib.wait_for(lambda: b"! " in self.mailq().stdout, "the mark of the held message")
        lines = self.mailq().stdout.decode().splitlines()
        entries = [re.match(r"^[0-9A-F]+([\*!]?) +(\d+) (\w{3} \w{3} +\d+ +\d+:\d{2}:\d{2}) +", line)
                   for line in lines]
        self.assertEqual(sorted(entry[1] for entry in entries if entry), ["", "", "!"])
        self.assertEqual(sum(re.match("[A-F0-9]", line) is not None for line in lines), 3)
        self.assertEqual(lines[-1].split()[4], "3")
        self.assertEqual([line for line in lines if line != line.rstrip()], [])

    def test_json_has_the_names_of_postqueue_and_ours(self):
        self.start_deferred()
        entry = self.daemon.queue()[0]
        self.assertLessEqual({"queue_name", "queue_id", "arrival_time", "message_size",
                              "forced_expire", "sender", "recipients", "attempts", "next_attempt",
                              "smarthost", "uid", "state", "reason"}, set(entry))
        self.assertRegex(entry["queue_id"], "^%s$" % ID)
        self.assertEqual((entry["queue_name"], entry["sender"]), ("deferred", lib.SENDER))
        self.assertEqual(entry["recipients"][0]["address"], "r0@example.net")
        self.assertIn("4.2.1 Busy", entry["recipients"][0]["delay_reason"])
        self.assertEqual(entry["uid"], lib.ordinary_user()[0] if lib.ordinary_user() else os.getuid())
        self.assertEqual(entry["attempts"], 1)

    def test_anyone_may_count_but_sees_only_what_is_theirs(self):
        if not self.place.user:
            self.skipTest("needs root, to ask as another user")
        ids = self.start_deferred(2)
        other = (12345, 12345)
        text = self.text("queue", user=other)
        self.assertRegex(text, r"2 Requests\.\n\Z")
        self.assertNotRegex(text, "example|Busy")
        for command in ("retry", "remove"):
            self.assertEqual(self.ctl(command, ids[0], user=other).returncode, 77)
        self.ctl("remove", "--all", user=other)
        self.assertEqual(self.ctl("reload", user=other).returncode, 77)
        self.assertEqual(len(self.daemon.queue()), 2)

    def test_retry_sends_now(self):
        ids = self.start_deferred(2)
        self.text("retry", ids[0])
        self.assertEqual(self.wait_kept()[0]["recipients"], ["r0@example.net"])
        self.text("retry", "--all")
        self.wait_kept(2)
        self.wait_idle()

    def test_a_part_of_the_queue_is_retried(self):
        ids = self.start_deferred(3)
        root = (0, 0) if self.place.user else None
        kept = 0
        for option, recipient in (("-qSnobody", None), ("-qRR1@EXAMPLE", "r1@example.net"),
                                  ("-qI" + ids[0].lower(), "r0@example.net"), ("-qR r 1", None),
                                  ("-q!Sno body", "r2@example.net")):
            done = self.daemon.sendmail(option, stdin=b"", user=root)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
            if recipient:
                kept += 1
                self.assertEqual(self.wait_kept(kept)[-1]["recipients"], [recipient])
        self.wait_idle()
        self.assertEqual(len(self.host.records), 3)
        done = self.daemon.sendmail("-qRx", stdin=b"", user=(54321, 54321) if root else None)
        self.assertEqual(done.returncode, 77 if root else 0)

    def test_what_is_held_waits_for_its_release(self):
        ids = self.start_deferred(2)
        self.text("hold", ids[0])
        self.text("hold", ids[0])
        self.assertEqual(self.ctl("retry", ids[0]).returncode, 64)
        self.assertRegex(self.text("queue"), r"(?m)^%s! " % ids[0])
        self.daemon.stop()
        self.daemon.start()
        self.text("retry", "--all")
        self.assertEqual(self.wait_kept()[0]["recipients"], ["r1@example.net"])
        self.assertEqual([entry["queue_name"] for entry in self.daemon.wait_queue(1)], ["hold"])
        self.text("release", "--all")
        self.assertEqual(self.wait_kept(2)[1]["recipients"], ["r0@example.net"])
        self.wait_idle()

    def test_remove_removes(self):
        ids = self.start_deferred(3)
        self.text("remove", ids[1])
        self.assertEqual([entry["queue_id"] for entry in self.daemon.queue()], [ids[0], ids[2]])
        self.assertTrue(self.daemon.logged("%s: removed" % ids[1]))
        self.text("remove", "--all")
        self.assertEqual(self.daemon.queue(), [])

    def test_return_gives_up_now_with_a_report_that_says_why(self):
        ids = self.start_deferred(2)
        self.text("hold", ids[1])
        self.text("return", *ids)
        self.wait_kept(2)
        self.assertEqual(self.daemon.queue(), [])
        seen = set()
        for record in self.host.records:
            report = reports.Report(self, self.host.content(record), lib.SENDER)
            seen.update(report.actions())
            self.assertIn("The administrator returned the message before its time.",
                          report.text.replace("\r\n    ", " "))
            self.assertEqual(report.of_recipients[0]["Diagnostic-Code"], "smtp; 450 4.2.1 Busy")
        self.assertEqual(seen, {("r0@example.net", "failed"), ("r1@example.net", "failed")})
        self.assertTrue(self.daemon.logged(r"%s: returned by uid \d+" % ids[0]))

    def test_return_of_what_has_no_sender_keeps_it_as_dead(self):
        self.start_deferred(0)
        self.host.script.replace([{"stage": "rcpt", "action": "reply", "text": "450 4.2.1 Busy"}])
        self.daemon.submit(sender="")
        self.daemon.wait_log("status=deferred")
        entry = self.daemon.queue()[0]
        self.text("return", entry["queue_id"])
        self.assertEqual([e["state"] for e in self.daemon.queue()], ["dead"])
        done = self.ctl("return", entry["queue_id"])
        self.assertEqual(done.returncode, 64)

    def test_return_is_for_administrators(self):
        ids = self.start_deferred(1)
        done = self.ctl("return", ids[0], user=(65533, 65533))
        self.assertEqual(done.returncode, 77)
        self.assertEqual(len(self.daemon.queue()), 1)

    def test_a_message_to_thousands_is_returned_for_all(self):
        self.daemon.settings["recipient-limit"] = 3000
        self.daemon.settings["retry-min"] = self.daemon.settings["retry-max"] = "1h"
        self.host.stop()
        self.daemon.start()
        self.daemon.submit(*("r%d@example.net" % n for n in range(2500)))
        self.text("return", self.daemon.queue()[0]["queue_id"])
        self.host.start()
        self.text("retry")
        self.wait_kept(3)
        told = set()
        for record in self.host.records:
            report = reports.Report(self, self.host.content(record), lib.SENDER)
            told.update(address for address, _ in report.actions())
        self.assertEqual(len(told), 2500)

    def test_an_unknown_message_is_67_and_wrong_usage_64(self):
        self.daemon.start()
        for command in ("retry", "remove"):
            done = self.ctl(command, "ABCDEF012345")
            self.assertEqual(done.returncode, 67, done.stderr)
            self.assertIn(b"ABCDEF012345", done.stderr)
        for arguments in ([], ["frobnicate"], ["remove"], ["retry", "not an id"]):
            self.assertEqual(self.ctl(*arguments).returncode, 64, arguments)

    def test_an_absent_daemon_is_69(self):
        self.daemon.write_configuration()
        for command in ("queue", "status", "reload"):
            done = self.ctl(command)
            self.assertEqual(done.returncode, 69)
            self.assertIn(self.daemon.control.encode(), done.stderr)
        self.assertEqual(self.mailq().returncode, 69)


class ReaderTest(AdminCase):
    def test_a_reader_who_has_read_enough_hears_no_complaint(self):
        self.start_deferred()
        for program, *arguments in (("tranterctl", "-c", self.place.file("tranter.conf"), "queue"),
                                    ("sendmail", "-bp")):
            with self.subTest(program):
                reader, writer = os.pipe()
                os.close(reader)
                with open(writer, "wb") as out:
                    done = subprocess.run([self.place.programs[program], *arguments], stdout=out,
                                          stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                          env=self.daemon.environment(), timeout=60, check=False)
                self.assertEqual((done.returncode, done.stderr), (74, b""))


class StatusTest(AdminCase):
    def test_status_tells_up_down_since_when_and_why(self):
        self.daemon.start().submit()
        self.wait_kept()
        self.assertRegex(self.text("status"), r"main\b.*\bup")
        self.host.stop()
        self.daemon.submit()
        self.daemon.wait_log(lib.WAITS)
        text = self.text("status", code=2)
        self.assertRegex(text, r"main\b[\s\S]*\bdown")
        self.assertRegex(text, r"(?i)refuse")
        self.assertRegex(text, r"(?i)next|probe|again")

    def test_status_in_json_is_json(self):
        import json
        self.daemon.start()
        json.loads(self.text("status", "--json"))

    def test_a_spool_in_memory_is_warned_about_at_start_and_in_status(self):
        import json
        kind = subprocess.run(["stat", "-f", "-c", "%T", "/dev/shm"], stdout=subprocess.PIPE,
                              check=False).stdout.strip()
        if kind != b"tmpfs":
            self.skipTest("/dev/shm is no tmpfs here")
        spool = tempfile.mkdtemp(prefix="tranter.", dir="/dev/shm")
        self.addCleanup(shutil.rmtree, spool)
        self.place.give(spool)
        self.daemon.settings["spool"] = spool
        self.daemon.start()
        warning = "%s/queue.db lies on tmpfs" % spool
        self.assertIn(warning, self.daemon.log())
        self.assertIn(warning, self.text("status"))
        self.assertIn(warning, json.loads(self.text("status", "--json"))["spool_warning"])


class ConfigurationTest(AdminCase):
    def check(self):
        return self.daemon.run("tranterd", "-c", self.place.file(self.daemon.conf), "-t")

    def test_a_good_configuration_is_0_and_silent(self):
        self.daemon.write_configuration()
        done = self.check()
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_each_fault_is_78_with_file_and_line(self):
        good = lib.configuration(self.daemon.settings, self.daemon.smarthosts)
        n = good.count("\n")
        path = self.place.file(self.daemon.conf)
        mode = self.place.write("loose", "x\n", 0o644)
        for text, line, words in (
                (good + "frobnicate = 1\n", n + 1, "frobnicate"),
                (good + 'lifetime = "soon"\n', n + 1, "soon"),
                (good + "recipient-limit = -5\n", n + 1, "-5"),
                (good.replace('"starttls"', '"maybe"'), None, "maybe"),
                (good + 'smarthost "main" {\n host = "x"\n}\n', None, "main"),
                ('hostname = "a.example.com"\n', None, "smarthost"),
                (good.replace(self.daemon.smarthosts[0][1]["password-file"], mode), None, "loose"),
                (good.replace(self.daemon.smarthosts[0][1]["password-file"], "/nowhere"), None,
                 "/nowhere"),
                (good.replace(self.certificates.ca, "/nowhere.pem"), None, "/nowhere.pem")):
            with self.subTest(words=words):
                self.place.write(self.daemon.conf, text)
                done = self.check()
                self.assertEqual(done.returncode, 78, done.stderr)
                where = re.match(r"%s:(\d+): [ -~]+\n\Z" % re.escape(path), done.stderr.decode())
                self.assertTrue(where, done.stderr)
                self.assertIn(words, done.stderr.decode())
                if line:
                    self.assertEqual(int(where[1]), line)

    def test_the_daemon_refuses_a_bad_configuration_with_78(self):
        self.place.write(self.daemon.conf, "frobnicate = 1\n")
        self.daemon.spawn()
        self.assertEqual(self.daemon.process.wait(lib.PATIENCE), 78)

    def test_a_reload_while_it_stops_is_no_fault_of_the_configuration(self):
        self.host.script.replace([{"stage": "dot", "action": "stall"}])
        self.daemon.start()
        self.daemon.submit()
        lib.wait_for(lambda: any("! stall" in line for line in self.host.transcript), "the dot")
        self.daemon.process.send_signal(signal.SIGTERM)
        lib.wait_for(lambda: self.daemon.logged("stopping"), "the begin of the stop")
        done = self.ctl("reload")
        self.assertEqual((done.returncode, done.stderr),
                         (75, b"tranterctl: the daemon is stopping\n"))
        self.assertEqual(self.daemon.process.wait(lib.PATIENCE), 0)
        self.assertIsNone(self.daemon.logged("reload refused"))

    def test_reload_takes_a_good_configuration_and_keeps_the_old_for_a_bad_one(self):
        self.daemon.start()
        other = self.new_host()
        for reload in (lambda: self.ctl("reload").returncode,
                       lambda: self.daemon.process.send_signal(signal.SIGHUP) or 78):
            self.place.write(self.daemon.conf, "frobnicate = 1\n")
            self.daemon.mark()
            self.assertEqual(reload(), 78)
            self.daemon.wait_log(r"tranter\.conf:1: .*frobnicate")
            kept = len(self.host.records)
            self.daemon.submit()
            self.wait_kept(kept + 1)
        self.assertIn("frobnicate", self.text("status", code=1))
        self.daemon.smarthosts.clear()
        self.daemon.add_smarthost(other)
        self.daemon.write_configuration()
        self.text("reload")
        kept = len(self.host.records)
        self.daemon.submit()
        self.wait_kept(1, other)
        self.assertEqual(len(self.host.records), kept)
        self.assertNotIn("frobnicate", self.text("status"))

    def test_a_reload_with_another_spool_is_refused_and_names_both(self):
        self.start_deferred()
        old = self.daemon.spool
        self.daemon.settings["spool"] = self.place.directory("other-spool")
        self.daemon.write_configuration()
        refused = self.ctl("reload")
        self.assertEqual(refused.returncode, 78)
        for word in (old, self.daemon.settings["spool"], b"restart"):
            self.assertIn(word if isinstance(word, bytes) else word.encode(), refused.stderr)
        self.assertIn(old + "/mqueue", self.text("queue"))
        self.assertIn("restart", self.text("status", code=1))


class SignalTest(AdminCase):
    def test_sigterm_ends_with_0_and_keeps_what_waits(self):
        self.start_deferred(2)
        with self.daemon.connect() as sock:
            sock.recv(100)
            self.assertEqual(self.daemon.stop(), 0)
            self.assertRegex(sock.recv(100), rb"^421 ")
        self.daemon.start()
        self.assertEqual(len(self.daemon.queue()), 2)

    def test_sigterm_finishes_the_transaction_in_hand(self):
        self.daemon.start()
        self.host.script.replace([{"stage": "dot", "action": "delay", "seconds": 1}])
        self.daemon.submit()
        lib.wait_for(lambda: [line for line in self.host.transcript if "! content" in line],
                     "the content at the smarthost")
        self.assertEqual(self.daemon.stop(), 0)
        self.assertEqual(len(self.host.records), 1)
        self.assertTrue(self.daemon.logged("status=sent"))
        self.daemon.start()
        self.assertEqual(self.daemon.queue(), [])

    def test_sigusr1_retries_the_queue(self):
        self.start_deferred(2)
        self.daemon.process.send_signal(signal.SIGUSR1)
        self.wait_kept(2)

    def test_a_second_daemon_on_the_spool_is_refused_with_75(self):
        self.daemon.start()
        second = self.new_daemon("second")
        second.settings["spool"] = self.daemon.spool
        second.add_smarthost(self.host)
        second.write_configuration()
        second.spawn()
        self.assertEqual(second.process.wait(lib.PATIENCE), 75)
        self.assertIn(str(self.daemon.process.pid), second.log())
        self.daemon.submit()
        self.wait_kept()

    def test_a_socket_that_was_left_behind_is_replaced_and_a_file_is_not(self):
        self.daemon.start()
        self.daemon.kill()
        self.assertTrue(os.path.exists(self.daemon.socket))
        self.daemon.start()
        self.daemon.stop()
        if os.path.exists(self.daemon.socket):
            os.unlink(self.daemon.socket)
        self.place.write("tranter/smtp.sock", "somebody's file")
        self.daemon.spawn()
        self.assertNotEqual(self.daemon.process.wait(lib.PATIENCE), 0)
        with open(self.daemon.socket, encoding="ascii") as file:
            self.assertEqual(file.read(), "somebody's file")


class LogTest(AdminCase):
    def test_one_message_logs_the_lines_that_pflogsumm_reads(self):
        self.daemon.start().submit("one@example.net", "two@example.net", message=(
            b"Message-ID: <unique@example.com>\nSubject: x\n\nx\n"))
        self.wait_kept()
        self.wait_idle()
        taken = self.daemon.wait_log(r"(%s): from=<app@example\.com>, size=(\d+), nrcpt=2 \(queue active\)$"
                                     % ID)
        identifier = taken[1]
        self.assertEqual(int(taken[2]), self.host.records[0]["bytes"])
        for line in (r"uid=\d+ from=<app@example\.com>$", r"message-id=<unique@example\.com>$",
                     r"to=<one@example\.net>, relay=localhost\[127\.0\.0\.1\]:\d+, delay=[\d.]+, "
                     r"delays=[\d.]+/[\d.]+/[\d.]+/[\d.]+, dsn=2\.0\.0, status=sent \(250 2\.0\.0 Ok.*\)$",
                     r"to=<two@example\.net>, relay=.*status=sent \(250 .*\)$", r"removed$"):
            self.assertTrue(self.daemon.logged("%s: %s" % (identifier, line)), line)

    def test_what_others_say_cannot_forge_a_line(self):
        self.daemon.start()
        self.host.script.replace([{"stage": "rcpt", "action": "reply",
                                   "text": "450 4.2.1 a\x1b[31m\x07\rABCDEF012345: removed\x85b"}])
        self.daemon.submit()
        line = self.daemon.wait_log("status=deferred.*")[0]
        self.assertNotRegex(self.daemon.log(), "[\x00-\x08\x0b-\x1f\x7f-\x9f]")
        self.assertIn("ABCDEF012345: removed", line)
        self.assertNotRegex(self.text("queue"), "[\x00-\x08\x0b-\x1f\x7f-\x9f]")


if __name__ == "__main__":
    lib.main()
