# SPDX-License-Identifier: GPL-3.0-or-later
"""tranterctl diagnose: what is wrong, proved, with the setting that mends it; and the daemon finds
the same. In a network of its own, so that the ports are those of the world."""

import base64
import json
import os
import re
import ssl

import lib
import network


def setUpModule():
    network.own_network()


def rule(stage, action, text=None, **more):
    more.update(stage=stage, action=action)
    if text is not None:
        more["text"] = text
    return more


class DiagnoseCase(lib.Case):
    keys = {}

    def setUp(self):
        super().setUp()
        self.host.stop()
        self.hosts.clear()
        self.daemon.smarthosts.clear()
        self.dns = network.Dns()
        self.dns.start()
        self.addCleanup(self.dns.stop)

    def serve(self, port, rules=(), **options):
        host = self.new_host(port=port, rules=rules, **options)
        return host

    def configure(self, server, **keys):
        settings = {"tls": None, "reply_timeout": "10s"}
        settings.update(keys)
        self.daemon.add_smarthost(server, **settings)

    def ctl(self, *arguments, **more):
        self.daemon.write_configuration()
        done = self.daemon.tranterctl("diagnose", *arguments, **more)
        self.assertNotIn("Sanitizer", done.stderr.decode())
        self.check_no_secret(done.stdout + done.stderr)
        return done

    def check_no_secret(self, said):
        user, password = lib.USER.encode(), lib.PASSWORD.encode()
        for secret in (password, base64.b64encode(password).rstrip(b"="),
                       base64.b64encode(b"\0" + user + b"\0" + password)):
            self.assertNotIn(secret, said)

    def text(self, *arguments, code=0):
        done = self.ctl(*arguments)
        self.assertEqual(done.returncode, code, (done.stdout.decode(), done.stderr))
        return done.stdout.decode()

    def json(self, *arguments, code=0):
        done = self.ctl("--json", *arguments)
        self.assertEqual(done.returncode, code, (done.stdout, done.stderr))
        return json.loads(done.stdout)

    def check_said(self, code, cause, setting, exit_status=78, daemon=True):
        """By diagnose in words and in JSON, and by the daemon in log, status and mailq."""
        text = self.text(code=exit_status)
        self.assertRegex(text, r"verdict: \w+ %s: .*%s" % (re.escape(code), cause))
        self.assertRegex(text, r"to mend it: .*%s" % setting)
        verdict = self.json(code=exit_status)["verdict"]
        self.assertEqual((verdict["ok"], verdict["exit"], verdict["code"]),
                         (False, exit_status, code))
        self.assertRegex(verdict["reason"], cause)
        self.assertRegex(verdict["fix"], setting)
        self.check_no_words_to_neighbours()
        if daemon:
            self.check_daemon_said(code)

    def check_no_words_to_neighbours(self):
        """Probes say neither AUTH nor MAIL."""
        for host in self.hosts:
            if host.port != self.daemon.smarthosts[0][1]["port"]:
                self.assertFalse([line for line in host.transcript
                                  if "> AUTH" in line or "> MAIL" in line])

    def check_daemon_said(self, code, fix=True):
        self.daemon.smarthosts[0][1]["reply-timeout"] = "1s"
        self.daemon.mark()
        self.daemon.start().submit()
        self.daemon.wait_log("diag=%s" % re.escape(code))
        done = self.daemon.tranterctl("status", "--json",
                                      user=(0, 0) if self.place.user else None)
        smarthost = json.loads(done.stdout)["smarthosts"][0]
        self.assertEqual((smarthost["up"], smarthost["code"]), (False, code))
        self.assertEqual(bool(smarthost["fix"]), fix)
        self.assertEqual(self.daemon.stop(), 0)


class SeedTest(DiagnoseCase):
    """The cases that this program began with."""

    def test_port_25_without_auth(self):
        host = self.serve(25, [rule("ehlo", "drop", words=["AUTH"])])
        self.serve(587)
        self.configure(host, port=25)
        self.check_said("AUTH-MISSING", "port 587 speaks SMTP with STARTTLS and offers the logins PLAIN",
                        "set port = 587")

    def test_465_spoken_to_as_starttls(self):
        host = self.serve(465, tls="implicit")
        self.configure(host, tls="starttls")
        self.check_said("MODE-SILENT", "speaks TLS from the first byte, not STARTTLS",
                        'set tls = "implicit", or leave tls out')

    def test_587_spoken_to_as_tls(self):
        host = self.serve(587)
        self.configure(host, tls="implicit")
        self.check_said("MODE-PLAINBANNER", "speaks SMTP with STARTTLS, not TLS from the first byte",
                        'set tls = "starttls", or leave tls out')

    def test_auth_hidden_until_tls(self):
        host = self.serve(587)
        self.configure(host)
        found = self.json()
        self.assertTrue(found["verdict"]["ok"])
        self.assertNotIn("AUTH PLAIN LOGIN", found["capabilities"]["clear"])
        self.assertIn("AUTH PLAIN LOGIN", found["capabilities"]["secured"])
        self.assertIn("login is offered inside TLS alone, as it should be", found["notes"])
        self.daemon.smarthosts.clear()
        self.configure(host, tls="none")
        self.check_said("AUTH-MISSING", "no login without TLS", "leave tls out|tls = \"auto\"")

    def test_no_auth_even_after_tls(self):
        host = self.serve(587, [rule("ehlo", "drop", words=["AUTH"])])
        self.configure(host)
        self.check_said("AUTH-MISSING", "not even inside TLS.*none would do either",
                        "remove user and password-file if the server relays by address")
        self.assertRegex(self.daemon.tranterctl("diagnose").stdout.decode(),
                         r"probe: +port 587 speaks SMTP in clear, not TLS from the first byte\n")

    def test_no_starttls_on_any_port(self):
        self.configure(self.serve(587, [rule("ehlo", "drop", words=["STARTTLS"])]))
        self.check_said("STARTTLS-MISSING", "none would do either", "ask the provider which host")

    def test_no_mechanism_in_common(self):
        host = self.serve(587)
        host.mechanisms = ("NTLM", "GSSAPI")
        self.configure(host)
        self.check_said("AUTH-NOMECH", "NTLM GSSAPI", "PLAIN")

    def check_certificate(self, kind, code, cause, setting, **keys):
        host = self.serve(587)
        host.certificate = kind
        self.configure(host, **keys)
        self.check_said(code, cause, setting)
        text = self.text(code=78)
        self.assertRegex(text, r"0: CN=\w+, issued by CN=\w+")
        self.assertRegex(text, r"SHA-256 [0-9a-f]{64}")

    def test_self_signed(self):
        self.check_certificate("selfsigned", "CERT-SELFSIGNED", "signed by nobody but itself",
                               "tls-ca-file to that; or set tls-verify = \"fingerprint\"")

    def test_expired(self):
        self.check_certificate("expired", "CERT-EXPIRED", "expired on 20", "renew it")

    def test_wrong_name(self):
        self.check_certificate("wrongname", "CERT-HOST", "is for elsewhere.test, not for localhost",
                               r"set host \(or tls-name\)")

    def test_unknown_ca(self):
        self.check_certificate("good", "CERT-UNKNOWNCA", "comes from CN=Test authority",
                               "set tls-ca-file", tls_ca_file=self.certificates.chain("selfsigned"))

    def test_app_password_wanted(self):
        host = self.serve(587, [rule("auth", "reply", "534 5.7.9 Application-specific password required")])
        self.configure(host)
        self.check_said("AUTH-APPPASSWORD", "application password", "create an application password")

    def test_oauth_only(self):
        host = self.serve(587)
        host.mechanisms = ("XOAUTH2", "OAUTHBEARER")
        self.configure(host)
        self.check_said("AUTH-OAUTH-ONLY", "XOAUTH2 OAUTHBEARER", "token-command|password")


class PortTest(DiagnoseCase):
    """What the neighbouring ports speak is a fact."""

    def test_a_port_that_refuses_is_told_with_one_that_would_do(self):
        host = self.serve(465, tls="implicit")
        self.configure(host, port=587)
        self.check_said("TCP-REFUSED", "port 465 speaks TLS from the first byte and offers",
                        "set port = 465, and leave tls out")

    def test_a_port_that_does_not_answer(self):
        mute = network.Mute("127.0.0.1", 465)
        self.addCleanup(mute.close)
        host = self.serve(587)
        self.configure(host, port=465, connect_timeout="1s")
        self.check_said("TCP-TIMEOUT", "port 587 speaks SMTP with STARTTLS", "set port = 587")

    def test_starttls_that_is_missing_on_25(self):
        host = self.serve(25, [rule("ehlo", "drop", words=["STARTTLS"])])
        self.serve(465, tls="implicit")
        self.configure(host, port=25)
        self.check_said("STARTTLS-MISSING-25", "port 25.*port 465 speaks TLS", "set port = 465")

    def test_a_port_whose_certificate_is_bad_is_not_recommended(self):
        other = self.serve(465, tls="implicit")
        other.certificate = "expired"
        self.configure(other, port=587)
        self.check_said("TCP-REFUSED", "none would do either", "check host and port")

    def test_a_port_without_a_login_in_common_is_not_recommended(self):
        other = self.serve(465, tls="implicit")
        other.mechanisms = ("NTLM",)
        self.configure(other, port=587)
        self.check_said("TCP-REFUSED", "none would do either", "check host and port")

    def test_a_strange_port_in_the_other_way(self):
        host = self.serve(10465, tls="implicit")
        self.configure(host, tls="starttls")
        self.serve(587)
        self.check_said("MODE-SILENT", "port 10465 speaks TLS from the first byte",
                        'set tls = "implicit"; or set port = 587, and leave tls out')

    def test_what_is_no_mail_server(self):
        host = self.serve(587, [rule("greeting", "garbage", "SSH-2.0-OpenSSH_9.2\r\n")])
        self.configure(host)
        self.check_said("MODE-OTHERPROTO", "SSH server", "check port")

    def test_probes_are_told_in_json(self):
        self.serve(465, tls="implicit")
        host = self.serve(25, [rule("ehlo", "drop", words=["AUTH"])])
        self.configure(host, port=587)
        probes = {probe["port"]: probe for probe in self.json(code=78)["probes"]}
        self.assertEqual(probes[465]["speaks"], "implicit")
        self.assertEqual(probes[465]["auth"], ["PLAIN", "LOGIN"])
        self.assertEqual((probes[25]["speaks"], probes[25]["auth"]), ("starttls", []))
        self.assertNotIn(587, probes)

    def test_no_port_is_probed_over_a_wrong_password(self):
        other = self.serve(465, tls="implicit")
        host = self.serve(587, [rule("auth", "reply", "535 5.7.8 No")])
        self.configure(host)
        self.assertEqual(self.json(code=78)["probes"], [])
        self.assertEqual(other.sessions, 0)


class StepTest(DiagnoseCase):
    def test_each_step_is_told_with_what_was_learned(self):
        self.configure(self.serve(587))
        text = self.text("--from", "app@example.com", "--to", "rcpt@example.net")
        for pattern in (r"resolve +ok +\d+ ms  127.0.0.1", r"connect +ok +\d+ ms  127.0.0.1 port 587",
                        r"greeting +ok +\d+ ms  220 smarthost.test", r"EHLO +ok .*STARTTLS",
                        r"STARTTLS +ok", r"TLS +ok .*TLSv1\.[23]", r"CN=good, issued by CN=Test authority",
                        r"\d+ days left", r"EHLO +ok .*AUTH PLAIN LOGIN", r"AUTH +ok +\d+ ms  PLAIN: 235",
                        r"MAIL +ok", r"RCPT +ok", r"RSET +ok", r"verdict: mail would be accepted"):
            self.assertRegex(text, pattern)
        said = [line for line in self.hosts[0].transcript if "> " in line]
        self.assertIn("MAIL FROM:<app@example.com>", said[-4])
        self.assertIn("RCPT TO:<rcpt@example.net>", said[-3])
        self.assertTrue(said[-1].endswith("> QUIT"))
        self.assertEqual(self.hosts[0].records, [])
        self.check_manners()

    def test_json_has_it_all(self):
        self.configure(self.serve(465, tls="implicit"))
        found = self.json()
        self.assertEqual([step["step"] for step in found["steps"]],
                         ["resolve", "connect", "TLS", "greeting", "EHLO", "AUTH", "MAIL", "RCPT", "RSET"])
        self.assertTrue(all(step["ok"] and step["ms"] >= 0 for step in found["steps"]))
        self.assertIsNone(found["capabilities"]["clear"])
        self.assertEqual((found["mechanism"], found["logged_in"]), ("PLAIN", True))
        self.assertEqual((found["sender_accepted"], found["recipient_accepted"]), (True, True))
        self.assertEqual(len(found["certificates"][0]["sha256"]), 64)
        self.assertEqual((found["host"], found["port"], found["tls"]), ("localhost", 465, "implicit"))

    def test_no_daemon_is_needed_and_all_smarthosts_are_walked_to(self):
        self.configure(self.serve(587))
        self.daemon.add_smarthost(self.serve(465, tls="implicit"), "spare", tls=None)
        lines = self.ctl("--json").stdout.splitlines()
        self.assertEqual([json.loads(line)["smarthost"] for line in lines], ["main", "spare"])
        self.assertEqual(self.json("spare")["port"], 465)

    def test_the_worst_is_the_exit_status(self):
        self.configure(self.serve(587))
        self.daemon.add_smarthost(self.serve(465, tls="implicit"), "spare", tls=None, user="other")
        self.assertEqual(self.ctl().returncode, 78)

    def test_what_passes_by_itself_is_75(self):
        self.configure(self.serve(587, [rule("greeting", "reply", "421 4.3.2 Busy")]))
        self.assertEqual(self.json(code=75)["verdict"]["code"], "GREET-421")

    def test_a_sender_who_is_refused(self):
        self.configure(self.serve(587, [rule("mail", "reply", "553 5.7.1 Not yours")]))
        found = self.json("--from", "boss@example.com", code=78)
        self.assertEqual(found["verdict"]["code"], "SENDER-NOTOWNED")
        self.assertIn("sendmail -f", found["verdict"]["fix"])
        self.assertEqual((found["sender_accepted"], found["recipient_accepted"]), (False, None))

    def test_a_recipient_who_is_refused(self):
        self.configure(self.serve(587, [rule("rcpt", "reply", "550 5.1.1 Who?")]))
        found = self.json(code=78)
        self.assertEqual(found["verdict"]["code"], "RCPT-UNKNOWN")
        self.assertEqual((found["sender_accepted"], found["recipient_accepted"]), (True, False))

    def test_secrets_are_never_told(self):
        """check_no_secret() is asked by every call; here with the mechanism that takes most steps."""
        host = self.serve(587)
        host.mechanisms = ("LOGIN",)
        self.configure(host)
        self.text()
        self.json()
        host.users = {lib.USER: "another"}
        self.assertRegex(self.text(code=78), r"AUTH +FAILED +\d+ ms  LOGIN: 535")
        self.json(code=78)

    def test_a_password_that_this_user_may_not_read_is_77(self):
        if not self.place.user:
            self.skipTest("needs root, to ask as another user")
        self.configure(self.serve(587))
        done = self.ctl(user=(65533, 65533))
        self.assertEqual((done.returncode, done.stdout), (77, b""))
        self.assertIn(b"password-file", done.stderr)
        self.assertIn(b"cannot be read by this user", done.stderr)

    def test_root_goes_as_the_owner_of_the_spool(self):
        if not self.place.user:
            self.skipTest("needs root")
        self.configure(self.serve(587))
        self.daemon.start()
        self.assertEqual(self.daemon.stop(), 0)
        done = self.ctl(user=(0, 0))  # else the password's owner would be a stranger
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        os.chown(self.place.file("tranter", "main.password"), 0, 0)
        self.assertEqual(self.ctl(user=(0, 0)).returncode, 77)

    def test_usage(self):
        self.configure(self.serve(587))
        for wrong in (("main", "spare"), ("nosuch",), ("--to", "a b"), ("--from", "a@b@c"), ("--all",)):
            done = self.ctl(*wrong)
            self.assertEqual((done.returncode, done.stdout), (64, b""), wrong)

    def test_trust_that_cannot_be_loaded(self):
        self.configure(self.serve(587), tls_ca_file="/nonexistent")
        found = self.json(code=78)
        self.assertEqual((found["verdict"]["code"], found["steps"]), ("CERT-NOSTORE", []))
        self.assertIn("/nonexistent", found["verdict"]["reason"])


class TlsTest(DiagnoseCase):
    """What TLS tells behind the handshake."""

    def test_a_client_certificate_that_is_wanted(self):
        for newest in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(newest=newest):
                host = self.serve(587)
                context = host.context()
                context.maximum_version = newest
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(self.certificates.ca)
                host.context = lambda context=context: context
                self.daemon.smarthosts.clear()
                self.configure(host)
                self.check_said("TLS-CLIENTCERT", "requires a client certificate",
                                "set tls-cert and tls-key")
                host.stop()

    def test_a_connection_that_is_cut_against_the_rules(self):
        host = self.serve(587, [rule("ehlo", "close", secured=True)])
        self.configure(host)
        self.assertEqual(self.json(code=75)["verdict"]["code"], "TLS-TRUNCATED")
        self.check_daemon_said("TLS-TRUNCATED", fix=False)

    def test_a_server_that_is_too_old(self):
        host = self.serve(587)
        host.newest_tls = ssl.TLSVersion.TLSv1_1
        self.configure(host)
        self.check_said("TLS-VERSION", "at least TLS 1.2 is required", "brought up to date")


class PeerTest(DiagnoseCase):
    """Which server it is."""

    def test_names_that_lead_nowhere(self):
        self.dns.names["fail.example.com"] = network.SERVFAIL
        self.dns.add("empty.example.com")
        self.dns.add("domain.example.com", mx="mx.example.com")
        self.dns.add("v6.example.com", ipv6=["2001:db8::1"])
        self.dns.add("private.example.com", ipv4=["10.0.0.1"])
        self.dns.add("here.example.com", ipv4=["127.0.0.1"])
        host = self.new_host(start=False, port=587)
        for name, code, exit_status in (("nx.example.com", "DNS-NXDOMAIN", 78), ("fail.example.com", "DNS-TEMP", 75),
                                        ("empty.example.com", "DNS-NODATA", 78),
                                        ("domain.example.com", "DNS-MXONLY", 78),
                                        ("v6.example.com", "NET-IPV6ONLY", 78),
                                        ("private.example.com", "DNS-PRIVATE", 75),
                                        ("here.example.com", "DNS-LOOPBACK", 78)):
            with self.subTest(name=name):
                self.daemon.smarthosts.clear()
                self.configure(host, host=name)
                self.assertEqual(self.json(code=exit_status)["verdict"]["code"], code)
        self.dns.stop()
        self.daemon.smarthosts.clear()
        self.configure(host, host="nx.example.com")
        found = self.json(code=75)["verdict"]
        self.assertEqual(found["code"], "DNS-NORESOLVER")
        self.assertIn("127.0.0.1", found["reason"])

    def test_a_dead_ipv6_costs_a_quarter_of_a_second(self):
        mute = network.Mute("::1", 587)
        self.addCleanup(mute.close)
        host = self.serve(587)
        self.dns.add("smarthost.test", ipv4=["127.0.0.1"], ipv6=["::1"])
        self.configure(host, host="smarthost.test", connect_timeout="30s")
        found = self.json()
        connect = found["steps"][1]
        self.assertRegex(connect["learned"], r"127.0.0.1 port 587\n::1: no answer so soon")
        self.assertGreaterEqual(connect["ms"], 250)
        self.assertLess(connect["ms"], 15000)
        self.assertRegex("\n".join(found["notes"]), "IPv6 to smarthost.test does not work")
        self.daemon.start().submit()
        self.wait_kept(1, host)
        self.daemon.wait_log("diag=NET-IPV6")

    def test_an_alias_of_a_name_that_the_certificate_has(self):
        host = self.serve(587)
        self.dns.add("smarthost.test", ipv4=["127.0.0.1"])
        self.dns.add("mail.customer.test", alias="smarthost.test")
        self.configure(host, host="mail.customer.test")
        self.check_said("CERT-HOST-CNAME", "is an alias of smarthost.test", 'set host = "smarthost.test"')

    def test_ourselves(self):
        host = self.new_host(start=False, port=2525)
        self.daemon.listen.append("127.0.0.1:2525")
        self.configure(host, tls="none", user=None, password_file=None)
        self.daemon.start()
        self.assertEqual(self.json(code=78)["verdict"]["code"], "LOOP-SELF")
        self.daemon.submit()
        self.daemon.wait_log("is down, its mail waits: account diag=LOOP-SELF.*set host and port")
        self.assertEqual(len(self.daemon.queue()), 1)

    def test_ourselves_by_another_address(self):
        host = self.new_host(start=False, port=2525)
        self.daemon.settings["listen-anywhere"] = True
        for name, listen in (("127.0.0.5", "0.0.0.0:2525"), ("::1", "[::]:2525")):
            with self.subTest(name=name):
                self.daemon.listen[1:] = [listen]
                self.daemon.smarthosts.clear()
                self.configure(host, host=name, tls="none", user=None, password_file=None)
                self.daemon.start()
                self.assertEqual(self.json(code=78)["verdict"]["code"], "LOOP-SELF")
                self.assertEqual(self.daemon.stop(), 0)

    def test_a_server_behind_the_same_port_of_another_address_is_not_ourselves(self):
        host = self.serve(2525)
        self.daemon.listen.append("127.0.0.2:2525")
        self.configure(host)
        self.daemon.start().submit()
        self.wait_kept(1, host)

    def test_smarthosts_fail_over_in_order_and_come_back(self):
        first, second = self.serve(587), self.serve(465, tls="implicit")
        self.configure(first, messages_per_connection=1)
        self.daemon.add_smarthost(second, "spare", tls=None)
        self.daemon.start().submit("a@example.net")
        self.wait_kept(1, first)
        for breakage in ("account", "server"):
            with self.subTest(breakage=breakage):
                kept, spared = len(first.records), len(second.records)
                if breakage == "account":
                    first.script.replace([rule("auth", "reply", "535 5.7.8 No")])
                else:
                    first.stop()
                self.daemon.mark()
                self.daemon.submit("b@example.net")
                self.daemon.wait_log('smarthost "main".* is down')
                self.wait_kept(spared + 1, second)
                first.script.replace([])
                if breakage == "server":
                    first.start()
                self.come_back(first, kept)

    def come_back(self, first, kept):
        """With the next mail after its time has come, or at once where one asks for it."""
        def sent():
            self.daemon.submit("c@example.net")
            self.daemon.tranterctl("retry", "--all", user=(0, 0) if self.place.user else None)
            return len(first.records) > kept
        lib.wait_for(sent, "mail at the smarthost that is back")
        self.assertTrue(self.daemon.logged('smarthost "main".* is up again'))
        self.wait_idle()


if __name__ == "__main__":
    lib.main()
