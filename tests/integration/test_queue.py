# SPDX-License-Identifier: GPL-3.0-or-later
"""What tranterctl shows of messages and does to them, by id and by selection, for whom."""

import json
import os
import re
import socket
import subprocess

import lib
from test_admin import AdminCase

OTHER = (12345, 12345)
STRANGER = (54321, 54321)


class QueueCase(AdminCase):
    def start_mixed(self):
        """A deferred message of tranterd's user, one of OTHER (where root asks), and a held one."""
        ids = self.start_deferred(1)
        self.host.script.replace([{"stage": "rcpt", "action": "reply", "text": "450 4.2.1 Busy"}])
        for sender, recipient in (("other@example.com", "x@example.org"), ("App@Example.com", "y@example.org")):
            done = self.daemon.sendmail("-i", "-f", sender, "--", recipient,
                                        user=OTHER if sender.startswith("other") and self.place.user else None)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.daemon.wait_log(r"to=<%s>, .*status=deferred" % recipient)
        self.host.script.replace([])
        ids = [entry["queue_id"] for entry in self.daemon.queue()]
        self.text("hold", ids[2])
        return ids

    def start_many(self, n):
        """n messages that wait for their smarthost."""
        self.host.stop()
        self.daemon.start()
        with self.daemon.connect() as sock:
            lines = sock.makefile("rb")
            lines.readline()
            sock.sendall(b"LHLO x\r\n")
            while not lines.readline().startswith(b"250 "):
                pass
            for number in range(n):
                sock.sendall(b"MAIL FROM:<a@example.com>\r\nRCPT TO:<r%d@example.net>\r\nDATA\r\n" % number)
                self.assertEqual([lines.readline()[:1] for _ in range(3)], [b"2", b"2", b"3"])
                sock.sendall(b"Subject: x\r\n\r\nx\r\n.\r\n")
                self.assertTrue(lines.readline().startswith(b"250 "))
        self.daemon.wait_log(lib.WAITS)

    def selected(self, *arguments, user=None):
        """The ids that a selection finds."""
        text = self.text("queue", "--json", *arguments, user=user)
        return [json.loads(line)["queue_id"] for line in text.splitlines()]

    def needs_root(self):
        if not self.place.user:
            self.skipTest("needs root, to ask as another user")


class SelectionTest(QueueCase):
    def test_each_condition_selects(self):
        one, two, three = self.start_mixed()
        uid = str(self.place.user[0] if self.place.user else os.getuid())
        for arguments, ids in (
                (("--from", "*@EXAMPLE.COM"), [one, two, three]), (("--from", "app@*"), [one]),
                (("--from", "App@*"), [three]), (("--to", "?@example.org"), [two, three]),
                (("--to", "*.net"), [one]), (("--state", "held"), [three]), (("--state", "hold"), [three]),
                (("--state", "deferred,held"), [one, two, three]), (("--state", "dead"), []),
                (("--older", "0"), [one, two, three]), (("--older", "1d"), []),
                (("--user", uid), [one, three] if self.place.user else [one, two, three]),
                (("--user", "2147483647"), []), ((two, one), [two, one]),
                ((two, one, "--to", "*net"), [one]),
                (("--from", "*@example.com", "--state", "deferred", "--to", "*.org"), [two])):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.selected(*arguments), ids)
        self.assertEqual(self.ctl("queue", "--state", "asleep").returncode, 64)

    def test_the_text_of_a_part_ends_with_its_own_count(self):
        ids = self.start_mixed()
        lines = self.text("queue", "--state", "held").splitlines()
        self.assertTrue(lines[0].startswith("----Queue ID-----"))
        self.assertTrue(lines[1].startswith(ids[2] + "!"))
        self.assertRegex(lines[-1], r"^-- 0 Kbytes in 1 Request\.$")
        self.assertEqual(self.text("queue", "--state", "dead"), "-- 0 Kbytes in 0 Requests.\n")

    def test_a_change_takes_a_selection_and_counts(self):
        one, two, three = self.start_mixed()
        self.assertEqual(self.text("hold", "--to", "*@example.org"), "held 1 message\n")
        self.assertEqual(self.selected("--state", "held"), [two, three])
        self.assertEqual(json.loads(self.text("release", "--json", "--state", "held", "--from", "App*")),
                         {"released": 1, "left": 0})
        self.assertEqual(self.wait_kept()[0]["recipients"], ["y@example.org"])
        self.assertEqual(self.text("retry", "--to", "*net"), "retried 1 message\n")
        self.assertEqual(self.wait_kept(2)[1]["recipients"], ["r0@example.net"])
        self.assertEqual(self.text("remove", "--older", "1d"), "removed 0 messages\n")
        self.assertEqual(self.text("remove", "--from", "other@*", "--older", "0"), "removed 1 message\n")
        self.wait_idle()
        self.assertTrue(self.daemon.logged("%s: removed by uid" % two))

    def test_hundreds_are_changed_in_one_go(self):
        self.start_many(700)
        self.assertEqual(len(self.selected()), 700)
        self.assertEqual(self.text("hold", "--all"), "held 700 messages\n")
        self.assertEqual(len(self.selected("--state", "held")), 700)
        self.assertEqual(self.text("release", "--to", "r1*"), "released 111 messages\n")
        self.assertEqual(len(self.selected("--state", "held")), 589)
        self.assertEqual(self.text("remove", "--state", "held"), "removed 589 messages\n")
        self.assertEqual(len(self.selected()), 111)


class HoldTest(QueueCase):
    def test_what_is_held_is_not_given_up(self):
        self.daemon.settings.update({"lifetime": "1s", "retry-min": "1s", "retry-max": "1s"})
        self.daemon.start()
        self.host.script.replace([{"stage": "rcpt", "action": "reply", "text": "450 4.2.1 Busy"}])
        self.daemon.submit("held@example.net")
        ident = self.daemon.queue()[0]["queue_id"]
        lib.wait_for(lambda: self.ctl("hold", ident).stdout and self.selected("--state", "held"), "it to be held")
        self.daemon.submit("free@example.net")
        self.daemon.wait_log(r"to=<free@example\.net>, .*status=expired")
        self.assertEqual(self.selected("--state", "held"), [ident])
        self.assertFalse(self.daemon.logged(r"to=<held@example\.net>, .*status=expired"))

    def test_what_is_held_while_it_is_sent_stays_where_it_was_not_taken(self):
        self.daemon.start()
        self.host.script.replace([{"stage": "dot", "action": "delay", "seconds": 3},
                                  {"stage": "rcpt", "recipient": "late@*", "action": "reply", "text": "450 4.2.1 Busy"}])
        self.daemon.submit("early@example.net", "late@example.net")
        ident = lib.wait_for(lambda: self.selected("--state", "active"), "it to be sent")[0]
        self.assertEqual(self.ctl("remove", ident).returncode, 75)
        self.assertEqual(self.text("hold", ident), "held 1 message\n")
        self.assertEqual(self.wait_kept()[0]["recipients"], ["early@example.net"])
        lib.wait_for(lambda: self.selected("--state", "held"), "it to be held")
        self.assertEqual(self.selected("--to", "early*"), [])
        self.assertEqual(self.selected("--to", "late*"), [ident])


class ShowTest(QueueCase):
    MESSAGE = b"From: app@example.com\nSubject: \x1b[31mred\nX-Long: a\n\tb\n\nThe \x07 body.\n"

    def start_one(self):
        self.daemon.settings["retry-min"] = self.daemon.settings["retry-max"] = "1h"
        self.daemon.start()
        self.host.script.replace([{"stage": "rcpt", "action": "reply", "text": "450 4.2.1 Busy"}])
        done = self.daemon.sendmail("-i", "-f", lib.SENDER, "-N", "success,delay", "-R", "hdrs", "-V", "QQ314159",
                                    "--", "one@example.net", "two@example.net", stdin=self.MESSAGE)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.daemon.wait_log(r"to=<two@example\.net>, .*status=deferred")
        return self.daemon.queue()[0]["queue_id"]

    def test_a_message_is_shown_with_its_history(self):
        ident = self.start_one()
        self.text("hold", ident)
        text = self.text("show", ident)
        for line in (r"id: +%s" % ident, r"state: +held", r"sender: +app@example\.com", r"ENVID: +QQ314159",
                     r"RET: +HDRS", r"submitter: +uid \d+, gid \d+, pid [1-9]\d*", r"attempts: +1",
                     r" +waits +one@example\.net", r" +waits +two@example\.net",
                     r" +recipient, \S+ 4\.2\.1: .*", r" +the server said: 450 4\.2\.1 Busy",
                     r" +NOTIFY=SUCCESS,DELAY",
                     r"  2\S+ \S+  localhost\[127\.0\.0\.1\]:\d+  2 deferred: .*450 4\.2\.1 Busy.*",
                     r"  2\S+ \S+  held by uid 0" if self.place.user else r"  2\S+ \S+  held by uid \d+",
                     r"  Subject: \\x1B\[31mred", r"  X-Long: a", r"    b"):
            self.assertRegex(text, r"(?m)^%s$" % line)
        self.assertNotIn("body", text)
        self.assertNotIn("\x1b", text)
        shown = json.loads(self.text("show", "--json", ident))
        self.assertEqual((shown["state"], shown["envid"], shown["n_recipients"]), ("held", "QQ314159", 2))
        self.assertEqual(len(shown["history"]), 2)
        self.assertIn({"name": "Subject", "value": "\\x1B[31mred"}, shown["header"])

    def test_raw_is_the_message_as_it_is(self):
        ident = self.start_one()
        done = self.ctl("show", "--raw", ident)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertTrue(done.stdout.endswith(b"\r\n\r\nThe \x07 body.\r\n"), done.stdout)
        self.assertIn(b"\r\nSubject: \x1b[31mred\r\nX-Long: a\r\n\tb\r\n", done.stdout)

    def test_a_large_message_is_streamed(self):
        self.daemon.settings["retry-min"] = self.daemon.settings["retry-max"] = "1h"
        self.daemon.start()
        self.host.script.replace([{"stage": "rcpt", "action": "reply", "text": "450 4.2.1 Busy"}])
        body = b"".join(b"%060d\n" % number for number in range(100000))
        self.daemon.submit(message=lib.MESSAGE + body)
        self.daemon.wait_log(lib.WAITS)
        before = self.daemon.memory_kib()
        ident = self.daemon.queue()[0]["queue_id"]
        done = self.ctl("show", "--raw", ident)
        self.assertTrue(done.stdout.endswith(body.replace(b"\n", b"\r\n")))
        if not lib.sanitized():
            self.assertLess(self.daemon.memory_kib() - before, 3000)

    def test_what_cannot_be_shown(self):
        ident = self.start_one()
        self.assertEqual(self.ctl("show", "ABCDEF012345").returncode, 67)
        self.assertEqual(self.ctl("show").returncode, 64)
        self.assertEqual(self.ctl("show", ident, ident).returncode, 64)


class UsersTest(QueueCase):
    def test_a_user_sees_and_removes_what_is_theirs(self):
        self.needs_root()
        one, two, three = self.start_mixed()
        text = self.text("queue", user=OTHER)
        self.assertRegex(text, r"in 3 Requests\.\n\Z")
        self.assertRegex(text, "other@example.com[\\s\\S]*450 4.2.1 Busy[\\s\\S]*x@example.org")
        self.assertNotRegex(text, "app@|App@|r0@|y@")
        self.assertIn("sender:     other@example.com", self.text("show", two, user=OTHER))
        self.assertIn(b"Subject: a test", self.ctl("show", "--raw", two, user=OTHER).stdout)
        for arguments in (("show", one), ("show", "--raw", one), ("remove", one), ("retry", two), ("hold", two),
                          ("release", two), ("hold", "--all"), ("return", two), ("retry",), ("reload",)):
            done = self.ctl(*arguments, user=OTHER)
            self.assertEqual((done.returncode, done.stdout.replace(b"removed 0 messages\n", b"")), (77, b""),
                             arguments)
        done = self.ctl("remove", "--all", user=OTHER)
        self.assertEqual((done.returncode, done.stdout), (77, b"removed 1 message\n"))
        self.assertEqual(self.selected(), [one, three])

    def test_nobody_learns_an_address_by_selecting_it(self):
        self.needs_root()
        one, two, three = self.start_mixed()
        self.assertEqual(self.selected("--from", "*", user=OTHER), [two])
        self.assertEqual(self.selected("--to", "*", user=OTHER), [two])
        self.assertEqual(self.selected("--from", "app*", user=STRANGER), [])
        self.assertEqual(self.selected("--state", "held", user=STRANGER), [three])
        done = self.ctl("remove", "--from", "app@*", user=STRANGER)
        self.assertEqual((done.returncode, done.stdout), (0, b"removed 0 messages\n"))
        self.assertEqual(len(self.selected()), 3)

    def test_the_listing_can_be_opened_to_everyone(self):
        self.needs_root()
        self.daemon.settings["queue-listing"] = "all"
        one, two, three = self.start_mixed()
        self.assertRegex(self.text("queue", user=STRANGER), r"app@[\s\S]*4\.2\.1 Busy[\s\S]*r0@[\s\S]*other@")
        self.assertEqual(self.selected("--from", "app@*", user=STRANGER), [one])
        for command in ("show", "remove"):
            self.assertEqual(self.ctl(command, one, user=STRANGER).returncode, 77)
        self.daemon.settings["queue-listing"] = "own"
        self.daemon.write_configuration()
        self.text("reload")
        self.assertNotRegex(self.text("queue", user=STRANGER), "@|Busy")

    def test_the_user_of_tranterd_may_do_everything(self):
        self.needs_root()
        ids = self.start_mixed()
        self.assertIn("other@example.com", self.text("queue", user=self.place.user))
        self.assertEqual(self.text("remove", ids[1], user=self.place.user), "removed 1 message\n")


class AwayTest(QueueCase):
    """The daemon is away, and its spool is not."""

    def spool_state(self):
        """Names, owners, sizes and times in the spool."""
        state = []
        for directory, _, names in os.walk(self.daemon.spool):
            for name in names:
                st = os.stat(os.path.join(directory, name))
                state.append((name, st.st_uid, st.st_mode, st.st_size, st.st_mtime_ns))
        return sorted(state)

    def check_reads(self, ids):
        before = self.spool_state()
        said = (b"tranterctl: tranterd is not running, or not at %s: read from %s\n"
                % (self.daemon.control.encode(), self.daemon.spool.encode()))
        done = self.ctl("queue")
        self.assertEqual((done.returncode, done.stderr), (0, said))
        self.assertRegex(done.stdout.decode(), r"^\S+/mqueue \(3 requests\)\n[\s\S]*4\.2\.1 Busy[\s\S]*"
                                               r"-- \d+ Kbytes in 3 Requests\.\n\Z")
        for arguments, expected in (((), ids), (("--state", "held"), ids[2:]), (("--to", "*.net"), ids[:1]),
                                    ((ids[1],), [ids[1]]), (("--from", "nobody@*"), [])):
            done = self.ctl("queue", "--json", *arguments)
            self.assertEqual([json.loads(line)["queue_id"] for line in done.stdout.splitlines()], expected)
        done = self.ctl("show", ids[2])
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout.decode(), r"(?m)^state: +held$[\s\S]*held by uid[\s\S]*^  Subject: a test$")
        self.assertEqual(json.loads(self.ctl("show", "--json", ids[2]).stdout)["queue_id"], ids[2])
        self.assertTrue(self.ctl("show", "--raw", ids[0]).stdout.endswith(b"\r\n\r\nOne line.\r\n"))
        done = self.ctl("status")
        self.assertEqual((done.returncode, done.stderr), (69, said))
        self.assertIn(b"queue: 0 new, 2 deferred, 1 held, 0 dead;", done.stdout)
        self.assertEqual(json.loads(self.ctl("status", "--json").stdout)["queue"]["held"], 1)
        self.assertEqual(self.ctl("show", "ABCDEF012345").returncode, 67)
        self.assertEqual(self.ctl("queue", "--state", "asleep").returncode, 64)
        for command in (("retry",), ("hold", "--all"), ("remove", ids[0]), ("reload",)):
            done = self.ctl(*command)
            self.assertEqual((done.returncode, done.stdout), (69, b""))
            self.assertNotIn(b"read from", done.stderr)
        self.assertEqual(self.spool_state(), before)

    def test_the_listing_commands_read_what_a_stop_left(self):
        ids = self.start_mixed()
        self.daemon.stop()
        self.check_reads(ids)

    def test_the_listing_commands_read_what_a_kill_left(self):
        ids = self.start_mixed()
        self.daemon.kill()
        self.check_reads(ids)
        self.daemon.start()
        self.assertEqual(self.selected(), ids)

    def test_who_may_not_read_the_spool_is_told_69(self):
        self.needs_root()
        self.start_mixed()
        self.daemon.stop()
        for command in ("queue", "status"):
            done = self.ctl(command, user=STRANGER)
            self.assertEqual((done.returncode, done.stdout), (69, b""))
            self.assertIn(b"nor can its spool be read: cannot open the spool directory", done.stderr)

    def test_mailq_is_69(self):
        self.start_mixed()
        self.daemon.stop()
        done = self.daemon.sendmail("-bp", user=self.root)
        self.assertEqual((done.returncode, done.stdout), (69, b""))

    def test_a_reader_who_has_read_enough_hears_no_complaint(self):
        self.start_mixed()
        self.daemon.stop()
        reader, writer = os.pipe()
        os.close(reader)
        with open(writer, "wb") as out:
            done = subprocess.run([self.place.programs["tranterctl"], "-c", self.place.file(self.daemon.conf), "queue"],
                                  stdout=out, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=60,
                                  check=False)
        self.assertEqual(done.returncode, 74)
        self.assertRegex(done.stderr, rb"\Atranterctl: tranterd is not running.*\n\Z")


class StopTest(QueueCase):
    def test_a_change_stops_when_nobody_listens(self):
        self.start_many(700)
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(lib.PATIENCE)
            sock.connect(self.daemon.control)
            sock.sendall(b"remove count all\n")
            sock.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: sock.recv(4096), b""))
        found = re.match(rb"\d+\nremoved (\d+) messages\nend 75 stopped before the end; .*\n\Z", answer)
        self.assertTrue(found, answer)
        self.assertEqual(len(self.selected()), 700 - int(found[1]))


if __name__ == "__main__":
    lib.main()
