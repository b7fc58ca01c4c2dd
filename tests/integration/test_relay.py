# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay: a verified, authenticated dialogue or none; what fails waits, and arrives once."""

import hashlib
import re
import ssl
import subprocess
import time

import lib

FAST = {"connect_timeout": "2s", "reply_timeout": "1s", "data_timeout": "1s"}


def rule(stage, action, text=None, **more):
    more.update(stage=stage, action=action)
    if text is not None:
        more["text"] = text
    return more


class RelayCase(lib.Case):
    keys = {}

    def setUp(self):
        super().setUp()
        self.daemon.smarthosts.clear()
        self.daemon.add_smarthost(self.host, **self.keys)

    def script(self, *rules):
        self.host.script.replace(rules)

    def retry(self):
        done = self.daemon.tranterctl("retry", "--all", user=(0, 0) if self.place.user else None)
        self.assertEqual(done.returncode, 0, done.stderr)

    def deferral(self, pattern=""):
        """Wait until mail waits for a cause with these words in its line; the line."""
        return self.daemon.wait_log(lib.WAITS + "(?:%s).*" % pattern)[0]

    def said(self, command, host=None):
        """The lines of the transcript in which the client said it."""
        return [line for line in (host or self.host).transcript if "> " + command in line]

    def check_nothing_was_confided(self):
        self.assertEqual(self.said("AUTH") + self.said("MAIL"), [])

    def check_recovery(self, n=1):
        """Without further misbehaviour what waits arrives, once."""
        self.script()
        self.retry()
        self.wait_kept(n)
        self.wait_idle()
        self.assertEqual(len(self.host.records), n)
        self.check_manners()


class DialogueTest(RelayCase):
    def test_starttls_comes_first_then_login_then_mail(self):
        self.daemon.start().submit()
        record = self.wait_kept()[0]
        self.assertRegex(record["tls"], r"^TLSv1\.[23]$")
        self.assertEqual((record["user"], record["mechanism"]), (lib.USER, "PLAIN"))
        self.assertEqual(record["ehlo"], "client.example.com")
        verbs = [line.split("> ")[1].split(" ")[0] for line in self.said("")]
        self.assertEqual(verbs[:6], ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT"])
        self.check_manners()

    def test_login_is_used_where_it_alone_is_offered(self):
        self.host.mechanisms = ("LOGIN",)
        self.daemon.start().submit()
        self.assertEqual(self.wait_kept()[0]["mechanism"], "LOGIN")
        self.check_manners()

    def test_the_list_of_mechanisms_is_obeyed(self):
        self.daemon.smarthosts[0][1]["auth"] = ["LOGIN", "PLAIN"]
        self.daemon.start().submit()
        self.assertEqual(self.wait_kept()[0]["mechanism"], "LOGIN")

    def test_no_mechanism_in_common_waits_and_names_both_lists(self):
        self.host.mechanisms = ("NTLM", "GSSAPI")
        self.daemon.start().submit()
        self.assertIn("NTLM", self.deferral("account"))
        self.assertEqual(self.said("AUTH") + self.said("MAIL"), [])

    def test_it_works_without_pipelining(self):
        self.host.capabilities = ("SIZE 1000000", "8BITMIME")
        self.daemon.start().submit("a@example.net", "b@example.net", "c@example.net")
        record = self.wait_kept()[0]
        self.assertEqual((len(record["recipients"]), record["pipelined"]), (3, False))
        self.check_manners()

    def test_pipelining_is_used_where_it_is_offered(self):
        self.daemon.start().submit("a@example.net", "b@example.net", "c@example.net")
        record = self.wait_kept()[0]
        self.assertEqual((len(record["recipients"]), record["pipelined"]), (3, True))
        self.check_manners()

    def test_what_is_put_up_with_is_logged_once(self):
        self.daemon.smarthosts[0][1]["messages-per-connection"] = 1
        self.script(rule("data", "reply", "350 Go on"))
        self.daemon.start()
        for number in range(3):
            self.daemon.submit("r%d@example.net" % number)
        self.wait_kept(3)
        self.wait_idle()
        lib.wait_for(lambda: not self.host.open_sessions(), "the last goodbye")
        lib.wait_for(lambda: self.daemon.log().count("answers DATA with another code") == 1,
                     "the line, once")
        self.check_manners()

    def test_a_slow_greeting_is_waited_for_and_noted(self):
        self.daemon.smarthosts[0][1]["reply-timeout"] = "20s"
        self.script(rule("greeting", "delay", seconds=1.5))
        self.daemon.start().submit()
        self.wait_kept()
        self.assertTrue(self.daemon.logged("no greeting from .* after 1 s; waiting for up to 20 s"))
        self.check_manners()

    def test_a_server_that_says_nothing_shows_in_log_and_status(self):
        self.daemon.smarthosts[0][1]["reply-timeout"] = "60s"
        self.script(rule("greeting", "stall"))
        self.daemon.start().submit()
        self.daemon.wait_log("no greeting from .* TLS from the first byte, as port 465 does")
        self.assertIn(b": up, 0 connections, waiting for 1 to be ready\n",
                      self.daemon.tranterctl("status").stdout)

    def test_it_works_with_no_extension_but_auth(self):
        self.host.capabilities = ()
        self.daemon.start().submit()
        self.assertEqual(self.wait_kept()[0]["parameters"], {})
        self.check_manners()

    def test_what_was_learned_in_clear_is_forgotten(self):
        self.script(rule("ehlo", "drop", secured=True, words=["PIPELINING", "SIZE", "8BITMIME"]),
                    rule("ehlo", "offer", secured=False, words=["SIZE 10", "AUTH PLAIN"]))
        self.daemon.start().submit("a@example.net", "b@example.net")
        self.assertEqual(self.wait_kept()[0]["parameters"], {})
        self.check_manners()

    def test_more_than_a_hundred_recipients_are_split(self):
        names = ["r%d@example.net" % number for number in range(250)]
        self.daemon.start().submit(*names)
        records = lib.wait_for(lambda: len(self.host.records) >= 3 and self.host.records,
                               "three transactions")
        self.wait_idle()
        self.assertEqual(sorted(name for record in records for name in record["recipients"]),
                         sorted(names))
        self.assertLessEqual(max(len(record["recipients"]) for record in records), 100)
        self.check_manners()

    def test_too_many_recipients_sends_the_rest_at_once(self):
        self.script(*(rule("rcpt", "reply", "452 4.5.3 Too many recipients",
                           recipient="r%d@*" % number, message=1) for number in (3, 4)))
        self.daemon.settings["retry-min"] = self.daemon.settings["retry-max"] = "1h"
        names = ["r%d@example.net" % number for number in range(5)]
        self.daemon.start().submit(*names)
        records = self.wait_kept(2)
        self.assertEqual(sorted(records[0]["recipients"] + records[1]["recipients"]), names)
        self.check_manners()


class RequireTlsTest(RelayCase):
    """A program demands TLS all the way (RFC 8689)."""

    def submit(self):
        session = (b"EHLO x\nMAIL FROM:<%s> REQUIRETLS\nRCPT TO:<%s>\nDATA\nSubject: x\n.\nQUIT\n"
                   % (lib.SENDER.encode(), lib.RECIPIENT.encode()))
        done = self.daemon.sendmail("-bs", stdin=session)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn(b"queued as", done.stdout)

    def test_it_is_passed_on_where_it_is_offered(self):
        self.script(rule("ehlo", "offer", secured=True, words=["REQUIRETLS"]))
        self.daemon.start()
        self.submit()
        self.assertIn("REQUIRETLS", self.wait_kept()[0]["parameters"])
        self.check_manners()

    def test_it_returns_where_it_is_not(self):
        self.daemon.start()
        self.submit()
        self.daemon.wait_log(r"to=<%s>, .*dsn=5\.7\.30, status=bounced" % lib.RECIPIENT)
        self.daemon.wait_log(r"to=<%s>, .*dsn=5\.7\.30" % lib.SENDER)
        self.assertEqual(self.said("MAIL"), [])

    def test_it_returns_where_the_server_may_be_anybody(self):
        self.daemon.smarthosts[0][1]["tls-verify"] = "none"
        self.script(rule("ehlo", "offer", words=["REQUIRETLS"]))
        self.daemon.start()
        self.submit()
        self.daemon.wait_log(r"to=<%s>, .*dsn=5\.7\.30, status=bounced" % lib.RECIPIENT)
        self.assertEqual(self.said("MAIL"), [])


class ImplicitTest(RelayCase):
    tls = "implicit"

    def test_tls_from_the_first_byte(self):
        self.daemon.start().submit()
        record = self.wait_kept()[0]
        self.assertRegex(record["tls"], r"^TLSv1\.[23]$")
        self.assertEqual(record["mechanism"], "PLAIN")
        self.assertEqual(self.said("STARTTLS"), [])
        self.check_manners()

    def test_a_wrong_certificate_waits(self):
        self.host.certificate = "wrongname"
        self.daemon.start().submit()
        self.deferral("name")
        self.check_nothing_was_confided()

    def test_a_handshake_that_stalls_waits(self):
        self.daemon.smarthosts.clear()
        self.daemon.add_smarthost(self.host, **FAST)
        self.script(rule("tls", "stall"))
        self.daemon.start().submit()
        self.deferral()
        self.check_recovery()

    def test_starttls_towards_a_tls_port_waits(self):
        self.daemon.smarthosts.clear()
        self.daemon.add_smarthost(self.host, tls="starttls", **FAST)
        self.daemon.start().submit()
        self.deferral()
        self.check_nothing_was_confided()


class TrustTest(RelayCase):
    """Nothing is confided to whom it should not be, and no mail is lost over it."""

    keys = {"messages_per_connection": 1}

    def test_starttls_that_is_not_offered_waits(self):
        self.script(rule("ehlo", "drop", words=["STARTTLS"]))
        self.daemon.start().submit()
        self.assertRegex(self.deferral("STARTTLS"), r"account")
        self.check_nothing_was_confided()
        self.check_recovery()

    def test_starttls_that_is_refused_waits(self):
        for text in ("454 4.7.0 Not now", "502 5.5.1 Not here", "250 2.0.0 Odd"):
            with self.subTest(text=text):
                kept = len(self.host.records)
                self.script(rule("starttls", "reply", text))
                if not self.daemon.process:
                    self.daemon.start()
                self.daemon.mark()
                self.daemon.submit()
                self.deferral()
                self.assertEqual(len(self.host.records), kept)
                self.check_recovery(kept + 1)

    def test_text_behind_the_220_of_starttls_ends_it(self):
        self.script(rule("starttls", "inject", "250-evil\r\n250 AUTH PLAIN"))
        self.daemon.start().submit()
        self.deferral("(?i:starttls)")
        self.check_nothing_was_confided()
        self.assertFalse([line for line in self.host.transcript if "TLSv1" in line])
        self.check_recovery()

    def test_a_certificate_that_does_not_verify_waits(self):
        for kind, words in (("expired", "expired"), ("wrongname", "name"),
                            ("selfsigned", "issuer|signed|trust|authority")):
            with self.subTest(kind=kind):
                kept = len(self.host.records)
                self.host.certificate = kind
                if not self.daemon.process:
                    self.daemon.start()
                self.daemon.mark()
                self.daemon.submit()
                self.assertRegex(self.deferral(words), "account|server")
                self.assertEqual(len(self.host.records), kept)
                self.host.certificate = "good"
                self.check_recovery(kept + 1)

    def test_a_pinned_certificate_or_key_is_trusted_and_no_other(self):
        def openssl(*arguments, given=None):
            return subprocess.run(["openssl", *arguments], input=given, capture_output=True,
                                  check=True).stdout
        chain = self.host.certificates.chain("selfsigned")
        stated = openssl("x509", "-in", chain, "-noout", "-fingerprint", "-sha256")
        public = openssl("x509", "-in", chain, "-noout", "-pubkey")
        key = hashlib.sha256(openssl("pkey", "-pubin", "-outform", "DER", given=public))
        settings = self.daemon.smarthosts[0][1]
        settings["tls-verify"] = "fingerprint"
        self.host.certificate = "selfsigned"
        for n, pin in enumerate((stated.decode().strip().split("=")[1], key.hexdigest())):
            with self.subTest(pin=pin):
                settings["tls-fingerprint"] = ["0" * 64, pin]
                self.daemon.start().submit()
                self.wait_kept(n + 1)
                self.wait_idle()
                self.assertEqual(self.daemon.stop(), 0)
        self.host.transcript.clear()
        self.host.certificate = "good"
        self.daemon.start().submit()
        shown = re.search("SHA-256 ([0-9a-f]{64})", self.deferral("tls-fingerprint"))[1]
        self.check_nothing_was_confided()
        self.assertEqual(self.daemon.stop(), 0)
        settings["tls-fingerprint"].append(shown)
        self.daemon.start()
        self.wait_kept(3)
        self.check_manners()

    def test_smarthosts_of_the_same_trust_load_it_once(self):
        many = 12

        def memory_kib(last):
            self.daemon.smarthosts.clear()
            for i in range(many):
                self.daemon.add_smarthost(self.host, "host%d" % i, tls_ca_file=last(i))
            self.daemon.start()
            kib = self.daemon.memory_kib("VmRSS")
            self.assertEqual(self.daemon.stop(), 0)
            return kib

        stores = []
        with open("/etc/ssl/certs/ca-certificates.crt", encoding="ascii") as file:
            pem = file.read()
        for i in range(many):
            stores.append(self.place.write("store%d.pem" % i, pem))
        own, shared = memory_kib(lambda i: stores[i]), memory_kib(lambda i: stores[0])
        self.assertLess(shared, own - 16384, "%d KiB each its own, %d KiB shared" % (own, shared))

    def test_a_lone_fingerprint_is_warned_of(self):
        settings = self.daemon.smarthosts[0][1]
        settings["tls-verify"] = "fingerprint"
        for pins, said in ((["1" * 64], "has one tls-fingerprint"), (["1" * 64, "2" * 64], "")):
            settings["tls-fingerprint"] = pins
            self.daemon.write_configuration()
            done = self.daemon.run("tranterd", "-c", self.place.file(self.daemon.conf), "-t")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(said, str(done.stderr))
            self.assertEqual(bool(said), bool(done.stderr), done.stderr)

    def test_one_smarthosts_trust_is_not_anothers(self):
        self.host.certificate = "selfsigned"
        chain = self.host.certificates.chain("selfsigned")
        shown = subprocess.run(["openssl", "x509", "-in", chain, "-noout", "-fingerprint",
                                "-sha256"], capture_output=True, check=True, text=True)
        pin = shown.stdout.strip().split("=")[1]
        for trusting in ({"tls_verify": "none"}, {"tls_ca_file": chain},
                         {"tls_verify": "fingerprint", "tls_fingerprint": [pin]}):
            with self.subTest(trusting=trusting):
                self.daemon.smarthosts.clear()
                self.daemon.add_smarthost(self.host, "trusting", port=1, **trusting)
                self.daemon.add_smarthost(self.host, "careful")
                self.daemon.mark()
                self.daemon.start().submit()
                self.daemon.wait_log(r'smarthost "careful".* is down.*signed')
                self.check_nothing_was_confided()
                self.assertEqual(self.daemon.stop(), 0)
        self.assertEqual(self.host.records, [])

    def test_tls_1_2_is_spoken_and_1_1_is_not(self):
        self.host.newest_tls = ssl.TLSVersion.TLSv1_2
        self.daemon.start().submit()
        self.assertEqual(self.wait_kept()[0]["tls"], "TLSv1.2")
        self.host.newest_tls = ssl.TLSVersion.TLSv1_1
        self.daemon.submit()
        self.deferral("TLS")
        self.assertEqual(len(self.host.records), 1)
        self.host.newest_tls = None
        self.check_recovery(2)

    def test_login_that_is_not_offered_inside_tls_waits(self):
        self.script(rule("ehlo", "drop", secured=True, words=["AUTH"]),
                    rule("ehlo", "offer", secured=False, words=["AUTH PLAIN LOGIN"]))
        self.daemon.start().submit()
        self.assertRegex(self.deferral("AUTH|login"), "account")
        self.check_nothing_was_confided()
        self.check_recovery()

    def test_a_refused_password_waits_and_is_told_loudly(self):
        self.host.users = {lib.USER: "another"}
        self.daemon.start().submit()
        self.assertRegex(self.deferral("535"), "account")
        self.assertTrue(self.daemon.logged("(?i)error"))
        self.assertEqual(self.said("MAIL"), [])
        self.assertNotIn(lib.PASSWORD, self.daemon.log())
        self.host.users = {lib.USER: lib.PASSWORD}
        self.check_recovery()

    def test_a_password_never_reaches_log_or_arguments(self):
        self.daemon.debug = True
        self.daemon.start().submit()
        self.wait_kept()
        self.assertNotIn(lib.PASSWORD, self.daemon.log())
        self.assertNotRegex(self.daemon.log(), "AHdlYjFAZXhhbXBsZS5jb20A|c2VjcmV0IHdvcmQ")
        with open("/proc/%d/cmdline" % self.daemon.process.pid, "rb") as file:
            self.assertNotIn(lib.PASSWORD.encode(), file.read())


class MisbehaviourTest(RelayCase):
    """At every stage the smarthost may vanish, stall or talk nonsense: the message waits, arrives
    once when that has passed, and its sender gets no report."""

    keys = dict(FAST, messages_per_connection=1)

    def misbehave(self, *rules):
        self.daemon.start()
        for number, one in enumerate(rules):
            with self.subTest(rule=one):
                self.daemon.mark()
                self.script(one)
                self.daemon.submit()
                self.deferral()
                self.assertEqual(len(self.host.records), number)
                self.check_recovery(number + 1)

    def each(self, action, *stages, text=None):
        self.misbehave(*(rule(stage, action, text) for stage in stages))

    STAGES = ("greeting", "ehlo", "starttls", "tls", "auth", "mail", "rcpt", "data")

    def test_a_connection_that_closes(self):
        self.each("close", *self.STAGES, "body")

    def test_a_connection_that_is_reset(self):
        self.each("rst", *self.STAGES, "body")

    def test_a_server_that_stalls(self):
        self.each("stall", "greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data")

    def test_a_handshake_that_stalls(self):
        self.each("stall", "tls")

    def test_garbage_in_place_of_a_reply(self):
        self.each("garbage", *self.STAGES)

    def test_a_reply_that_drips_has_one_deadline(self):
        self.misbehave(*(rule(stage, "drip", seconds=0.4) for stage in ("greeting", "ehlo", "mail")))

    def test_a_421_at_any_stage(self):
        self.each("reply", "greeting", "ehlo", "auth", "mail", "rcpt", "data",
                  text="421 4.3.2 Going down")

    def test_a_4yz_at_any_stage(self):
        self.each("reply", "greeting", "ehlo", "auth", "mail", "rcpt", "data", "dot",
                  text="451 4.3.0 Not now")

    def test_a_5yz_before_mail_returns_nothing(self):
        self.each("reply", "greeting", "ehlo", "starttls", "auth", text="554 5.7.1 Go away")

    def test_a_reply_without_end_has_a_limit(self):
        self.misbehave(rule("ehlo", "reply", "\n".join("250-X%d" % n for n in range(4000)) + "\n250 X"),
                       rule("mail", "reply", "250 " + "x" * 100000))

    def test_content_behind_a_354_that_follows_only_refusals_is_empty(self):
        self.daemon.start()
        self.script(rule("rcpt", "reply", "450 4.2.1 Later"), rule("data", "reply", "354 Go"))
        self.daemon.submit()
        self.deferral("4.2.1 Later")
        self.check_recovery()


class AmbiguousTest(RelayCase):
    """The reply to the final dot was lost: the message is not repeated soon, and then the same."""

    keys = dict(FAST, reply_timeout="3s")

    def test_a_lost_final_reply_waits_a_quarter_of_an_hour(self):
        for action in ("close", "rst"):
            with self.subTest(action=action):
                host, daemon = self.host, self.daemon
                if not daemon.process:
                    daemon.start()
                kept = len(host.records)
                self.script(rule("dot", action))
                daemon.mark()
                daemon.submit()
                self.deferral()
                self.wait_kept(kept + 1)
                self.script()
                waiting = daemon.wait_queue(1)[0]
                self.assertGreater(waiting["next_attempt"], time.time() + 14 * 60)
                self.retry()
                self.wait_kept(kept + 2)
                daemon.wait_queue(0)
                self.assertEqual(host.records[-1]["sha256"], host.records[-2]["sha256"])


class RecipientTest(RelayCase):
    def test_each_recipient_has_its_own_fate(self):
        self.script(rule("rcpt", "reply", "550 5.1.1 No such user", recipient="bad@*"),
                    rule("rcpt", "reply", "450 4.2.1 Mailbox busy", recipient="later@*", times=1))
        self.daemon.start().submit("good@example.net", "bad@example.net", "later@example.net",
                                   sender="")
        self.daemon.wait_log(r"to=<good@example\.net>, .*status=sent \(250 ")
        self.daemon.wait_log(r"to=<bad@example\.net>, .*dsn=5\.1\.1, status=bounced .*550 5\.1\.1")
        self.daemon.wait_log(r"to=<later@example\.net>, .*dsn=4\.2\.1, status=deferred .*450 4\.2\.1")
        self.wait_kept(2)
        self.assertEqual([record["recipients"] for record in self.host.records],
                         [["good@example.net"], ["later@example.net"]])
        self.check_manners()


class SenderTest(RelayCase):
    def test_a_sender_that_the_account_may_not_use_waits(self):
        self.script(rule("mail", "reply", "550 5.7.60 Not permitted to send as this sender",
                         sender="app@*"))
        self.daemon.start().submit()
        self.assertRegex(self.deferral("5\\.7\\.60"), "sender")
        self.daemon.submit(sender="other@example.com")
        self.wait_kept()
        self.assertEqual(len(self.daemon.queue()), 1)
        self.script()
        self.retry()
        self.wait_kept(2)
        self.wait_idle()


class ConnectionTest(RelayCase):
    def backlog(self, n, **keys):
        """Take n messages while the smarthost is away, then bring it back."""
        self.daemon.smarthosts.clear()
        self.daemon.add_smarthost(self.host, **keys)
        self.host.stop()
        self.daemon.start()
        for number in range(n):
            self.daemon.submit("r%d@example.net" % number)
        self.deferral()
        self.host.start()
        self.retry()
        self.wait_kept(n)
        self.wait_idle()
        self.check_manners()

    def test_a_connection_carries_many_messages(self):
        self.backlog(12, connections=1)
        self.assertEqual(self.host.sessions, 1)

    def test_messages_per_connection_is_obeyed(self):
        self.backlog(7, connections=1, messages_per_connection=3)
        self.assertEqual(self.host.sessions, 3)

    def test_several_connections_work_at_once(self):
        self.script(rule("data", "delay", seconds=0.3))
        self.backlog(12, connections=3)
        self.assertIn(self.host.sessions, (2, 3))

    def test_a_421_after_some_messages_is_no_failure(self):
        self.script(*(rule("mail", "reply", "421 4.7.0 Enough for one connection", message=4,
                           session=session) for session in range(1, 9)))
        self.daemon.settings["retry-min"] = self.daemon.settings["retry-max"] = "1h"
        self.daemon.mark()
        self.backlog(10, connections=1)
        self.assertLessEqual(self.host.sessions, 5)

    def test_an_idle_connection_that_the_server_closes_is_no_failure(self):
        self.daemon.start().submit()
        self.wait_kept()
        self.host.stop()
        self.host.start()
        self.daemon.submit()
        self.wait_kept(2)
        self.assertFalse(self.daemon.logged("status=deferred"))

    def test_an_idle_connection_says_quit(self):
        self.daemon.start().submit()
        self.wait_kept()
        lib.wait_for(lambda: self.said("QUIT"), "QUIT after the idle time")
        lib.wait_for(lambda: not self.host.open_sessions(), "the end of the session")


class RouteTest(RelayCase):
    """Smarthosts that are down: another takes over, one probe at a time asks for the first."""

    def test_another_smarthost_takes_over_and_the_first_comes_back(self):
        second = self.new_host()
        self.daemon.add_smarthost(second, "spare")
        self.host.stop()
        self.daemon.start().submit()
        self.wait_kept(1, second)
        self.daemon.wait_log(r"relay=\S*127\.0\.0\.1\]?:%d, .*status=sent" % second.port)
        self.host.start()
        self.retry()

        def first_is_used():
            self.daemon.submit()
            return self.host.records
        lib.wait_for(first_is_used, "mail at the first smarthost")
        self.check_manners()

    def test_a_refused_recipient_is_not_taken_to_another(self):
        second = self.new_host()
        self.daemon.add_smarthost(second, "spare")
        self.script(rule("rcpt", "reply", "550 5.1.1 No such user"))
        self.daemon.start().submit(sender="")
        self.daemon.wait_log("status=bounced")
        self.assertEqual((second.sessions, second.records), (0, []))

    def test_a_smarthost_that_is_down_sees_one_probe_at_a_time(self):
        self.script(rule("greeting", "delay", "554 5.3.2 Not today", seconds=0.3))
        self.daemon.settings.update({"retry-min": "1s", "retry-max": "4s"})
        self.daemon.start().submit("r0@example.net")
        self.deferral("554")
        began = time.monotonic()
        for number in range(1, 20):
            self.daemon.submit("r%d@example.net" % number)
        lib.wait_for(lambda: self.host.sessions >= 4, "three probes", 30)
        self.assertEqual(self.host.most_open, 1)
        self.assertGreater(time.monotonic() - began, 3)
        self.assertTrue(all(entry["attempts"] == 0 for entry in self.daemon.queue()))
        self.check_recovery(20)

    def test_a_name_that_does_not_exist_waits_and_stops_nobody(self):
        self.daemon.smarthosts.clear()
        self.daemon.add_smarthost(self.host, host="does-not-exist.invalid")
        self.daemon.start()
        began = time.monotonic()
        for _ in range(3):
            self.daemon.submit()
        self.assertLess(time.monotonic() - began, 5)
        self.deferral("does-not-exist.invalid")
        self.assertEqual(len(self.daemon.queue()), 3)

    def test_every_deferral_names_its_scope_and_the_log_its_delays(self):
        self.script(rule("rcpt", "reply", "450 4.2.1 Busy", times=1))
        self.daemon.start().submit()
        line = self.deferral("4.2.1 Busy")
        self.assertRegex(line, r"recipient")
        self.wait_kept()
        line = self.daemon.wait_log(r"[0-9A-F]{10,}: to=<rcpt@example\.net>, .*status=sent.*")[0]
        self.assertTrue(re.search(
            r", relay=localhost\[127\.0\.0\.1\]:%d, delay=[\d.]+, "
            r"delays=[\d.]+/[\d.]+/[\d.]+/[\d.]+, dsn=2\.\d\.\d, status=sent \(250 " % self.host.port,
            line), line)


if __name__ == "__main__":
    lib.main()
