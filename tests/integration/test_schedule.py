# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes first, how fast, and by which clock."""

import smtplib
import time

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


class RateTest(ScheduleCase):
    """14/s is 14 in any second, whichever."""

    def log_times(self, count):
        """When the smarthost was told MAIL, in seconds."""
        times = [float(line.split(" ")[0]) for line in self.host.transcript if "> MAIL" in line]
        self.assertEqual(len(times), count)
        return times

    def test_no_second_has_more_than_the_rate(self):
        most, many = 5, 17
        self.daemon.add_smarthost(self.host, rate="%d/s" % most)
        self.daemon.start()
        with self.client() as client:
            self.submit_many(client, many)
        self.wait_kept(many)
        times = self.log_times(many)
        # Those of one second are sent at once, so that they need not arrive so: the slack.
        for first, last in zip(times, times[most:]):
            self.assertGreater(last - first, 0.5, times)
        self.assertGreater(times[-1] - times[0], (many - 1) // most - 0.5)
        self.daemon.wait_queue(0)
        self.assertIsNone(self.daemon.logged("status=deferred|is down"))
        self.check_manners()

    def test_waiting_for_the_rate_is_neither_down_nor_deferred(self):
        self.daemon.add_smarthost(self.host, rate="2/d")
        self.daemon.start()
        with self.client() as client:
            self.submit_many(client, 3)
        self.wait_kept(2)
        entry = self.daemon.wait_queue(1)[0]
        self.assertEqual(entry["queue_name"], "incoming")
        self.assertRegex(entry["reason"], 'the rate of smarthost "main" is 2/d')
        self.assertIn("waits for its turn", self.daemon.tranterctl("queue").stdout.decode())
        status = self.daemon.tranterctl("status").stdout.decode()
        self.assertRegex(status, r"queue: 1 new, 0 deferred")
        self.assertRegex(status, r'smarthost "main".*: up, .*\n  rate 2/d: the next message goes '
                                 r'in 8\d{4} s\n')

    def test_neither_a_restart_nor_a_reload_begins_the_day_anew(self):
        self.daemon.add_smarthost(self.host, rate="4/d")
        self.daemon.start()
        with self.client() as client:
            self.submit_many(client, 3)
        self.wait_kept(3)
        self.daemon.wait_queue(0)
        for again, left in (self.daemon.stop, 0), (self.daemon.kill, 1):
            again()
            self.daemon.start()
            self.daemon.submit()
            self.wait_kept(4)
            self.daemon.wait_queue(left)
        self.daemon.smarthosts[0][1]["rate"] = "5/d"
        self.daemon.write_configuration()
        self.daemon.tranterctl("reload", user=(0, 0) if self.place.user else None)
        self.wait_kept(5)
        self.daemon.submit()
        self.daemon.wait_log("(?s)(?:queue active.*){6}")
        self.daemon.wait_queue(1)
        self.assertEqual(len(self.host.records), 5)


DAY = 86400


class ClockTest(ScheduleCase):
    """The wall clock jumps; the monotonic one does not."""

    def setUp(self):
        super().setUp()
        self.daemon.add_smarthost(self.host)
        self.clock = self.place.write("clock", "+0")
        lib.faked_time(self, self.daemon, FAKETIME_TIMESTAMP_FILE=self.clock,
                       FAKETIME_NO_CACHE="1", FAKETIME_DONT_FAKE_MONOTONIC="1")
        self.daemon.settings.update({"lifetime": "5d", "warn-after": "4h", "keep-dead": "30d",
                                     "retry-min": "1h", "retry-max": "1h"})

    def jump(self, days):
        """The clock goes wrong by so many days, and the daemon has seen it."""
        self.daemon.mark()
        self.place.write("clock", "%+dd" % days)
        self.daemon.tranterctl("status")
        self.daemon.submit("probe@example.net")
        self.daemon.wait_log("the clock was put (?:ahead|back) by [0-9]+ s")

    def start_with(self, *recipients):
        """A message to each waits for its recipient, tried often enough to be given up by age."""
        self.host.script.replace([{"stage": "rcpt", "action": "reply", "text": "450 4.2.1 Busy",
                                   "recipient": name} for name in recipients])
        self.daemon.start()
        for name in recipients:
            self.daemon.submit(name)
        for _ in range(4):
            self.daemon.mark()
            self.retry()
            self.daemon.wait_log("status=deferred")

    def retry(self):
        self.daemon.tranterctl("retry", "--all", user=(0, 0) if self.place.user else None)

    def check_nothing_came_back(self):
        self.assertNotRegex(self.daemon.log(), "status=(?:expired|bounced)|notification")

    def test_a_clock_put_ahead_returns_nothing_and_makes_nothing_older(self):
        self.start_with("busy@example.net")
        self.jump(6)
        self.daemon.mark()
        self.retry()
        self.daemon.wait_log("to=<busy@example.net>.*status=deferred")
        entry = self.daemon.wait_queue(1)[0]
        self.assertLess(abs(entry["arrival_time"] - (time.time() + 6 * DAY)), DAY)
        self.assertLess(entry["next_attempt"] - time.time() - 6 * DAY, 2 * 3600)
        self.check_nothing_came_back()
        self.host.script.replace([])
        self.retry()
        self.wait_kept(2)

    def test_a_clock_put_back_leaves_nothing_stuck(self):
        self.start_with("busy@example.net")
        self.jump(-6)
        entry = self.daemon.wait_queue(1)[0]
        self.assertLess(entry["next_attempt"], time.time() - 6 * DAY + 2 * 3600)
        self.jump(0)
        entry = self.daemon.wait_queue(1)[0]
        self.assertLess(entry["next_attempt"], time.time() + 2 * 3600)
        self.host.script.replace([])
        self.retry()
        self.wait_kept(3)
        self.check_nothing_came_back()

    def test_what_waits_for_a_smarthost_is_not_returned_either(self):
        self.host.stop()
        self.daemon.start().submit()
        self.daemon.wait_log("is down")
        self.jump(6)
        self.assertEqual(len(self.daemon.queue()), 2)
        self.jump(0)  # where the smarthost's certificate is in force
        self.host.start()
        self.wait_kept(3, deadline=30)
        self.check_nothing_came_back()


class ConnectionTest(ScheduleCase):
    def test_the_limit_is_kept(self):
        self.host.script.replace([{"stage": "dot", "action": "delay", "seconds": 0.05}])
        self.daemon.add_smarthost(self.host, connections=2)
        self.host.script.replace([{"stage": "dot", "action": "delay", "seconds": 0.05}])
        self.daemon.start()
        with self.client() as client:
            self.submit_many(client, 40)
        self.wait_kept(40)
        self.assertEqual(self.host.most_open, 2)

    def test_a_reload_does_not_double_it(self):
        self.host.script.replace([{"stage": "dot", "action": "delay", "seconds": 0.5}])
        self.daemon.add_smarthost(self.host, connections=2, pipeline=1)
        self.daemon.start()
        with self.client() as client:
            self.submit_many(client, 8)
        lib.wait_for(lambda: self.host.open_sessions() == 2, "two connections")
        self.daemon.tranterctl("reload", user=(0, 0) if self.place.user else None)
        lib.wait_for(lambda: len(self.host.records) == 8, "all of them")
        # One more at most: the first of the new configuration, which is not to wait for the old.
        self.assertLessEqual(self.host.most_open, 3)

    def test_a_wrong_password_is_offered_by_one_connection_alone(self):
        self.host.users = {lib.USER: "another"}
        self.daemon.add_smarthost(self.host, connections=4)
        self.daemon.settings["retry-min"] = self.daemon.settings["retry-max"] = "1h"
        self.host.stop()
        self.daemon.start()
        with self.client() as client:
            self.submit_many(client, 20)
        self.host.start()
        self.daemon.tranterctl("retry", "--all", user=(0, 0) if self.place.user else None)
        self.daemon.wait_log("AUTH-REJECTED")
        self.assertEqual(len([line for line in self.host.transcript if "> AUTH" in line]), 1)

    def test_a_limit_of_the_smarthosts_is_learned(self):
        self.host.script.replace([{"stage": "greeting", "action": "reply", "session": [2, 3, 4, 5],
                                   "text": "421 4.7.0 Too many connections"},
                                  {"stage": "dot", "action": "delay", "seconds": 0.05}])
        self.daemon.add_smarthost(self.host, connections=4)
        self.daemon.start()
        with self.client() as client:
            self.submit_many(client, 20)
        self.wait_kept(20)
        self.daemon.wait_log('"main" takes 1 connections at once, and not one more')
        self.assertIsNone(self.daemon.logged("is down"))
        self.assertLessEqual(self.host.sessions, 5)

    def test_one_that_counts_them_at_mail_is_not_down(self):
        self.host.script.replace([{"stage": "mail", "action": "reply", "session": 2,
                                   "text": "432 4.3.2 Concurrent connections limit exceeded"},
                                  {"stage": "dot", "action": "delay", "seconds": 0.05}])
        self.daemon.add_smarthost(self.host, connections=2)
        self.daemon.start()
        with self.client() as client:
            self.submit_many(client, 20)
        self.wait_kept(20)
        self.daemon.wait_log('"main" takes 1 connections at once, and not one more')
        self.assertIsNone(self.daemon.logged("is down"))
        self.assertLessEqual(self.host.sessions, 2)


if __name__ == "__main__":
    lib.main()
