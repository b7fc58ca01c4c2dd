# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom mail for the users of this host goes to: the alias file, admin, and the domain."""

import os
import signal

import lib

CRON = ["-FCronDaemon", "-i", "-B8BITMIME", "-oem"]
JOB = (b"From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@web1> date\n"
       b"Auto-Submitted: auto-generated\n\nSat Nov 28\n")


class AliasTest(lib.Case):
    """A daemon whose alias file is what a test writes."""

    def aliases(self, text, name="aliases"):
        self.path = self.place.write(name, text)
        self.daemon.settings["aliases"] = self.path
        return self.path

    def arrives(self, *recipients, arguments=(), message=lib.MESSAGE):
        """What the smarthost was told of a message that is submitted to them."""
        before = len(self.host.records)
        done = self.daemon.sendmail("-i", *arguments, "--", *recipients, stdin=message)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        lib.wait_for(lambda: len(self.host.records) > before, "the message")
        return self.host.records[-1]

    def verified(self, *words):
        done = self.daemon.sendmail("-bv", *words, stdin=b"")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return [line.rsplit(" ", 1)[1] for line in done.stdout.decode().splitlines()]


class WayTest(AliasTest):
    def test_cron_mail_of_root_goes_to_the_administrator(self):
        self.aliases("# as in Debian\nmailer-daemon: postmaster\npostmaster: root\nwww: root\n"
                     "root: admin@example.com\n")
        self.daemon.start()
        for user in ("root", "www", "Root", "root@client.example.com", "root@localhost"):
            with self.subTest(user):
                record = self.arrives(user, arguments=CRON, message=JOB)
                self.assertEqual(record["recipients"], ["admin@example.com"])
                content = self.host.content(record)
                self.assertIn(b"\r\nTo: root@example.com\r\n", content)
                self.assertIn(b"\r\nFrom: root@example.com (Cron Daemon)\r\n", content)
        self.daemon.wait_log(r"orig_to=<root@example\.com>, goes to <admin@example\.com>")

    def test_the_queue_has_the_real_recipients_each_once(self):
        self.aliases("root: alice, bob@example.net,\n  carol@example.net\n"
                     "alice: alice@example.net, bob@EXAMPLE.net, \\alice\n")
        self.host.script.replace([{"stage": "mail", "action": "reply", "text": "450 4.2.1 Busy"}])
        self.daemon.start()
        self.daemon.submit("root", "carol@example.net", "alice")
        entry = self.daemon.wait_queue(1)[0]
        self.assertEqual([recipient["address"] for recipient in entry["recipients"]],
                         ["alice@example.net", "bob@EXAMPLE.net", "alice@example.com",
                          "carol@example.net"])

    def test_a_list_of_thousands_is_one_message(self):
        names = ["u%04d@example.net" % number for number in range(3000)]
        self.aliases("all: %s\n" % ",\n ".join(names))
        self.daemon.start()
        self.assertEqual(self.daemon.sendmail("-i", "all").returncode, 0)
        self.daemon.wait_log(r"orig_to=<all@example\.com>, goes to <u0000@example\.net>, .* and \d+ more$")
        self.daemon.wait_queue(0, 60)
        self.assertEqual([name for record in self.host.records for name in record["recipients"]],
                         names)

    def test_a_backslash_asks_for_no_alias(self):
        self.aliases("root: admin@example.com\n")
        self.daemon.start()
        self.assertEqual(self.arrives("\\root")["recipients"], ["root@example.com"])
        record = self.arrives(arguments=["-t"], message=b"To: \\root, root\n\nx\n")
        self.assertEqual(record["recipients"], ["root@example.com", "admin@example.com"])

    def test_what_no_alias_sends_elsewhere_is_the_admins(self):
        self.aliases("bob: bob@example.net\ndecode: |/usr/bin/uudecode\n")
        self.daemon.settings["admin"] = "admin@example.org"
        self.daemon.start()
        self.assertEqual(self.arrives("root", "bob", "daemon@localhost")["recipients"],
                         ["admin@example.org", "bob@example.net"])
        self.assertEqual(self.arrives("decode")["recipients"], ["admin@example.org"])
        self.assertEqual(self.arrives("\\bob")["recipients"], ["admin@example.org"])

    def test_a_user_of_the_domain_is_not_one_of_this_host(self):
        self.aliases("root: admin@example.net\nalice: elsewhere@example.net\n")
        self.daemon.settings["admin"] = "admin@example.org"
        self.daemon.start()
        self.assertEqual(self.arrives("alice@example.com", "root@example.com")["recipients"],
                         ["alice@example.com", "root@example.com"])

    def test_nothing_is_run_written_or_lost_for_a_target_that_means_it(self):
        marks = [os.path.join(self.daemon.home, name) for name in ("ran", "written")]
        self.aliases('both: "|touch %s", %s, alice@example.net\nnone: |touch %s\n'
                     % (marks[0], marks[1], marks[0]))
        self.daemon.start()
        self.daemon.wait_log(r"warning: %s:1: no command is run for mail here" % self.path)
        self.daemon.wait_log(r"warning: %s:1: mail is not written to files" % self.path)
        self.assertEqual(self.arrives("both", "none")["recipients"],
                         ["alice@example.net", "none@example.com"])
        self.assertEqual([mark for mark in marks if os.path.exists(mark)], [])
        for operand in ("|touch " + marks[0], marks[1], ":include:" + self.path):
            self.daemon.sendmail("-i", "--", operand)
        self.assertEqual([mark for mark in marks if os.path.exists(mark)], [])

    def test_an_included_list_is_read_where_everybody_may(self):
        self.aliases("team: :include:%s, boss@example.net\nsecret: :include:%s\n" % (
            self.place.write("team", "a@example.net\nb@example.net # the second\n"),
            self.place.write("secret", "c@example.net\n", mode=0o600)))
        self.daemon.start()
        self.assertEqual(self.verified("team"), ["a@example.net", "b@example.net",
                                                 "boss@example.net"])
        self.assertEqual(self.verified("secret"), ["secret@example.com"])
        self.daemon.wait_log(r"error: %s:2: %s cannot be included: not everybody may read it" % (
            self.path, self.place.file("secret")))

    def test_mail_for_dev_null_goes_there(self):
        self.aliases("noreply: /dev/null\n")
        self.daemon.start()
        self.assertEqual(self.daemon.sendmail("-i", "noreply").returncode, 0)
        self.daemon.wait_log("discarded: nobody is to get it")
        self.assertEqual(self.arrives("noreply", "a@example.net")["recipients"],
                         ["a@example.net"])
        self.assertEqual(self.daemon.queue(), [])
        large = self.daemon.sendmail("-i", "noreply", stdin=b"\n" + b"0123456789\n" * 40000)
        self.assertEqual(large.returncode, 0)
        self.assertEqual(self.daemon.queue(), [])

    def test_a_report_goes_where_its_readers_mail_goes(self):
        self.aliases("www: webmaster@example.org\nnoreply: /dev/null\n")
        self.daemon.start()
        self.host.script.replace([{"stage": "rcpt", "recipient": lib.RECIPIENT, "action": "reply",
                                   "text": "550 5.1.1 No such user"}])
        self.daemon.submit(sender="www@client.example.com")
        record = self.wait_kept()[0]
        self.assertEqual((record["sender"], record["recipients"]), ("", ["webmaster@example.org"]))
        self.daemon.submit(sender="noreply@localhost")
        self.daemon.wait_log(r"from=<noreply@localhost>")
        self.wait_idle()
        self.assertEqual(len(self.host.records), 1)


    def test_what_was_asked_of_reports_goes_with_each(self):
        self.host.capabilities += ("DSN",)
        self.aliases("team: a@example.net, b@example.net\n")
        self.daemon.start()
        record = self.arrives("team", "c@example.net", arguments=["-N", "failure,delay"])
        asked = {"NOTIFY": "FAILURE,DELAY", "ORCPT": "RFC822;TEAM@EXAMPLE.COM"}  # as the smarthost keeps it
        self.assertEqual(dict(zip(record["recipients"], record["asked_of_recipients"])),
                         {"a@example.net": asked, "b@example.net": asked,
                          "c@example.net": {"NOTIFY": "FAILURE,DELAY"}})
        session = (b"EHLO x\nMAIL FROM:<a@b.example>\nRCPT TO:<team> ORCPT=rfc822;list@example.org\n"
                   b"DATA\nSubject: x\n.\nQUIT\n")
        self.assertEqual(self.daemon.sendmail("-bs", stdin=session).returncode, 0)
        self.assertEqual(self.wait_kept(2)[1]["asked_of_recipients"],
                         [{"ORCPT": "RFC822;LIST@EXAMPLE.ORG"}] * 2)
        self.check_manners()

    def test_lmtp_answers_for_each_recipient_that_was_named(self):
        self.aliases("root: a@example.net\nwww: a@example.net\n")
        self.daemon.start()
        with self.daemon.connect() as sock, sock.makefile("rb") as lines:
            sock.sendall(b"LHLO x\r\nMAIL FROM:<app@example.com>\r\nRCPT TO:<root>\r\nRCPT TO:<www>\r\n"
                         b"DATA\r\nSubject: x\r\n\r\nx\r\n.\r\nQUIT\r\n")
            answers = lines.read().decode().splitlines()
        self.assertRegex("\n".join(answers[-4:]),
                         r"\A354 .*\n250 2\.0\.0 .*\n250 2\.0\.0 .*\n221 .*\Z")
        self.assertEqual(self.wait_kept()[0]["recipients"], ["a@example.net"])


class ReloadTest(AliasTest):
    def test_newaliases_reads_the_file_afresh_in_silence(self):
        self.aliases("root: a@example.net\n")
        self.daemon.start()
        self.assertEqual(self.verified("root"), ["a@example.net"])
        self.aliases("root: b@example.net\n")
        self.assertEqual(self.verified("root"), ["a@example.net"])
        done = self.daemon.sendmail("-bi", stdin=b"", user=(12345, 12345) if self.place.user else None)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
        self.assertEqual(self.verified("root"), ["b@example.net"])

    def test_a_bad_file_keeps_the_old_one(self):
        self.aliases("root: a@example.net\n")
        self.daemon.start()
        for text, told in (("root: b@c@d\n", "1: \"b@c@d\" is not an address"),
                           ("root: b@example.net\nnonsense\n", "2: this is no alias"),
                           ("root: \"b\n", "1: a quote or comment begins")):
            with self.subTest(text):
                self.aliases(text)
                done = self.daemon.sendmail("-bi", stdin=b"")
                self.assertEqual(done.returncode, 78)
                self.assertRegex(done.stderr.decode(), r"^sendmail: the old aliases stay: %s:%s[^\n]*\n$"
                                 % (self.path, told))
                done = self.daemon.tranterctl("reload")
                self.assertEqual(done.returncode, 78)
                self.assertIn("%s:%s" % (self.path, told), done.stderr.decode())
                self.daemon.mark()
                self.daemon.process.send_signal(signal.SIGHUP)
                self.daemon.wait_log("reload refused, the old configuration stays: %s:" % self.path)
                self.assertEqual(self.verified("root"), ["a@example.net"])
        os.unlink(self.path)
        self.assertEqual(self.daemon.sendmail("-bi", stdin=b"").returncode, 78)
        self.assertEqual(self.verified("root"), ["a@example.net"])

    def test_a_reload_reads_the_file_and_a_start_lives_with_a_bad_one(self):
        self.aliases("root: a@example.net\nnonsense\n")
        self.daemon.start()
        self.daemon.wait_log("error: %s:2: this is no alias" % self.path)
        self.assertEqual(self.verified("root"), ["a@example.net"])
        self.assertIn("\nwarning: %s:2: this is no alias" % self.path,
                      self.daemon.tranterctl("status").stdout.decode())
        self.aliases("root: b@example.net\n")
        self.assertEqual(self.daemon.tranterctl("reload").returncode, 0)
        self.assertNotIn(b"warning:", self.daemon.tranterctl("status").stdout)
        self.assertEqual(self.verified("root"), ["b@example.net"])

    def test_what_has_no_effect_is_told_once_and_is_no_failure(self):
        self.aliases("root: a@example.net\ndecode: |/usr/bin/uudecode\n")
        self.daemon.start()
        done = self.daemon.sendmail("-bi", stdin=b"")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stderr.decode(),
                         r"^sendmail: %s:2: no command is run for mail here[^\n]*\n$" % self.path)

    def test_t_checks_the_file(self):
        self.aliases("root: a@example.net\n")
        self.daemon.write_configuration()
        self.assertEqual(self.check(), (0, ""))
        self.aliases("root: a@example.net\nx: |cmd\n")
        code, said = self.check()
        self.assertEqual(code, 0)
        self.assertRegex(said, r"^%s:2: no command .*\(warning\)\n" % self.path)
        self.aliases("root\n")
        code, said = self.check()
        self.assertEqual(code, 78)
        self.assertIn("%s:1: this is no alias" % self.path, said)
        os.unlink(self.path)
        code, said = self.check()
        self.assertEqual(code, 78)
        self.assertRegex(said, "the alias file %s cannot be read: No such file" % self.path)
        os.mkdir(self.path)
        self.assertIn("it is not a regular file", self.check()[1])

    def check(self):
        done = lib.subprocess.run(self.daemon.command("-t"), capture_output=True, check=False,
                                  timeout=60, **lib.identity(self.place.user))
        return done.returncode, done.stderr.decode()

    def test_a_named_file_that_is_away_stops_the_start(self):
        self.daemon.settings["aliases"] = "/nonexistent/aliases"
        self.daemon.write_configuration()
        self.daemon.spawn()
        self.assertEqual(self.daemon.process.wait(lib.PATIENCE), 78)
        self.assertIn("/nonexistent/aliases cannot be read: No such file", self.daemon.log())


class VerifyTest(AliasTest):
    def test_bv_shows_where_each_leads_as_sendmail_does(self):
        self.aliases("root: a@example.net, bob\nnoreply: /dev/null\n")
        self.daemon.start()
        done = self.daemon.sendmail("-bv", "root", "\\root, c@example.org", "noreply", stdin=b"")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(done.stdout.decode().splitlines(), [
            "%s... deliverable: mailer relay, host localhost, user %s" % (address, address)
            for address in ("a@example.net", "bob@example.com", "root@example.com",
                            "c@example.org")]
            + ["/dev/null... deliverable: mailer *file*, user /dev/null"])
        self.assertEqual((self.daemon.queue(), self.host.records), ([], []))


if __name__ == "__main__":
    lib.main()
