# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that read Postfix's log read ours: the real pflogsumm, on lines that syslog got."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import threading

import lib
from test_relay import rule

PFLOGSUMM = shutil.which("pflogsumm")
DEVICE = "/dev/log"


class Syslog:
    """What /dev/log gets, as rsyslog's traditional format has it in the file at path."""

    def __init__(self, path):
        self.path = path
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(DEVICE)
        os.chmod(DEVICE, 0o666)
        self.sock.settimeout(0.1)
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.write, daemon=True)
        self.thread.start()

    def write(self):
        with open(self.path, "a", encoding="utf-8", buffering=1) as file:
            while not self.stopping.is_set():
                with contextlib.suppress(socket.timeout):
                    text = self.sock.recv(8192).decode("utf-8", "replace").rstrip("\0\n")
                    date, rest = re.match(r"<\d+>(\w{3} [ \d]\d \d\d:\d\d:\d\d) (.*)$", text).groups()
                    file.write("%s host %s\n" % (date, rest))

    def text(self):
        with open(self.path, encoding="utf-8") as file:
            return file.read()

    def close(self):
        self.stopping.set()
        self.thread.join()
        self.sock.close()
        os.unlink(DEVICE)


class PflogsummTest(lib.Case):
    def setUp(self):
        if not PFLOGSUMM:
            self.skipTest("pflogsumm is not installed (./bootstrap install all)")
        if os.getuid() != 0 or os.path.lexists(DEVICE):
            self.skipTest("only root can be syslog, and only where there is none")
        super().setUp()
        self.syslog = Syslog(self.place.file("mail.log"))
        self.addCleanup(self.syslog.close)
        self.daemon.settings["log"] = "syslog"
        self.daemon.settings["retry-min"] = self.daemon.settings["retry-max"] = "1h"

    def test_it_counts_what_was_received_sent_deferred_and_bounced(self):
        self.host.script.replace([
            rule("rcpt", "reply", "550 5.1.1 No such user", recipient="gone@*"),
            rule("rcpt", "reply", "450 4.2.1 Mailbox (of busy) is busy", recipient="busy@*")])
        self.daemon.start()
        for _ in range(3):
            self.daemon.submit("one@example.net", "two@example.org")
        self.daemon.submit("gone@example.net", "busy@example.net")
        self.wait_kept(4)  # with the report
        self.daemon.wait_queue(1)
        self.assertEqual(self.daemon.stop(), 0)
        lib.wait_for(lambda: "stopped" in self.syslog.text(), "the last line")
        done = subprocess.run([PFLOGSUMM, "--syslog-name=tranter", self.syslog.path],
                              capture_output=True, timeout=60, check=False, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        numbers = {name: int(number) for number, name in
                   re.findall(r"^ +(\d+)   (received|delivered|deferred|bounced|senders|"
                              r"recipients)\b", done.stdout, re.MULTILINE)}
        self.assertEqual(numbers, {"received": 4, "delivered": 7, "deferred": 1, "bounced": 1,
                                   "senders": 1, "recipients": 3}, done.stdout)
        self.assertRegex(done.stdout, r"(?m)^message deferral detail\n-+\n  smtp \(total: 1\)")
        self.assertNotIn("Messages with no size data", done.stdout)


class AutoTest(lib.Case):
    def setUp(self):
        if os.getuid() != 0 or os.path.lexists(DEVICE):
            self.skipTest("only root can be syslog, and only where there is none")
        super().setUp()
        self.daemon.settings["log"] = "auto"

    def test_standard_error_gets_the_log_where_there_is_no_syslog(self):
        self.daemon.start()
        self.daemon.wait_log("started, queue in")

    def test_syslog_gets_the_log_where_there_is_one(self):
        syslog = Syslog(self.place.file("mail.log"))
        self.addCleanup(syslog.close)
        self.daemon.start()
        lib.wait_for(lambda: "started, queue in" in syslog.text(), "the first line")
        self.assertEqual(self.daemon.log(), "")


if __name__ == "__main__":
    lib.main()
