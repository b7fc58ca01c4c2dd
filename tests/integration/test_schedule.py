# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes first, how fast, and by which clock."""

import smtplib

import lib


class ScheduleCase(lib.Case):
    def setUp(self):
        super().setUp()
        self.daemon.smarthosts.clear()

    def submit_many(self, client, n, sender=lib.SENDER):
        for number in range(n):
            client.sendmail(sender, ["r%d@example.net" % number], lib.WIRE)

    def client(self):
        return smtplib.LMTP(self.daemon.socket)

    def stranger(self):
        """A client of whom only the address is known, which counts as another user."""
        return smtplib.SMTP("127.0.0.1", self.port)

    def listen_on_loopback(self):
        self.port = lib.free_port()
        self.daemon.listen.append("127.0.0.1:%d" % self.port)


class FairTest(ScheduleCase):
    def test_one_users_thousands_do_not_delay_anothers_one(self):
        many = 400
        self.listen_on_loopback()
        self.daemon.add_smarthost(self.host, connections=1)
        self.host.stop()
        self.daemon.start()
        with self.client() as client:
            self.submit_many(client, many, "flood@example.com")
        with self.stranger() as client:
            client.sendmail("one@example.com", [lib.RECIPIENT], lib.WIRE)
        self.assertEqual(len(self.daemon.queue()), many + 1)
        self.host.start()
        self.wait_kept_of("one@example.com")
        senders = [record["sender"] for record in self.host.records]
        self.assertLessEqual(senders.index("one@example.com"), 8, senders[:20])
        lib.wait_for(lambda: len(self.host.records) == many + 1, "the others", 60)
        self.daemon.wait_queue(0)
        self.check_manners()

    def wait_kept_of(self, sender):
        lib.wait_for(lambda: any(record["sender"] == sender for record in self.host.records),
                     "the message of " + sender)


if __name__ == "__main__":
    lib.main()
