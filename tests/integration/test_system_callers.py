# SPDX-License-Identifier: GPL-3.0-or-later
"""The system's own callers, which know sendmail and mailq by one path only; the queue's readers.

cron, at, anacron and check_mailq are run as ordinary programs in a mount namespace of their own, in
which the shim is /usr/sbin/sendmail; nothing outside it is changed or started.
"""

import json
import os
import re
import socket
import subprocess

import lib
import test_postfix
from test_callers import CallerCase, DATE, MESSAGE_ID

ONE, TWO = "one@example.net", "two@example.net"
SAID = "said\n.\nna\u00efve\n"
LINES = SAID.replace("\n", "\r\n").encode()

# The namespaces. Each script has $shim, $home (the test's) and $log (a socket).
SHIM = 'mount --bind "$shim" /usr/sbin/sendmail\n'
OWN_LOG = """\
mkdir /run/dev
cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /run/dev
ln -s "$log" /run/dev/log
mount --bind /run/dev /dev
"""
CRON = SHIM + """\
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/spool/cron
mount -t tmpfs tmpfs /etc/cron.d
mount --bind /dev/null /etc/crontab
mkdir -m 1730 /var/spool/cron/crontabs
install -o nobody -g crontab -m 600 "$home/crontab" /var/spool/cron/crontabs/nobody
""" + OWN_LOG + "exec cron -f\n"
AT = SHIM + """\
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/spool/cron
install -d -o daemon -g daemon -m 1770 /var/spool/cron/atjobs /var/spool/cron/atspool
install -o daemon -g daemon -m 600 /dev/null /var/spool/cron/atjobs/.SEQ
install -m 644 /dev/null /run/nobody-is-denied
mount --bind /run/nobody-is-denied /etc/at.deny
""" + OWN_LOG + """\
cd /
setpriv --reuid nobody --regid nogroup --clear-groups env USER=nobody LOGNAME=nobody \\
    at now <"$home/job"
exec atd -s
"""
ANACRON = SHIM + """\
exec anacron -d -f -n -s -t "$home/anacrontab" -S "$home"
"""
# A host that has tranter and no other mailer, as far as check_mailq looks for one.
NO_OTHER_MAILER = """\
mount -t tmpfs -o mode=755 tmpfs /usr/sbin
mount -t tmpfs -o mode=755 tmpfs /var/lib
cp "$shim" /usr/sbin/sendmail
exec setpriv --reuid "$uid" --regid "$gid" --clear-groups check_mailq "$@"
"""


class SystemCase(CallerCase):
    def setUp(self):
        super().setUp()
        if os.getuid() != 0:
            self.skipTest("a mount namespace with the shim as /usr/sbin/sendmail needs root")
        if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
            self.skipTest("unshare -m fails here")
        for path in ("/usr/sbin/sendmail", "/usr/bin/mailq"):
            if not os.path.exists(path):
                self.skipTest("there is no %s for the shim to take the place of "
                              "(./bootstrap install all brings Postfix's)" % path)
        self.log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.log.close)
        self.log.bind(self.place.file("syslog"))
        os.chmod(self.place.file("syslog"), 0o666)
        self.log.settimeout(lib.PATIENCE)

    def spawn(self, script, *arguments):
        process = subprocess.Popen(
            ["unshare", "-m", "sh", "-ec", script, "sh", *arguments], cwd="/",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=dict(self.environment(), shim=self.sendmail, home=self.home,
                     log=self.place.file("syslog"), uid=str(self.place.user[0]),
                     gid=str(self.place.user[1])))
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def finish_script(self, script, *arguments):
        """Run a script to its end; its exit status and all that it said."""
        process = self.spawn(script, *arguments)
        said = process.communicate(timeout=60)[0].decode("utf-8", "replace")
        print("%d %s" % (process.returncode, said))
        return process.returncode, said

    def syslog(self, pattern):
        """Wait for a line in the log of the namespace."""
        while True:
            line = self.log.recv(4096).decode("utf-8", "replace")
            print(line)
            if re.search(pattern, line):
                return line

    def check(self, record, sender, recipients, fields, body):
        content = self.host.content(record)
        self.assertEqual((record["sender"], record["recipients"]), (sender, recipients))
        self.check_header(content, dict(fields, Date=DATE, **{"Message-ID": MESSAGE_ID}))
        self.assertEqual(content.partition(b"\r\n\r\n")[2], body)
        self.check_manners()


class JobTest(SystemCase):
    """cron, at and anacron mail what a job said."""

    def job(self, said=SAID):
        """A command that says this."""
        return "cat " + self.place.write("home/said", said)

    def crontab(self):
        self.need("cron")
        self.place.write("home/crontab", "@reboot {0}\nMAILTO={1},{2}\n@reboot {0}\n".format(
            self.job(), ONE, TWO))

    def test_cron(self):
        self.crontab()
        self.daemon.start()
        self.spawn(CRON)
        records = {tuple(record["recipients"]): record for record in self.wait_kept(2)}
        for recipients, to in ((["nobody@example.com"], "nobody@example.com"),
                               ([ONE, TWO], "%s,%s" % (ONE, TWO))):
            self.check(records[tuple(recipients)], "nobody@example.com", recipients,
                       {"From": "root@example.com (Cron Daemon)", "To": to,
                        "Subject": re.compile(r"Cron <nobody@\S+> " + re.escape(self.job())),
                        "Content-Transfer-Encoding": "8bit"}, LINES)

    def test_cron_reaches_the_administrator_by_an_alias_of_root(self):
        self.need("cron")
        self.place.write("home/crontab", "MAILTO=root\n@reboot %s\n" % self.job())
        self.daemon.settings["aliases"] = self.place.write("aliases", "root: admin@example.org\n")
        self.daemon.start()
        self.spawn(CRON)
        self.check(self.wait_kept()[0], "nobody@example.com", ["admin@example.org"],
                   {"From": "root@example.com (Cron Daemon)", "To": "root@example.com"}, LINES)

    def test_cron_logs_that_the_daemon_is_absent(self):
        self.crontab()
        self.spawn(CRON)
        self.syslog(r"mailed \d+ bytes? of output but got status 0x0047")

    def test_at(self):
        self.need("atd")
        self.place.write("home/job", self.job() + "\n")
        self.daemon.start()
        self.finish_script(AT)
        self.check(self.wait_kept()[0], "nobody@example.com", ["nobody@example.com"],
                   {"From": re.compile(r"(?:.* )?<?nobody@example\.com>?"),
                    "To": "nobody@example.com",
                    "Subject": re.compile(r"Output from your job +\d+")}, LINES)

    def test_anacron(self):
        self.need("anacron")
        self.place.write("home/anacrontab", "MAILTO=%s\n1 0 tranter.test %s\n" % (
            ONE, self.job("said\n..\n")))  # without -i: a lone dot would be the end
        self.daemon.start()
        self.finish_script(ANACRON)
        self.check(self.wait_kept()[0], "root@example.com", [ONE],
                   {"From": re.compile("Anacron <.*@.*>"), "To": ONE,
                    "Subject": re.compile("Anacron job 'tranter.test' on .*")},
                   b"said\r\n..\r\n")


class CheckMailqTest(SystemCase):
    """monitoring-plugins' check_mailq counts right, whether or not it is told of a mailer."""

    def check_mailq(self, *arguments):
        self.need("check_mailq")
        return self.finish_script(NO_OTHER_MAILER, *arguments)

    def test_it_sees_an_empty_queue(self):
        self.daemon.start()
        for arguments in ((), ("-M", "postfix"), ("-M", "postfix", "-d", "/etc/postfix")):
            status, said = self.check_mailq("-w", "1", "-c", "2", *arguments)
            self.assertEqual(status, 0, said)
            self.assertRegex(said, r"OK: .*empty")

    def test_it_counts_what_waits(self):
        self.start_deferred(3)
        for arguments in ((), ("-M", "postfix"), ("-M", "sendmail")):
            for warning, critical, expected in ((5, 9, 0), (2, 5, 1), (1, 2, 2)):
                status, said = self.check_mailq("-w", str(warning), "-c", str(critical), *arguments)
                self.assertEqual(status, expected, said)
                self.assertRegex(said, r"mailq (?:is|\() ?3\b|unsent=3")

    def test_it_is_critical_when_the_daemon_is_absent(self):
        for arguments in ((), ("-M", "postfix")):
            status, said = self.check_mailq("-w", "5", "-c", "9", *arguments)
            self.assertIn(status, (2, 3), said)


def read_postqueue(text):
    """What a reader of `postqueue -j` takes from it, as postqueue(1) describes the objects: the
    sender and the recipients with the reasons why they wait, by queue id. Other members are
    ignored, as that page asks."""
    messages = {}
    for line in text.decode("utf-8").splitlines():
        entry = json.loads(line)
        for name, kind in (("queue_name", str), ("queue_id", str), ("arrival_time", int),
                           ("message_size", int), ("forced_expire", bool), ("sender", str),
                           ("recipients", list)):
            if type(entry[name]) is not kind:
                raise AssertionError("%s is no %s: %r" % (name, kind.__name__, entry[name]))
        if entry["queue_name"] not in ("active", "corrupt", "deferred", "hold", "incoming",
                                       "maildrop"):
            raise AssertionError("unknown queue %s" % entry["queue_name"])
        messages[entry["queue_id"]] = (entry["queue_name"], entry["sender"], [
            (item["address"], item.get("delay_reason")) for item in entry["recipients"]])
    return messages


class PostqueueReaderTest(CallerCase):
    def mailq(self, *arguments):
        link = self.place.file("mailq")
        if not os.path.lexists(link):
            os.symlink(self.sendmail, link)
        status, said = self.execute(link, *arguments)
        self.assertEqual(status, 0, said)
        return said.encode()

    def test_it_reads_mailq_in_json(self):
        self.start_deferred(2)
        for arguments in (("--json",), ("-j",)):
            messages = read_postqueue(self.mailq(*arguments))
            self.assertEqual(len(messages), 2)
            for number, (identifier, (queue, sender, recipients)) in enumerate(messages.items()):
                self.assertRegex(identifier, r"\A[0-9A-F]{10,16}\Z")
                self.assertEqual((queue, sender), ("deferred", lib.SENDER))
                self.assertEqual([address for address, _ in recipients],
                                 ["r%d@example.net" % number])
                self.assertIn("450 4.2.1 Busy", recipients[0][1])
        status, said = self.execute(self.sendmail, "-bp", "-j")
        self.assertEqual((status, read_postqueue(said.encode())), (0, messages))

    def test_it_reads_that_of_postfix_itself(self):
        if os.getuid() != 0:
            self.skipTest("Postfix must be started by root")
        self.need("postfix")
        self.need("saslpasswd2")
        home = self.place.file("postfix")
        os.makedirs(home, 0o755)
        postfix = test_postfix.Postfix(home, self.certificates).start()
        self.addCleanup(postfix.stop)
        at = ["-c", os.path.join(home, "etc")]
        postfix.run("postconf", *at, "-e",
                    "smtpd_data_restrictions = check_client_access static:HOLD")
        self.daemon.smarthosts.clear()
        self.host.port = postfix.ports["starttls"]
        self.daemon.add_smarthost(self.host)
        self.daemon.start().submit()
        self.daemon.wait_log("status=sent")
        messages = read_postqueue(postfix.run("postqueue", *at, "-j").encode())
        self.assertEqual(list(messages.values()),
                         [("hold", lib.SENDER, [(lib.RECIPIENT, None)])])

    def test_an_empty_queue_is_nothing(self):
        self.daemon.start()
        self.assertEqual(self.mailq("-j"), b"")

    def test_an_absent_daemon_is_69(self):
        os.symlink(self.sendmail, self.place.file("mailq"))
        status, said = self.execute(self.place.file("mailq"), "-j")
        self.assertEqual(status, 69)
        self.assertRegex(said, r"\Asendmail: the mail system is down: [^\n]*control\.sock[^\n]*\n\Z")


if __name__ == "__main__":
    lib.main()
