# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk that is full, fails or may not be written to. What was taken is kept and goes out, what
cannot be kept is not taken, and the daemon says which file and why.

A file system of its own, and strace at a daemon that another user runs, need root.
"""

import glob
import os
import re
import signal
import smtplib
import subprocess
import time
import unittest

import lib

MIB = 1 << 20
STRACE_PATIENCE = 10


class Mounted:
    """A namespace with a small file system at path. It ends with close()."""

    def __init__(self, path, user, size):
        self.path = path
        script = "mount -t tmpfs -o size=%d,mode=0700,uid=%d,gid=%d tmpfs '%s' && echo ready && exec " \
            "sleep 3600" % (size, *user, path)
        self.holder = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sh", "-c",
                                        script], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                       text=True)
        if self.holder.stdout.readline() != "ready\n":
            why = self.holder.stderr.read().strip()
            self.close()
            raise unittest.SkipTest("no file system of its own can be mounted: " + why)

    def enter(self, *command):
        """The command that runs another one in there."""
        return ["nsenter", "--mount", "--target", str(self.holder.pid), *command]

    def inside(self, *names):
        """A path in there, as it is reached from here."""
        return os.path.join("/proc/%d/root%s" % (self.holder.pid, self.path), *names)

    def free_bytes(self):
        fs = os.statvfs(self.inside())
        return fs.f_bavail * fs.f_frsize

    def close(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()
        self.holder.stderr.close()


class DiskCase(lib.Case):
    def setUp(self):
        super().setUp()
        self.root = (0, 0) if self.place.user else None
        self.daemon.settings["minimum-free-space"] = "0"

    def mount(self, size):
        if os.getuid() != 0:
            self.skipTest("only root can mount a file system of its own")
        path = self.place.directory(self.daemon.name, "spool")
        mounted = Mounted(path, self.place.user, size)
        self.addCleanup(mounted.close)
        user = self.place.user

        def spawn():
            command = mounted.enter("setpriv", "--reuid", str(user[0]), "--regid", str(user[1]),
                                    "--clear-groups", *lib.Daemon.command(self.daemon))
            with open(self.daemon.log_path, "ab") as log:
                self.daemon.process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                    env=self.daemon.environment())
        self.daemon.spawn = spawn
        return mounted

    def retry(self):
        done = self.daemon.tranterctl("retry", "--all", user=self.root)
        self.assertEqual(done.returncode, 0, done.stderr)

    def drain(self):
        def empty():
            self.retry()
            return not self.daemon.queue()
        lib.wait_for(empty, "an empty queue", 60)


def message(number, size):
    line = b"message %06d\n" % number
    return b"Subject: n%d\n\n" % number + line * (size // len(line))


class FullTest(DiskCase):
    """The queue itself has filled the disk, to the last block."""

    def take(self, number, size):
        """Whether the message is taken. A larger one that was just refused leaves room a moment
        later."""
        end = time.monotonic() + 2.5
        while True:
            done = self.daemon.sendmail("-i", "-f", lib.SENDER, self.recipient(number),
                                        stdin=message(number, size))
            if done.returncode == 0:
                return True
            self.assertEqual(done.returncode, 71)
            self.assertIn(b"full", done.stderr)
            if time.monotonic() > end:
                return False
            time.sleep(0.1)

    def fill(self):
        """Submit until nothing more is taken, ever smaller messages; the numbers of those taken."""
        taken = []
        self.sizes = {}
        for size, most in ((3 * MIB, 5), (300000, 200), (30000, 200), (500, 400)):
            for number in range(len(taken) + 1, len(taken) + most + 1):
                if not self.take(number, size):
                    break
                taken.append(number)
                self.sizes[number] = size
        self.assertLess(len(taken), 400, "the disk does not fill up")
        return taken

    @staticmethod
    def recipient(number):
        return "%s%d@example.net" % ({0: "bad", 1: "slow"}.get(number % 5, "good"), number)

    def check_arrivals(self, taken):
        """Each message once, and a report of each that was refused."""
        numbers, reports = [], []
        for record in self.host.records:
            content = self.host.content(record)
            subject = int(re.search(rb"^Subject: n(\d+)\r$", content, re.MULTILINE)[1])
            if b"report-type" in content:
                reports.append(subject)
            else:
                numbers.append(subject)
                body = message(subject, self.sizes[subject]).partition(b"\n\n")[2]
                self.assertTrue(content.endswith(b"\r\n\r\n" + body.replace(b"\n", b"\r\n")),
                                "message %d is damaged" % subject)
        self.assertEqual(sorted(numbers), [number for number in taken if number % 5])
        self.assertEqual(sorted(reports), [number for number in taken if number % 5 == 0])

    def test_new_mail_is_refused_while_what_is_queued_goes_out_and_is_recorded(self):
        mounted = self.mount(48 * MIB)
        self.host.stop()
        self.daemon.settings.update({"retry-min": "1h", "retry-max": "1h"})
        self.daemon.start()
        taken = self.fill()
        self.assertGreater(len(taken), 20)
        self.assertLess(mounted.free_bytes(), 3 * MIB)
        with smtplib.LMTP(self.daemon.socket) as client:
            with self.assertRaises(smtplib.SMTPResponseException) as refused:
                client.sendmail(lib.SENDER, [lib.RECIPIENT], b"Subject: no room\r\n\r\n")
            self.assertEqual(refused.exception.smtp_code, 452)
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.start()
        self.host.script.replace([
            {"stage": "rcpt", "recipient": "bad*", "action": "reply", "text": "550 5.1.1 Unknown"},
            {"stage": "rcpt", "recipient": "slow*", "action": "reply", "times": 20,
             "text": "452 4.2.2 " + "The mailbox is full, as are the disks of many; " * 8}])
        self.host.start()
        self.drain()
        self.check_arrivals(taken)
        lib.wait_for(lambda: self.daemon.sendmail("-i", lib.RECIPIENT).returncode == 0,
                     "new mail to be taken again", 30)
        self.assertEqual(self.daemon.stop(), 0)
        self.assertEqual(glob.glob(mounted.inside("content", "*")), [])
        self.check_manners()

    def test_what_is_removed_makes_room(self):
        self.mount(48 * MIB)
        self.host.stop()
        self.daemon.start()
        taken = self.fill()
        done = self.daemon.tranterctl("remove", "--all", user=self.root)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.daemon.queue(), [])
        lib.wait_for(lambda: self.daemon.sendmail("-i", lib.RECIPIENT, stdin=message(
            1, 3 * MIB)).returncode == 0, "new mail to be taken again", 30)
        self.assertGreater(len(taken), 20)


class ReadOnlyTest(DiskCase):
    def test_a_spool_that_may_not_be_written_to_ends_the_start_with_a_word(self):
        mounted = self.mount(48 * MIB)
        self.host.stop()
        self.daemon.start().submit()
        self.assertEqual(self.daemon.stop(), 0)
        subprocess.run(mounted.enter("mount", "-o", "remount,ro", mounted.path), check=True)
        self.daemon.mark()
        self.daemon.spawn()
        self.assertEqual(self.daemon.process.wait(lib.PATIENCE), 71)
        self.assertIn(self.daemon.spool, self.daemon.logged(".*Read-only file system.*")[0])
        self.assertEqual(self.daemon.log().count("Read-only file system"), 1)
        subprocess.run(mounted.enter("mount", "-o", "remount,rw", mounted.path), check=True)
        self.host.start()
        self.daemon.start()
        self.wait_kept()


class FailingTest(DiskCase):
    """System calls that fail, as the disk would have them."""

    def setUp(self):
        super().setUp()
        if lib.sanitized():  # the search for leaks at the end does not go with strace
            own = self.daemon.environment
            self.daemon.environment = lambda: dict(own(), ASAN_OPTIONS="detect_leaks=0")

    def inject(self, syscall, error, when="1+"):
        if os.getuid() != 0 and open("/proc/sys/kernel/yama/ptrace_scope",
                                     encoding="ascii").read() != "0\n":
            self.skipTest("an ordinary user may not trace tranterd here (yama/ptrace_scope)")
        pid = self.daemon.process.pid
        tracer = subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + syscall,
                                   "-e", "inject=%s:error=%s:when=%s" % (syscall, error, when), "-p",
                                   str(pid)])

        def stop():
            if tracer.poll() is None:
                tracer.send_signal(signal.SIGINT)
            tracer.wait()
        self.addCleanup(stop)
        lib.wait_for(lambda: self.traced(pid), "strace at tranterd", STRACE_PATIENCE)
        return stop

    @staticmethod
    def traced(pid):
        for path in glob.glob("/proc/%d/task/*/status" % pid):
            with open(path, encoding="ascii") as file:
                if re.search(r"^TracerPid:\s+0$", file.read(), re.MULTILINE):
                    return False
        return True

    def check_stopped_and_whole(self, before):
        """The daemon ended for its disk; what was taken before is there after."""
        self.assertEqual(self.daemon.process.wait(lib.PATIENCE), 71)
        told = self.daemon.logged(".*the queue's database.* failed: .*")
        self.assertIsNotNone(told)
        self.assertIn(os.path.join(self.daemon.spool, "queue.db"), told[0])
        self.daemon.start()
        kept = [entry["queue_id"] for entry in self.daemon.queue()]
        self.assertEqual(kept[:len(before)], before)
        self.assertLessEqual(len(kept), len(before) + 1)

    def test_a_failed_write_or_sync_of_the_queue_ends_all(self):
        self.host.stop()
        self.daemon.start()
        for syscall, error in (("fdatasync", "EIO"), ("pwrite64", "EIO"), ("pwrite64", "EROFS"),
                               ("fdatasync", "EROFS")):
            with self.subTest(syscall=syscall, error=error):
                self.daemon.submit("before@example.net")
                before = [entry["queue_id"] for entry in self.daemon.queue()]
                self.daemon.mark()
                stop = self.inject(syscall, error)
                done = self.daemon.sendmail("-i", lib.RECIPIENT, wait="1")
                self.assertEqual(done.returncode, 71, done.stderr)
                self.check_stopped_and_whole(before)
                stop()

    def test_a_content_that_cannot_be_written_is_refused_and_no_other(self):
        self.host.stop()
        self.daemon.start()
        large = message(1, 2 * MIB)
        for syscall, error, words in (("openat", "EMFILE", "Too many open files"),
                                      ("fsync", "EIO", "Input/output error"),
                                      ("openat", "EIO", "Input/output error")):
            with self.subTest(syscall=syscall, error=error):
                self.daemon.mark()
                stop = self.inject(syscall, error)
                done = self.daemon.sendmail("-i", lib.RECIPIENT, stdin=large)
                self.assertEqual(done.returncode, 71, done.stderr)
                self.daemon.wait_log("not stored: cannot .*/content/[0-9A-F]+: " + words)
                self.daemon.submit("small@example.net")
                stop()
        self.daemon.submit("large@example.net", message=large)
        self.host.start()
        self.retry()
        self.wait_kept(4)
        self.daemon.wait_queue(0)

    def test_too_many_open_files_keep_nobody_out_for_long(self):
        self.host.stop()
        self.daemon.start()
        stop = self.inject("accept4", "EMFILE", "1..3")
        began = time.monotonic()
        self.daemon.submit()
        self.assertLess(time.monotonic() - began, lib.PATIENCE)
        stop()


if __name__ == "__main__":
    lib.main()
