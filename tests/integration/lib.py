# SPDX-License-Identifier: GPL-3.0-or-later
"""What the integration tests and the demonstration stand on: a throw-away tranterd.

Where things are comes from the environment that `make check` sets: TRANTER_BUILDDIR (default: the
working directory). A test that root starts runs tranterd as nobody, from copies that nobody may
read. Each test waits by asking again until a deadline; none sleeps and hopes.
"""

import contextlib
import glob
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from certificates import Certificates  # noqa: E402
from smarthost import Smarthost  # noqa: E402

BUILD = os.environ.get("TRANTER_BUILDDIR", os.getcwd())
PATIENCE = float(os.environ.get("TRANTER_TEST_PATIENCE", "20"))
PROGRAMS = {"tranterd": "src/daemon/tranterd", "sendmail": "src/tools/sendmail",
            "tranterctl": "src/tools/tranterctl"}
USER, PASSWORD = "web1@example.com", "secret word"
SENDER, RECIPIENT = "app@example.com", "rcpt@example.net"
MESSAGE = b"From: app@example.com\nTo: rcpt@example.net\nSubject: a test\n\nOne line.\n"
# The log says that mail waits: one message for a fault of its own, or all mail of a smarthost.
WAITS = r"(?:to=<[^>]*>, relay=.*status=deferred .*|smarthost \"[^\"]*\".* is down, its mail waits: .*)"
WIRE = MESSAGE.replace(b"\n", b"\r\n")


def wait_for(predicate, what, deadline=PATIENCE):
    """The first true result of predicate(), which is asked until then; else the test fails."""
    end = time.monotonic() + deadline
    while True:
        result = predicate()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError("waited %g s in vain for %s" % (deadline, what))
        time.sleep(0.02)


def sanitized():
    """The programs were built with the sanitizers, which cost memory and time."""
    with open(os.path.join(BUILD, PROGRAMS["tranterd"]), "rb") as file:
        return b"__asan_init" in file.read()


FAKETIME = "/usr/lib/%s-linux-gnu/faketime/libfaketimeMT.so.1" % os.uname().machine


def faked_time(test, daemon, **settings):
    """Let daemon have the time that libfaketime makes of its settings."""
    if not os.path.exists(FAKETIME):
        test.skipTest("libfaketime is not installed (./bootstrap install all)")
    if sanitized():
        test.skipTest("the sanitizers do not go with a preloaded library")
    daemon.environment = lambda own=daemon.environment: dict(own(), LD_PRELOAD=FAKETIME, **settings)
    test.addCleanup(remove_shared_clocks)


def remove_shared_clocks():
    """What libfaketime leaves in memory when its program does not end by itself."""
    for path in glob.glob("/dev/shm/*faketime_*_[0-9]*"):
        if not os.path.exists("/proc/" + path.rsplit("_", 1)[1]):
            with contextlib.suppress(OSError):
                os.unlink(path)


def free_port():
    """A loopback port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def ordinary_user():
    """Whom tranterd runs as: (uid, gid) of nobody for root, else None: who we are."""
    if os.getuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def identity(user):
    """Arguments of subprocess that make it run as user, a pair of uid and gid."""
    return {"user": user[0], "group": user[1], "extra_groups": []} if user else {}


class Place:
    """A directory of its own under /tmp, with the programs where an ordinary user can run them."""

    def __init__(self):
        self.programs = dict((name, os.path.join(BUILD, path)) for name, path in PROGRAMS.items())
        for path in self.programs.values():
            if not os.path.exists(path):
                raise RuntimeError("%s is not built" % path)
        self.user = ordinary_user()
        self.path = tempfile.mkdtemp(prefix="tranter.")
        if self.user:
            os.chmod(self.path, 0o755)
            for name, path in self.programs.items():
                self.programs[name] = shutil.copy2(path, self.file(name))
                os.chmod(self.programs[name], 0o755)

    def file(self, *names):
        return os.path.join(self.path, *names)

    def directory(self, *names):
        """Make a directory that belongs to the user of tranterd."""
        path = self.file(*names)
        os.makedirs(path, exist_ok=True)
        self.give(path)
        return path

    def write(self, name, text, mode=0o644):
        path = self.file(name)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        self.give(path)
        return path

    def give(self, path):
        if self.user:
            os.chown(path, *self.user)

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


def setting(value):
    """A value as the configuration spells it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, tuple)):
        return "{%s}" % ", ".join(setting(item) for item in value)
    return '"%s"' % value.replace("\\", "\\\\").replace('"', '\\"')


def configuration(settings, smarthosts):
    """The text of a configuration. smarthosts: a list of (name, settings)."""
    lines = ["%s = %s" % (key, setting(value)) for key, value in settings.items()]
    for name, keys in smarthosts:
        lines.append('smarthost "%s" {' % name)
        lines += ["    %s = %s" % (key, setting(value)) for key, value in keys.items()]
        lines.append("}")
    return "\n".join(lines) + "\n"


class Daemon:
    """tranterd on its own configuration, spool and sockets under one directory of a Place."""

    def __init__(self, place, name="tranter"):
        self.place = place
        self.name = name
        self.home = place.directory(name)
        self.socket = os.path.join(self.home, "smtp.sock")
        self.control = os.path.join(self.home, "control.sock")
        self.spool = os.path.join(self.home, "spool")
        self.conf = os.path.join(name, "tranter.conf")
        self.log_path = os.path.join(self.home, "log")
        self.process = None
        self.marked = 0
        self.debug = False
        self.listen = [self.socket]
        self.settings = {"hostname": "client.example.com", "domain": "example.com",
                         "aliases": "",
                         "listen": self.listen, "control": self.control, "spool": self.spool,
                         "log": "stderr", "retry-min": "1s", "retry-max": "2s",
                         "stop-timeout": "5s"}
        self.smarthosts = []

    def add_smarthost(self, server, name="main", **keys):
        """Send through a Smarthost. keys replace settings, with _ for -; None leaves one out."""
        password = self.place.write(os.path.join(self.name, name + ".password"), PASSWORD + "\n",
                                    0o600)
        settings = {"host": "localhost", "port": server.port, "tls": server.tls,
                    "tls-ca-file": server.certificates.ca, "user": USER,
                    "password-file": password, "connect-timeout": "5s", "reply-timeout": "5s",
                    "data-timeout": "5s", "idle-timeout": "2s"}
        settings.update((key.replace("_", "-"), value) for key, value in keys.items())
        self.smarthosts.append((name, {key: value for key, value in settings.items()
                                       if value is not None}))

    def write_configuration(self):
        return self.place.write(self.conf, configuration(self.settings, self.smarthosts))

    def environment(self):
        return dict(os.environ, TRANTER_SOCKET=self.socket, TRANTER_CONTROL=self.control,
                    LC_ALL="C", TZ="UTC")

    def command(self, *arguments):
        return [self.place.programs["tranterd"], "-c", self.place.file(self.conf), *arguments]

    def spawn(self, **more):
        """Start tranterd and do not wait for it to be ready."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command(*(["-d"] if self.debug else [])), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env=self.environment(), cwd="/",
                **identity(self.place.user), **more)

    def start(self):
        self.write_configuration()
        self.spawn()
        wait_for(self.ready, "tranterd's greeting; its log:\n" + self.log()[-2000:])
        return self

    def ready(self):
        if self.process.poll() is not None:
            raise AssertionError("tranterd exited with %d:\n%s" % (self.process.returncode,
                                                                   self.log()))
        try:
            with self.connect() as sock:
                return sock.recv(3) == b"220"
        except OSError:
            return False

    def connect(self):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(PATIENCE)
        try:
            sock.connect(self.socket)
        except OSError:
            sock.close()
            raise
        return sock

    def stop(self):
        """SIGTERM, and its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("tranterd did not end at SIGTERM") from None

    def kill(self):
        self.process.kill()
        self.process.wait()

    # What it says of itself

    def log(self):
        with contextlib.suppress(FileNotFoundError):
            with open(self.log_path, encoding="utf-8", errors="replace") as file:
                return file.read()
        return ""

    def mark(self):
        """From here on logged() sees only what is new."""
        self.marked = len(self.log())

    def logged(self, pattern):
        """The match of a line of the log, or None."""
        return re.search(pattern, self.log()[self.marked:], re.MULTILINE)

    def wait_log(self, pattern, deadline=PATIENCE):
        return wait_for(lambda: self.logged(pattern), "the log line /%s/" % pattern, deadline)

    def memory_kib(self, field="VmHWM"):
        with open("/proc/%d/status" % self.process.pid, encoding="ascii") as file:
            return int(re.search(r"^%s:\s+(\d+) kB" % field, file.read(), re.MULTILINE)[1])

    def open_files(self):
        """How many; the daemon lets nobody but root look."""
        try:
            return len(os.listdir("/proc/%d/fd" % self.process.pid))
        except PermissionError as error:
            raise unittest.SkipTest("only root may count tranterd's open files") from error

    def memory(self):
        """What a core of it would have: (address, bytes) of each mapping that is dumped. Root's."""
        with open("/proc/%d/smaps" % self.process.pid, encoding="ascii", errors="replace") as file:
            smaps = file.read()
        found = re.finditer(r"^([0-9a-f]+)-([0-9a-f]+) r.*\n(?:[A-Z][A-Za-z_]+: .*\n)*?VmFlags:(.*)$",
                            smaps, re.MULTILINE)
        with open("/proc/%d/mem" % self.process.pid, "rb", buffering=0) as memory:
            for match in found:
                first, last = int(match[1], 16), int(match[2], 16)
                if "dd" not in match[3].split() and "[v" not in match[0].splitlines()[0]:
                    memory.seek(first)
                    yield first, memory.read(last - first)

    # Its clients

    def run(self, program, *arguments, user=None, stdin=b"", wait="10", **more):
        """Run sendmail or tranterctl as user (uid, gid); default is tranterd's own. wait is the
        shim's patience with an absent daemon in seconds."""
        environment = dict(self.environment(), TRANTER_WAIT=wait)
        environment.update(more.pop("env", {}))
        return subprocess.run([self.place.programs[program], *arguments], input=stdin,
                              capture_output=True, timeout=60, check=False, cwd="/",
                              env=environment, **identity(user or self.place.user), **more)

    def sendmail(self, *arguments, stdin=MESSAGE, **more):
        return self.run("sendmail", *arguments, stdin=stdin, **more)

    def tranterctl(self, *arguments, **more):
        return self.run("tranterctl", "-c", self.place.file(self.conf), *arguments, **more)

    def submit(self, *recipients, sender=SENDER, message=MESSAGE):
        """Hand a message in through the shim; it must be taken."""
        done = self.sendmail("-i", "-f", sender, "--", *(recipients or (RECIPIENT,)),
                             stdin=message)
        if done.returncode:
            raise AssertionError("sendmail exited with %d: %s" % (done.returncode, done.stderr))

    def queue(self):
        """The queue as tranterctl queue --json lists it."""
        done = self.tranterctl("queue", "--json", user=(0, 0) if self.place.user else None)
        if done.returncode:
            raise AssertionError("tranterctl queue: %d %s" % (done.returncode, done.stderr))
        return [json.loads(line) for line in done.stdout.splitlines()]

    def wait_queue(self, n, deadline=PATIENCE):
        """Wait until the queue has n messages, and give it."""
        seen = []

        def settled():
            seen[:] = [self.queue()]
            return len(seen[0]) == n
        wait_for(settled, "a queue of %d; it is %s" % (n, seen), deadline)
        return seen[0]


class Case(unittest.TestCase):
    """A test with a place, a smarthost and a daemon; what they said is shown where it fails."""

    tls = "starttls"
    longMessage = True

    @classmethod
    def setUpClass(cls):
        cls.certificates_place = Place()
        cls.certificates = Certificates.make(cls.certificates_place.file("certificates"))

    @classmethod
    def tearDownClass(cls):
        cls.certificates_place.remove()

    def setUp(self):
        self.place = Place()
        self.hosts = []
        self.daemons = []
        self.addCleanup(self.finish)
        self.host = self.new_host(tls=self.tls)
        self.daemon = self.new_daemon()
        self.daemon.add_smarthost(self.host)

    def new_host(self, start=True, **options):
        host = Smarthost(self.place.file("smarthost%d" % (len(self.hosts) + 1)),
                         self.certificates, **options)
        self.hosts.append(host)
        return host.start() if start else host

    def new_daemon(self, name="tranter"):
        daemon = Daemon(self.place, name)
        self.daemons.append(daemon)
        return daemon

    def run(self, result=None):
        """Where the test fails, show what was said; then remove its place."""
        result = result or self.defaultTestResult()
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if hasattr(self, "place"):
            if len(result.failures) + len(result.errors) > before:
                self.show()
            self.place.remove()
        return result

    def finish(self):
        for daemon in self.daemons:
            if daemon.process and daemon.process.poll() is None:
                daemon.kill()
        for host in self.hosts:
            host.stop()

    def show(self):
        for daemon in self.daemons:
            print("--- log of %s\n%s" % (daemon.name, daemon.log()[-20000:]))
        for host in self.hosts:
            print("--- transcript of the smarthost on port %d\n%s" % (
                host.port, "\n".join(host.transcript[-200:])))
        sys.stdout.flush()

    # What most tests ask

    def wait_kept(self, n=1, host=None, deadline=PATIENCE):
        """Wait until the smarthost has kept n messages, and give their records."""
        host = host or self.host
        wait_for(lambda: len(host.records) >= n, "message %d at the smarthost" % n, deadline)
        self.assertEqual(len(host.records), n)
        return host.records

    def wait_idle(self):
        """Wait until the daemon has nothing left to send."""
        self.daemon.wait_queue(0)

    def start_deferred(self, n=1):
        """A daemon with n messages that wait because of their recipient; their ids in order."""
        self.daemon.settings["retry-min"] = self.daemon.settings["retry-max"] = "1h"
        self.daemon.start()
        self.defer(n)
        return [entry["queue_id"] for entry in self.daemon.queue()]

    def defer(self, n):
        self.host.script.replace([{"stage": "rcpt", "action": "reply", "text": "450 4.2.1 Busy"}])
        for number in range(n):
            self.daemon.submit("r%d@example.net" % number)
            self.daemon.wait_log(r"to=<r%d@example\.net>, .*status=deferred" % number)
        self.host.script.replace([])

    def check_manners(self):
        """The client broke no rule towards any smarthost."""
        for host in self.hosts:
            self.assertEqual(host.violations, [])


def main():
    unittest.main(verbosity=2)
