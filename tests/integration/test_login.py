# SPDX-License-Identifier: GPL-3.0-or-later
"""AUTH with the scripted smarthost: every mechanism, the order of choice, and servers that cheat."""

import ssl

import lib
from test_relay import RelayCase, rule

SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-1")
PLUS = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS")
TOKEN = "ya29." + "t0ken" * 20
LONG_TOKEN = "eyJ0eXAi." + "t0ken" * 400  # beyond a command line's 512 octets


class LoginCase(RelayCase):
    def smarthost(self, **keys):
        """Set keys of the smarthost; None takes one out."""
        settings = self.daemon.smarthosts[0][1]
        for key, value in keys.items():
            settings.pop(key.replace("_", "-"), None)
            if value is not None:
                settings[key.replace("_", "-")] = value

    def send(self):
        """A message, and how it was logged in for."""
        self.daemon.start().submit()
        record = self.wait_kept()[0]
        self.check_manners()
        self.assertNotIn(lib.PASSWORD, self.daemon.log())
        self.assertNotIn("t0kent0ken", self.daemon.log())
        return record["mechanism"], record["user"], record["binding"]

    def logins(self):
        """The mechanisms of the AUTH commands, in order."""
        return [line.split("> AUTH ")[1].split()[0] for line in self.said("AUTH")]

    def check_refused(self, code, words):
        """Mail waits for a fault of the account's with this code and these words; nothing was sent."""
        self.daemon.start().submit()
        line = self.deferral("diag=%s" % code)
        self.assertRegex(line, words)
        self.assertEqual(self.said("MAIL"), [])
        self.assertNotIn(lib.PASSWORD, self.daemon.log())
        return line

    def token(self, *tokens, lifetime=None, name="token"):
        """token-command: a program that prints the next of the tokens each time (the last again)."""
        counter = self.place.write(name + ".count", "")
        for number, token in enumerate(tokens, 1):
            self.place.write("%s.%d" % (name, number), token + "\n", 0o600)
        script = self.place.write(name + ".sh", "#!/bin/sh\necho x >>%s\nn=$(wc -l <%s)\n"
                                  "test $n -le %d || n=%d\nexec cat %s.$n\n" % (
                                      counter, counter, len(tokens), len(tokens),
                                      self.place.file(name)), 0o700)
        self.smarthost(password_file=None, token_command=script, token_lifetime=lifetime)
        return lambda: self.count(counter)

    @staticmethod
    def count(path):
        with open(path, encoding="ascii") as file:
            return len(file.readlines())


class MechanismTest(LoginCase):
    def test_scram_comes_before_plain_and_the_better_hash_first(self):
        self.host.mechanisms = ("LOGIN", "PLAIN") + SCRAM
        self.assertEqual(self.send(), ("SCRAM-SHA-256", lib.USER, "y"))

    def test_scram_sha_1(self):
        self.host.mechanisms = ("PLAIN", "SCRAM-SHA-1")
        self.assertEqual(self.send(), ("SCRAM-SHA-1", lib.USER, "y"))

    def test_a_login_is_bound_to_its_tls_1_3_session(self):
        self.host.mechanisms = ("PLAIN",) + SCRAM + PLUS
        self.assertEqual(self.send(), ("SCRAM-SHA-256-PLUS", lib.USER, "p=tls-exporter"))

    def test_a_login_is_bound_to_its_tls_1_2_session(self):
        self.host.mechanisms = SCRAM + PLUS
        self.smarthost(tls_priority="NORMAL:-VERS-ALL:+VERS-TLS1.2:%SAFE_RENEGOTIATION")
        self.assertEqual(self.send(), ("SCRAM-SHA-256-PLUS", lib.USER, "p=tls-unique"))

    def test_what_can_be_forged_binds_nothing(self):
        self.host.mechanisms = SCRAM + PLUS
        self.smarthost(tls_priority="NORMAL:-VERS-ALL:+VERS-TLS1.2:%SAFE_RENEGOTIATION:"
                       "%NO_SESSION_HASH")
        self.assertEqual(self.send(), ("SCRAM-SHA-256", lib.USER, "n"))

    def test_scram_sha_1_plus(self):
        self.host.mechanisms = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS")
        self.assertEqual(self.send(), ("SCRAM-SHA-1-PLUS", lib.USER, "p=tls-exporter"))

    def test_who_is_told_not_to_bind_says_so(self):
        self.host.mechanisms = SCRAM + PLUS
        self.smarthost(auth=["SCRAM-SHA-1"])
        self.assertEqual(self.send(), ("SCRAM-SHA-1", lib.USER, "n"))

    def test_cram_md5_where_it_is_named(self):
        self.host.mechanisms = ("CRAM-MD5",)
        self.smarthost(auth=["PLAIN", "CRAM-MD5"])
        self.assertEqual(self.send(), ("CRAM-MD5", lib.USER, ""))

    def test_cram_md5_is_not_used_unasked(self):
        self.host.mechanisms = ("CRAM-MD5",)
        line = self.check_refused("AUTH-POLICY-FILTER", "offers the login mechanisms CRAM-MD5")
        self.assertIn("SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN", line)
        self.assertEqual(self.said("AUTH"), [])

    def test_no_mechanism_in_common_names_both_lists(self):
        self.host.mechanisms = ("NTLM", "GSSAPI")
        self.smarthost(auth=["SCRAM-SHA-256", "PLAIN"])
        self.check_refused("AUTH-NOMECH", "the server offers NTLM GSSAPI, auth allows "
                           "SCRAM-SHA-256 PLAIN, and a password is configured")

    def test_a_password_in_utf_8_is_prepared(self):
        self.host.mechanisms = SCRAM
        self.host.users = {lib.USER: "p\u00e8re"}
        self.place.write("tranter/main.password", "pe\u0300re\n", 0o600)
        self.assertEqual(self.send()[0], "SCRAM-SHA-256")

    def test_external_shows_the_certificate(self):
        self.host.mechanisms = ("PLAIN", "EXTERNAL")
        self.host.client_ca = self.certificates.ca
        keys = {}
        for name, path in (("tls-cert", self.certificates.chain("client")),
                           ("tls-key", self.certificates.key("client"))):
            with open(path, encoding="ascii") as file:
                keys[name] = self.place.write("client." + name, file.read(), 0o600)
        self.smarthost(**keys)
        self.assertEqual(self.send(), ("EXTERNAL", lib.USER, ""))

    def test_external_with_a_name_and_nothing_else(self):
        self.host.mechanisms = ("EXTERNAL",)
        self.host.client_ca = self.certificates.ca
        for name, path in (("tls-cert", self.certificates.chain("client")),
                           ("tls-key", self.certificates.key("client"))):
            with open(path, encoding="ascii") as file:
                self.smarthost(**{name: self.place.write("client." + name, file.read(), 0o600)})
        self.smarthost(password_file=None, user="other@example.com", auth=["EXTERNAL"])
        self.assertEqual(self.send(), ("EXTERNAL", "other@example.com", ""))

    def test_every_mechanism_in_implicit_tls(self):
        self.host.stop()
        host = self.new_host(tls="implicit")
        host.mechanisms = SCRAM + PLUS
        self.daemon.smarthosts.clear()
        self.daemon.add_smarthost(host)
        self.daemon.start().submit()
        record = self.wait_kept(host=host)[0]
        self.assertEqual((record["mechanism"], record["binding"]),
                         ("SCRAM-SHA-256-PLUS", "p=tls-exporter"))
        self.assertEqual(host.violations, [])


class ServerTest(LoginCase):
    """Servers that cheat, break the protocol, or have less than they offer."""

    def setUp(self):
        super().setUp()
        self.host.mechanisms = ("PLAIN",) + SCRAM

    def test_a_server_that_does_not_know_the_password_is_not_believed(self):
        self.host.users = {lib.USER: "another"}
        self.host.sasl = {"accept": True}
        self.check_refused("AUTH-SCRAM-FAKE", "could not prove that it knows the password")
        self.assertEqual(self.logins(), ["SCRAM-SHA-256"])

    def test_yes_without_a_proof_is_not_believed(self):
        self.host.sasl = {"unproven": True}
        self.check_refused("AUTH-SCRAM-FAKE", "accepted the login without a signature")

    def test_a_server_that_says_e_is_quoted(self):
        self.host.sasl = {"final": "e=invalid-proof"}
        self.check_refused("AUTH-REJECTED", r"invalid-proof")

    def test_too_few_iterations(self):
        self.host.sasl = {"iterations": 4095}
        self.check_refused("AUTH-SCRAM-COST", "in 4095 iterations; 4096 to 1000000 are taken")

    def test_too_many_iterations(self):
        self.host.sasl = {"iterations": 1000001}
        self.check_refused("AUTH-SCRAM-COST", "in 1000001 iterations")

    def test_endless_challenges_are_broken_off(self):
        self.host.mechanisms = ("LOGIN",)
        self.script(rule("auth", "reply", "334 VXNlcm5hbWU6"))
        self.check_refused("AUTH-BADSERVER", "goes on asking when LOGIN has nothing more to say")

    def test_a_nonce_of_the_servers_own_is_refused(self):
        self.host.sasl = {"first": "r=" + "x" * 40 + ",s=c2FsdA==,i=4096"}
        self.check_refused("AUTH-BADSERVER", "nonce does not go on from ours")

    def test_a_wrong_password_is_tried_once_a_connection(self):
        self.place.write("tranter/main.password", "wrong\n", 0o600)
        self.check_refused("AUTH-REJECTED", "535")
        self.assertEqual(self.logins(), ["SCRAM-SHA-256"])

    def test_a_server_with_hashes_alone_gets_plain(self):
        self.host.sasl = {"no_verifier": True}
        self.assertEqual(self.send()[0], "PLAIN")
        self.assertEqual(self.logins(), ["SCRAM-SHA-256", "PLAIN"])
        self.daemon.wait_log("does not take SCRAM-SHA-256, so PLAIN is used")

    def test_it_gets_no_plain_where_auth_does_not_have_it(self):
        self.host.sasl = {"no_verifier": True}
        self.smarthost(auth=["SCRAM-SHA-256", "SCRAM-SHA-1"])
        self.check_refused("AUTH-REJECTED", "535")
        self.assertEqual(self.logins(), ["SCRAM-SHA-256"])

    def test_it_gets_no_plain_where_it_was_not_verified(self):
        self.host.sasl = {"no_verifier": True}
        self.smarthost(tls_verify="none")
        self.check_refused("AUTH-REJECTED", "535")
        self.assertEqual(self.logins(), ["SCRAM-SHA-256"])

    def test_an_offer_without_the_mechanism_gives_way(self):
        self.script(rule("ehlo", "offer", words=["AUTH SCRAM-SHA-256 PLAIN"]))
        self.host.mechanisms = ("PLAIN",)
        self.daemon.start().submit()
        self.assertEqual(self.wait_kept()[0]["mechanism"], "PLAIN")
        self.assertEqual(self.logins(), ["SCRAM-SHA-256", "PLAIN"])

    def test_a_binding_taken_out_of_the_offer_is_told_to_the_server(self):
        """Somebody in between drops -PLUS from the list: the flag gives him away."""
        self.host.mechanisms = SCRAM + PLUS
        self.script(rule("ehlo", "reply", "250-smarthost.test\n250 AUTH SCRAM-SHA-256",
                         secured=True))
        self.daemon.start().submit()
        lib.wait_for(lambda: self.host.violations, "the flag y")
        self.assertIn("SCRAM with the flag y", self.host.violations[0])

    def test_a_server_that_repeats_the_secret_is_not_quoted(self):
        self.host.mechanisms = ("PLAIN",)
        self.host.sasl = {"echo": True}
        self.host.users = {lib.USER: "another"}
        self.check_refused("AUTH-REJECTED", "its words are left out")
        self.assertNotIn(b"c2VjcmV0", self.daemon.tranterctl("status").stdout)

    def test_tls_1_2_is_enough(self):
        self.host.newest_tls = ssl.TLSVersion.TLSv1_2
        self.assertEqual(self.send()[0], "SCRAM-SHA-256")


class TokenTest(LoginCase):
    def setUp(self):
        super().setUp()
        self.host.mechanisms = ("PLAIN", "XOAUTH2", "OAUTHBEARER") + SCRAM
        self.host.tokens = {lib.USER: {TOKEN, LONG_TOKEN}}

    def test_oauthbearer_comes_first(self):
        self.token(TOKEN)
        self.assertEqual(self.send(), ("OAUTHBEARER", lib.USER, ""))

    def test_xoauth2(self):
        self.host.mechanisms = ("PLAIN", "XOAUTH2")
        self.token(TOKEN)
        self.assertEqual(self.send(), ("XOAUTH2", lib.USER, ""))

    def test_a_long_token_waits_for_its_turn(self):
        self.host.mechanisms = ("XOAUTH2",)
        self.token(LONG_TOKEN)
        self.assertEqual(self.send(), ("XOAUTH2", lib.USER, ""))
        self.assertEqual(self.said("AUTH")[0].split("> ")[1], "AUTH XOAUTH2")

    def test_a_token_is_kept_over_connections(self):
        ran = self.token(TOKEN)
        self.smarthost(messages_per_connection=1, connections=1)
        self.daemon.start()
        for number in range(1, 4):
            self.daemon.submit()
            self.wait_kept(number)
        self.assertEqual((self.host.sessions, ran()), (3, 1))

    def test_a_token_that_ran_out_is_got_afresh_at_once(self):
        ran = self.token("stale", TOKEN)
        self.daemon.settings.update({"retry-min": "1h", "retry-max": "1h"})
        self.assertEqual(self.send()[0], "OAUTHBEARER")
        self.assertEqual((self.host.sessions, ran()), (2, 2))
        self.daemon.wait_log("refuses the token .status invalid_token, scope mail.*got afresh")
        self.assertFalse(self.daemon.logged("is down"))

    def test_a_token_that_is_refused_again_waits(self):
        self.host.mechanisms = ("XOAUTH2",)
        ran = self.token("stale")
        self.daemon.settings.update({"retry-min": "1h", "retry-max": "1h"})
        line = self.check_refused("AUTH-TOKEN-EXPIRED", "account.*refuses the token .status inv")
        self.assertRegex(line, "535 5.7.8.*check that token-command gives a token")
        self.assertEqual((self.host.sessions, ran()), (2, 2))
        self.host.tokens[lib.USER].add("stale")
        self.retry()
        self.wait_kept()
        self.assertEqual(ran(), 3)

    def test_a_refusal_without_json_is_understood(self):
        self.host.mechanisms = ("XOAUTH2",)
        self.host.sasl = {"error": "go away"}
        self.token("stale")
        self.check_refused("AUTH-TOKEN-EXPIRED", "refuses the token .go away")

    def test_passwords_are_no_tokens(self):
        self.host.mechanisms = ("XOAUTH2",)
        self.check_refused("AUTH-OAUTH-ONLY", "offers XOAUTH2.*a password is configured.*"
                           "set token-command")

    def test_tokens_are_no_passwords(self):
        self.host.mechanisms = ("PLAIN", "LOGIN")
        self.token(TOKEN)
        self.check_refused("AUTH-NOMECH", "offers PLAIN LOGIN.*a token is configured")
        self.assertEqual(self.said("AUTH"), [])


class DiagnoseTest(LoginCase):
    """tranterctl diagnose logs in as the daemon does."""

    def diagnose(self, status, pattern):
        self.daemon.write_configuration()
        done = self.daemon.tranterctl("diagnose")
        said = (done.stdout + done.stderr).decode()
        self.assertEqual(done.returncode, status, said)
        self.assertRegex(said, pattern)
        self.assertNotIn(lib.PASSWORD, said)
        self.assertNotIn("t0kent0ken", said)

    def test_a_bound_login(self):
        self.host.mechanisms = SCRAM + PLUS
        self.diagnose(0, "SCRAM-SHA-256-PLUS")
        self.check_manners()

    def test_a_token(self):
        self.host.mechanisms = ("XOAUTH2",)
        self.host.tokens = {lib.USER: {LONG_TOKEN}}
        self.token(LONG_TOKEN)
        self.diagnose(0, "XOAUTH2")
        self.check_manners()

    def test_a_token_that_is_refused(self):
        self.host.mechanisms = ("XOAUTH2",)
        ran = self.token("stale")
        self.diagnose(78, r"(?s)AUTH-TOKEN-EXPIRED.*refuses the token \(status invalid_token, "
                      "scope mail")
        self.assertEqual(ran(), 1)

    def test_a_command_that_fails(self):
        self.smarthost(password_file=None, password_command="/bin/sh -c 'echo locked >&2; exit 2'")
        self.diagnose(78, r"(?s)AUTH-HELPER.*exit status 2: locked")

    def test_a_server_that_cannot_prove_itself(self):
        self.host.mechanisms = SCRAM
        self.host.sasl = {"unproven": True}
        self.diagnose(78, "AUTH-SCRAM-FAKE")

    def test_a_server_with_hashes_alone(self):
        self.host.mechanisms = ("PLAIN",) + SCRAM
        self.host.sasl = {"no_verifier": True}
        self.diagnose(0, "PLAIN")
        self.assertEqual(self.logins(), ["SCRAM-SHA-256", "PLAIN"])


if __name__ == "__main__":
    lib.main()
