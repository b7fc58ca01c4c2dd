# SPDX-License-Identifier: GPL-3.0-or-later
"""`./bootstrap demo`: a message from sendmail -t over the queue to a smarthost that demands
STARTTLS and a login; then the same with the smarthost away, until it is back.

Everything happens in a directory of its own under /tmp, as an ordinary user, on loopback. Exit
status 0 says that all of it really happened.
"""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "integration"))

import lib  # noqa: E402
from certificates import Certificates  # noqa: E402

MESSAGE = """\
From: app@example.com
To: %s
Subject: %s

Hello from a program that knows nothing but sendmail -t.
"""


def title(text):
    print("\n\033[1m== %s\033[0m" % text if sys.stdout.isatty() else "\n== %s" % text)


def show(text):
    for line in text.rstrip("\n").split("\n"):
        print("   " + line)


def expect(condition, what):
    if not condition:
        raise AssertionError("this did not happen: " + what)


class Server:
    """smarthost.py as a program of its own, on the same port each time it is started."""

    def __init__(self, place):
        self.directory = place.file("smarthost")
        self.ready = os.path.join(self.directory, "ready.json")
        self.port = 0
        self.tls = "starttls"
        self.certificates = Certificates(os.path.join(self.directory, "certificates"))
        self.runs = 0

    def start(self):
        self.runs += 1
        directory = os.path.join(self.directory, "run%d" % self.runs)
        os.makedirs(directory)
        if self.runs > 1:
            os.symlink(os.path.join(self.directory, "run1", "certificates"),
                       os.path.join(directory, "certificates"))
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "smarthost.py"), "--directory", directory,
             "--starttls", str(self.port), "--user", "%s:%s" % (lib.USER, lib.PASSWORD)])
        ready = os.path.join(directory, "ready.json")
        lib.wait_for(lambda: os.path.exists(ready), "the smarthost")
        with open(ready, encoding="utf-8") as file:
            facts = json.load(file)
        self.port = facts["starttls"]
        self.certificates.ca = facts["ca"]
        self.now = directory

    def stop(self):
        """0 says that its client broke no rule."""
        self.process.terminate()
        expect(self.process.wait() == 0, "the smarthost had nothing to complain of")

    def received(self, number):
        """Wait for the number-th message of this run: its record and its text."""
        path = os.path.join(self.now, "%d.json" % number)
        lib.wait_for(lambda: os.path.exists(path), "message %d at the smarthost" % number)
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
        with open(record["file"], encoding="utf-8", newline="") as file:
            return record, file.read().replace("\r\n", "\n")


def mailq(daemon):
    done = daemon.sendmail("-bp", stdin=b"")
    expect(done.returncode == 0, "mailq answers")
    return done.stdout.decode()


def send(daemon, subject):
    message = MESSAGE % (lib.RECIPIENT, subject)
    print("$ sendmail -t <<END")
    show(message)
    done = daemon.sendmail("-t", stdin=message.encode())
    print("   exit status %d" % done.returncode)
    expect(done.returncode == 0 and not done.stderr, "sendmail took the message")


def show_log(daemon):
    print("$ log of tranterd")
    show(daemon.log()[daemon.marked:])
    daemon.mark()


def demonstrate(place):
    server = Server(place)
    daemon = lib.Daemon(place)
    try:
        title("A smarthost that demands STARTTLS and a login, and tranterd, as %s"
              % ("nobody" if place.user else "you"))
        server.start()
        daemon.add_smarthost(server)
        daemon.start()
        show(open(place.file(daemon.conf), encoding="utf-8").read())

        title("A message on its way")
        print("$ mailq")
        show(mailq(daemon))
        expect(mailq(daemon) == "Mail queue is empty\n", "the queue is empty at first")
        send(daemon, "the first")
        record, text = server.received(1)
        daemon.wait_log("status=sent")
        daemon.wait_queue(0)
        show_log(daemon)
        print("$ mailq")
        show(mailq(daemon))

        title("What the smarthost received")
        print("   %(tls)s, %(cipher)s; %(mechanism)s as %(user)s" % record)
        print("   MAIL FROM:<%s>, RCPT TO:<%s>\n" % (record["sender"],
                                                      ">, <".join(record["recipients"])))
        show(text)
        expect(record["tls"].startswith("TLS") and record["mechanism"] == "PLAIN", "TLS and AUTH")
        expect(text.startswith("Received: ") and "Subject: the first" in text, "the message is whole")

        title("The smarthost goes away; another message")
        server.stop()
        send(daemon, "the second")
        daemon.wait_log(lib.WAITS)
        daemon.wait_queue(1)
        show_log(daemon)
        print("$ mailq")
        show(mailq(daemon))
        print("$ tranterctl status")
        show(daemon.tranterctl("status").stdout.decode())
        expect("rcpt@example.net" in mailq(daemon) and "(" in mailq(daemon), "it waits, and why")

        title("The smarthost is back")
        server.start()
        record, text = server.received(1)
        expect("Subject: the second" in text, "the second message arrives")
        daemon.wait_log("status=sent")
        daemon.wait_queue(0)
        show_log(daemon)
        print("$ mailq")
        show(mailq(daemon))
        print("$ the smarthost received")
        show(text)
        expect(daemon.stop() == 0, "tranterd ends in order")
        server.stop()
    finally:
        for process in (daemon.process, getattr(server, "process", None)):
            if process and process.poll() is None:
                process.kill()
                process.wait()


def main():
    place = lib.Place()
    try:
        demonstrate(place)
    except (AssertionError, RuntimeError) as error:
        print("\nThe demonstration failed: %s" % error, file=sys.stderr)
        return 1
    finally:
        place.remove()
    title("Both messages arrived, and nothing is left in the queue")
    return 0


if __name__ == "__main__":
    sys.exit(main())
