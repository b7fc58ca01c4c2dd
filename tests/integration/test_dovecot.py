# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Dovecot as the smarthost: its submission service, with every SASL mechanism it has.

Its configuration is made here, in a directory of its own; it listens on loopback ports alone, and
hands mail on to the scripted smarthost, without a login.
"""

import base64
import hashlib
import hmac
import json
import os
import pwd
import shutil
import signal
import subprocess
import time
import unittest

import lib
from test_login import LoginCase

HASHED = "hashed@example.com"  # of this user Dovecot keeps no password, but a hash
KEY = b"k" * 32

CONF = """\
base_dir = {home}/run
state_dir = {home}/run
log_path = {home}/log
protocols = submission
mail_location = maildir:~/mail
listen = 127.0.0.1
hostname = dovecot.test
submission_relay_host = 127.0.0.1
submission_relay_port = {relay}
ssl = required
ssl_cert = <{home}/good.pem
ssl_key = <{home}/good.key
ssl_ca = <{home}/ca.pem
ssl_require_crl = no
ssl_verify_client_cert = yes
auth_ssl_username_from_cert = yes
auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256 xoauth2 oauthbearer external
auth_verbose = yes
auth_failure_delay = 0
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {home}/oauth2
}}
passdb {{
  driver = static
  mechanisms = external
  args = nopassword
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256
  args = {home}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={home}/home
}}
service submission-login {{
  inet_listener submission {{
    port = {starttls}
  }}
  inet_listener submissions {{
    port = {implicit}
    ssl = yes
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""

OAUTH2 = """\
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={home}/keys/
username_attribute = sub
"""


def token(user, lifetime=3600):
    """A JSON Web Token that Dovecot can verify by itself."""
    def part(raw):
        return base64.urlsafe_b64encode(raw).rstrip(b"=")
    now = int(time.time())
    head = part(json.dumps({"typ": "JWT", "alg": "HS256", "kid": "default"}).encode())
    body = part(json.dumps({"sub": user, "iat": now - 60, "exp": now + lifetime}).encode())
    signed = head + b"." + body
    return (signed + b"." + part(hmac.digest(KEY, signed, hashlib.sha256))).decode()


class Dovecot:
    """Started by root, as Dovecot demands; ended by its pid."""

    def __init__(self, home, certificates, relay):
        self.home = home
        self.certificates = certificates
        self.ports = {"starttls": lib.free_port(), "implicit": lib.free_port()}
        self.facts = dict(self.ports, home=home, relay=relay)

    def write(self, name, text):
        path = os.path.join(self.home, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)

    def start(self):
        nobody = pwd.getpwnam("nobody")
        for name in ("run", "home"):
            os.makedirs(os.path.join(self.home, name))
        os.chown(os.path.join(self.home, "home"), nobody.pw_uid, nobody.pw_gid)
        for source in (self.certificates.ca, self.certificates.chain("good"),
                       self.certificates.key("good")):
            shutil.copy(source, self.home)
        hashed = subprocess.run(["doveadm", "pw", "-s", "SHA512-CRYPT", "-p", lib.PASSWORD],
                                capture_output=True, text=True, check=True).stdout.strip()
        self.write("users", "%s:{PLAIN}%s\n%s:%s\n" % (lib.USER, lib.PASSWORD, HASHED, hashed))
        self.write("oauth2", OAUTH2.format(**self.facts))
        self.write("keys/default/HS256/default", base64.b64encode(KEY).decode())
        self.write("dovecot.conf", CONF.format(**self.facts))
        self.process = subprocess.Popen(["dovecot", "-F", "-c",
                                         os.path.join(self.home, "dovecot.conf")],
                                        stdin=subprocess.DEVNULL, start_new_session=True)
        lib.wait_for(lambda: "starting up for submission" in self.log(), "Dovecot")
        return self

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def log(self):
        path = os.path.join(self.home, "log")
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()


class DovecotTest(LoginCase):
    tls = "none"  # of the smarthost behind Dovecot

    @classmethod
    def setUpClass(cls):
        if os.getuid() != 0:
            raise unittest.SkipTest("Dovecot must be started by root")
        for program in ("dovecot", "doveadm"):
            if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin"):
                raise unittest.SkipTest("%s is not installed (./bootstrap install all)" % program)
        super().setUpClass()

    def setUp(self):
        super().setUp()
        self.host.users = {}
        home = self.place.file("dovecot")
        os.makedirs(home, 0o755)
        self.dovecot = Dovecot(home, self.certificates, self.host.port).start()
        self.addCleanup(self.dovecot.stop)
        self.messages = 0

    def show(self):
        super().show()
        print("--- log of Dovecot\n%s" % self.dovecot.log()[-10000:])

    def through(self, tls, **keys):
        """Make Dovecot the smarthost, and load that, or start with it."""
        port, self.host.port, self.host.tls = self.host.port, self.dovecot.ports[tls], tls
        self.daemon.smarthosts.clear()
        self.daemon.add_smarthost(self.host, **keys)
        self.host.port, self.host.tls = port, "none"
        self.daemon.write_configuration()
        if self.daemon.process:
            done = self.daemon.tranterctl("reload", user=(0, 0))
            self.assertEqual(done.returncode, 0, done.stderr)
        else:
            self.daemon.start()

    def check_mail(self, method, user=lib.USER):
        """A message goes through, and Dovecot says by which mechanism it let it."""
        before = len(self.dovecot.log())
        self.messages += 1
        self.daemon.submit()
        self.wait_kept(self.messages)
        lib.wait_for(lambda: "Login: user=<%s>, method=%s," % (user, method)
                     in self.dovecot.log()[before:], "the login by %s of %s" % (method, user))
        self.wait_idle()

    def check_passwords(self, tls):
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN", "CRAM-MD5"):
            self.through(tls, auth=[mechanism])
            self.check_mail(mechanism)
        self.through(tls)
        self.check_mail("SCRAM-SHA-256")  # by our own choice
        self.assertNotRegex(self.dovecot.log(), r"(?i)auth failed|invalid|disconnected by")

    def check_tokens(self, tls):
        long = token(lib.USER)
        self.through(tls, password_file=None, token_command="/bin/echo " + long)
        self.check_mail("OAUTHBEARER")
        self.through(tls, auth=["XOAUTH2"], password_file=None, token_command="/bin/echo " + long)
        self.check_mail("XOAUTH2")

    def certificate(self):
        keys = {}
        for name, path in (("tls_cert", self.certificates.chain("client")),
                           ("tls_key", self.certificates.key("client"))):
            with open(path, encoding="ascii") as file:
                keys[name] = self.place.write("client." + name, file.read(), 0o600)
        return keys

    def test_passwords_with_starttls(self):
        self.check_passwords("starttls")

    def test_passwords_with_implicit_tls(self):
        self.check_passwords("implicit")

    def test_tokens_with_starttls(self):
        self.check_tokens("starttls")

    def test_tokens_with_implicit_tls(self):
        self.check_tokens("implicit")

    def test_a_certificate_with_starttls(self):
        self.through("starttls", **self.certificate())
        self.check_mail("EXTERNAL")

    def test_a_certificate_alone_with_implicit_tls(self):
        self.through("implicit", user=None, password_file=None, auth=["EXTERNAL"],
                     **self.certificate())
        self.check_mail("EXTERNAL")

    def test_a_user_with_a_hash_logs_in_by_plain(self):
        """Dovecot offers SCRAM whether or not it can do it for this user."""
        self.through("starttls", user=HASHED)
        self.check_mail("PLAIN", HASHED)
        self.daemon.wait_log("does not take SCRAM-SHA-256, so PLAIN is used")

    def test_a_wrong_password(self):
        self.place.write("tranter/main.password", "wrong\n", 0o600)
        self.through("implicit")
        path = self.place.write("tranter/main.password", "wrong\n", 0o600)
        self.daemon.submit()
        self.deferral("diag=AUTH-REJECTED.*535")
        failed = lib.wait_for(lambda: self.dovecot.log().count("auth failed"), "Dovecot's log")
        self.assertEqual(failed, 1)
        self.place.write(path, lib.PASSWORD + "\n", 0o600)
        self.retry()
        self.messages = 1
        self.wait_kept()

    def test_a_token_that_ran_out(self):
        stale, fresh = token(lib.USER, -10), token(lib.USER)
        ran = self.place.write("ran", "")
        script = self.place.write("token.sh", "#!/bin/sh\necho x >>%s\ntest $(wc -l <%s) = 1 && "
                                  "echo %s || echo %s\n" % (ran, ran, stale, fresh), 0o700)
        self.through("starttls", password_file=None, token_command=script)
        self.check_mail("OAUTHBEARER")
        self.daemon.wait_log("refuses the token.*got afresh")
        self.assertFalse(self.daemon.logged("is down"))

    def test_a_token_that_is_none(self):
        self.through("implicit", auth=["XOAUTH2"], password_file=None, token_command="/bin/echo x")
        self.daemon.submit()
        self.deferral("diag=AUTH-TOKEN-EXPIRED.*refuses the token .status")


if __name__ == "__main__":
    lib.main()
