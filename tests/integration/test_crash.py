# SPDX-License-Identifier: GPL-3.0-or-later
"""SIGKILL at random moments under load: no message that was taken is lost, and none is repeated
but one whose final reply had not been recorded.

TRANTER_TEST_SEED gives another run, TRANTER_TEST_KILLS a longer one.
"""

import collections
import contextlib
import hashlib
import os
import random
import re
import smtplib
import sqlite3
import threading
import time

import lib
from smarthost import CAPABILITIES, CHUNKING

SEED = int(os.environ.get("TRANTER_TEST_SEED", "1"))
KILLS = int(os.environ.get("TRANTER_TEST_KILLS", "45"))
CONNECTIONS = 4
PIPELINE = 4  # with BDAT so many messages are out on a connection
PAUSE_SECONDS = 0.01  # between two messages of a submitter: enough load, and not too much to check
RECORDING_SECONDS = 0.5  # from the answer to the record of it, on a machine that is busy


def body_of(number, size):
    """Content of about size octets that no other message has."""
    line = hashlib.sha256(b"%d" % number).hexdigest().encode() + b"\r\n"
    return line * (size // len(line) + 1)


class CrashTest(lib.Case):
    def setUp(self):
        super().setUp()
        self.daemon.smarthosts.clear()
        self.daemon.add_smarthost(self.host, connections=CONNECTIONS, pipeline=PIPELINE,
                                  messages_per_connection=20)
        self.random = random.Random(SEED)
        self.lock = threading.Lock()
        self.next_number = 0
        self.sizes = {}
        self.taken = set()  # messages that were acknowledged
        self.ends = threading.Event()
        self.kills = []     # when the daemon was killed, wall clock

    def new_message(self):
        with self.lock:
            self.next_number += 1
            number = self.next_number
            self.sizes[number] = self.random.choice((200,) * 8 + (4000, 4000, 70000, 70000, 200000, 1500000))
        return number, b"Subject: n%d\r\n\r\n" % number + body_of(number, self.sizes[number])

    def acknowledged(self, number):
        with self.lock:
            self.taken.add(number)
        self.ends.wait(PAUSE_SECONDS)

    def submit_by_socket(self):
        while not self.ends.is_set():
            try:
                with smtplib.LMTP(self.daemon.socket) as client:
                    while not self.ends.is_set():
                        number, message = self.new_message()
                        client.sendmail(lib.SENDER, [lib.RECIPIENT], message)
                        self.acknowledged(number)
            except (OSError, smtplib.SMTPException):
                self.ends.wait(0.02)

    def submit_by_shim(self):
        while not self.ends.is_set():
            number, message = self.new_message()
            done = self.daemon.sendmail("-i", lib.RECIPIENT, stdin=message)
            if done.returncode == 0:
                self.acknowledged(number)
            else:
                self.assertEqual(done.returncode, 71, done.stderr)

    def kill_and_restart(self):
        for number in range(KILLS):
            self.ends.wait(self.random.uniform(0.05, 1.2))
            self.kills.append(time.time())
            self.daemon.kill()
            self.host.capabilities = CAPABILITIES if number % 2 else CHUNKING
            self.daemon.start()

    def drain(self):
        def empty():
            self.daemon.tranterctl("retry", "--all", user=(0, 0) if self.place.user else None)
            return not self.daemon.queue()
        lib.wait_for(empty, "an empty queue", 120)

    def arrivals(self):
        """By number of the message, when each copy was answered. Each must be whole, and a
        repeated one the very same octets."""
        arrived = collections.defaultdict(list)
        digests = {}
        for record in self.host.records:
            content = self.host.content(record)
            number = int(re.search(rb"Subject: n(\d+)\r", content)[1])
            self.assertTrue(content.endswith(b"\r\n\r\n" + body_of(number, self.sizes[number])),
                            "message %d is damaged" % number)
            self.assertEqual(digests.setdefault(number, record["sha256"]), record["sha256"],
                             "message %d was repeated in other words" % number)
            arrived[number].append(record.get("answered", record["time"]))
        return arrived

    def test_nothing_is_lost_and_little_repeated(self):
        self.daemon.start()
        submitters = [threading.Thread(target=self.submit_by_socket) for _ in range(3)]
        submitters.append(threading.Thread(target=self.submit_by_shim))
        for thread in submitters:
            thread.start()
        try:
            self.kill_and_restart()
        finally:
            self.ends.set()
            for thread in submitters:
                thread.join()
        self.drain()
        arrived = self.arrivals()
        lost = sorted(self.taken - set(arrived))
        repeats = {number: times for number, times in arrived.items() if len(times) > 1}
        print("    seed %d: %d kills, %d taken, %d arrived, %d lost, %d repeated" % (
            SEED, len(self.kills), len(self.taken), len(arrived), len(lost), len(repeats)), end=" ")
        self.assertEqual(lost, [])
        self.assertGreater(len(self.taken), KILLS)
        for number, times in repeats.items():
            for when in sorted(times)[:-1]:
                recording = min((kill - when for kill in self.kills if kill > when - 0.5),
                                default=KILLS)
                self.assertLess(recording, RECORDING_SECONDS,
                                "message %d was repeated, though no kill came soon after" % number)
        self.assertLessEqual(sum(len(times) - 1 for times in repeats.values()),
                             KILLS * CONNECTIONS * PIPELINE)
        self.assertEqual({record["chunked"] for record in self.host.records}, {False, True})
        self.assertTrue([record for record in self.host.records if record["followed"]])
        self.check_manners()
        self.check_that_nothing_is_left()

    def check_that_nothing_is_left(self):
        """With the queue empty, the spool keeps no content, not even of submissions cut off."""
        self.daemon.stop()
        self.daemon.start()
        self.assertEqual(self.daemon.stop(), 0)
        with contextlib.closing(sqlite3.connect(os.path.join(self.daemon.spool, "queue.db"))) as db:
            self.assertEqual(db.execute("SELECT count(*) FROM chunk").fetchone(), (0,))
        self.assertEqual(os.listdir(os.path.join(self.daemon.spool, "content")), [])


if __name__ == "__main__":
    lib.main()
