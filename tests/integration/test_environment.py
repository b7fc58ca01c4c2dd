# SPDX-License-Identifier: GPL-3.0-or-later
"""The shim where its caller, or the host, gave it little: limits, closed descriptors, signals, a
chroot, a sandbox; and a daemon that dies. Exit status 0 is never said for a message that the daemon
does not have."""

import fcntl
import itertools
import os
import re
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import termios
import threading
import time
import unittest

import lib
from test_sendmail import Submission, listen

ONE_LINE = rb"\Asendmail: [ -~]+\n\Z"
LARGE = 300 * 1024  # more than is read before the daemon is asked
EMPTY_ARGUMENTS = """
import ctypes, os
libc = ctypes.CDLL(None)
none = (ctypes.c_char_p * 1)(None)
libc.execve(os.environ["SHIM"].encode(), none, none)
"""


def limit(name, value):
    return lambda: resource.setrlimit(getattr(resource, "RLIMIT_" + name), (value, value))


def unread(pipe):
    """Bytes in a pipe that its reader has not taken."""
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]


HOSTILE = {
    "SIGPIPE ignored": lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN),
    "SIGPIPE blocked": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGPIPE]),
    "SIGCHLD ignored": lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN),
    "all signals blocked": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()),
    "an alarm set": lambda: signal.alarm(1),
    "no file may grow": limit("FSIZE", 0),
    "four descriptors": limit("NOFILE", 4),
    "no process may be made": limit("NPROC", 0),
    "no core": limit("CORE", 0),
    "a second of processor time": limit("CPU", 1),
    "a stack of 512 KiB": limit("STACK", 512 * 1024),
    "umask 777": lambda: os.umask(0o777),
    "umask 0": lambda: os.umask(0),
    "no nice": lambda: os.nice(19),
}


class ShimCase(unittest.TestCase):
    """The shim against a submission socket of the test's own."""

    def setUp(self):
        self.place = lib.Place()
        self.addCleanup(self.place.remove)
        self.daemon = lib.Daemon(self.place)  # never started: its socket is ours
        self.shim = self.place.programs["sendmail"]

    def serve(self, **answers):
        submission = Submission(self.daemon.socket, **answers)
        self.addCleanup(submission.close)
        return submission

    def popen(self, *arguments, **more):
        more.setdefault("stdin", subprocess.PIPE)
        more.setdefault("stderr", subprocess.PIPE)
        more.setdefault("env", dict(self.daemon.environment(), TRANTER_WAIT="0"))
        process = subprocess.Popen([self.shim, *arguments], stdout=subprocess.PIPE,
                                   **dict(lib.identity(self.place.user), **more))
        self.addCleanup(self.clean_up, process)
        return process

    @staticmethod
    def clean_up(process):
        if process.poll() is None:
            process.kill()
        for file in (process.stdin, process.stdout, process.stderr):
            if file:
                try:
                    file.close()
                except BrokenPipeError:
                    pass
        process.wait()

    def send(self, *arguments, text=lib.MESSAGE, **more):
        process = self.popen(*(arguments or ("-i", lib.RECIPIENT)), **more)
        out, err = process.communicate(text, lib.PATIENCE)
        return process.returncode, out, err


class EnvironmentTest(ShimCase):
    def test_a_hostile_start_changes_nothing(self):
        submission = self.serve()
        starts = dict(HOSTILE)
        if lib.sanitized():
            del starts["no process may be made"]  # the leak sanitizer makes one
        for number, (name, prepare) in enumerate(starts.items(), 1):
            with self.subTest(name):
                self.assertEqual(self.send(preexec_fn=prepare), (0, b"", b""))
                self.assertEqual(submission.complete, number)

    def test_its_working_directory_is_of_no_interest(self):
        submission = self.serve()
        home = self.place.directory("home")

        def close():
            os.chdir(home)
            os.chmod(".", 0)

        def leave():
            os.chdir(home)
            os.rmdir(home)
        self.assertEqual(self.send(preexec_fn=close), (0, b"", b""))
        os.chmod(home, 0o700)
        self.assertEqual(self.send(preexec_fn=leave, user=None, group=None, extra_groups=None),
                         (0, b"", b""))
        self.assertEqual(submission.complete, 2)

    def test_an_alarm_of_the_caller_does_not_strike(self):
        submission = self.serve()
        process = self.popen("-i", lib.RECIPIENT,
                             preexec_fn=lambda: signal.setitimer(signal.ITIMER_REAL, 0.3))
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(0.6)
        process.communicate(lib.MESSAGE, lib.PATIENCE)
        self.assertEqual((process.returncode, submission.complete), (0, 1))

    def test_no_environment_is_needed(self):
        submission = self.serve()
        self.assertEqual(self.send(env={"TRANTER_SOCKET": self.daemon.socket}), (0, b"", b""))
        self.assertEqual(submission.complete, 1)

    def test_without_any_argument_it_says_so(self):
        submission = self.serve()
        done = subprocess.run(["python3", "-c", EMPTY_ARGUMENTS], env={"SHIM": self.shim, "PATH": os.environ["PATH"]},
                              input=lib.MESSAGE, capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (64, b""))
        self.assertRegex(done.stderr, ONE_LINE)
        self.assertEqual(submission.complete, 0)

    def test_closed_descriptors_hurt_nothing(self):
        """Whichever of the three are closed, what arrives is the message and nothing else."""
        submission = self.serve()
        for closed in itertools.chain.from_iterable(
                itertools.combinations((0, 1, 2), n) for n in range(1, 4)):
            with self.subTest(closed=closed):
                before, sent = submission.complete, submission.content_bytes
                redirections = " ".join("%d%s&-" % (fd, ">" if fd else "<") for fd in closed)
                done = subprocess.run(["sh", "-c", 'exec "$0" -i "$1" ' + redirections, self.shim,
                                       lib.RECIPIENT], input=lib.MESSAGE, capture_output=True,
                                      env=self.daemon.environment(), check=False)
                self.assertEqual(done.returncode, 66 if 0 in closed else 0)
                self.assertEqual(done.stdout, b"")
                self.assertRegex(done.stderr, ONE_LINE if 0 in closed and 2 not in closed else rb"\A\Z")
                self.assertEqual(submission.complete - before, 0 if 0 in closed else 1)
                self.assertEqual(submission.content_bytes - sent,
                                 0 if 0 in closed else len(lib.WIRE))

    def test_a_leaked_descriptor_is_not_kept(self):
        submission = self.serve()
        submission.release.clear()
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        process = self.popen("-i", lib.RECIPIENT, pass_fds=(writer,))
        os.close(writer)
        process.stdin.write(lib.MESSAGE)
        process.stdin.close()
        lib.wait_for(lambda: submission.complete, "the end of the content")
        self.assertEqual(os.read(reader, 1), b"")  # the shim, still at work, holds no end of it
        self.assertIsNone(process.poll())
        submission.release.set()
        self.assertEqual(process.wait(lib.PATIENCE), 0)

    def test_an_ignored_hangup_stays_ignored(self):
        submission = self.serve()
        process = self.popen("-i", lib.RECIPIENT,
                             preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        process.stdin.write(b"Subject: nohup\n\n" + b"x\n" * LARGE)
        process.stdin.flush()
        lib.wait_for(lambda: submission.content_bytes, "content")
        process.send_signal(signal.SIGHUP)
        process.communicate(b"end\n", lib.PATIENCE)
        self.assertEqual((process.returncode, submission.complete), (0, 1))

    def test_little_memory_is_never_a_false_success(self):
        """From too little to load the program up to enough."""
        if lib.sanitized():
            self.skipTest("the sanitizers need more address space than any limit")
        submission = self.serve()
        statuses = set()
        for kib in range(1024, 8192, 256):
            with self.subTest(kib=kib):
                before = submission.complete
                status, _, err = self.send(text=b"Subject: x\n\n" + b"y" * LARGE,
                                           preexec_fn=limit("AS", kib * 1024))
                statuses.add(status)
                self.assertEqual(submission.complete - before, int(status == 0), err)
                if status == 71:
                    self.assertRegex(err, ONE_LINE)
        self.assertIn(0, statuses)
        self.assertIn(71, statuses)

    def test_a_shim_that_spent_its_processor_time_leaves_nothing(self):
        submission = self.serve()
        process = self.popen("-i", lib.RECIPIENT, preexec_fn=limit("CPU", 1))
        block = b"\0.\r" * 20000 + b"\n"
        process.stdin.write(b"Subject: x\n\n")
        with self.assertRaises(BrokenPipeError):
            while True:
                process.stdin.write(block)
        self.assertIn(process.wait(lib.PATIENCE), (-signal.SIGXCPU, -signal.SIGKILL))
        self.assertEqual(submission.complete, 0)

    def test_no_descriptor_left_for_a_socket_is_71(self):
        if lib.sanitized():
            self.skipTest("the sanitizers need descriptors at the end")
        submission = self.serve()
        process = self.popen("-i", lib.RECIPIENT, user=None, group=None, extra_groups=None)
        process.stdin.write(b"Subject: x\n\n")
        process.stdin.flush()
        lib.wait_for(lambda: unread(process.stdin) == 0, "the shim at its input")
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (3, 3))
        _, err = process.communicate(b"", lib.PATIENCE)
        self.assertEqual((process.returncode, submission.complete), (71, 0))
        self.assertRegex(err, ONE_LINE)

    def test_a_set_uid_caller_is_its_user(self):
        """Its privileges are given up, its environment is not listened to."""
        if os.getuid() != 0:
            self.skipTest("only root can lend its privileges")
        uid, gid = self.place.user
        def lend():
            os.setgroups([])
            os.setresgid(gid, 0, 0)
            os.setresuid(uid, 0, 0)
        more = {"user": None, "group": None, "extra_groups": None, "preexec_fn": lend}
        process = self.popen("-i", lib.RECIPIENT, **more)
        lib.wait_for(lambda: self.ids(process.pid, "Uid") == [uid] * 4, "the user's uid")
        lib.wait_for(lambda: self.ids(process.pid, "Gid") == [gid] * 4, "the user's gid")
        process.kill()
        status, _, err = self.send("-bp", **more)
        self.assertEqual(status, 69)
        self.assertNotIn(self.daemon.control.encode(), err)

    @staticmethod
    def ids(pid, field):
        with open("/proc/%d/status" % pid, encoding="ascii") as file:
            return [int(word) for word in
                    re.search(r"^%s:\s+(.*)$" % field, file.read(), re.MULTILINE)[1].split()]


class ConfinedTest(ShimCase):
    """A chroot, a container, a unit's sandbox: all it needs is the socket."""

    def setUp(self):
        super().setUp()
        if os.getuid() != 0:
            self.skipTest("only root can confine")

    def make_root(self):
        """A directory with the shim, the libraries it is linked to, and the socket; nothing else."""
        root = self.place.directory("root")
        listing = subprocess.run(["ldd", self.shim], capture_output=True, text=True, check=True).stdout
        shutil.copy2(self.shim, os.path.join(root, "sendmail"))
        for library in re.findall(r"(/\S+)", listing):
            target = root + library
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(os.path.realpath(library), target)
        return root

    def in_root(self, root, *arguments, text=lib.MESSAGE, closed=(), dot="-i"):
        def enter():
            os.chroot(root)
            os.chdir("/")
            os.setgroups([])
            os.setgid(54321)
            os.setuid(54321)
            for fd in closed:
                os.close(fd)
        process = subprocess.Popen(["/sendmail", dot, *arguments, lib.RECIPIENT],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, preexec_fn=enter,
                                   env={"TRANTER_SOCKET": "/smtp.sock", "TRANTER_WAIT": "0"})
        out, err = process.communicate(text, lib.PATIENCE)
        return process.returncode, out, err

    def test_a_chroot_with_the_socket_alone_is_enough(self):
        if lib.sanitized():
            self.skipTest("the sanitizers' libraries need /proc")
        root = self.make_root()
        submission = self.serve()
        os.link(self.daemon.socket, os.path.join(root, "smtp.sock"))
        self.assertEqual(self.in_root(root), (0, b"", b""))
        self.assertEqual(self.in_root(root, closed=(1, 2)), (0, b"", b""))
        self.assertEqual(submission.complete, 2)
        self.assertIn("MAIL FROM:<uid-54321>", submission.commands[1])
        status, _, err = self.in_root(root, closed=(0,))
        self.assertEqual((status, submission.complete), (66, 2))
        os.unlink(os.path.join(root, "smtp.sock"))
        status, out, err = self.in_root(root)
        self.assertEqual((status, out), (71, b""))
        self.assertRegex(err, ONE_LINE)

    def test_what_is_cut_off_behind_a_dot_is_logged(self):
        if lib.sanitized():
            self.skipTest("the sanitizers' libraries need /proc")
        root = self.make_root()
        self.serve()
        os.link(self.daemon.socket, os.path.join(root, "smtp.sock"))
        os.mkdir(os.path.join(root, "dev"))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            log.bind(os.path.join(root, "dev", "log"))
            os.chmod(os.path.join(root, "dev", "log"), 0o666)
            log.settimeout(lib.PATIENCE)
            for text, pattern in ((b"Subject: x\n\na\n", None),
                                  (b"Subject: x\n\n\0a\0\n", rb"2 NUL bytes"),
                                  (b"Subject: x\n\na\n.\n", None),
                                  (b"Subject: x\n\na\n.\nlost\n", rb"5 bytes")):
                self.assertEqual(self.in_root(root, "-fa@b", text=text, dot="-oem"), (0, b"", b""))
                if pattern:
                    self.assertRegex(log.recv(4096), rb"sendmail\[\d+\]: uid=54321: [^\n]*" + pattern)
            log.setblocking(False)
            with self.assertRaises(BlockingIOError):
                log.recv(4096)

    def test_no_new_privileges_are_needed(self):
        if not shutil.which("setpriv"):
            self.skipTest("there is no setpriv here")
        submission = self.serve()
        done = subprocess.run(["setpriv", "--no-new-privs", "--reuid", "54321", "--regid", "54321",
                               "--clear-groups", "--bounding-set=-all", "--inh-caps=-all", self.shim,
                               "-i", lib.RECIPIENT], input=lib.MESSAGE, capture_output=True,
                              env=self.daemon.environment(), check=False)
        self.assertEqual((done.returncode, done.stderr, submission.complete), (0, b"", 1))

    def test_read_only_file_systems_are_no_hindrance(self):
        """As under ProtectSystem=strict and PrivateTmp=yes."""
        probe = subprocess.run(["unshare", "-m", "mount", "-o", "remount,ro,bind", "/"],
                               capture_output=True, check=False)
        if probe.returncode:
            self.skipTest("mounts are not permitted here: %s" % probe.stderr.decode().strip())
        submission = self.serve()
        script = ('set -e; here=$1; shift; mount -o remount,ro,bind /;'
                  'mkdir -p "$here" 2>/dev/null || :; exec "$@"')
        done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", self.place.path, self.shim, "-i",
                               lib.RECIPIENT], input=lib.MESSAGE, capture_output=True,
                              env=self.daemon.environment(), check=False)
        self.assertEqual((done.returncode, done.stderr, submission.complete), (0, b"", 1))


# Denied as RestrictSUIDSGID= denies them, and more: what only a program with privileges needs.
DENY = """
import ctypes, errno, os, platform, struct, sys
numbers = {"x86_64": (90, 91, 92, 93, 94, 105, 106, 113, 114, 116, 117, 119, 133, 165, 259, 260, 268),
           "aarch64": (33, 40, 52, 53, 54, 55, 143, 144, 145, 146, 147, 149, 159)}[platform.machine()]
code = struct.pack("HBBI", 0x20, 0, 0, 0)  # the system call's number
for number in numbers:
    code += struct.pack("HBBI", 0x15, 0, 1, number) + struct.pack("HBBI", 0x06, 0, 0, 0x50000 | errno.EPERM)
code += struct.pack("HBBI", 0x06, 0, 0, 0x7fff0000)
program = ctypes.create_string_buffer(code)
filter = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(program)))
prctl = ctypes.CDLL(None, use_errno=True).prctl
if prctl(38, 1, 0, 0, 0) or prctl(22, 2, filter, 0, 0):
    sys.exit("prctl: " + os.strerror(ctypes.get_errno()))
try:
    os.chmod("/", 0o4755)
except PermissionError:
    os.execv(sys.argv[1], sys.argv[1:])
"""
UNIT = """\
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/tranter
mount --bind "$home" /run/tranter
cp "$shim" /run/sendmail
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -o remount,ro /run
mount -o remount,ro,bind /
! touch /var/probe 2>/dev/null
exec setpriv --reuid 54321 --regid 54321 --clear-groups --bounding-set=-all --inh-caps=-all \
    /usr/bin/python3 -c "$deny" /run/sendmail -i -f "$sender" "$recipient"
"""
CONTAINER = """\
mount -t tmpfs -o mode=755 tmpfs /run
cp "$shim" /run/sendmail
ldd "$shim" | grep -o '/[^ ]*' | while read -r library; do
    mkdir -p "/run${library%/*}"
    cp -L "$library" "/run$library"
done
: >/run/smtp.sock
mount --bind "$home/smtp.sock" /run/smtp.sock
mount -o remount,ro /run
exec chroot --userspec=54321:54321 --groups= /run /sendmail -i -f "$sender" "$recipient"
"""


class SandboxTest(lib.Case):
    """A caller that is a unit or a container, and the real daemon outside."""

    def setUp(self):
        super().setUp()
        if os.getuid() != 0:
            self.skipTest("only root can confine")
        if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
            self.skipTest("unshare -m fails here")
        self.daemon.start()

    def arrives(self, *command, socket_path):
        environment = dict(self.daemon.environment(), TRANTER_SOCKET=socket_path, TRANTER_WAIT="0",
                           shim=self.place.programs["sendmail"], home=self.daemon.home, deny=DENY,
                           sender=lib.SENDER, recipient=lib.RECIPIENT)
        done = subprocess.run(command, input=lib.MESSAGE, capture_output=True, env=environment,
                              check=False, timeout=lib.PATIENCE, cwd="/")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
        record = self.wait_kept()[0]
        self.assertEqual((record["sender"], record["recipients"]), (lib.SENDER, [lib.RECIPIENT]))
        self.assertIn(b"uid 54321", self.host.content(record))

    def test_a_unit_of_systemd(self):
        """NoNewPrivileges=, ProtectSystem=strict, PrivateTmp=, RestrictSUIDSGID=; no capability."""
        if not os.path.exists("/usr/bin/python3"):
            self.skipTest("there is no /usr/bin/python3")
        self.arrives("unshare", "-m", "sh", "-ec", UNIT, socket_path="/run/tranter/smtp.sock")

    def test_a_container_with_the_socket_alone(self):
        """Namespaces of its own for all but users; no /proc, /dev, /etc; the root is read-only."""
        if lib.sanitized():
            self.skipTest("the sanitizers' libraries need /proc")
        self.arrives("unshare", "-mpniuC", "--fork", "sh", "-ec", CONTAINER,
                     socket_path="/smtp.sock")


class Thief:
    """Between the shim and a daemon: passes all on, but swallows the first answers that say a
    message is queued, and cuts the connection in place of each."""

    def __init__(self, path, daemon, n=1):
        self.daemon, self.left, self.stolen = daemon, n, 0
        self.at_theft = lambda: None
        self.listener = listen(path)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client, socket.socket(socket.AF_UNIX) as server:
                try:
                    server.connect(self.daemon)
                    self.pass_on(client, server)
                except OSError:
                    pass

    def pass_on(self, client, server):
        while True:
            for sock in select.select([client, server], [], [])[0]:
                text = sock.recv(65536)
                if sock is server and b"queued as" in text and self.left:
                    self.left -= 1
                    self.stolen += 1
                    self.at_theft()
                    return
                if not text:
                    return
                (client if sock is server else server).sendall(text)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()


class Killer(Thief):
    """Between the shim and a daemon: before it passes on the nth piece of the dialogue, whoever
    says it, at_theft is called, and the connection is cut."""

    def pass_on(self, client, server):
        while True:
            for sock in select.select([client, server], [], [])[0]:
                text = sock.recv(65536)
                if not text:
                    return
                self.left -= 1
                if self.left == 0:
                    self.stolen = ("daemon" if sock is server else "shim", text[:40])
                    self.at_theft()
                    return
                (client if sock is server else server).sendall(text)


class DyingDaemonTest(lib.Case):
    """A real daemon that is killed while the shim is at work."""

    def setUp(self):
        super().setUp()
        self.daemon.start()

    def popen(self, wait="10"):
        process = subprocess.Popen([self.place.programs["sendmail"], "-i", "-f", lib.SENDER, lib.RECIPIENT],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, cwd="/",
                                   env=dict(self.daemon.environment(), TRANTER_WAIT=wait),
                                   **lib.identity(self.place.user))
        self.addCleanup(ShimCase.clean_up, process)
        return process

    def begin(self, **more):
        """A shim in the middle of a message that the daemon has begun to store."""
        process = self.popen(**more)
        process.stdin.write(b"Subject: half\n\n" + b"x" * 75 + b"\n" * LARGE)
        process.stdin.flush()
        lib.wait_for(lambda: self.connections() == 1, "the shim's connection")
        return process

    def connections(self):
        with open("/proc/net/unix", encoding="ascii") as file:
            return sum(line.rstrip().endswith(self.daemon.socket) and line.split()[5] == "03"
                       for line in file)

    def test_a_daemon_that_restarts_before_it_is_asked_is_not_missed(self):
        process = self.popen()
        process.stdin.write(lib.MESSAGE)
        process.stdin.flush()
        lib.wait_for(lambda: unread(process.stdin) == 0, "the shim at its input")
        self.daemon.kill()
        starter = threading.Timer(0.3, self.daemon.start)
        starter.start()
        self.addCleanup(starter.join)
        _, err = process.communicate(timeout=lib.PATIENCE)
        self.assertEqual((process.returncode, err), (0, b""))
        self.wait_kept()

    def test_a_daemon_that_dies_amid_the_message_has_nothing(self):
        process = self.begin(wait="1")
        self.daemon.kill()
        _, err = process.communicate(b"more\n", lib.PATIENCE)
        self.assertEqual(process.returncode, 71)
        self.assertRegex(err, ONE_LINE)
        self.daemon.start()
        self.assertEqual(self.daemon.queue(), [])
        self.daemon.submit()
        self.assertIn(b"a test", self.host.content(self.wait_kept()[0]))

    def test_a_shim_that_dies_amid_the_message_leaves_nothing(self):
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(number):
                process = self.begin()
                process.send_signal(number)
                self.assertEqual(process.wait(lib.PATIENCE), -number)
                lib.wait_for(lambda: self.connections() == 0, "the end of the connection")
        self.daemon.submit()
        self.assertIn(b"a test", self.host.content(self.wait_kept()[0]))
        self.wait_idle()

    def thief(self, **more):
        thief = Thief(self.place.file("thief.sock"), self.daemon.socket, **more)
        self.addCleanup(thief.close)
        return thief

    def through_thief(self, text=lib.MESSAGE):
        return self.daemon.sendmail("-i", "-f", lib.SENDER, lib.RECIPIENT, stdin=text,
                                    env={"TRANTER_SOCKET": self.place.file("thief.sock")})

    def arrived_once(self, done, thief):
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(thief.left, 0)
        self.assertEqual(self.daemon.logged("submitted again by uid") is not None, True)
        self.wait_kept()
        self.wait_idle()
        self.assertEqual(len(self.host.records), 1)

    def test_an_answer_that_is_lost_costs_neither_the_message_nor_a_second(self):
        thief = self.thief(n=2)
        self.arrived_once(self.through_thief(b"Subject: x\n\n" + b"y\n" * 100000), thief)

    def test_a_daemon_that_dies_before_its_answer_is_heard_costs_neither(self):
        thief = self.thief()
        starters = []

        def die():
            self.daemon.kill()
            starters.append(threading.Timer(0.2, self.daemon.start))
            starters[0].start()
        thief.at_theft = die
        done = self.through_thief()
        starters[0].join()
        self.arrived_once(done, thief)

    def kill_at(self, stage):
        """Hand a message in while the daemon dies before the stage's piece of the dialogue, and
        comes back a little later. Whether the dialogue was long enough for that."""
        killer = Killer(self.place.file("thief.sock"), self.daemon.socket, stage)
        starters = []

        def die():
            self.daemon.kill()
            starters.append(threading.Timer(0.1, self.daemon.start))
            starters[0].start()
        killer.at_theft = die
        try:
            done = self.through_thief(b"Subject: stage %d\n\n" % stage + b"x" * 75 + b"\n" * LARGE)
        finally:
            killer.close()
            for starter in starters:
                starter.join()
        self.assertEqual((done.returncode, done.stderr), (0, b""), killer.stolen)
        return killer.stolen

    def test_a_daemon_that_dies_at_any_stage_costs_neither_the_message_nor_a_second(self):
        self.host.stop()  # else a kill may hit a message on its way out, which then waits
        stage, died = 0, []
        while not died or died[-1]:
            stage += 1
            died.append(self.kill_at(stage))
        self.assertEqual(len(self.daemon.queue()), stage)
        self.host.start()
        self.daemon.tranterctl("retry", "--all", user=(0, 0) if self.place.user else None)
        self.daemon.wait_queue(0)
        self.assertEqual([who for who, _ in died[:2]], ["daemon", "shim"])
        self.assertTrue(any(text.startswith(b"MAIL FROM") for _, text in died[:-1]), died)
        subjects = [re.search(rb"Subject: stage (\d+)", self.host.content(record))[1]
                    for record in self.host.records]
        self.assertEqual(sorted(subjects, key=int), [b"%d" % n for n in range(1, stage + 1)])

    def test_ten_thousand_recipients_get_it_once_each(self):
        wanted = ["u%05d@example.net" % number for number in range(10000)]
        done = self.daemon.sendmail("-ti", stdin=b"Subject: x\nBcc: " + ",\n ".join(wanted).encode()
                                    + b"\n\nx\n")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.daemon.wait_queue(0, 60)
        got = [name for record in self.host.records for name in record["recipients"]]
        self.assertEqual(sorted(got), wanted)

    def test_an_absent_daemon_is_waited_for_no_longer_than_allowed(self):
        self.daemon.kill()
        began = time.monotonic()
        process = self.popen(wait="1")
        _, err = process.communicate(lib.MESSAGE, lib.PATIENCE)
        self.assertEqual(process.returncode, 71)
        self.assertRegex(err, ONE_LINE)
        self.assertLess(time.monotonic() - began, 5)


if __name__ == "__main__":
    lib.main()
