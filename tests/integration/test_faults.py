# SPDX-License-Identifier: GPL-3.0-or-later
"""What may go wrong around the daemon, and what must stay true then."""

import os
import re
import resource
import signal
import socket
import sqlite3
import time

import lib


def rule(stage, action, text=None, **more):
    more.update(stage=stage, action=action)
    if text is not None:
        more["text"] = text
    return more


class Client:
    """A submitter that can stop anywhere."""

    def __init__(self, daemon):
        self.sock = daemon.connect()
        self.file = self.sock.makefile("rb")
        self.reply()

    def reply(self):
        """The code and the last line of the next reply; (0, "") at the end."""
        while True:
            line = self.file.readline()
            if len(line) < 4 or line[3:4] != b"-":
                return (int(line[:3]) if line else 0), line.decode().rstrip("\r\n")

    def send(self, text):
        self.sock.sendall(text.encode("latin-1") if isinstance(text, str) else text)

    def say(self, line):
        self.send(line + "\r\n")
        return self.reply()

    def begin(self, recipient=lib.RECIPIENT, sender=lib.SENDER):
        """Up to the 354."""
        for line in ("EHLO test", "MAIL FROM:<%s>" % sender, "RCPT TO:<%s>" % recipient, "DATA"):
            code, text = self.say(line)
            if code >= 400:
                raise AssertionError("%s: %s" % (line, text))

    def close(self):
        self.file.close()
        self.sock.close()


class FaultCase(lib.Case):
    keys = {}
    settings = {}

    def setUp(self):
        super().setUp()
        self.daemon.smarthosts.clear()
        self.daemon.add_smarthost(self.host, **self.keys)
        self.daemon.settings.update(self.settings)
        self.root = (0, 0) if self.place.user else None

    def script(self, *rules):
        self.host.script.replace(rules)

    def ctl(self, *arguments, **more):
        return self.daemon.tranterctl(*arguments, user=more.pop("user", self.root), **more)

    def retry(self):
        done = self.ctl("retry", "--all")
        self.assertEqual(done.returncode, 0, done.stderr)

    def client(self):
        client = Client(self.daemon)
        self.addCleanup(client.close)
        return client

    def database(self):
        """The queue's database, as a person with sqlite3 has it."""
        db = sqlite3.connect(os.path.join(self.daemon.spool, "queue.db"), isolation_level=None)
        self.addCleanup(db.close)
        return db

    def waiting(self):
        """Stop a daemon with one message; its database."""
        self.host.stop()
        self.daemon.start().submit()
        self.assertEqual(self.daemon.stop(), 0)
        return self.database()

    def stays(self, predicate, seconds):
        """It is true, and stays so."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.assertTrue(predicate())
            time.sleep(0.05)


class HammerTest(FaultCase):
    """A smarthost that fails is left alone for a while, whatever way it fails."""

    keys = {"connections": 1}
    settings = {"retry-min": "1h", "retry-max": "1h"}

    def backlog(self, n):
        """n messages that are due at once."""
        self.host.stop()
        self.daemon.start()
        for number in range(n):
            self.daemon.submit("r%d@example.net" % number)
        self.daemon.wait_log("is down, its mail waits")
        self.daemon.mark()
        self.host.start()
        self.retry()

    def check_left_alone(self, n, most):
        self.daemon.wait_log("is down, its mail waits")
        self.assertLessEqual(len([line for line in self.host.transcript if "> MAIL" in line]), most)
        self.script()
        self.retry()
        self.wait_kept(n)
        self.daemon.wait_queue(0)
        self.check_manners()

    def test_one_that_refuses_for_itself_and_hangs_up(self):
        self.script(rule("rcpt", "reply", "432 4.3.2 Too many at once"), rule("rset", "close"))
        self.backlog(8)
        self.check_left_alone(8, 1)

    def test_one_that_breaks_off_within_every_message(self):
        self.script(rule("body", "close"))
        self.backlog(8)
        self.check_left_alone(8, 2)

    def test_one_that_says_421_in_one_breath_with_its_yes_to_the_login(self):
        self.script(rule("auth", "inject", "421 4.3.2 Closing all the same"))
        self.backlog(2)
        self.daemon.wait_log("is down, its mail waits")
        self.stays(lambda: self.host.sessions <= 2, 1)
        self.check_left_alone(2, 0)

    def test_a_message_that_breaks_every_connection_holds_up_nobody(self):
        self.script(rule("mail", "close", sender="bad@example.com"))
        self.host.stop()
        self.daemon.start()
        for number in range(6):
            self.daemon.submit("r%d@example.net" % number,
                               sender="bad@example.com" if number == 1 else lib.SENDER)
        self.host.start()
        self.retry()
        self.wait_kept(5)


class LoopTest(FaultCase):
    """The daemon uses the processor for work alone."""

    def cpu_seconds(self):
        with open("/proc/%d/stat" % self.daemon.process.pid, encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def check_quiet(self, seconds=2):
        before = self.cpu_seconds()
        time.sleep(seconds)
        self.assertLess(self.cpu_seconds() - before, 0.2 * seconds)

    def test_a_spare_smarthost_that_is_down_costs_nothing_while_the_first_is_busy(self):
        self.daemon.smarthosts.clear()
        self.daemon.add_smarthost(self.host, connections=1)
        spare = self.new_host()
        self.daemon.add_smarthost(spare, "spare")
        self.daemon.settings.update({"retry-min": "1s", "retry-max": "1s"})
        self.host.stop()
        spare.stop()
        self.daemon.start().submit()
        self.daemon.wait_log('smarthost "main".* is down')
        self.daemon.wait_log('smarthost "spare".* is down')
        self.host.start()
        self.wait_kept(1)
        self.script(rule("data", "stall"))
        for number in range(3):
            self.daemon.submit("r%d@example.net" % number)
        lib.wait_for(lambda: any("! stall" in line for line in self.host.transcript), "the stall")
        time.sleep(1.1)  # now the spare one's probe would be due
        self.check_quiet()

    def test_smarthosts_that_are_down_cost_nothing(self):
        self.host.stop()
        self.daemon.start().submit()
        self.daemon.wait_log("is down")
        self.check_quiet()


class ClockTest(FaultCase):
    """A clock that was wrong, and is put right."""

    def test_mail_that_waits_for_a_far_future_goes_out(self):
        db = self.waiting()
        year_ms = 365 * 86400 * 1000
        db.execute("UPDATE message SET next_attempt_ms = next_attempt_ms + ?", (year_ms,))
        db.close()
        self.host.start()
        self.daemon.start()
        self.wait_kept()

    def test_a_message_from_the_future_does_not_keep_others_from_expiring(self):
        self.daemon.settings.update({"lifetime": "1s"})
        db = self.waiting()
        year_ms = 365 * 86400 * 1000
        db.execute("UPDATE message SET arrival_ms = arrival_ms + ?", (year_ms,))
        db.close()
        self.daemon.start().submit("late@example.net")
        self.daemon.wait_log(r"to=<late@example\.net>.*status=expired")
        self.assertEqual(len(self.daemon.queue()), 2)  # that from the future, and the report


class LogTest(FaultCase):
    """Every decision has its line."""

    def test_a_report_enters_the_queue_like_any_message(self):
        self.script(rule("rcpt", "reply", "550 5.1.1 No such user", recipient="rcpt@*"))
        self.daemon.start().submit()
        self.wait_kept()
        report = self.daemon.wait_log(r"sender non-delivery notification: ([0-9A-F]+)$")[1]
        size = self.daemon.wait_log(report + r": from=<>, size=(\d+), nrcpt=1 \(queue active\)$")[1]
        self.assertEqual(int(size), self.host.records[0]["bytes"])
        self.assertTrue(self.daemon.logged(report + r": message-id=<[^>]+>$"))
        self.daemon.wait_log(report + ": removed$")

    def test_a_message_that_is_kept_as_dead_is_told(self):
        self.script(rule("rcpt", "reply", "550 5.1.1 No such user"))
        self.daemon.start().submit(sender="")
        self.daemon.wait_log(r"[0-9A-F]+: kept as dead: ")

    def test_a_message_that_is_held_is_told(self):
        self.script(rule("dot", "close"))
        self.daemon.start().submit()
        for number in range(1, 4):
            lib.wait_for(lambda n=number: len(self.host.records) == n, "attempt %d" % number)
            lib.wait_for(lambda n=number: len(re.findall("status=deferred", self.daemon.log())) == n,
                         "its outcome")
            self.retry()
        self.daemon.wait_log(r"[0-9A-F]+: held: ")


class ControlTest(FaultCase):
    def test_others_do_not_shut_out_the_administrator(self):
        if not self.place.user:
            self.skipTest("needs root, to ask as another user")
        self.daemon.start()
        os.seteuid(65533)
        try:
            for _ in range(80):
                sock = socket.socket(socket.AF_UNIX)
                self.addCleanup(sock.close)
                sock.connect(self.daemon.control)
        finally:
            os.seteuid(0)
        done = self.ctl("status", user=(65532, 65532))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotEqual(self.ctl("status", user=(65533, 65533)).returncode, 0)
        self.assertEqual(self.ctl("status").returncode, 0)

    def test_one_who_may_not_remove_the_mail_of_others_gets_an_end(self):
        if not self.place.user:
            self.skipTest("needs root, to ask as another user")
        self.waiting()
        db = self.database()
        with db:
            db.execute("BEGIN")
            for table, bits in ("message", 0), ("recipient", 15):
                columns = [row[1] for row in db.execute("PRAGMA table_info(%s)" % table)]
                for number in range(1, 3000):
                    db.execute("INSERT INTO {0} SELECT id + ?, {1} FROM {0} WHERE id = (SELECT"
                               " min(id) FROM {0})".format(table, ", ".join(columns[1:])),
                               (number << bits,))
            db.execute("COMMIT")
        db.close()
        self.daemon.start()
        done = self.ctl("remove", "--all", user=(65533, 65533))
        self.assertEqual(done.returncode, 77, done.stderr)
        self.assertEqual(len(self.daemon.queue()), 3000)
        self.assertEqual(self.ctl("remove", "--all").returncode, 0)
        self.assertEqual(self.daemon.queue(), [])

    def test_a_retry_does_not_forget_that_the_dot_is_out(self):
        self.script(rule("dot", "stall"))
        self.daemon.start().submit()
        lib.wait_for(lambda: any("! stall" in line for line in self.host.transcript), "the dot")
        self.assertEqual(self.ctl("retry", self.daemon.queue()[0]["queue_id"]).returncode, 0)
        self.daemon.kill()
        self.host.stop()
        self.daemon.start()
        waiting = self.daemon.queue()[0]
        self.assertGreater(waiting["next_attempt"], time.time() + 14 * 60)

    def test_a_dead_message_cannot_be_retried_and_says_so(self):
        self.script(rule("rcpt", "reply", "550 5.1.1 No such user"))
        self.daemon.start().submit(sender="")
        self.daemon.wait_log("status=bounced")
        entry = self.daemon.wait_queue(1)[0]
        self.assertEqual(entry["state"], "dead")
        done = self.ctl("retry", entry["queue_id"])
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"dead", done.stderr)
        self.assertEqual(self.ctl("remove", entry["queue_id"]).returncode, 0)
        self.assertEqual(self.daemon.queue(), [])


class ContentTest(FaultCase):
    def test_completed_addresses_never_cost_content(self):
        self.daemon.start()
        client = self.client()
        client.begin()
        client.send("To: " + "a,\r\n " * 150000 + "b\r\n\r\nThe body.\r\n.\r\n")
        code, _ = client.reply()
        if code == 250:
            self.wait_kept()
            self.assertTrue(self.host.content(self.host.records[0]).endswith(b"\r\n\r\nThe body.\r\n"))
        else:
            self.assertEqual(code, 552)
            self.assertEqual(self.daemon.queue(), [])


class StopTest(FaultCase):
    """Stopped for a while, or for good."""

    def test_an_answer_that_came_while_the_daemon_slept_is_heard(self):
        self.daemon.smarthosts.clear()
        self.daemon.add_smarthost(self.host, data_timeout="1s", reply_timeout="1s")
        self.script(rule("rcpt", "delay", seconds=0.5, times=1))
        self.daemon.start().submit()
        lib.wait_for(lambda: any("! delay" in line for line in self.host.transcript), "RCPT")
        self.daemon.process.send_signal(signal.SIGSTOP)
        lib.wait_for(lambda: any("< 250 2.1.5" in line for line in self.host.transcript),
                     "the answer")
        time.sleep(1.5)
        self.daemon.process.send_signal(signal.SIGCONT)
        self.daemon.wait_log("status=(sent|deferred)|is down|broke")
        self.assertTrue(self.daemon.logged("status=sent"))

    def test_a_message_whose_client_left_is_logged_before_the_end(self):
        self.script(rule("greeting", "stall"))
        self.daemon.start()
        db = self.database()
        db.execute("BEGIN IMMEDIATE")
        client = Client(self.daemon)
        client.begin()
        client.send(lib.WIRE + b".\r\n")
        client.close()
        time.sleep(0.3)
        self.daemon.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        db.execute("COMMIT")
        self.assertEqual(self.daemon.process.wait(lib.PATIENCE), 0)
        self.assertRegex(self.daemon.log(), r"from=<app@example\.com>, size=\d+, nrcpt=1")
        self.assertNotIn("LeakSanitizer", self.daemon.log())
        self.daemon.start()
        self.assertEqual(len(self.daemon.queue()), 1)

    def test_what_was_sent_is_logged_and_not_in_doubt_though_the_time_is_over(self):
        """The end of stop-timeout, or a second signal, comes while the outcome is recorded."""
        for timeout, signals in (("0", 1), ("1m", 2)):
            with self.subTest(timeout):
                self.daemon.settings["stop-timeout"] = timeout
                self.script(rule("rcpt", "reply", "450 4.2.1 Busy", recipient="late@*"),
                            rule("dot", "delay", seconds=0.5))
                self.daemon.start()
                self.daemon.mark()
                sent = len(self.host.records)
                self.daemon.submit("r@example.net", "late@example.net")
                lib.wait_for(lambda: len(self.host.records) > sent, "the content")
                db = self.database()
                db.execute("BEGIN IMMEDIATE")
                lib.wait_for(lambda: "answered" in self.host.records[-1], "the answer")
                time.sleep(0.3)
                for _ in range(signals):
                    self.daemon.process.send_signal(signal.SIGTERM)
                    time.sleep(0.3)
                db.execute("COMMIT")
                self.assertEqual(self.daemon.process.wait(lib.PATIENCE), 0)
                self.assertTrue(self.daemon.logged(r"to=<r@example\.net>, .*status=sent"))
                self.assertIsNone(self.daemon.logged("LeakSanitizer"))
                self.host.script.replace([])
                self.host.stop()
                self.daemon.start()
                self.assertNotIn("arrive twice", str(self.daemon.queue()))
                self.daemon.tranterctl("remove", "--all", user=(0, 0) if self.place.user else None)
                self.assertEqual(self.daemon.stop(), 0)
                self.host.start()

    def test_a_client_that_is_cut_short_is_told_421(self):
        self.daemon.settings["stop-timeout"] = "1s"
        self.daemon.start()
        client = self.client()
        client.begin()
        client.send("Subject: half\r\n")
        self.assertEqual(self.daemon.stop(), 0)
        self.assertEqual(client.reply()[0], 421)


class RoomTest(FaultCase):
    """The disk fills up. A limit on the size of files stands for it."""

    def start_with_room(self, n_bytes):
        self.daemon.settings["minimum-free-space"] = "0"
        self.daemon.write_configuration()
        self.daemon.spawn(preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (n_bytes, resource.RLIM_INFINITY)))
        lib.wait_for(self.daemon.ready, "tranterd's greeting")

    def test_a_message_for_which_there_is_no_room_is_for_later(self):
        self.host.stop()
        self.start_with_room(600000)
        codes = []
        for _ in range(8):
            client = self.client()
            client.begin()
            client.send(b"Subject: large\r\n\r\n" + b"x" * 70 + b"\r\n")
            client.send((b"y" * 70 + b"\r\n") * 3000 + b".\r\n")
            codes.append(client.reply()[0])
        self.assertEqual(set(codes) - {250}, {452})
        self.assertEqual(len(self.daemon.queue()), codes.count(250))
        for code, line in zip(codes, re.findall(r"nrcpt=1|not stored: .*", self.daemon.log())):
            self.assertIn("nrcpt" if code == 250 else "SQLite", line)
        self.assertEqual(self.daemon.stop(), 0)


class DamageTest(FaultCase):
    """The file of a large content is gone."""

    def test_the_message_is_held_and_the_others_go_out(self):
        self.host.stop()
        large = lib.MESSAGE + b"a line of the large one\n" * 100000
        self.daemon.start()
        self.daemon.submit("large@example.net", message=large)
        self.daemon.submit("small@example.net")
        self.assertEqual(self.daemon.stop(), 0)
        name, = os.listdir(os.path.join(self.daemon.spool, "content"))
        path = os.path.join(self.daemon.spool, "content", name)
        os.rename(path, self.place.file("away"))
        self.host.start()
        self.daemon.start()
        self.assertEqual(self.wait_kept()[0]["recipients"], ["small@example.net"])
        self.daemon.wait_log(name + ": the content is damaged: cannot read .*content/" + name)
        held, = lib.wait_for(lambda: [entry for entry in self.daemon.queue()
                                      if entry["state"] == "held"], "a held message")
        self.assertEqual(held["queue_id"], name)
        os.rename(self.place.file("away"), path)
        self.assertEqual(self.ctl("release", name).returncode, 0)
        record = self.wait_kept(2)[1]
        self.assertTrue(self.host.content(record).endswith(b"a line of the large one\r\n" * 100000))
        self.assertEqual(self.host.sessions, 1)
        self.check_manners()


if __name__ == "__main__":
    lib.main()
