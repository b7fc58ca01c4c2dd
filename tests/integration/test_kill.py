# SPDX-License-Identifier: GPL-3.0-or-later
"""SIGKILL at each system call of a message's life: from its submission over a delivery and a bounce
to its removal and that of the report. A large one has those of a small one as well, so that for it
only what writes is gone through, in strides.

A first life is counted, for each thread of tranterd; then strace kills the daemon at the k-th call.
After each it is started again: the message must have arrived, whole, and once; twice only where the
log warned of that; and there is one report, however often it arrives.
"""

import collections
import glob
import os
import re
import subprocess
import sys

import lib

WRITES = {"pwrite64", "pwritev", "write", "writev", "sendto", "sendmsg", "fdatasync", "fsync",
          "ftruncate", "unlink", "unlinkat", "rename", "openat", "fallocate", "sync_file_range"}
# SQLite writes a large content page by page before its file begins: one in so many is enough.
LARGE_STRIDE = 29
LARGE = 1200000


class KillTest(lib.Case):
    def setUp(self):
        super().setUp()
        if os.getuid() != 0:
            with open("/proc/sys/kernel/yama/ptrace_scope", encoding="ascii") as file:
                if file.read() != "0\n":
                    self.skipTest("an ordinary user may not trace tranterd here "
                                  "(/proc/sys/kernel/yama/ptrace_scope)")
        self.root = (0, 0) if self.place.user else None
        self.host.script.replace([{"stage": "rcpt", "recipient": "bad*", "action": "reply",
                                   "text": "550 5.1.1 Nobody of that name"}])
        self.number = 0

    def threads(self):
        """The daemon's two threads, by name."""
        pid = self.daemon.process.pid
        others = [int(name) for name in os.listdir("/proc/%d/task" % pid) if int(name) != pid]
        self.assertEqual(len(others), 1, "threads besides the loop's")
        return {"loop": pid, "writer": others[0]}

    def trace(self, *arguments):
        """strace, attached to all the threads that arguments name."""
        tracer = subprocess.Popen(["strace", "-qq", *arguments], stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: tracer.poll() is None and tracer.kill())
        wanted = [arguments[i + 1] for i, word in enumerate(arguments) if word == "-p"]

        def attached():
            for task in wanted:
                paths = glob.glob("/proc/*/task/%s/status" % task)
                if not paths or self.daemon.process.poll() is not None:
                    return True  # killed by the call in which strace found it
                with open(paths[0], encoding="ascii") as file:
                    if re.search(r"^TracerPid:\s+0$", file.read(), re.MULTILINE):
                        return False
            return True
        lib.wait_for(attached, "strace at tranterd")
        return tracer

    def begin(self, size):
        """The shim with the next message; it waits for a daemon that is away."""
        self.number += 1
        self.body = b"line of message %06d\n" % self.number * (size // 24)
        path = self.place.write("message", "Subject: n%d\n\n" % self.number + self.body.decode())
        with open(path, "rb") as message:
            shim = subprocess.Popen(
                [self.place.programs["sendmail"], "-i", "-f", lib.SENDER,
                 "good-%d@example.net" % self.number, "bad-%d@example.net" % self.number],
                stdin=message, stderr=subprocess.PIPE, cwd="/",
                env=dict(self.daemon.environment(), TRANTER_WAIT="15"),
                **lib.identity(self.place.user))
        return shim

    def is_over(self):
        """The message and its report were removed."""
        return len(re.findall(": removed$", self.daemon.log()[self.daemon.marked:],
                              re.MULTILINE)) >= 2

    def live(self, size):
        """One life. Whether the daemon lived on."""
        self.daemon.mark()
        shim = self.begin(size)
        lib.wait_for(lambda: self.daemon.process.poll() is not None or self.is_over(),
                     "the end of the message or of the daemon")
        lived = self.daemon.process.poll() is None
        if not lived:
            self.daemon.process.wait()
            self.daemon.start()
        _, words = shim.communicate(timeout=lib.PATIENCE)
        self.assertEqual(shim.returncode, 0, words)
        return lived

    def drain(self):
        def empty():
            self.daemon.tranterctl("retry", "--all", user=self.root)
            return not self.daemon.queue()
        lib.wait_for(empty, "an empty queue")

    def check_arrivals(self):
        """Of the message that was last."""
        copies, reports = 0, []
        good, bad = b"good-%d@" % self.number, b"bad-%d@" % self.number
        for record in self.host.records:
            content = self.host.content(record)
            if record["recipients"] == [good.decode() + "example.net"]:
                copies += 1
                self.assertTrue(content.endswith(b"\r\n\r\n" + self.body.replace(b"\n", b"\r\n")))
            elif record["recipients"] == [lib.SENDER] and bad in content:
                reports.append(re.search(rb"^Message-ID: (.*)\r$", content, re.MULTILINE)[1])
        warned = self.daemon.logged("it may arrive twice")
        self.assertIn(copies, (1, 2) if warned else (1,))
        self.assertIn(len(reports), (1, 2) if warned else (1,))
        self.assertEqual(len(set(reports)), 1)
        del self.host.records[:]

    def count(self, size):
        """How often each thread makes which system call in a life: [(thread, call, times)]."""
        path = self.place.file("trace")
        threads = self.threads()
        tracer = self.trace("-f", "-o", path, "-p", str(threads["loop"]))
        self.assertTrue(self.live(size))
        self.drain()
        tracer.terminate()
        tracer.wait()
        self.check_arrivals()
        counts = collections.Counter()
        with open(path, encoding="ascii", errors="replace") as file:
            for line in file:
                match = re.match(r"(\d+)\s+(\w+)\(", line)
                for name, task in threads.items():
                    if match and int(match[1]) == task:
                        counts[name, match[2]] += 1
        return [(*key, times) for key, times in sorted(counts.items())]

    def kill_at(self, thread, call, k, size):
        """Whether the daemon was killed there."""
        if self.daemon.process.poll() is not None:
            self.daemon.start()
        tracer = self.trace("-o", "/dev/null", "-e", "trace=" + call, "-e",
                            "inject=%s:signal=SIGKILL:when=%d" % (call, k), "-p",
                            str(self.threads()[thread]))
        lived = self.live(size)
        if lived:
            tracer.terminate()
        tracer.wait()
        self.drain()
        self.check_arrivals()
        return not lived

    def kill_at_each(self, size, points):
        self.daemon.start()
        kills = 0
        for thread, call, times in self.count(size):
            for k in points(call, times):
                with self.subTest(thread=thread, call=call, k=k, of=times):
                    kills += self.kill_at(thread, call, k, size)
        print("    %d kills" % kills, end=" ")
        sys.stdout.flush()
        self.assertGreater(kills, 30)
        self.check_manners()
        self.assertEqual(self.daemon.stop(), 0)
        self.assertEqual(os.listdir(os.path.join(self.daemon.spool, "content")), [])

    def test_a_small_message(self):
        self.kill_at_each(3000, lambda call, times: range(1, times + 1))

    def test_a_message_with_a_file_of_its_own(self):
        def points(call, times):
            if call not in WRITES or call == "write":
                return ()
            return range(1, times + 1, LARGE_STRIDE if call == "pwrite64" else 1 + times // 10)
        self.kill_at_each(LARGE, points)


if __name__ == "__main__":
    lib.main()
