# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Postfix as the smarthost: submission with STARTTLS, smtps with implicit TLS, SASL.

Its configuration is made here, in a directory of its own; it listens on loopback ports alone.
"""

import glob
import os
import pwd
import shutil
import signal
import subprocess
import unittest

import lib

MAIN = """\
compatibility_level = 3.6
config_directory = {home}/etc
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {home}/log
maillog_file_prefixes = {home}
multi_instance_name =
alias_maps =
alias_database =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = postfix.test
mydestination =
mynetworks =
relay_domains =
virtual_mailbox_domains = example.net, example.com
virtual_mailbox_base = {home}/mail
virtual_mailbox_maps = texthash:{home}/etc/mailboxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
default_transport = error:nothing leaves this machine
relay_transport = error:nothing leaves this machine
message_size_limit = 100000
smtpd_banner = $myhostname ESMTP
smtpd_tls_cert_file = {home}/etc/good.pem
smtpd_tls_key_file = {home}/etc/good.key
smtpd_tls_received_header = yes
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
smtpd_sasl_local_domain = example.com
smtpd_sasl_security_options = noanonymous
smtpd_sasl_authenticated_header = yes
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = reject_unlisted_recipient, permit_sasl_authenticated, reject
smtpd_forbid_bare_newline = yes
smtpd_forbid_unauth_pipelining = yes
"""

MASTER = """\
127.0.0.1:{starttls} inet n - n - - smtpd
    -o smtpd_tls_security_level=encrypt
127.0.0.1:{implicit} inet n - n - - smtpd
    -o smtpd_tls_wrappermode=yes
    -o smtpd_discard_ehlo_keywords=chunking
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
virtual   unix - n n - - virtual
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
tlsmgr    unix - - n 1000? 1 tlsmgr
showq     unix n - n - - showq
postlog   unix-dgram n - n - 1 postlogd
"""

SASL = """\
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {home}/sasldb
mech_list: {mechanisms}
"""


class Postfix:
    """Started by root, as Postfix demands; ended by its pid."""

    def __init__(self, home, certificates, mechanisms="PLAIN LOGIN"):
        self.home = home
        self.mechanisms = mechanisms
        self.certificates = certificates
        self.ports = {"starttls": lib.free_port(), "implicit": lib.free_port()}
        self.log_path = os.path.join(home, "log")

    def start(self):
        nobody = pwd.getpwnam("nobody")
        postfix = pwd.getpwnam("postfix")
        for name in ("etc/sasl", "queue", "data", "mail"):
            os.makedirs(os.path.join(self.home, name))
        facts = dict(self.ports, home=self.home, mechanisms=self.mechanisms, uid=nobody.pw_uid, gid=nobody.pw_gid)
        for name, text in (("main.cf", MAIN), ("master.cf", MASTER), ("sasl/smtpd.conf", SASL),
                           ("mailboxes", "rcpt@example.net rcpt/\napp@example.com app/\n")):
            with open(os.path.join(self.home, "etc", name), "w", encoding="ascii") as file:
                file.write(text.format(**facts))
        for source in (self.certificates.chain("good"), self.certificates.key("good")):
            shutil.copy(source, os.path.join(self.home, "etc"))
        os.chown(os.path.join(self.home, "data"), postfix.pw_uid, postfix.pw_gid)
        os.chown(os.path.join(self.home, "mail"), nobody.pw_uid, nobody.pw_gid)
        self.run("saslpasswd2", "-f", os.path.join(self.home, "sasldb"), "-p", "-c", "-u",
                 "example.com", "web1", stdin=lib.PASSWORD)
        os.chown(os.path.join(self.home, "sasldb"), postfix.pw_uid, postfix.pw_gid)
        self.run("postfix", "-c", os.path.join(self.home, "etc"), "check")
        daemons = self.run("postconf", "-c", os.path.join(self.home, "etc"), "-h",
                           "daemon_directory").strip()
        self.process = subprocess.Popen([os.path.join(daemons, "master"), "-d", "-c",
                                         os.path.join(self.home, "etc")],
                                        stdin=subprocess.DEVNULL, start_new_session=True)
        lib.wait_for(lambda: "daemon started" in self.log(), "Postfix")
        return self

    def run(self, *command, stdin=""):
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError("%s: %s" % (" ".join(command), done.stderr))
        return done.stdout

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def log(self):
        if not os.path.exists(self.log_path):
            return ""
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def mail(self, box):
        """The messages in a mailbox, oldest first."""
        messages = []
        for path in sorted(glob.glob(os.path.join(self.home, "mail", box, "new", "*"))):
            with open(path, "rb") as file:
                messages.append(file.read())
        return messages


class PostfixCase(lib.Case):
    mechanisms = "PLAIN LOGIN"

    @classmethod
    def setUpClass(cls):
        if os.getuid() != 0:
            raise unittest.SkipTest("Postfix must be started by root")
        for program in ("postfix", "saslpasswd2"):
            if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin"):
                raise unittest.SkipTest("%s is not installed (./bootstrap install all)" % program)
        super().setUpClass()

    def setUp(self):
        super().setUp()
        home = self.place.file("postfix")
        os.makedirs(home, 0o755)
        self.postfix = Postfix(home, self.certificates, self.mechanisms).start()
        self.addCleanup(self.postfix.stop)

    def show(self):
        super().show()
        print("--- log of Postfix\n%s" % self.postfix.log()[-10000:])

    def start(self, tls):
        self.daemon.smarthosts.clear()
        self.host.port, self.host.tls = self.postfix.ports[tls], tls
        self.daemon.add_smarthost(self.host)
        self.daemon.start()

    def arrived(self, box="rcpt", n=1):
        return lib.wait_for(lambda: len(self.postfix.mail(box)) >= n and self.postfix.mail(box),
                            "mail for " + box)


class PostfixTest(PostfixCase):
    def check_delivery(self, tls):
        self.start(tls)
        text = b"na\xc3\xafve\n.\n..\nend\n"
        for number in range(3):
            self.daemon.submit(message=b"Subject: n%d\n\n" % number + text)
        messages = self.arrived(n=3)
        self.assertEqual(len(messages), 3)
        for message in messages:
            self.assertTrue(message.endswith(b"\n\n" + text), message)
            self.assertRegex(message, rb"Return-Path: <app@example\.com>")
            self.assertRegex(message, rb"\(using TLSv1\.[23] with cipher")
            self.assertRegex(message, rb"Authenticated sender: web1@example\.com")
        self.daemon.wait_log("status=sent \\(250 2\\.0\\.0 Ok: (?:[0-9]+ bytes )?queued as")
        self.daemon.wait_queue(0)
        self.assertNotRegex(self.postfix.log(), r"(?i)improper|warning: .*\[127|lost connection")

    def test_submission_with_starttls(self):
        self.check_delivery("starttls")

    def test_smtps_with_implicit_tls(self):
        self.check_delivery("implicit")

    def check_many_in_flight(self, tls, commands):
        """They wait, and then go one behind the other over one connection; some are refused."""
        self.daemon.smarthosts.clear()
        self.host.port, self.host.tls = self.postfix.ports[tls], tls
        self.daemon.add_smarthost(self.host, connections=1, port=lib.free_port(),
                                  tls=tls, idle_timeout="1s")
        self.daemon.start()
        for number in range(30):
            self.daemon.submit("nobody@example.net" if number % 6 == 3 else lib.RECIPIENT,
                               message=b"Subject: n%d\n\n.\n" % number)
        self.daemon.smarthosts[0][1]["port"] = self.host.port
        self.daemon.write_configuration()
        done = self.daemon.tranterctl("reload", user=(0, 0))
        self.assertEqual(done.returncode, 0, done.stderr)
        messages = self.arrived(n=25)
        self.assertEqual(len(self.arrived("app", n=5)), 5)
        self.daemon.wait_queue(0)
        self.assertEqual(sorted(int(message.split(b"Subject: n")[1].split(b"\n")[0])
                                for message in messages),
                         [number for number in range(30) if number % 6 != 3])
        lib.wait_for(lambda: "disconnect" in self.postfix.log(), "the end of the connection")
        self.assertRegex(self.postfix.log(), r"disconnect from .* rcpt=30/35 " + commands)
        self.assertNotRegex(self.postfix.log(), r"(?i)improper|warning: .*\[127|lost connection")

    def test_many_in_flight_with_bdat(self):
        self.check_many_in_flight("starttls", "bdat=30/35 .*rset=")

    def test_many_in_flight_with_data(self):
        self.check_many_in_flight("implicit", "data=30/35 ")

    def test_an_unknown_recipient_returns_a_report(self):
        self.start("starttls")
        self.daemon.submit(lib.RECIPIENT, "nobody@example.net")
        self.arrived("rcpt")
        report = self.arrived("app")[0]
        self.assertIn(b"Content-Type: multipart/report", report)
        self.assertRegex(report, rb"(?i)Final-Recipient: rfc822; ?nobody@example\.net")
        self.assertRegex(report, rb"Status: 5\.1\.1")
        self.daemon.wait_queue(0)

    def test_a_message_that_is_too_large_returns_a_report(self):
        self.start("implicit")
        self.daemon.submit(message=b"Subject: large\n\n" + b"0123456789\n" * 20000)
        self.assertRegex(self.arrived("app")[0], rb"Status: 5\.3\.4")
        self.assertEqual(self.postfix.mail("rcpt"), [])

    def test_a_wrong_password_waits_for_the_right_one(self):
        self.start("starttls")
        path = self.daemon.smarthosts[0][1]["password-file"]
        with open(path, "w", encoding="ascii") as file:
            file.write("wrong\n")
        self.daemon.tranterctl("reload", user=(0, 0))
        self.daemon.submit()
        self.assertRegex(self.daemon.wait_log(lib.WAITS + "535.*")[0], "account")
        with open(path, "w", encoding="ascii") as file:
            file.write(lib.PASSWORD + "\n")
        self.daemon.tranterctl("reload", user=(0, 0))
        self.daemon.tranterctl("retry", "--all", user=(0, 0))
        self.assertEqual(len(self.arrived()), 1)


class MechanismTest(PostfixCase):
    """Each mechanism that Cyrus SASL has for a password, and one that tranter never uses."""

    mechanisms = "DIGEST-MD5 NTLM CRAM-MD5 LOGIN PLAIN SCRAM-SHA-1 SCRAM-SHA-256"

    def check_mechanisms(self, tls):
        self.start(tls)
        self.check_mechanism("SCRAM-SHA-256", 1)
        ours = ("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN", "CRAM-MD5")
        for number, mechanism in enumerate(ours, 2):
            self.daemon.smarthosts[0][1]["auth"] = [mechanism]
            self.daemon.write_configuration()
            self.assertEqual(self.daemon.tranterctl("reload", user=(0, 0)).returncode, 0)
            self.check_mechanism(mechanism, number)
        self.assertNotRegex(self.postfix.log(), r"warning: .*\[127|authentication failed")

    def check_mechanism(self, mechanism, number):
        before = len(self.postfix.log())
        self.daemon.submit()
        self.arrived(n=number)
        lib.wait_for(lambda: "sasl_method=%s, sasl_username=web1@example.com" % mechanism
                     in self.postfix.log()[before:], "a login by " + mechanism)

    def test_every_mechanism_with_starttls(self):
        self.check_mechanisms("starttls")

    def test_every_mechanism_with_implicit_tls(self):
        self.check_mechanisms("implicit")

    def test_a_wrong_password_in_scram(self):
        self.start("starttls")
        path = self.daemon.smarthosts[0][1]["password-file"]
        self.place.write(path, "wrong\n", 0o600)
        self.daemon.submit()
        self.assertRegex(self.daemon.wait_log(lib.WAITS + "535.*")[0], "diag=AUTH-REJECTED")
        lib.wait_for(lambda: "authentication failed" in self.postfix.log(), "Postfix's word on it")
        self.assertEqual(self.postfix.log().count("authentication failed"), 1)
        self.place.write(path, lib.PASSWORD + "\n", 0o600)
        self.daemon.tranterctl("retry", "--all", user=(0, 0))
        self.assertEqual(len(self.arrived()), 1)


if __name__ == "__main__":
    lib.main()
