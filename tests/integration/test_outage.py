# SPDX-License-Identifier: GPL-3.0-or-later
"""A smarthost that is broken, for however long: nothing is lost or returned, one line says so, and
all goes out by itself soon after the mend. retry-min and retry-max are the usual minute and hour,
so that nothing but the smarthost's own backoff can be what is soon enough."""

import re
import time

import lib
from test_relay import rule

DOWN = r'smarthost "main".* is down, its mail waits'
SOON = 30


class OutageCase(lib.Case):
    keys = {}

    def setUp(self):
        super().setUp()
        self.daemon.smarthosts.clear()
        self.daemon.add_smarthost(self.host, reply_timeout="1s", data_timeout="1s",
                                  connect_timeout="1s", **self.keys)
        del self.daemon.settings["retry-min"], self.daemon.settings["retry-max"]

    def lines(self, pattern):
        return re.findall(pattern, self.daemon.log())

    def outage(self, probes=2, n=3):
        """n messages that meet it, until it was probed more than once."""
        self.daemon.start()
        for number in range(n):
            self.daemon.submit("r%d@example.net" % number)
        self.daemon.wait_log(DOWN)
        if probes:
            lib.wait_for(lambda: self.host.open_sessions() == 0, "the end of the first attempts")
            before, self.host.most_open = self.host.sessions, 0
            lib.wait_for(lambda: self.host.sessions >= before + probes, "%d probes" % probes)
            self.assertLessEqual(self.host.most_open, 1)

    def status(self):
        return self.daemon.tranterctl("status").stdout.decode()

    def check_mended(self, n=3):
        """All arrives by itself, once; the log has one line for each change of state."""
        self.wait_kept(n, deadline=SOON)
        self.daemon.wait_queue(0)
        self.assertEqual(len(self.host.records), n)
        self.assertEqual(len(self.lines(DOWN)), 1, self.daemon.log())
        self.assertEqual(len(self.lines("is up again after")), 1)
        self.assertEqual(self.lines("status=(?:bounced|expired)"), [])
        self.assertRegex(self.status(), r'smarthost "main" \S+ port \d+: up')
        self.check_manners()


class ServerTest(OutageCase):
    keys = {"connections": 1}

    def test_one_that_was_away(self):
        self.host.stop()
        self.outage(probes=0)
        self.assertRegex(self.status(), r"down since 2\d\d\d-\d\d-\d\d .*, (?:next probe in \d+ s|"
                                        r"tried .*)\n  server TCP-REFUSED: .*")
        self.host.start()
        self.check_mended()

    def test_mail_from_before_a_start_goes_out_though_nobody_calls(self):
        self.host.stop()
        self.outage(probes=0)
        self.daemon.stop()
        self.host.start()
        self.daemon.spawn()  # start() would connect, and so wake it
        self.wait_kept(3)

    def test_one_that_was_busy(self):
        self.host.script.replace([rule("greeting", "reply", "421 4.3.2 Busy")])
        self.outage()
        self.host.script.replace([])
        self.check_mended()

    def test_one_that_broke_off_in_each_message(self):
        self.host.script.replace([rule("mail", "close")])
        self.outage(n=2)
        self.host.script.replace([])
        self.check_mended(2)
        # Each message is told of once, however often it was the one that the probe sent.
        self.assertLessEqual(len(self.lines("status=deferred")), 2, self.daemon.log())

    def test_one_that_said_421_to_each_sender(self):
        self.host.script.replace([rule("mail", "reply", "421 4.3.2 Busy")])
        self.outage()
        self.host.script.replace([])
        self.check_mended()
        self.assertLessEqual(len(self.lines("status=deferred")), 3, self.daemon.log())


class AccountTest(OutageCase):
    keys = {"connections": 1}

    def test_one_without_starttls(self):
        self.host.script.replace([rule("ehlo", "drop", words=["STARTTLS"])])
        self.outage()
        self.host.script.replace([])
        self.check_mended()

    def test_a_trust_store_that_lacked_the_issuer(self):
        with open(self.host.certificates.chain("selfsigned"), encoding="ascii") as file:
            trust = self.place.write("trust.pem", file.read())
        self.daemon.smarthosts[0][1]["tls-ca-file"] = trust
        self.outage(1)
        self.daemon.wait_log("diag=CERT-UNKNOWNCA")
        with open(self.host.certificates.ca, encoding="ascii") as file:
            self.place.write("trust.pem", file.read())
        self.check_mended()

    def test_a_changed_secret_is_offered_at_once(self):
        self.host.users = {lib.USER: "another"}
        self.outage(probes=0)
        tried = self.host.sessions
        self.assertRegex(self.status(), r"account AUTH-REJECTED: ")
        self.assertRegex(self.status(), r"to mend it: ")
        self.place.write("tranter/main.password", "another\n", 0o600)
        self.check_mended()
        self.assertEqual(self.host.sessions, tried + 1)
        self.assertIn("has changed, so the login is tried again", self.daemon.log())

    def test_a_secret_that_was_missing_is_seen_when_it_comes(self):
        self.daemon.smarthosts[0][1]["password-file"] = self.place.file("tranter", "later")
        self.outage(probes=0)
        self.place.write("tranter/later", lib.PASSWORD + "\n", 0o600)
        self.check_mended()

    def test_a_refused_secret_is_not_hammered_on(self):
        self.host.users = {lib.USER: "another"}
        self.outage(probes=0)
        tried = self.host.sessions
        time.sleep(3)
        self.assertEqual(self.host.sessions, tried)
        self.host.users = {lib.USER: lib.PASSWORD}
        done = self.daemon.tranterctl("retry", "--all", user=(0, 0) if self.place.user else None)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.check_mended()

    def test_a_reload_tries_at_once(self):
        self.host.users = {lib.USER: "another"}
        self.outage(probes=0)
        self.host.users = {lib.USER: lib.PASSWORD}
        done = self.daemon.tranterctl("reload", user=(0, 0) if self.place.user else None)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait_kept(3, deadline=SOON)
        self.daemon.wait_queue(0)


class DayTest(OutageCase):
    """A whole day, which takes fifteen seconds: all clocks of the daemon go 6,000 times as fast.
    So the server has to be as fast: no TLS, whose certificate would be over soon as well."""

    tls = "none"
    keys = {"connections": 1}

    def test_a_day_without_the_server_costs_no_mail(self):
        self.host.login_in_clear = True
        self.daemon.smarthosts[0][1].update(
            {"connect-timeout": "10m", "reply-timeout": "1h", "data-timeout": "1h"})
        self.daemon.settings["warn-after"] = "0"
        lib.faked_time(self, self.daemon, FAKETIME="+0 x6000")
        self.host.stop()
        self.outage(probes=0)
        lib.wait_for(lambda: re.search(r"has been down for 2\d h", self.status()), "a day", 60)
        self.assertEqual(len(self.daemon.queue()), 3)
        # Once for each cause: at this speed, a slow machine has a timeout now and then.
        self.assertEqual(len(self.lines(DOWN + ".*TCP-REFUSED")), 1, self.daemon.log())
        self.assertLessEqual(len(self.lines(DOWN)), 4, self.daemon.log())
        self.host.start()
        self.wait_kept(3, deadline=SOON)
        self.daemon.wait_queue(0)
        self.assertEqual(self.lines("status=(?:bounced|expired)"), [])
        self.check_manners()


if __name__ == "__main__":
    lib.main()
