# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that call sendmail, run for real: what arrives, and what they say of a failure.

Each reaches the shim by its own setting for the path. Those that have none are in
test_system_callers.py, or are here with the arguments and the input that they are known to give.
"""

import email
import email.header
import os
import pwd
import re
import shutil
import subprocess
import unittest
from typing import NamedTuple

import lib

# Where callers are looked for: an ordinary user's own are of no use to the one who runs them.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/nagios/plugins"

CC, BCC, BOUNCE = "cc@example.net", "bcc@example.net", "bounce@example.com"
TEXT = "Body.\n.\n..\nFrom here\nna\u00efve\n"
LINES = TEXT.replace("\n", "\r\n").encode()
SUBJECT = "Gr\u00fc\u00dfe"
MESSAGE_ID = re.compile(r"<[^<>@\s]+@[^<>@\s]+>")
DATE = re.compile(r"\w{3}, [ \d]?\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}")

PHP = r"""
$taken = mail("rcpt@example.net, Two <two@example.net>", "Plain", getenv("TEXT"),
              "From: App <app@example.com>\r\nBcc: bcc@example.net\r\nX-Mailer: PHP",
              "-fbounce@example.com");
var_dump($taken);
exit($taken ? 0 : 1);
"""

PHPMAILER = r"""
require "/usr/share/php/libphp-phpmailer/autoload.php";
$mail = new PHPMailer\PHPMailer\PHPMailer(true);
$mail->isSendmail();
$mail->Sendmail = getenv("SENDMAIL");
$mail->CharSet = "utf-8";
$mail->Encoding = "8bit";
$mail->setFrom("app@example.com", "App");
$mail->Sender = "bounce@example.com";
$mail->addAddress("rcpt@example.net");
$mail->addBCC("bcc@example.net");
$mail->Subject = "Gr\u{fc}\u{df}e";
$mail->Body = getenv("TEXT");
$mail->send();
"""

# One transport for both messages: with -bs, one session.
SYMFONY = r"""
require "Symfony/Component/Mailer/autoload.php";
$command = urlencode(getenv("SENDMAIL") . " " . $argv[1]);
$transport = Symfony\Component\Mailer\Transport::fromDsn("sendmail://default?command=" . $command);
foreach (["One", "Two"] as $subject)
    $transport->send((new Symfony\Component\Mime\Email())->from("App <app@example.com>")
        ->sender("bounce@example.com")->to("rcpt@example.net")->bcc("bcc@example.net")
        ->subject($subject)->text(getenv("TEXT")));
"""

EMAIL_SENDER = r"""
use Email::Sender::Simple qw(sendmail);
use Email::Sender::Transport::Sendmail;
use Email::Simple;
sendmail(Email::Simple->create(header => [From => 'App <app@example.com>', To => 'rcpt@example.net',
                                          'Content-Type' => 'text/plain; charset=utf-8',
                                          Subject => 'Plain'], body => $ENV{TEXT}),
         {transport => Email::Sender::Transport::Sendmail->new({sendmail => $ENV{SENDMAIL}}),
          from => 'bounce@example.com', to => ['rcpt@example.net', 'bcc@example.net']});
"""

MIME_LITE = r"""
use MIME::Lite;
my $message = MIME::Lite->new(From => 'App <app@example.com>', To => 'rcpt@example.net',
                              Cc => 'cc@example.net', Bcc => 'bcc@example.net',
                              Subject => 'Plain', Type => 'multipart/mixed');
$message->attach(Type => 'text/plain; charset=utf-8', Encoding => '8bit', Data => $ENV{TEXT});
$message->attach(Type => 'application/octet-stream', Encoding => 'base64', Filename => 'a.bin',
                 Data => "\0\1\2");
$message->send('sendmail', Sendmail => $ENV{SENDMAIL}, FromSender => 'bounce@example.com')
    or exit 1;
"""

NODEMAILER = r"""
require('nodemailer').createTransport({sendmail: true, path: process.env.SENDMAIL}).sendMail({
    envelope: {from: 'bounce@example.com', to: ['rcpt@example.net', 'bcc@example.net']},
    from: 'App <app@example.com>', to: 'rcpt@example.net', bcc: 'bcc@example.net',
    subject: 'Gr\u00fc\u00dfe', text: process.env.TEXT,
    attachments: [{filename: 'a.txt', content: 'attached'}]
}, (error, info) => {
    console.log(error ? String(error) : info.response);
    process.exit(error ? 1 : 0);
});
"""

# A producer that fails half-way: nodemailer sends SIGINT to the shim.
NODEMAILER_CANCELS = r"""
const {Readable} = require('stream');
async function* text() { yield 'x'.repeat(200000); throw new Error('no more text'); }
require('nodemailer').createTransport({sendmail: true, path: process.env.SENDMAIL}).sendMail({
    from: 'app@example.com', to: 'rcpt@example.net', subject: 'half', text: Readable.from(text())
}, error => { console.log(String(error)); });
"""

EMAIL_MESSAGE = r"""
import os, subprocess
from email.message import EmailMessage
from email.policy import SMTP
message = EmailMessage()
message["From"] = "App <app@example.com>"
message["To"] = '"Last, First" <rcpt@example.net>'
message["Cc"], message["Bcc"] = "cc@example.net", "bcc@example.net"
message["Subject"] = "Gr\u00fc\u00dfe"
message.set_content(os.environ["TEXT"], cte="8bit")
subprocess.run([os.environ["SENDMAIL"], "-t", "-oi", "-f", "bounce@example.com"],
               input=message.as_bytes(policy=SMTP), check=True)
"""

MUTTRC = """\
set sendmail = "{sendmail} -oem -oi"
set use_envelope_from = yes
set from = "App <app@example.com>"
set envelope_from_address = "bounce@example.com"
set dsn_notify = "failure,delay"
set dsn_return = hdrs
set charset = "utf-8"
set send_charset = "utf-8"
set copy = no
"""


class Caller(NamedTuple):
    """A program, what it is told, what must arrive, and what it does without a daemon."""

    command: list  # {sendmail} is the path of the shim
    fields: dict  # of the header: the value, or a pattern for it
    absent: tuple  # its exit status without a daemon, and a pattern for what it prints
    sender: str = BOUNCE
    recipients: tuple = (lib.RECIPIENT, CC, BCC)
    parts: tuple = (LINES,)  # of the body, decoded
    stdin: str = ""
    file: tuple = ()  # name and text of one that it reads in its home
    needs: tuple = ()  # a command that exits 0 if all it needs is there


ADDRESSES = ["-s", SUBJECT, "-c", CC, "-b", BCC]
SAYS = r"sendmail: [^\n]*smtp\.sock"  # the shim's sentence, where the caller passes it on

CALLERS = {
    "bsd_mailx": Caller(
        ["bsd-mailx", "-n", "-v", "-r", BOUNCE, *ADDRESSES, "--", lib.RECIPIENT],
        {"From": BOUNCE, "To": lib.RECIPIENT, "Cc": CC, "Subject": SUBJECT, "Date": DATE,
         "Message-ID": MESSAGE_ID}, (1, SAYS), stdin=TEXT,
        file=(".mailrc", "set sendmail={sendmail}\n")),
    "s_nail": Caller(
        ["s-nail", "-:/", "-S", "mta={sendmail}", "-S", "sendwait", "-S", "ttycharset=utf-8",
         "-r", "App <%s>" % BOUNCE, *ADDRESSES, lib.RECIPIENT],
        {"From": "App <%s>" % BOUNCE, "To": lib.RECIPIENT, "Cc": CC, "Date": DATE,
         "Subject": SUBJECT, "Message-ID": MESSAGE_ID},
        (4, SAYS), stdin=TEXT),
    "mutt": Caller(
        ["mutt", "-F", "muttrc", *ADDRESSES, "--", lib.RECIPIENT],
        {"From": "App <%s>" % lib.SENDER, "To": lib.RECIPIENT, "Cc": CC, "Date": DATE,
         "Subject": SUBJECT, "Message-ID": MESSAGE_ID},
        (1, SAYS + r"[\s\S]*exited 71"), stdin=TEXT, file=("muttrc", MUTTRC)),
    "mailutils": Caller(
        ["mail.mailutils", "-N", "--exec", "set sendmail=sendmail:{sendmail}",
         "--exec", "set nodot", "-s", "Plain", "-r", BOUNCE, "-a", "Cc: " + CC,
         "-a", "Bcc: " + BCC, lib.RECIPIENT],
        {"From": re.compile(r"(?:.* )?<?%s>?" % BOUNCE), "To": "<%s>" % lib.RECIPIENT,
         "Cc": "<%s>" % CC, "Subject": "Plain", "Date": DATE, "Message-ID": MESSAGE_ID},
        (1, r"cannot send message: Process exited with a non-zero status"), stdin=TEXT),
    "php": Caller(
        ["php", "-d", "sendmail_path={sendmail} -t -i", "-r", PHP],
        {"From": "App <%s>" % lib.SENDER, "To": "rcpt@example.net, Two <two@example.net>",
         "Subject": "Plain", "X-Mailer": "PHP", "Date": DATE, "Message-ID": MESSAGE_ID},
        (1, SAYS + r"[\s\S]*bool\(false\)"), recipients=(lib.RECIPIENT, "two@example.net", BCC),
        parts=(LINES + b"\r\n",)),
    "phpmailer": Caller(
        ["php", "-r", PHPMAILER],
        {"From": "App <%s>" % lib.SENDER, "To": lib.RECIPIENT, "Subject": SUBJECT, "Date": DATE,
         "Message-ID": MESSAGE_ID},
        (255, SAYS + r"[\s\S]*Could not execute"), recipients=(lib.RECIPIENT, BCC),
        needs=("test", "-e", "/usr/share/php/libphp-phpmailer/autoload.php")),
    "email_sender": Caller(
        ["perl", "-e", EMAIL_SENDER],
        {"From": "App <%s>" % lib.SENDER, "To": lib.RECIPIENT, "Subject": "Plain", "Date": DATE,
         "Message-ID": MESSAGE_ID},
        (71, SAYS + r"[\s\S]*error when closing pipe to"), recipients=(lib.RECIPIENT, BCC),
        needs=("perl", "-MEmail::Sender::Transport::Sendmail", "-e", "1")),
    "mime_lite": Caller(
        ["perl", "-e", MIME_LITE],
        {"From": "App <%s>" % lib.SENDER, "To": lib.RECIPIENT, "Cc": CC, "Subject": "Plain",
         "Date": DATE, "Message-ID": MESSAGE_ID},
        (71, SAYS + r"[\s\S]*error closing .*sendmail"), parts=(LINES, b"\0\1\2"),
        needs=("perl", "-MMIME::Lite", "-e", "1")),
    "nodemailer": Caller(
        ["node", "-e", NODEMAILER],
        {"From": "App <%s>" % lib.SENDER, "To": lib.RECIPIENT, "Date": DATE,
         "Subject": SUBJECT, "Message-ID": MESSAGE_ID},
        (1, r"Error: Sendmail exited with code 71"), recipients=(lib.RECIPIENT, BCC),
        parts=(LINES, b"attached"), needs=("node", "-e", "require('nodemailer')")),
    "email_message": Caller(
        ["python3", "-c", EMAIL_MESSAGE],
        {"From": "App <%s>" % lib.SENDER, "To": '"Last, First" <rcpt@example.net>', "Cc": CC,
         "Subject": SUBJECT, "Date": DATE, "Message-ID": MESSAGE_ID},
        (1, SAYS + r"[\s\S]*CalledProcessError.* exit status 71")),
}


def fields_of(content):
    """The fields of a header in order, as pairs of name and value; folding is kept."""
    header = content.partition(b"\r\n\r\n")[0].decode("utf-8", "surrogateescape")
    pairs = [field.split(":", 1) for field in re.split(r"\r\n(?![ \t])", header)]
    return [(name.strip(), decoded(text.strip())) for name, text in pairs]


def decoded(text):
    """With RFC 2047's encoded words made readable: which encoding it was is the caller's choice."""
    return str(email.header.make_header(email.header.decode_header(text)))


class CallerCase(lib.Case):
    def setUp(self):
        super().setUp()
        self.home = self.place.directory("home")
        self.sendmail = self.place.programs["sendmail"]

    def environment(self):
        return dict(self.daemon.environment(), PATH=PATH, HOME=self.home, LC_ALL="C.UTF-8",
                    TERM="dumb", TMPDIR=self.home, SENDMAIL=self.sendmail, TEXT=TEXT,
                    TRANTER_WAIT="0", NODE_PATH="/usr/share/nodejs")

    def need(self, *command):
        """Skip the test where the command, or what it asks for, is not installed."""
        if not shutil.which(command[0], path=PATH):
            self.skipTest("%s is not installed (./bootstrap install all)" % command[0])
        if command[1:] and subprocess.run(command, capture_output=True, env=self.environment(),
                                          check=False).returncode:
            self.skipTest("%s fails (./bootstrap install all)" % " ".join(command))

    def execute(self, *command, stdin="", **more):
        """Run a caller in its home; its exit status and all that it said."""
        done = subprocess.run(command, input=stdin.encode(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, cwd=self.home, env=self.environment(),
                              timeout=60, check=False, **lib.identity(self.place.user), **more)
        said = done.stdout.decode("utf-8", "replace")
        print("%s: %d %s" % (command[0], done.returncode, said))
        return done.returncode, said

    def run_caller(self, caller):
        self.need(caller.command[0])
        if caller.needs:
            self.need(*caller.needs)
        if caller.file:
            name, text = caller.file
            self.place.write(os.path.join("home", name), text.format(sendmail=self.sendmail))
        return self.execute(*(word.replace("{sendmail}", self.sendmail)
                              for word in caller.command), stdin=caller.stdin)

    def check_header(self, content, expected):
        """Once each, as expected; with one line of ours, and without what must not be told."""
        fields = fields_of(content)
        names = [name.lower() for name, _ in fields]
        self.assertEqual(names[0], "received")
        for name in ("received", "from", "date", "message-id"):
            self.assertEqual(names.count(name), 1, name)
        for name in ("to", "cc", "subject"):
            self.assertLessEqual(names.count(name), 1, name)
        self.assertFalse({"bcc", "return-path", "content-length"} & set(names))
        for name, value in expected.items():
            found = [text for key, text in fields if key.lower() == name.lower()]
            if isinstance(value, str):
                value = re.compile(re.escape(value))
            self.assertTrue(len(found) == 1 and value.fullmatch(found[0]), (name, value, found))

    def check_record(self, record, expected):
        content = self.host.content(record)
        self.assertEqual(record["sender"], expected.sender)
        self.assertEqual(sorted(record["recipients"]), sorted(expected.recipients))
        self.check_header(content, expected.fields)
        parts = [part.get_payload(decode=True) for part in email.message_from_bytes(content).walk()
                 if not part.is_multipart()]
        self.assertEqual(parts, list(expected.parts))
        self.check_manners()


class DeliveryTest(CallerCase):
    """All that a caller gives arrives, and nothing that it must not."""

    def check(self, caller):
        self.daemon.start()
        status, said = self.run_caller(caller)
        self.assertEqual(status, 0, said)
        self.check_record(self.wait_kept()[0], caller)
        self.wait_idle()


class AbsenceTest(CallerCase):
    """Without a daemon, the caller learns of it."""

    def check(self, caller):
        status, said = self.run_caller(caller)
        expected, pattern = caller.absent
        self.assertEqual(status, expected, said)
        self.assertRegex(said, pattern)


class GitTest(CallerCase):
    """A series of two patches: git send-email calls once for each."""

    def setUp(self):
        super().setUp()
        self.need("git", "send-email", "--dump-aliases")
        git = ["git", "-c", "user.name=App", "-c", "user.email=" + lib.SENDER]
        self.done(*git, "init", "-q")
        for number in (1, 2):
            self.place.write("home/file", "%d\n.\n" % number)
            self.done("git", "add", "file")
            self.done(*git, "commit", "-q", "-m", "Change %d\n\n.\nna\u00efve" % number)
        self.git = git

    def done(self, *command):
        status, said = self.execute(*command)
        self.assertEqual(status, 0, said)
        return said

    def send(self, setting):
        return self.execute(
            *self.git, "-c", "sendemail.envelopeSender=" + BOUNCE, "-c", setting, "send-email",
            "--to", lib.RECIPIENT, "--cc", CC, "--bcc", BCC, "--confirm=never",
            "--suppress-cc=all", "-2", "HEAD")

    def test_a_series_arrives_whole(self):
        self.daemon.start()
        for setting in ("sendemail.smtpserver=" + self.sendmail,
                        "sendemail.sendmailcmd=%s -oem" % self.sendmail):
            status, said = self.send(setting)
            self.assertEqual(status, 0, said)
        for record in self.wait_kept(4):
            content = self.host.content(record)
            number = int(re.search(rb"PATCH (\d)/2", content)[1])
            self.check_record(record, Caller(
                [], {"From": "App <%s>" % lib.SENDER, "To": lib.RECIPIENT, "Cc": CC, "Date": DATE,
                     "Subject": "[PATCH %d/2] Change %d" % (number, number),
                     "Message-ID": MESSAGE_ID}, (),
                parts=(content.partition(b"\r\n\r\n")[2],)))
            self.assertIn("\r\n\r\n.\r\nna\u00efve\r\n---\r\n".encode(), content)
            self.assertIn(b"+%d\r\n" % number, content)

    def test_an_absent_daemon_stops_the_series(self):
        status, said = self.send("sendemail.smtpserver=" + self.sendmail)
        self.assertNotEqual(status, 0)
        self.assertRegex(said, SAYS)
        self.assertEqual(said.count("sendmail: cannot connect"), 1)


class SymfonyTest(CallerCase):
    """Symfony's mailer, of Nextcloud and Laravel, calls with -bs or with -t, as it is told."""

    def send(self, mode):
        self.need("php", "-r", 'require "Symfony/Component/Mailer/autoload.php";')
        return self.execute("php", "-r", SYMFONY, "--", mode)

    def check_arrival(self, mode, body):
        self.daemon.start()
        status, said = self.send(mode)
        self.assertEqual(status, 0, said)
        subjects = []
        for record in self.wait_kept(2):
            subjects += [text for name, text in fields_of(self.host.content(record))
                         if name == "Subject"]
            self.check_record(record, Caller(
                [], {"From": "App <%s>" % lib.SENDER, "Sender": BOUNCE, "To": lib.RECIPIENT,
                     "Date": DATE, "Message-ID": MESSAGE_ID}, (),
                recipients=(lib.RECIPIENT, BCC), parts=(body,)))
        self.assertEqual(sorted(subjects), ["One", "Two"])

    def test_bs(self):
        self.check_arrival("-bs", LINES + b"\r\n")  # it ends any content with CRLF . CRLF

    def test_t(self):
        self.check_arrival("-t -i", LINES)

    def test_an_absent_daemon_is_an_exception(self):
        for mode, pattern in (("-bs", r"421 4\.3\.2 the mail system is down"), ("-t -i", SAYS)):
            status, said = self.send(mode)
            self.assertEqual(status, 255, said)
            self.assertRegex(said, pattern)
            self.assertRegex(said, "TransportException")


class CancelTest(CallerCase):
    def test_nodemailer_cancels_and_nothing_is_sent(self):
        self.need("node", "-e", "require('nodemailer')")
        self.daemon.start()
        status, said = self.execute("node", "-e", NODEMAILER_CANCELS)
        self.assertEqual(status, 0, said)
        self.assertIn("no more text", said)
        self.daemon.submit(message=b"Subject: whole\n\nx\n")
        self.assertIn(b"Subject: whole\r\n", self.host.content(self.wait_kept()[0]))
        self.wait_idle()


class Known(NamedTuple):
    """A call as a program is known to make it, where that program is not run itself."""

    arguments: tuple
    stdin: bytes
    recipients: tuple
    sender: str = ""  # default: who runs it
    holds: tuple = ()  # lines that must arrive as they stand here
    body: bytes = b"x\r\n"


ROOT = "root@example.com"
ONE, TWO = "one@example.net", "two@example.net"
PLAIN = b"From: app@example.com\nTo: one@example.net\nSubject: s\n\nx\n"
CRON = (b"Subject: Cron <root@host> job\nMIME-Version: 1.0\n"
        b"Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n"
        b"X-Cron-Env: <SHELL=/bin/sh>\n\n.\n")

KNOWN = {
    "cron of Debian": Known(
        ("-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root"),
        b"From: root (Cron Daemon)\nTo: root\n" + CRON, (ROOT,), body=b".\r\n",
        holds=(b"From: root@example.com (Cron Daemon)", b"To: root@example.com",
               b"X-Cron-Env: <SHELL=/bin/sh>")),
    "cronie": Known(
        ("-FCronDaemon", "-i", "-odi", "-oem", "-oi", "-t", "-f", "root"),
        b"From: root (Cron Daemon)\nTo: one@example.net,two@example.net\n" + CRON, (ONE, TWO),
        sender=ROOT, body=b".\r\n", holds=(b"To: one@example.net,two@example.net",)),
    "crond of busybox": Known(("-ti",), b"To: root\nSubject: cron: job\n\n.\n", (ROOT,),
                              body=b".\r\n"),
    "at": Known(("-i", "root"), b"Subject: Output from your job        1\nTo: root\n\n.\n",
                (ROOT,), body=b".\r\n", holds=(b"Subject: Output from your job        1",)),
    "mdadm": Known(
        ("-t",), b"From: mdadm monitoring <root>\nTo: root\nSubject: DegradedArray event on "
        b"/dev/md0:host\n\nThis is an automatically generated mail message.\n\n"
        b"Personalities : [raid1]\n", (ROOT,),
        holds=(b"From: mdadm monitoring <root@example.com>", b"To: root@example.com"),
        body=b"This is an automatically generated mail message.\r\n\r\n"
        b"Personalities : [raid1]\r\n"),
    "sudo": Known(
        ("-t",), b"To: root\nFrom: nobody\nAuto-Submitted: auto-generated\nSubject: *** SECURITY "
        b"information for host ***\nContent-Type: text/plain; charset=utf-8\n\nx\n", (ROOT,),
        holds=(b"From: nobody@example.com", b"Auto-Submitted: auto-generated")),
    "logwatch": Known(
        ("-t",), b"To: one@example.net\nTo: two@example.net\nFrom: Logwatch\n"
        b"Subject: Logwatch for host\n\nx\n", (ONE, TWO),
        holds=(b"To: one@example.net", b"To: two@example.net", b"From: Logwatch@example.com")),
    "fail2ban": Known(
        ("-f", "fail2ban@example.com", "one@example.net,two@example.net"),
        b"Subject: [Fail2Ban] sshd\nDate: Tue, 24 Nov 2026 04:09:26 +0000\n"
        b"From: Fail2Ban <fail2ban@example.com>\nTo: one@example.net,two@example.net\n\nx\n",
        (ONE, TWO), "fail2ban@example.com", (b"Date: Tue, 24 Nov 2026 04:09:26 +0000",)),
    "rkhunter": Known(("root", "one@example.net"), b"Subject: [rkhunter] host\nTo: root\n\nx\n",
                      (ROOT, ONE)),
    "arpwatch": Known(("-odi", "root"), b"From: arpwatch (Arpwatch host)\nTo: root\n"
                      b"Subject: new station\n\nx\n", (ROOT,),
                      holds=(b"From: arpwatch@example.com (Arpwatch host)",)),
    "unattended-upgrades": Known(("-oi", "-t"), b"Subject: s\nFrom: root\nTo: root\n"
                                 b"Auto-Submitted: auto-generated\n\nx\n", (ROOT,)),
    "PHPMailer": Known(
        ("-oi", "-fbounce@example.com", "-t"), PLAIN.replace(
            b"Subject", b"Bcc: two@example.net\nSubject").replace(b"\n", b"\r\n"),
        (ONE, TWO), BOUNCE),
    "Request Tracker with VERP": Known(
        ("-oi", "-t", "-f", "<>", "-f", "bounce+one=example.net@example.com"), PLAIN, (ONE,),
        "bounce+one=example.net@example.com"),
    "Rails before 5": Known(("-i", "-t", "-f", BOUNCE, "--", ONE), PLAIN, (ONE,), BOUNCE),
    "Sympa": Known(
        ("-oi", "-odi", "-oem", "-N", "success,delay,failure", "-V00000017", "-f", BOUNCE, "--",
         ONE, TWO), PLAIN, (ONE, TWO), BOUNCE),
    "news2mail of INN": Known(
        ("-oee", "-odq", "-f" + BOUNCE, "-pNNTP:news.example.com", ONE), PLAIN, (ONE,), BOUNCE),
    "lettre": Known(("-i", "-f", BOUNCE, "--", ONE), PLAIN.replace(b"\n", b"\r\n"), (ONE,), BOUNCE),
    "procmail": Known(("-oi", ONE), b"From app@example.com  Tue Nov 24 04:09:26 2026\n" + PLAIN,
                      (ONE,)),
    "rss2email": Known(("-F", "Feed", "-f", BOUNCE, ONE), PLAIN, (ONE,), BOUNCE),
    "Emacs": Known(("-oi", "-f", BOUNCE, "-oem", "-odb", "-t"), PLAIN, (ONE,), BOUNCE),
}


class KnownCallTest(CallerCase):
    def test_known_arguments_and_input_arrive(self):
        self.host.capabilities += ("DSN",)  # so that no report is ours to write
        self.daemon.start()
        uid = self.place.user[0] if self.place.user else os.getuid()
        login = pwd.getpwuid(uid).pw_name + "@example.com"
        for number, (name, known) in enumerate(KNOWN.items(), 1):
            with self.subTest(name):
                done = self.daemon.sendmail(*known.arguments, stdin=known.stdin)
                self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
                record = self.wait_kept(number)[-1]
                self.assertEqual(record["sender"], known.sender or login)
                self.assertEqual(sorted(record["recipients"]), sorted(known.recipients))
                header, _, body = self.host.content(record).partition(b"\r\n\r\n")
                lines = header.split(b"\r\n")
                for line in known.holds:
                    self.assertIn(line, lines)
                self.assertNotRegex(header, rb"(?im)^(bcc|from )")
                self.assertEqual(body, known.body)
        self.check_manners()


for _name, _caller in CALLERS.items():
    setattr(DeliveryTest, "test_" + _name, lambda self, caller=_caller: self.check(caller))
    setattr(AbsenceTest, "test_" + _name, lambda self, caller=_caller: self.check(caller))


if __name__ == "__main__":
    lib.main()
