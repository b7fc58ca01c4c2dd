# SPDX-License-Identifier: GPL-3.0-or-later
"""A port that speaks the other encrypted mode than tls = "auto" takes for granted: mail goes out,
and what to set is told. In a network of its own, for port 465."""

import json
import re

import lib
import network


def setUpModule():
    network.own_network()


class ModeCase(lib.Case):
    def setUp(self):
        super().setUp()
        self.host.stop()
        self.hosts.clear()
        self.daemon.smarthosts.clear()
        self.daemon.settings.update({"retry-min": "1s", "retry-max": "1s"})
        self.root = (0, 0) if self.place.user else None

    def serve(self, port, tls, mode="auto", rules=(), **keys):
        host = self.new_host(port=port, tls=tls, rules=rules)
        settings = {"tls": mode, "reply_timeout": "1s", "idle_timeout": "1s"}
        settings.update(keys)
        self.daemon.add_smarthost(host, **settings)
        return host

    def status(self):
        done = self.daemon.tranterctl("status", user=self.root)
        found = json.loads(self.daemon.tranterctl("status", "--json", user=self.root).stdout)
        return done.stdout.decode(), found["smarthosts"][0]

    def advice(self):
        return re.findall(r"diag=MODE-.*", self.daemon.log())

    def check_never_in_clear(self, host):
        """A line of the transcript has an s where it was said inside TLS."""
        said = [line for line in host.transcript if re.search(r"> (AUTH|MAIL|RCPT|\(secret\))", line)]
        for line in said:
            self.assertRegex(line, r"^\S+ \d+s ")
        return said

    def check_corrected(self, host, code, fix):
        """Two messages, an idle time between them: one failed connection and one advice."""
        self.daemon.start().submit()
        record, = self.wait_kept(1, host)
        self.assertTrue(record["tls"])
        self.assertEqual(host.sessions, 2)
        lib.wait_for(lambda: host.open_sessions() == 0, "the goodbye")
        self.daemon.submit()
        self.wait_kept(2, host)
        self.assertEqual(host.sessions, 3)
        self.assertTrue(self.check_never_in_clear(host))
        advice, = self.advice()
        self.assertRegex(advice, "diag=%s: localhost port %d speaks .*; to mend it: %s" % (
            code, host.port, fix))
        self.assertFalse(self.daemon.logged("is down"))
        text, found = self.status()
        self.assertRegex(text, "(?s): up, .*warning: %s: .*to mend it: %s" % (code, fix))
        self.assertEqual((found["up"], found["advice"]["code"]), (True, code))
        done = self.daemon.tranterctl("diagnose")
        self.assertEqual(done.returncode, 78)
        self.assertRegex(done.stdout.decode(), "(?s)verdict: account MODE-.*lets tranterd find that out "
                         "itself.*to mend it: " + fix)


class CorrectionTest(ModeCase):
    def test_a_port_465_that_speaks_starttls(self):
        self.check_corrected(self.serve(465, "starttls"), "MODE-PLAINBANNER", 'set tls = "starttls"')

    def test_a_port_465_that_complains_of_what_came_before_its_greeting(self):
        host = self.serve(465, "starttls", rules=[
            {"stage": "greeting", "session": 1, "action": "reply",
             "text": "554 SMTP synchronization error"}])
        self.check_corrected(host, "MODE-PLAINREFUSE", 'set tls = "starttls"')

    def test_a_port_587_that_speaks_tls_at_once(self):
        self.check_corrected(self.serve(587, "implicit"), "MODE-SILENT", 'set tls = "implicit"')

    def test_a_reload_looks_anew(self):
        host = self.serve(465, "starttls")
        self.daemon.start().submit()
        self.wait_kept(1, host)
        self.assertEqual(self.daemon.tranterctl("reload", user=self.root).returncode, 0)
        self.daemon.submit()
        self.wait_kept(2, host)
        self.assertEqual(host.sessions, 4)

    def test_a_server_that_changes_back_is_followed(self):
        host = self.serve(465, "starttls")
        self.daemon.start().submit()
        self.wait_kept(1, host)
        host.stop()
        host.tls = "implicit"
        host.start()
        self.daemon.submit()
        self.wait_kept(2, host)
        self.daemon.wait_queue(0)
        self.assertNotIn("advice", self.status()[1])
        self.assertEqual(len(self.advice()), 1)


class NoCorrectionTest(ModeCase):
    def check_waits(self, host, code):
        self.daemon.start().submit()
        self.daemon.wait_log("is down, its mail waits: .*diag=%s" % code)
        self.assertEqual(self.status()[1]["code"], code)
        self.assertEqual(host.records, [])
        self.assertEqual(self.check_never_in_clear(host), [])

    def test_a_mode_that_is_named_is_kept(self):
        for port, tls, mode, code in ((465, "starttls", "implicit", "MODE-PLAINBANNER"),
                                      (587, "implicit", "starttls", "MODE-SILENT")):
            with self.subTest(mode=mode):
                self.daemon.smarthosts.clear()
                host = self.serve(port, tls, mode)
                self.daemon.mark()
                self.check_waits(host, code)
                self.assertEqual(self.daemon.stop(), 0)
                self.assertFalse([line for line in host.transcript if "STARTTLS" in line
                                  or "TLSv" in line])

    def test_a_certificate_that_is_not_checked_is_no_proof(self):
        host = self.serve(465, "starttls", tls_verify="none")
        self.check_waits(host, "MODE-PLAINBANNER")
        self.assertFalse([line for line in host.transcript if "STARTTLS" in line])

    def test_a_certificate_that_is_bad_is_no_proof_either(self):
        host = self.serve(587, "implicit")
        host.certificate = "expired"
        self.check_waits(host, "MODE-SILENT")

    def test_a_server_without_starttls_gets_nothing(self):
        host = self.serve(465, "starttls", rules=[
            {"stage": "ehlo", "action": "drop", "words": ["STARTTLS"]}])
        self.check_waits(host, "MODE-PLAINBANNER")

    def test_a_server_that_is_slow_is_told_as_such(self):
        host = self.serve(587, "starttls", rules=[{"stage": "greeting", "action": "stall"}])
        self.check_waits(host, "MODE-SILENT")

    def test_a_server_that_greeted_before_is_not_spoken_to_in_tls(self):
        host = self.serve(587, "starttls", rules=[
            {"stage": "greeting", "session": 2, "action": "stall"}])
        self.daemon.start().submit()
        self.wait_kept(1, host)
        lib.wait_for(lambda: host.open_sessions() == 0, "the goodbye")
        self.daemon.submit()
        self.daemon.wait_log("is down, its mail waits: .*diag=MODE-SILENT")
        self.wait_kept(2, host)
        self.assertEqual(host.sessions, 3)
        self.check_manners()

    def test_a_refused_login_behind_the_correction_is_told_as_that(self):
        host = self.serve(465, "starttls", rules=[
            {"stage": "auth", "action": "reply", "text": "535 5.7.8 No"}])
        self.daemon.start().submit()
        self.daemon.wait_log("is down, its mail waits: .*diag=AUTH-REJECTED")
        self.assertEqual(len(self.advice()), 1)
        self.assertTrue(self.check_never_in_clear(host))


if __name__ == "__main__":
    lib.main()
