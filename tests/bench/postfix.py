# SPDX-License-Identifier: GPL-3.0-or-later
"""A Postfix of its own as a null client, for run --peers: configuration, queue and processes under
one directory. Started by root, as Postfix demands, without touching the system's."""

import os
import pwd
import shutil
import signal
import subprocess
import time

import lib

MAIN = """\
compatibility_level = 3.6
config_directory = {home}/etc
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {home}/log
maillog_file_prefixes = {home}
multi_instance_name =
alias_maps =
alias_database =
hash_queue_names = hold
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = postfix.test
mydestination =
relayhost = [127.0.0.1]:{port}
smtp_tls_security_level = encrypt
minimal_backoff_time = 1h
maximal_backoff_time = 1h
"""

MASTER = """\
pickup    unix n - n 60 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
flush     unix n - n 1000? 0 flush
smtp      unix - - n - - smtp
showq     unix n - n - - showq
error     unix - - n - - error
retry     unix - - n - - error
scache    unix - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""


class Postfix:
    def __init__(self, home):
        self.home = home
        self.process = None
        for name in ("etc", "queue", "data"):
            os.makedirs(os.path.join(home, name))
        postfix = pwd.getpwnam("postfix")
        os.chown(os.path.join(home, "data"), postfix.pw_uid, postfix.pw_gid)
        self.write("master.cf", MASTER)

    def write(self, name, text):
        with open(os.path.join(self.home, "etc", name), "w", encoding="ascii") as file:
            file.write(text)

    def run(self, *command, **more):
        return subprocess.run(command, check=True, **more)

    def start(self, port):
        """Send through port of loopback."""
        self.write("main.cf", MAIN.format(home=self.home, port=port))
        etc = os.path.join(self.home, "etc")
        if not os.listdir(os.path.join(self.home, "queue")):
            self.run("postfix", "-c", etc, "check")
        daemons = self.run("postconf", "-c", etc, "-h", "daemon_directory", text=True,
                           stdout=subprocess.PIPE).stdout.strip()
        before = self.starts()
        self.process = subprocess.Popen([os.path.join(daemons, "master"), "-d", "-c", etc],
                                        stdin=subprocess.DEVNULL, start_new_session=True)
        lib.wait_for(lambda: self.starts() > before, "Postfix")

    def starts(self):
        """So many are in the log."""
        path = os.path.join(self.home, "log")
        if not os.path.exists(path):
            return 0
        with open(path, encoding="utf-8") as file:
            return file.read().count("daemon started")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def submit(self, message):
        with open(message, "rb") as file:
            self.run("/usr/sbin/sendmail", "-C", os.path.join(self.home, "etc"), "-i",
                     lib.RECIPIENT, stdin=file)

    def defer(self, message, n):
        """n deferred messages, due in an hour: one that Postfix made, and copies of its files."""
        self.start(lib.free_port())
        self.submit(message)
        deferred, log = (os.path.join(self.home, "queue", name) for name in ("deferred", "defer"))
        lib.wait_for(lambda: os.path.isdir(deferred) and os.listdir(deferred) and
                     os.listdir(log), "a deferred message", 60)
        self.stop()
        first = os.listdir(deferred)[0]
        postfix = pwd.getpwnam("postfix")
        due = time.time() + 3600
        for number in range(n):
            for directory in (deferred, log):
                copy = os.path.join(directory, "C%010X" % number)
                shutil.copy(os.path.join(directory, first), copy)
                os.chmod(copy, 0o700 if directory == deferred else 0o600)
                os.chown(copy, postfix.pw_uid, postfix.pw_gid)
                os.utime(copy, (due, due))

    def flush(self):
        """Try all of it now."""
        etc = os.path.join(self.home, "etc")
        lib.wait_for(lambda: subprocess.run(["postqueue", "-c", etc, "-f"], check=False,
                                            stderr=subprocess.DEVNULL).returncode == 0,
                     "Postfix to flush")

    def listing(self):
        """The command that shows the queue."""
        return "postqueue -c '%s' -p" % os.path.join(self.home, "etc")

    def processes(self):
        """Master and its children."""
        pid = self.process.pid
        children = self.run("pgrep", "-P", str(pid), text=True, stdout=subprocess.PIPE).stdout
        return [pid, *map(int, children.split())]
