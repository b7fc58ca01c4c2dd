# SPDX-License-Identifier: GPL-3.0-or-later
"""Under a service manager: its sockets are used, and it is told what goes on."""

import os
import re
import shutil
import socket
import subprocess
import unittest

import lib

ACTIVATE = shutil.which("systemd-socket-activate")


class Manager:
    """The socket that NOTIFY_SOCKET names."""

    def __init__(self, place):
        self.path = place.file("notify.sock")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(self.path)
        os.chmod(self.path, 0o666)
        self.sock.settimeout(lib.PATIENCE)

    def wait(self, line):
        while line not in self.sock.recv(4096).decode().split("\n"):
            pass

    def wait_for(self, pattern):
        """A line that matches."""
        while not re.search("(?m)^" + pattern, self.sock.recv(4096).decode()):
            pass

    def close(self):
        self.sock.close()


class NotifyTest(lib.Case):
    def setUp(self):
        super().setUp()
        self.manager = Manager(self.place)
        self.addCleanup(self.manager.close)
        self.daemon.environment = lambda own=self.daemon.environment: dict(
            own(), NOTIFY_SOCKET=self.manager.path)

    def test_ready_reloading_and_stopping_are_told(self):
        self.daemon.start()
        self.manager.wait("READY=1")
        self.daemon.tranterctl("reload")
        self.manager.wait("RELOADING=1")
        self.manager.wait("READY=1")
        self.assertEqual(self.daemon.stop(), 0)
        self.manager.wait("STOPPING=1")


@unittest.skipUnless(ACTIVATE, "systemd-socket-activate is not installed (Debian: systemd)")
class ActivationTest(lib.Case):
    def activate(self):
        """Listen first; the daemon is started by the first connection."""
        self.daemon.write_configuration()
        with open(self.daemon.log_path, "ab") as log:
            self.daemon.process = subprocess.Popen(
                [ACTIVATE, "-l", self.daemon.socket, *self.daemon.command()],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                env=self.daemon.environment(), **lib.identity(self.place.user))
        lib.wait_for(lambda: os.path.exists(self.daemon.socket), "the socket")

    def test_mail_handed_in_before_the_daemon_runs_is_sent(self):
        self.activate()
        self.daemon.submit()
        self.wait_kept()
        self.wait_idle()
        self.assertEqual(self.daemon.stop(), 0)

    def test_the_socket_outlives_the_daemon(self):
        self.activate()
        self.daemon.submit()
        self.wait_kept()
        self.assertEqual(self.daemon.stop(), 0)
        self.assertTrue(os.path.exists(self.daemon.socket))


if __name__ == "__main__":
    lib.main()
