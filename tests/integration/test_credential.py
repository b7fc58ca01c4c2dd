# SPDX-License-Identifier: GPL-3.0-or-later
"""Where passwords and tokens come from, and that they go nowhere but to the server."""

import base64
import os
import re

import lib
from test_login import LoginCase

SECRET = "Xq7-planted-secret-9vT"
TOKEN = "ya29.Zk4-planted-token-1mR"


def spellings(secret):
    """The secret, and its part of the base64 of whatever it stands in."""
    raw = secret.encode()
    yield raw
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw)
        yield encoded[4 if before else 0:-4]


class CommandCase(LoginCase):
    def program(self, name, text, mode=0o700):
        return self.place.write(name, "#!/bin/sh\n" + text + "\n", mode)

    def password_from(self, text, arguments=""):
        self.smarthost(password_file=None,
                       password_command=self.program("password.sh", text) + arguments)

    def pipe(self, name):
        """A command that reads it waits until the test writes."""
        path = self.place.file(name)
        os.mkfifo(path, 0o600)
        self.place.give(path)
        return path


class CommandTest(CommandCase):
    def test_a_password_command_prints_the_password(self):
        self.password_from("test \"$1\" = 'two words' && echo '%s'" % lib.PASSWORD,
                           " 'two words'")
        self.assertEqual(self.send()[0], "PLAIN")

    def test_it_runs_for_each_connection(self):
        runs = self.place.write("runs", "")
        self.smarthost(messages_per_connection=1, connections=1)
        self.password_from("echo x >>%s; echo '%s'" % (runs, lib.PASSWORD))
        self.daemon.start()
        for number in range(1, 4):
            self.daemon.submit()
            self.wait_kept(number)
        self.assertEqual(self.count(runs), self.host.sessions)

    def test_nothing_waits_for_it(self):
        """Mail is taken, and goes out another way, while the command thinks."""
        spare = self.new_host()
        pipe = self.pipe("pipe")
        self.password_from("exec cat " + pipe)
        self.daemon.add_smarthost(spare, "spare")
        self.daemon.start().submit()
        lib.wait_for(lambda: self.said("EHLO")[1:], "the login to begin")
        self.daemon.submit()
        self.assertGreaterEqual(len(self.daemon.queue()) + len(spare.records), 2)
        self.assertEqual(self.daemon.tranterctl("status").returncode, 0)
        with open(pipe, "w", encoding="ascii") as file:
            file.write(lib.PASSWORD + "\n")
        lib.wait_for(lambda: len(self.host.records) + len(spare.records) == 2, "both messages")

    def test_its_failure_is_named_and_mended(self):
        self.password_from("echo 'no key in the agent' >&2; exit 75")
        line = self.check_refused("AUTH-HELPER", "account.*password-command .*/password.sh failed "
                                  "with exit status 75, for now: no key in the agent")
        self.assertRegex(line, 'mend password-command of smarthost "main"')
        self.assertEqual(self.said("AUTH"), [])
        self.program("password.sh", "echo '%s'" % lib.PASSWORD)
        self.retry()
        self.wait_kept()

    def test_a_command_that_is_gone(self):
        self.password_from("echo")
        self.daemon.start()
        os.unlink(self.place.file("password.sh"))
        self.daemon.submit()
        self.deferral("diag=AUTH-HELPER.*cannot be run: No such file or directory")

    def test_a_sign_in_that_has_ended(self):
        self.host.mechanisms = ("XOAUTH2",)
        self.smarthost(password_file=None, token_command=self.program(
            "token.sh", "echo 'HTTP 400: invalid_grant' >&2; exit 1"))
        self.check_refused("OAUTH-REFRESH-DEAD", "invalid_grant; to mend it: sign in again")

    def test_a_token_as_json(self):
        self.host.mechanisms = ("XOAUTH2",)
        self.host.tokens = {lib.USER: {TOKEN}}
        runs = self.place.write("runs", "")
        script = self.program("token.sh", "echo x >>%s; echo '{\"token_type\":\"Bearer\","
                              "\"access_token\":\"%s\",\"expires_in\":30}'" % (runs, TOKEN))
        self.smarthost(password_file=None, token_command=script, messages_per_connection=1,
                       connections=1)
        self.daemon.start()
        for number in range(1, 3):
            self.daemon.submit()
            self.wait_kept(number)
        # It says that it is about to expire, so it is not kept for the 50 minutes of the preset.
        self.assertEqual(self.count(runs), 2)

    def test_a_stop_does_not_wait_for_it(self):
        pipe = self.pipe("pipe")
        self.password_from("exec cat " + pipe)
        self.daemon.settings["stop-timeout"] = "0"
        self.daemon.start().submit()
        lib.wait_for(lambda: self.said("EHLO")[1:], "the login to begin")
        lib.wait_for(self.children, "the command")
        left = self.children()
        self.assertEqual(self.daemon.stop(), 0)
        lib.wait_for(lambda: not any(map(self.is_running, left)), "the end of the command")

    def children(self):
        path = "/proc/%d/task/%d/children" % (self.daemon.process.pid, self.daemon.process.pid)
        with open(path, encoding="ascii") as file:
            return file.read().split()

    @staticmethod
    def is_running(pid):
        try:
            with open("/proc/%s/stat" % pid, encoding="ascii") as file:
                return file.read().split(")")[1].split()[0] != "Z"
        except FileNotFoundError:
            return False


class CredentialTest(CommandCase):
    def test_a_credential_of_systemds(self):
        """LoadCredential= puts it there, mode 0400 or 0440."""
        directory = self.place.directory("credentials")
        self.place.write("credentials/mail", lib.PASSWORD + "\n", 0o400)
        self.smarthost(password_file="credential:mail")
        plain = self.daemon.environment
        self.daemon.environment = lambda: dict(plain(), CREDENTIALS_DIRECTORY=directory)
        self.assertEqual(self.send()[0], "PLAIN")

    def test_a_command_finds_it_too(self):
        directory = self.place.directory("credentials")
        self.place.write("credentials/mail", lib.PASSWORD + "\n", 0o400)
        self.password_from("exec cat $CREDENTIALS_DIRECTORY/mail")
        plain = self.daemon.environment
        self.daemon.environment = lambda: dict(plain(), CREDENTIALS_DIRECTORY=directory)
        self.assertEqual(self.send()[0], "PLAIN")


class ChangeTest(CommandCase):
    def test_a_changed_password_counts_from_the_next_connection(self):
        self.smarthost(messages_per_connection=1)
        self.daemon.start().submit()
        self.wait_kept()
        self.host.users[lib.USER] = "another"
        self.place.write("tranter/main.password", "another\n", 0o600)
        self.daemon.submit()
        self.wait_kept(2)
        self.assertEqual(len(self.said("AUTH")), 2)

    def test_a_file_that_is_opened_to_others_is_not_read(self):
        self.daemon.start()
        os.chmod(self.place.file("tranter", "main.password"), 0o644)
        self.daemon.submit()
        self.assertRegex(self.deferral("diag=CRED-FILE"), r"mode 0644.*chmod o=")
        self.assertEqual(self.said("AUTH"), [])


class CheckTest(CommandCase):
    """tranterd -t."""

    def check(self, status, pattern=""):
        self.daemon.write_configuration()
        done = self.daemon.run("tranterd", "-t", "-c", self.place.file(self.daemon.conf))
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertRegex(done.stderr.decode(), pattern)

    def test_a_command_that_can_be_run_is_good_and_is_not_run(self):
        self.password_from("touch " + self.place.file("ran"))
        self.check(0, r"\A\Z")
        self.assertFalse(os.path.exists(self.place.file("ran")))

    def test_a_command_that_is_not_there(self):
        self.smarthost(password_file=None, token_command="/nowhere/token --now")
        self.check(78, r"tranter\.conf:\d+: smarthost \"main\": token-command: /nowhere/token: No ")

    def test_a_command_that_is_not_executable(self):
        self.smarthost(password_file=None,
                       password_command=self.program("password.sh", "echo", 0o600))
        self.check(78, "password-command: .*password.sh cannot be run by user")

    def test_a_command_that_others_may_change(self):
        self.smarthost(password_file=None,
                       password_command=self.program("password.sh", "echo", 0o777))
        self.check(78, "password.sh can be changed by others")

    def test_a_credential_that_is_not_there(self):
        self.smarthost(password_file="credential:mail")
        self.check(78, r"\$CREDENTIALS_DIRECTORY; add LoadCredential=mail:FILE")

    def test_keys_that_do_not_go_together(self):
        self.smarthost(password_command="/bin/true")
        self.check(78, "password-file, password-command and token-command are ways to the same")


class SecrecyTest(CommandCase):
    """A planted secret is looked for wherever one could be found."""

    def setUp(self):
        super().setUp()
        self.daemon.debug = True
        self.host.users = {lib.USER: SECRET}
        self.host.tokens = {lib.USER: {TOKEN}}

    def assert_nowhere(self, text, where):
        for secret in (SECRET, TOKEN):
            for spelling in spellings(secret):
                self.assertFalse(spelling in text, "%s has %r" % (where, spelling))

    def check_what_is_told(self):
        """The log at its most talkative, every answer of tranterctl, every command line."""
        self.assert_nowhere(self.daemon.log().encode(), "log")
        root = (0, 0) if self.place.user else None
        ids = [entry["queue_id"] for entry in self.daemon.queue()]
        for command in (["status"], ["queue"], ["status", "--json"], ["queue", "--json"], ["check"],
                        *(["show", name] for name in ids)):
            done = self.daemon.tranterctl(*command, user=root)
            self.assert_nowhere(done.stdout + done.stderr, command)
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as file:
                    self.assert_nowhere(file.read(), "command line of " + pid)
            except OSError:
                pass

    def check_memory(self):
        """Nothing that a core would have."""
        if os.getuid() != 0:
            self.skipTest("only root may read tranterd's memory")
        size = 0
        for address, memory in self.daemon.memory():
            size += len(memory)
            self.assert_nowhere(memory, "memory at %x" % address)
        self.assertGreater(size, 1 << 20)

    def each_login(self, mechanism):
        self.host.mechanisms = (mechanism,)
        self.daemon.smarthosts[0][1]["auth"] = [mechanism]

    def check_login(self, mechanism):
        """While the connection stays, after the login."""
        self.each_login(mechanism)
        self.smarthost(idle_timeout="1h")
        self.daemon.start().submit()
        self.assertEqual(self.wait_kept()[0]["mechanism"], mechanism)
        self.wait_idle()
        self.check_what_is_told()
        self.check_memory()

    def password(self):
        self.place.write("tranter/main.password", SECRET + "\n", 0o600)

    def test_plain(self):
        self.password()
        self.check_login("PLAIN")

    def test_login(self):
        self.password()
        self.check_login("LOGIN")

    def test_scram(self):
        self.password()
        self.check_login("SCRAM-SHA-256")

    def test_cram_md5(self):
        self.password()
        self.check_login("CRAM-MD5")

    def test_a_password_command(self):
        secret = self.place.write("secret", SECRET + "\n", 0o600)
        self.password_from("exec cat " + secret)
        self.check_login("PLAIN")

    def test_a_token_that_is_kept(self):
        secret = self.place.write("secret", TOKEN + "\n", 0o600)
        self.smarthost(password_file=None,
                       token_command=self.program("token.sh", "exec cat " + secret))
        self.check_login("XOAUTH2")

    def test_a_token_in_json_that_is_kept(self):
        secret = self.place.write("secret", '{"access_token":"%s","expires_in":3600}' % TOKEN,
                                  0o600)
        self.smarthost(password_file=None,
                       token_command=self.program("token.sh", "exec cat " + secret))
        self.check_login("OAUTHBEARER")

    def test_a_refused_login_that_the_server_repeats(self):
        self.password()
        self.host.users = {lib.USER: "another"}
        self.host.sasl = {"echo": True}
        self.each_login("PLAIN")
        self.daemon.start().submit()
        self.deferral("diag=AUTH-REJECTED")
        self.check_what_is_told()

    def test_a_refused_token_that_the_server_repeats(self):
        secret = self.place.write("secret", TOKEN + "\n", 0o600)
        self.smarthost(password_file=None,
                       token_command=self.program("token.sh", "exec cat " + secret))
        self.host.tokens = {}
        self.host.sasl = {"echo": True}
        self.each_login("XOAUTH2")
        self.daemon.start().submit()
        self.deferral("diag=AUTH-TOKEN-EXPIRED")
        self.check_what_is_told()

    def test_a_refused_login(self):
        self.password()
        self.host.users = {lib.USER: "another"}
        self.each_login("PLAIN")
        self.daemon.start().submit()
        self.deferral("diag=AUTH-REJECTED")
        self.check_what_is_told()
        self.check_memory()

    def test_what_diagnose_shows_of_a_server_that_repeats(self):
        self.password()
        self.daemon.write_configuration()
        self.host.sasl = {"echo": True}
        for mechanism in ("PLAIN", "LOGIN", "SCRAM-SHA-256"):
            self.host.users = {lib.USER: "another"}
            self.host.mechanisms = (mechanism,)
            for arguments in ([], ["--json"]):
                done = self.daemon.tranterctl("diagnose", *arguments)
                self.assertEqual(done.returncode, 78)
                self.assertIn(b"AUTH-REJECTED", done.stdout)
                self.assert_nowhere(done.stdout + done.stderr, "diagnose " + mechanism)

    def test_a_command_that_fails_with_the_secret_in_its_mouth(self):
        secret = self.place.write("secret", SECRET + "\n", 0o600)
        self.password_from("cat %s; cat %s >&2; exit 1" % (secret, secret))
        self.daemon.start().submit()
        self.assertRegex(self.deferral("diag=AUTH-HELPER"), "is left out")
        self.check_what_is_told()
        self.check_memory()

    def test_there_is_no_core(self):
        self.daemon.start()
        owner = os.stat("/proc/%d/mem" % self.daemon.process.pid).st_uid
        with open("/proc/%d/limits" % self.daemon.process.pid, encoding="ascii") as file:
            limits = file.read()
        self.assertEqual(owner, 0)  # it is root's where the process may not be dumped
        self.assertTrue(re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE))


if __name__ == "__main__":
    lib.main()
