# SPDX-License-Identifier: GPL-3.0-or-later
"""The drop directory: mail for a daemon that is away is stored, swept once it is back, and nothing
in there is trusted."""

import os
import re
import resource
import signal
import stat
import subprocess
import threading

import lib

ONE_LINE = rb"\Asendmail: [ -~]+\n\Z"
NAME = "0123456789abcdef" * 2
SESSION = (b"EHLO localhost\r\nMAIL FROM:<app@example.com> BODY=8BITMIME XID=%s\r\n"
           b"RCPT TO:<rcpt@example.net>\r\nDATA\r\n" % NAME.encode()
           + lib.WIRE + b".\r\nQUIT\r\n")
OTHER = (54321, 54321)


def read_offer(lines):
    """The keywords of a reply to EHLO."""
    words = []
    for line in lines:
        words.append(line[4:].split()[0])
        if line[3:4] == b" ":
            break
    return words


class DropCase(lib.Case):
    def setUp(self):
        super().setUp()
        os.chmod(self.place.directory("tranter", "spool"), 0o711)
        self.drop = self.place.directory("tranter", "spool", "drop")
        os.chmod(self.drop, 0o1733)

    def store(self, *arguments, stdin=lib.MESSAGE, **more):
        more["env"] = dict({"TRANTER_DROP": self.drop}, **more.get("env", {}))
        return self.daemon.sendmail("-i", "-f", lib.SENDER, *(arguments or (lib.RECIPIENT,)),
                                    stdin=stdin, **dict({"wait": "0"}, **more))

    def stored(self, *arguments, **more):
        done = self.store(*arguments, **more)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))

    def names(self):
        return sorted(os.listdir(self.drop))

    def plant(self, content=SESSION, name=NAME, mode=0o644):
        """A file in the drop directory, as another program would leave it."""
        path = os.path.join(self.drop, name + ".smtp")
        with open(path, "wb") as file:
            file.write(content)
        os.chmod(path, mode)
        if self.place.user:
            os.chown(path, *OTHER)
        return path

    def wait_empty(self):
        lib.wait_for(lambda: self.names() == [], "an empty drop directory; it has %s" % self.names())


class ListTest(DropCase):
    """mailq, while the daemon is away."""

    def mailq(self, **more):
        done = self.daemon.sendmail("-bp", stdin=b"", env={"TRANTER_DROP": self.drop}, **more)
        self.assertEqual(done.returncode, 69)
        self.assertRegex(done.stderr, rb"\Asendmail: the mail system is down: [ -~]+\n\Z")
        return done.stdout.decode()

    def test_who_may_list_the_directory_sees_what_waits_in_it(self):
        self.assertEqual(self.mailq(), "")
        self.stored("one@example.net", "two@example.net")
        self.plant(SESSION.replace(b"<app@example.com>", b"<>"), name="f" * 32)
        self.plant(b"", name="e" * 32)
        self.plant(b"nonsense", name="d" * 31)
        os.symlink("/etc/passwd", os.path.join(self.drop, "c" * 32 + ".smtp"))
        os.mkfifo(os.path.join(self.drop, "b" * 32 + ".smtp"))
        lines = self.mailq().splitlines()
        self.assertEqual(lines[0], "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------")
        self.assertRegex(lines[-1], r"\A-- \d+ Kbytes in 2 Requests\.\Z")
        entries = "\n".join(lines[1:-1])
        for sender, recipients in ((lib.SENDER, ("one@example.net", "two@example.net")),
                                   ("MAILER-DAEMON", (lib.RECIPIENT,))):
            self.assertRegex(entries, r"(?m)^[0-9A-F]{16}  +\d+ \w{3} \w{3} +\d+ \d\d:\d\d:\d\d %s\n" % sender
                             + "".join(r" {47}%s\n" % re.escape(name) for name in recipients))

    def test_anybody_else_sees_nothing(self):
        if not self.place.user:
            self.skipTest("only root can be another user")
        self.stored()
        self.assertEqual(self.mailq(user=OTHER), "")


class StoreTest(DropCase):
    """What the shim does when nobody answers."""

    def test_a_message_for_an_absent_daemon_is_stored(self):
        self.stored("-N", "never", "-V", "id", "Two <two@example.net>", lib.RECIPIENT)
        self.assertEqual(len(self.names()), 1)
        self.assertRegex(self.names()[0], r"\A[0-9a-f]{32}\.smtp\Z")
        path = os.path.join(self.drop, self.names()[0])
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o644)
        with open(path, "rb") as file:
            session = file.read()
        self.assertTrue(session.startswith(b"EHLO localhost\r\nMAIL FROM:<app@example.com> "))
        self.assertIn(b" XID=%s" % self.names()[0][:32].encode(), session)
        self.assertIn(b"\r\nRCPT TO:<two@example.net>", session)
        self.assertTrue(session.endswith(b"\r\nDATA\r\n" + lib.WIRE + b".\r\nQUIT\r\n"))

    def test_the_stored_session_asks_for_all_that_the_daemon_offers(self):
        """drop.c of the tools has a list of it."""
        self.stored("-N", "never", "b\xf6b@example.net")
        with open(os.path.join(self.drop, self.names()[0]), "rb") as file:
            session = file.read()
        os.unlink(os.path.join(self.drop, self.names()[0]))
        self.daemon.start()
        with self.daemon.connect() as sock, sock.makefile("rwb") as lines:
            lines.readline()
            lines.write(b"EHLO x\r\n")
            lines.flush()
            offered = read_offer(lines)
        for word, sign in ((b"8BITMIME", b" BODY=8BITMIME"), (b"XTRANTER", b" XID="),
                           (b"DSN", b" NOTIFY=never"), (b"SMTPUTF8", b" SMTPUTF8")):
            self.assertEqual(word in offered, sign in session, word)

    def test_g_is_remembered(self):
        self.stored("-G", lib.RECIPIENT, stdin=b"Subject: passed on\n\nx\n")
        self.daemon.start()
        self.assertRegex(self.host.content(self.wait_kept()[0]),
                         rb"\AReceived: [^\r]*\r\n(\t[^\r]*\r\n)*Subject: passed on\r\n\r\nx\r\n\Z")

    def test_it_is_not_stored_while_somebody_may_come(self):
        self.daemon.write_configuration()
        starter = threading.Timer(0.3, self.daemon.start)
        starter.start()
        done = self.store(wait="20")
        starter.join()
        self.assertEqual((done.returncode, self.names()), (0, []))
        self.wait_kept()

    def test_v_says_where(self):
        done = self.store("-v", lib.RECIPIENT)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stderr, ONE_LINE)
        self.assertIn(self.drop.encode(), done.stderr)

    def test_a_dialogue_with_nobody_is_told_so_and_stores_nothing(self):
        done = self.store("-bs", stdin=b"QUIT\r\n")
        self.assertEqual(done.returncode, 71)
        self.assertRegex(done.stdout, rb"\A421 4\.3\.2 [ -~]+\r\n\Z")
        self.assertRegex(done.stderr, ONE_LINE)
        self.assertEqual(self.names(), [])

    def test_without_the_directory_it_is_71(self):
        os.rmdir(self.drop)
        done = self.store()
        self.assertEqual(done.returncode, 71)
        self.assertRegex(done.stderr, ONE_LINE)
        self.assertIn(self.daemon.socket.encode(), done.stderr)

    def test_what_cannot_be_stored_is_71_and_leaves_nothing(self):
        done = self.store(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)))
        self.assertEqual(done.returncode, 71)
        self.assertRegex(done.stderr, ONE_LINE)
        self.assertIn(self.drop.encode(), done.stderr)
        self.assertEqual(self.names(), [])

    def test_a_directory_that_may_not_be_written_to_is_71(self):
        os.chmod(self.drop, 0o500)
        done = self.store(user=OTHER if self.place.user else None)
        self.assertEqual(done.returncode, 71)
        self.assertRegex(done.stderr, ONE_LINE)
        self.assertIn(b"Permission denied", done.stderr)

    def test_nothing_unfinished_is_swept(self):
        """A shim that is killed while it stores has stored nothing."""
        process = subprocess.Popen(
            [self.place.programs["sendmail"], "-i", lib.RECIPIENT], stdin=subprocess.PIPE,
            env=dict(self.daemon.environment(), TRANTER_WAIT="0", TRANTER_DROP=self.drop),
            **lib.identity(self.place.user))
        process.stdin.write(b"Subject: half\n\n" + b"x\n" * 200000)
        process.stdin.flush()
        lib.wait_for(self.names, "a beginning")
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdin.close()
        self.assertRegex(self.names()[0], r"\A[0-9a-f]{32}\.new\Z")
        self.daemon.start()
        self.daemon.submit()
        self.wait_kept()
        self.assertEqual(len(self.names()), 1)
        os.utime(os.path.join(self.drop, self.names()[0]), (0, 0))
        self.daemon.process.send_signal(signal.SIGUSR1)
        self.wait_empty()
        self.wait_idle()
        self.assertEqual(len(self.host.records), 1)

    def test_closed_descriptors_hurt_nothing(self):
        done = subprocess.run(
            ["sh", "-c", 'exec "$0" -i "$1" >&- 2>&-', self.place.programs["sendmail"], lib.RECIPIENT],
            input=lib.MESSAGE, check=False, env=dict(self.daemon.environment(), TRANTER_WAIT="0",
                                                     TRANTER_DROP=self.drop))
        self.assertEqual((done.returncode, len(self.names())), (0, 1))


class SweepTest(DropCase):
    """What the daemon does with what it finds."""

    def test_mail_is_swept_at_the_start(self):
        self.stored(stdin=lib.MESSAGE + b".\n..\n")
        self.daemon.start()
        record = self.wait_kept()[0]
        self.assertTrue(self.host.content(record).endswith(b"\r\n\r\nOne line.\r\n.\r\n..\r\n"))
        self.assertEqual(record["recipients"], [lib.RECIPIENT])
        self.wait_empty()

    def test_the_submitter_is_the_owner_of_the_file(self):
        """Two users store; each is named by its uid, and only the daemon sees the names."""
        if not self.place.user:
            self.skipTest("only root can be two users")
        users = (OTHER, (54322, 54322))
        for user in users:
            self.stored(user=user)
        for user in users:
            listing = subprocess.run(["ls", self.drop], capture_output=True, check=False,
                                     **lib.identity(user))
            self.assertNotEqual(listing.returncode, 0)
        self.daemon.start()
        received = [self.host.content(record) for record in self.wait_kept(2)]
        for uid, _ in users:
            self.assertTrue(self.daemon.logged(r"[0-9A-F]{10,}: uid=%d from=<%s>" % (uid, lib.SENDER)))
            self.assertEqual(sum(b"(uid %d)" % uid in content for content in received), 1)

    def test_a_signal_and_a_retry_sweep_too(self):
        self.daemon.start()
        away = {"TRANTER_SOCKET": self.place.file("nobody")}
        self.stored(env=away)
        self.daemon.process.send_signal(signal.SIGUSR1)
        self.wait_kept(1)
        self.stored(env=away)
        self.assertEqual(self.daemon.sendmail("-q", stdin=b"", user=(0, 0) if self.place.user else None).returncode, 0)
        self.wait_kept(2)
        self.wait_empty()

    def test_many_and_large_ones_come_in(self):
        large = b"Subject: large\n\n" + (b"y" * 75 + b"\n") * 100000
        self.stored(stdin=large)
        for number in range(30):
            self.stored(stdin=b"Subject: n%d\n\nx\n" % number)
        self.stored("-t", stdin=b"Bcc: " + b",\n ".join(b"u%d@example.net" % i for i in range(3000))
                    + b"\n\nx\n")
        self.daemon.start()
        self.daemon.wait_log(r"nrcpt=3000 ")
        self.wait_empty()
        self.daemon.wait_queue(0, 60)
        self.assertEqual(max(os.path.getsize(record["file"]) for record in self.host.records) >
                         len(large), True)
        self.assertEqual(len({re.search(rb"Subject: (n\d+)\r", self.host.content(record))[1]
                              for record in self.host.records
                              if b"Subject: n" in self.host.content(record)}), 30)

    def test_a_file_that_is_found_again_is_kept_once(self):
        """As after a kill between the commit and the removal."""
        self.plant()
        self.daemon.start()
        self.wait_kept()
        self.wait_empty()
        self.plant()
        self.daemon.process.send_signal(signal.SIGUSR1)
        self.daemon.wait_log("submitted again by uid")
        self.wait_empty()
        self.wait_idle()
        self.assertEqual(len(self.host.records), 1)

    def test_killed_at_any_moment_it_sweeps_each_once(self):
        for number in range(60):
            self.stored(stdin=b"Subject: k%d\n\n" % number + b"z\n" * 20000)
        for delay in (0.0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.13):
            self.daemon.write_configuration()
            self.daemon.spawn()
            try:
                self.daemon.process.wait(delay)
            except subprocess.TimeoutExpired:
                pass
            self.daemon.kill()
        self.daemon.start()
        self.wait_empty()
        self.daemon.tranterctl("retry", "--all", user=(0, 0) if self.place.user else None)
        lib.wait_for(lambda: {int(re.search(rb"Subject: k(\d+)", self.host.content(record))[1])
                              for record in self.host.records} == set(range(60)), "all of them")
        queued = re.findall(r"uid=\d+ from=", self.daemon.log())
        self.assertLessEqual(len(queued), 60)

    def test_a_full_disk_leaves_it_for_later(self):
        self.stored()
        self.daemon.settings["minimum-free-space"] = "1024G"
        self.daemon.start()
        self.daemon.wait_log("stays for now: 452 4.3.1")
        self.assertEqual(len(self.names()), 1)
        self.daemon.stop()
        del self.daemon.settings["minimum-free-space"]
        self.daemon.start()
        self.wait_kept()
        self.wait_empty()


class DistrustTest(DropCase):
    """What is wrong is set aside, logged once, and never sent, removed or overwritten."""

    def set_aside(self, why, n=1):
        """The daemon sets the planted file aside, and sweeps the good one behind it."""
        self.plant(SESSION.replace(NAME.encode(), b"f" * 32), name="f" * 32)
        self.daemon.start()
        self.daemon.wait_log(r"set aside as \S*%s\.smtp\.bad: %s" % (NAME, why))
        self.wait_kept(n)
        self.daemon.process.send_signal(signal.SIGUSR1)
        self.daemon.submit(message=b"Subject: last\n\nx\n")
        self.wait_kept(n + 1)
        self.assertEqual(self.names(), [NAME + ".smtp.bad"])
        self.assertEqual(len(re.findall("set aside", self.daemon.log())), 1)

    def test_what_is_no_session(self):
        self.plant(b"rubbish\n")
        self.set_aside("it does not end as a whole session does")

    def test_an_empty_file(self):
        self.plant(b"")
        self.set_aside("it does not end")

    def test_half_a_session(self):
        self.plant(SESSION[:-8])
        self.set_aside("it does not end")

    def test_a_session_of_bad_commands(self):
        self.plant(b"RUB BISH\r\n" * 50 + b"\r\n.\r\nQUIT\r\n")
        self.set_aside("(500|421) ")

    def test_a_session_without_a_message(self):
        self.plant(b"EHLO x\r\n\r\n.\r\nQUIT\r\n")
        self.set_aside("")

    def test_content_that_swallows_the_end(self):
        self.plant(SESSION.replace(b"a test", b"bare\nlf"))
        self.set_aside("550 5.6.11")

    def test_a_recipient_that_is_refused(self):
        """The others got the message; the file tells who did not."""
        self.plant(SESSION.replace(b"RCPT", b"RCPT TO:<a@b@c>\r\nRCPT", 1))
        self.set_aside("501 5.1.3", n=2)

    def test_a_session_in_lf(self):
        self.plant(SESSION.replace(b"\r\n", b"\n"))
        self.set_aside("it does not end")

    def test_too_large_a_file(self):
        self.daemon.settings["message-size-limit"] = "100K"
        path = self.plant()
        os.truncate(path, 1 << 30)
        self.set_aside("it has 1073741824 bytes")

    def test_too_large_a_message(self):
        self.daemon.settings["message-size-limit"] = "100K"
        self.plant(SESSION.replace(b"One line", b"y\r\n" * 100000))
        self.set_aside("552 5.3.4")

    def test_a_symbolic_link(self):
        os.symlink("/etc/passwd", os.path.join(self.drop, NAME + ".smtp"))
        self.set_aside("cannot open it")

    def test_a_second_name_of_a_file(self):
        target = self.place.write("mine", SESSION.decode())
        os.link(target, os.path.join(self.drop, NAME + ".smtp"))
        self.set_aside("it has another name")

    def test_a_pipe(self):
        os.mkfifo(os.path.join(self.drop, NAME + ".smtp"))
        self.set_aside("it is no regular file")

    def test_a_directory(self):
        os.mkdir(os.path.join(self.drop, NAME + ".smtp"))
        self.set_aside("it is no regular file")

    def test_a_file_that_it_may_not_read(self):
        if not self.place.user:
            self.skipTest("only root can make a file that the daemon may not read")
        self.plant(mode=0o600)
        self.set_aside("cannot open it: Permission denied")

    def test_what_was_set_aside_before_is_not_overwritten(self):
        first = self.plant(b"first", name=NAME)
        os.rename(first, first + ".bad")
        self.plant(b"second")
        self.daemon.start()
        self.daemon.wait_log(r"set aside as \S*%s\.smtp\.\d+\.bad: " % NAME)
        self.assertEqual(len(self.names()), 2)
        with open(first + ".bad", "rb") as file:
            self.assertEqual(file.read(), b"first")

    def test_other_names_are_nobodys_business(self):
        for name in ("README", NAME[1:] + ".smtp", NAME.upper() + ".smtp", NAME + ".smtp.x", ".smtp"):
            self.plant(name="x")
            os.rename(os.path.join(self.drop, "x.smtp"), os.path.join(self.drop, name))
        self.daemon.start()
        self.daemon.submit()
        self.wait_kept()
        self.daemon.process.send_signal(signal.SIGUSR1)
        self.daemon.submit()
        self.wait_kept(2)
        self.assertEqual(len(self.names()), 5)

    def test_a_directory_of_the_wrong_make_is_named_once(self):
        os.chmod(self.drop, 0o755)
        self.daemon.start()
        self.daemon.wait_log(r"drop directory \S+ has mode 0755: chmod 1733 ")
        self.daemon.stop()
        os.chmod(self.drop, 0o1733)
        os.chmod(self.daemon.spool, 0o700)
        self.daemon.start()
        self.daemon.wait_log(r"the spool above the drop directory \S+ keeps everybody out: chmod o\+x")

    def test_a_directory_of_somebody_else_is_named_and_left_alone(self):
        if not self.place.user:
            self.skipTest("only root can make one")
        os.chown(self.drop, 0, 0)
        os.chmod(self.drop, 0o1777)
        self.plant()
        self.daemon.start()
        self.daemon.wait_log(r"drop directory \S+ belongs to uid 0, .*: chown it to uid %d" % self.place.user[0])
        self.daemon.submit()
        self.wait_kept()
        self.assertEqual(self.names(), [NAME + ".smtp"])


if __name__ == "__main__":
    lib.main()
