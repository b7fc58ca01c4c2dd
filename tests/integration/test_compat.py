# SPDX-License-Identifier: GPL-3.0-or-later
"""What callers of sendmail(8) count on, row by row: arguments, environment and input of the shim,
and what then arrives at the smarthost. Each table is run against one daemon."""

import collections
import os
import pwd
import re
import subprocess
import unittest

import lib
from test_sendmail import Submission

D = "example.net"   # the recipients' domain; example.com completes what has none
I_F = ["-i", "-f", lib.SENDER]
LOGIN = pwd.getpwuid(lib.ordinary_user()[0] if lib.ordinary_user() else os.getuid())
TEXT = b"Subject: x\n\nbody\n"
SILENT = rb"\A\Z"
ONE_LINE = rb"\Asendmail: [ -~]+\n\Z"

# What one call of the shim must come to. Left out: exit status 0, silence, any sender, and one
# message to rcpt@example.net. has, lacks: patterns of the header as it arrives; body: all of it;
# reported: what a report to the sender names, as it is no address, or as that was asked for.
Row = collections.namedtuple("Row", "name arguments stdin status stderr to sender has lacks body env "
                             "user reported")


def row(name, *arguments, stdin=TEXT, status=0, stderr=None, to=None, sender=None, has=(), lacks=(),
        body=None, env=None, user=None, reported=None):
    to = [lib.RECIPIENT] if to is None else to
    stderr = stderr or (ONE_LINE if status else SILENT)
    return Row(name, arguments, stdin, status, stderr, [] if status else to, sender,
               has if isinstance(has, tuple) else (has,),
               lacks if isinstance(lacks, tuple) else (lacks,), body, env or {}, user, reported)


def to(operands, *mailboxes, **more):
    """A row of operands, separated by '|||', and whom they reach."""
    return row(operands, *I_F, *operands.split("|||"), to=list(mailboxes), **more)


def header(name, text, *mailboxes, arguments=("-t", "-i"), **more):
    """A row of -t."""
    return row(name, *arguments, stdin=text, to=list(mailboxes), **more)


def passes(name, stdin, arguments=(*I_F, lib.RECIPIENT), **more):
    """A row of content."""
    return row(name, *arguments, stdin=stdin, **more)


OPERANDS = (
    to("a@%s, b@%s" % (D, D), "a@" + D, "b@" + D),
    to("a@%s,b@%s" % (D, D), "a@" + D, "b@" + D),
    to('"Bob B." <b@%s>' % D, "b@" + D),
    to("Bob B <b@%s>" % D, "b@" + D),
    to("Bob B. <b@%s>" % D, "b@" + D),
    to("<b@%s>" % D, "b@" + D),
    to("b@%s (Bob)" % D, "b@" + D),
    to("b@%s (Bob (the) \\) builder)" % D, "b@" + D),
    to('"Last, First" <b@%s>, c@%s' % (D, D), "b@" + D, "c@" + D),
    to("=?utf-8?Q?B=C3=B6b?= <b@%s>" % D, "b@" + D),
    to("b@%s c@%s" % (D, D), "b@" + D, "c@" + D),
    to("b@%s; c@%s" % (D, D), "b@" + D, "c@" + D),
    to("grp: a@%s, b@%s;" % (D, D), "a@" + D, "b@" + D),
    to("undisclosed-recipients:;|||b@%s" % D, "b@" + D),
    to("|||b@%s" % D, "b@" + D),
    to("<>|||b@%s" % D, "b@" + D),
    to("someone", "someone@example.com"),
    to("\\someone", "someone@example.com"),
    to('"john doe"@%s' % D, '"john doe"@' + D),
    to("u@[192.0.2.1]", "u@[192.0.2.1]"),
    to("<@r.example:b@%s>" % D, "b@" + D),
    to("|cmd", "|cmd@example.com"),
    to("/file", "/file@example.com"),
    to(":include:/etc/passwd", '":include:/etc/passwd"@example.com'),
    to("a@%s|||a@EXAMPLE.net|||A@%s" % (D, D), "a@" + D, "A@" + D),
    row("behind --", *I_F, "--", "-odd@" + D, to=["-odd@" + D]),
    row("an operand behind an operand", *I_F, "a@" + D, "-odd@" + D, to=["a@" + D, "-odd@" + D]),
    row("100 KiB in an operand", *I_F, "b@%s (%s)" % (D, "c " * 50000), to=["b@" + D]),
    row("100 operands", *I_F, *("u%05d@%s" % (i, D) for i in range(100)),
        to=["u%05d@%s" % (i, D) for i in range(100)]),
    row("one bad among good ones", *I_F, "a@b@" + D, lib.RECIPIENT,
        stderr=rb'\Asendmail: "a@b@example.net" is not an address[ -~]+\n\Z',
        reported=b"a@b@example.net"),
    row("an unbalanced quote among good ones", *I_F, '"a@' + D, lib.RECIPIENT, stderr=ONE_LINE,
        reported=b'"a@' + D.encode()),
    row("only a@b@d", *I_F, "a@b@" + D, status=65),
    row("only empty groups", *I_F, "undisclosed-recipients:;", status=64),
    row("only an empty operand", *I_F, "", status=64),
    row("only <>", *I_F, "<>", status=64),
    row("no operand", *I_F, status=64),
    row("LF", *I_F, "a@%s\nb@%s" % (D, D), status=65),
    row("CR", *I_F, "a@%s\rb@%s" % (D, D), status=65),
    row("another control", *I_F, "a\x07@%s" % D, status=65),
    row("a control in the second", *I_F, lib.RECIPIENT, "b\n@%s" % D, status=65),
)

SENDERS = (
    row("none: the login", "-i", lib.RECIPIENT, sender=LOGIN.pw_name + "@example.com"),
    row("a bare name", "-i", "-f", "x", lib.RECIPIENT, sender="x@example.com"),
    row("an empty word", "-i", "-f", "", lib.RECIPIENT, sender=""),
    row("<>", "-i", "-f", "<>", lib.RECIPIENT, sender=""),
    row("<> glued", "-i", "-f<>", lib.RECIPIENT, sender=""),
    row("in brackets", "-i", "-f", "<x@y.example>", lib.RECIPIENT, sender="x@y.example"),
    row("with a name", "-i", "-f", "X <x@y.example>", lib.RECIPIENT, sender="x@y.example"),
    row("with a quoted comma", "-i", "-f", '"X, Y" <x@y.example>', lib.RECIPIENT,
        sender="x@y.example"),
    row("-r", "-i", "-r", "x@y.example", lib.RECIPIENT, sender="x@y.example"),
    row("the last of two", "-i", "-f", "v@y.example", "-fx@y.example", lib.RECIPIENT,
        sender="x@y.example"),
    row("LF", "-i", "-f", "a\nb", lib.RECIPIENT, status=65),
    row("two", "-i", "-f", "a, b", lib.RECIPIENT, status=65),
    row("From is not the sender", "-i", lib.RECIPIENT, stdin=b"From: boss@example.org\n\nx\n",
        sender=LOGIN.pw_name + "@example.com", has=rb"From: boss@example\.org\r\n"),
    row("anyone may, without a trace", "-i", "-f", "boss@example.org", lib.RECIPIENT,
        sender="boss@example.org", has=rb"\(uid \d+\)",
        lacks=rb"(?i)X-Authentication-Warning|\r\nSender:"),
)

NAMELESS = (54321, 54321)  # a uid without an entry in the password file
NOBODY_KNOWN = {"LOGNAME": "", "USER": ""}
ENVIRONMENT = (
    row("NAME is a full name", "-i", "-fa@b.example", lib.RECIPIENT, env={"NAME": "A B"},
        has=rb"\r\nFrom: A B <a@b\.example>\r\n"),
    row("-F comes before NAME", "-i", "-FC", "-fa@b.example", lib.RECIPIENT, env={"NAME": "A B"},
        has=rb"\r\nFrom: C <a@b\.example>\r\n"),
    row("USER and LOGNAME do not change a known login", "-i", lib.RECIPIENT,
        env={"USER": "root", "LOGNAME": "root"}, sender=LOGIN.pw_name + "@example.com"),
    row("other mailers' variables change nothing", "-i", lib.RECIPIENT, env={
        "EMAIL": "e@x.example", "HOSTNAME": "x.example", "MAILHOST": "x.example",
        "MAILUSER": "root", "MAILNAME": "x.example", "NULLMAILER_USER": "n", "NULLMAILER_HOST": "x",
        "NULLMAILER_NAME": "N", "NULLMAILER_FLAGS": "t", "MAIL_CONFIG": "/nowhere",
        "MAIL_VERBOSE": "1", "MAIL_DEBUG": "1", "HOME": "/nowhere", "PATH": "", "IFS": "x"},
        sender=LOGIN.pw_name + "@example.com", lacks=rb"x\.example"),
    row("a locale changes nothing", "-ti", stdin=b"BCC: i@example.net\nX-I: 1\n\nx\n",
        env={"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR", "LANGUAGE": "tr"}, to=["i@example.net"],
        has=rb"\r\nDate: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), ", lacks=rb"(?im)^bcc"),
    row("a zone that is none", "-i", lib.RECIPIENT, env={"TZ": "Nowhere/Atlantis"}),
)
UNKNOWN_USERS = (
    row("no entry, LOGNAME", "-i", lib.RECIPIENT, env={"LOGNAME": "app-1", "USER": "other"},
        sender="app-1@example.com", user=NAMELESS),
    row("no entry, USER", "-i", lib.RECIPIENT, env={"LOGNAME": "", "USER": "app_2"},
        sender="app_2@example.com", user=NAMELESS),
    row("no entry, a LOGNAME that is no name", "-i", lib.RECIPIENT,
        env={"LOGNAME": "a b@c", "USER": "../x"}, sender="uid-54321@example.com", user=NAMELESS),
    row("no entry, no names", "-i", lib.RECIPIENT, env=NOBODY_KNOWN,
        sender="uid-54321@example.com", user=NAMELESS,
        has=rb"\r\nFrom: uid-54321@example\.com\r\n"),
)

ONE, TWO, THREE = ("%s@%s" % (name, D) for name in ("one", "two", "three"))
HEADER_RECIPIENTS = (
    header("union of To, Cc and Bcc, in any case, folded, repeated",
           b"TO: one@example.net\nto: two@example.net,\n\tthree@example.net\ncC: four@example.net\n"
           b"bcc: five@example.net\nBcc:\n six@example.net\n\nx\n",
           ONE, TWO, THREE, "four@" + D, "five@" + D, "six@" + D, lacks=rb"(?im)^bcc|five|six"),
    header("operands are added", b"To: one@example.net\n\nx\n", TWO, ONE,
           arguments=("-t", "-i", "two@" + D)),
    header("each once", b"To: one@example.net, one@EXAMPLE.NET\nCc: one@example.net\n\nx\n", ONE,
           arguments=("-t", "-i", "one@" + D)),
    header("a resend goes to the Resent- fields alone",
           b"Resent-To: one@example.net\nResent-Bcc: two@example.net\nTo: three@example.net\n\nx\n",
           ONE, TWO, lacks=rb"Resent-Bcc", has=(rb"\r\nResent-From: ", rb"\r\nResent-Date: ",
                                               rb"\r\nResent-Message-ID: ")),
    header("Resent-Cc alone", b"Resent-Cc: one@example.net\nTo: three@example.net\n\nx\n", ONE),
    header("Resent-From alone is no resend of recipients",
           b"Resent-From: r@example.com\nTo: one@example.net\nCc: two@example.net\n\nx\n", ONE, TWO),
    header("a blank before the colon", b"To : one@example.net\nSubject : x\n\nx\n", ONE),
    header("groups, comments, quotes, encoded words, escapes",
           b'To: friends: One <one@example.net>, "T, W \\" O" <two@example.net> (a, (b)\\));\n'
           b"Cc: =?utf-8?Q?Dr=C3=A4i?= <three@example.net>\n\nx\n", ONE, TWO, THREE,
           has=rb"=\?utf-8\?Q\?Dr=C3=A4i\?= <three@example\.net>"),
    header("undisclosed recipients with Bcc",
           b"To: undisclosed-recipients:;\nBcc: one@example.net\n\nx\n", ONE,
           has=rb"\r\nTo: undisclosed-recipients:;\r\n"),
    header("an empty To and a trailing comma", b"To:\nCc: one@example.net,\nBcc: ,\n\nx\n", ONE),
    header("fields in the body are text",
           b"To: one@example.net\n\nTo: two@example.net\nBcc: three@example.net\n", ONE,
           body=b"To: two@example.net\r\nBcc: three@example.net\r\n"),
    header("CRLF", b"To: one@example.net,\r\n two@example.net\r\nSubject: x\r\n\r\nx\r\n", ONE, TWO,
           body=b"x\r\n"),
    header("one bad among good ones", b"To: a@b@c, one@example.net\n\nx\n", ONE, stderr=ONE_LINE,
           reported=b"a@b@c"),
    row("nobody", "-ti", stdin=b"Subject: x\n\nTo: a@b.example\n", status=64),
    row("only an empty group", "-ti", stdin=b"To: undisclosed-recipients:;\n\nx\n", status=64),
    row("only bad ones", "-ti", stdin=b"To: a@b@c\n\nx\n", status=65),
)

HEADERS = (
    passes("Bcc goes without -t, too", b"To: x@example.net\nBcc: b@example.net\n"
           b"Resent-Bcc: c@example.net\n\nx\n", lacks=rb"(?im)^(resent-)?bcc"),
    passes("Return-Path goes", b"Return-Path: <evil@example.org>\nSubject: x\n\nx\n",
           lacks=rb"Return-Path|evil", sender=lib.SENDER),
    passes("Content-Length goes", b"Content-Length: 7\nSubject: x\n\nx\n", lacks=rb"Content-Length"),
    row("From: -F and the sender", "-i", "-F", 'X "Y" Z.', "-f", lib.SENDER, lib.RECIPIENT,
        has=rb'\r\nFrom: "X \\"Y\\" Z\." <app@example\.com>\r\n'),
    row("From: -F beyond ASCII", "-i", "-F", "J\xf6rg", "-f", lib.SENDER, lib.RECIPIENT,
        has=rb"\r\nFrom: =\?utf-8\?B\?SsO2cmc=\?= <app@example\.com>\r\n"),
    row("From: the full name of the login", "-i", lib.RECIPIENT, has=rb"\r\nFrom: %s<?%s@" % (
        re.escape(LOGIN.pw_gecos.split(",")[0].encode()) + (
            b" " if LOGIN.pw_gecos.split(",")[0] else b""), LOGIN.pw_name.encode())),
    row("From: the daemon's for the null sender", "-i", "-f", "<>", lib.RECIPIENT, sender="",
        has=rb"\r\nFrom: MAILER-DAEMON@example\.com\r\n"),
    passes("Date, Message-ID and From are added, nothing else", b"Subject: x\n\nx\n",
           has=(rb"\r\nDate: ", rb"\r\nMessage-ID: <[^>]+@client\.example\.com>\r\n", rb"\r\nFrom: "),
           lacks=rb"\r\n(To|Cc|Sender|MIME-Version|X-.*):"),
    passes("Date and Message-ID are kept",
           b"Date: Thu, 1 Jan 1970 00:00:00 +0000\nMessage-Id: <own@x>\n\nx\n",
           has=(rb"\r\nMessage-Id: <own@x>\r\n",), lacks=rb"Message-ID"),
    passes("a resend gets what it lacks", b"Resent-To: x@example.net\nFrom: a@example.org\n"
           b"Resent-Date: Thu, 1 Jan 1970 00:00:00 +0000\n\nx\n",
           has=(rb"\r\nResent-From: ", rb"\r\nResent-Message-ID: "),
           lacks=rb"\r\nResent-Date:[^\n]*\n(.*\n)*Resent-Date:|\r\nDate:|\r\nMessage-ID:"),
    passes("bare names are completed, comments stay",
           b"From: root (Cron Daemon)\nTo: root, Bob <bob>, x@example.net\nCc: web (a@b, c)\n"
           b"Reply-To: ops\nSender: root\nResent-To: r\n\nx\n",
           has=(rb"\r\nFrom: root@example\.com \(Cron Daemon\)\r\n",
                rb"\r\nTo: root@example\.com, Bob <bob@example\.com>, x@example\.net\r\n",
                rb"\r\nCc: web@example\.com \(a@b, c\)\r\n", rb"\r\nReply-To: ops@example\.com\r\n",
                rb"\r\nSender: root@example\.com\r\n", rb"\r\nResent-To: r@example\.com\r\n")),
    passes("what is complete passes byte for byte",
           b"X-Odd:a\nTo:  \"A, B\"\t<a@example.net>,\n \tb@example.net ;\nsUBJECT:   two  blanks  \n"
           b"X-Empty:\nX-Fold: a\n\n   \n",
           has=rb'\r\nX-Odd:a\r\nTo:  "A, B"\t<a@example\.net>,\r\n \tb@example\.net ;\r\n'
               rb"sUBJECT:   two  blanks  \r\nX-Empty:\r\nX-Fold: a\r\n", body=b"   \r\n"),
    passes("From_ goes", b"From evil Thu Jan  1 00:00:00 1970\nSubject: x\n\nx\n", lacks=rb"evil",
           sender=lib.SENDER, has=rb"\r\nSubject: x\r\n"),
    passes(">From_ goes", b">From evil Thu Jan  1 00:00:00 1970\nSubject: x\n\nx\n", lacks=rb"evil",
           has=rb"\r\nSubject: x\r\n"),
    passes("UTF-8 in a header stays", "Subject: gr\xfc\xdfe\n\nx\n".encode(),
           has=b"\r\nSubject: gr\xc3\xbc\xc3\x9fe\r\n"),
    passes("Latin-1 in a header stays", b"Subject: gr\xfc\xdfe\n\nx\n",
           has=b"\r\nSubject: gr\xfc\xdfe\r\n"),
    passes("a lone CR in a header is a blank", b"Subject: a\rBcc: b@c\n\nx\n",
           has=rb"\r\nSubject: a Bcc: b@c\r\n"),
    passes("NUL in a header goes", b"Subject: a\0b\n\nx\n", has=rb"\r\nSubject: ab\r\n"),
)

BODIES = (
    passes("no header at all", b"hello\nthere\n", body=b"hello\r\nthere\r\n"),
    passes("a first line that begins with a blank", b" x: y\nz\n", body=b" x: y\r\nz\r\n"),
    passes("a first line without a colon", b"Subject t\n", body=b"Subject t\r\n"),
    passes("a body without a blank line before it", b"Subject: x\nhello\n",
           has=rb"\r\nSubject: x\r\n", body=b"hello\r\n"),
    passes("a blank line alone", b"\n", body=b""),
    passes("nothing", b"", body=b"", has=rb"\r\nFrom: "),
    passes("a header without its line end", b"Subject: t", has=rb"\r\nSubject: t\r\n", body=b""),
    passes("no final newline", b"Subject: x\n\nend", body=b"end\r\n"),
    passes("CRLF", b"Subject: x\r\n\r\na\r\nb\r\n", body=b"a\r\nb\r\n"),
    passes("CRLF in the header, LF in the body", b"Subject: x\r\nX-A: b\r\n\r\na\nb\n",
           body=b"a\r\nb\r\n"),
    passes("CR CR LF", b"Subject: x\n\na\r\r\nb\n", body=b"a\r\n\r\nb\r\n"),
    passes("a lone CR is a line end", b"Subject: x\n\n1%\r2%\rdone\n",
           body=b"1%\r\n2%\r\ndone\r\n"),
    passes("a CR at the end", b"Subject: x\n\na\r", body=b"a\r\n"),
    passes("NUL goes", b"Subject: x\n\na\0b\n\0\n", body=b"ab\r\n\r\n"),
    passes("8-bit octets stay", b"Subject: x\n\n\xff\xc3\xa4\n", body=b"\xff\xc3\xa4\r\n"),
    passes("trailing blanks, blank lines and controls stay", b"Subject: x\n\na \t\n\x01\x1b[m\n\n\n",
           body=b"a \t\r\n\x01\x1b[m\r\n\r\n\r\n"),
    passes("a line of 998 octets", b"Subject: x\n\n" + b"y" * 998 + b"\n", body=b"y" * 998 + b"\r\n"),
    passes("with -i a dot is text", b"Subject: x\n\na\n.\n..\n.b\n", body=b"a\r\n.\r\n..\r\n.b\r\n"),
    passes("without -i a dot ends it", b"Subject: x\n\na\n.\nrest\n", ("-fa@b.example", lib.RECIPIENT),
           body=b"a\r\n"),
    passes("a dot and CRLF end it", b"Subject: x\n\na\n.\r\nrest\n", ("-fa@b.example", lib.RECIPIENT),
           body=b"a\r\n"),
    passes("a dot at the end of file ends it", b"Subject: x\n\na\n.", ("-fa@b.example", lib.RECIPIENT),
           body=b"a\r\n"),
    passes("a dot with text is text", b"Subject: x\n\n..x\n..\n. \n.x\n",
           ("-fa@b.example", lib.RECIPIENT), body=b"..x\r\n..\r\n. \r\n.x\r\n"),
)

OPTIONS = tuple(row(" ".join(words), *words, lib.RECIPIENT) for words in (
    ["-fa@b.example", "-oi"], ["-ti"], ["-it"], ["-im"], ["-oem", "-oi", "-odi"], ["-o", "i"],
    ["-O", "DeliveryMode=b"], ["-OTimeout.queuereturn=1d"], ["-B8BITMIME"], ["-B", "7BIT"],
    ["-Ac"], ["-Am"], ["-ba"], ["-bm"], ["-C", "/nowhere"], ["-c"], ["-D", "/nowhere/log"], ["-d0-99.127"],
    ["-E"], ["-G"], ["-J"], ["-em"], ["-ep"], ["-ew"], ["-ee"], ["-eq"], ["-oeq"], ["-h", "5"], ["-L", "tag"],
    ["-m"], ["-n"], ["-N", "never"], ["-oA/x"], ["-oA", "/x"], ["-pNNTP:h"],
    ["-R", "hdrs"], ["-Rfull"], ["-s"], ["-T", "1h"], ["-U"], ["-V", "id0001"], ["-X", "/nowhere/log"],
    ["-x"], ["--"])) + (
    row("-v says the id", "-v", lib.RECIPIENT, stderr=rb"\Asendmail: [ -~]*\b[0-9A-F]{10,16}\b[ -~]*\n\Z"),
    row("-N success brings a report", "-N", "success,delay,failure", lib.RECIPIENT,
        reported=lib.RECIPIENT.encode()),
    row("a bad -N costs a line", "-N", "often", lib.RECIPIENT, stderr=ONE_LINE),
    row("a bad -R costs a line", "-R", "none", lib.RECIPIENT, stderr=ONE_LINE),
    row("a bad -V costs a line", "-V", "x" * 101, lib.RECIPIENT, stderr=ONE_LINE),
    row("a bad -B costs a line", "-B", "9BIT", lib.RECIPIENT, stderr=ONE_LINE),
) + tuple(row(" ".join(words), *words, status=64) for words in (
    ["-y", lib.RECIPIENT], ["-f"], ["--frob", lib.RECIPIENT], ["-bd"], ["-bD"], ["-bl"], ["-bt"],
    ["-bC"], ["-bP"], ["-bS"], ["-h", "x", lib.RECIPIENT], ["-M", "x"], ["-Qx"], ["-S"],
    ["bob", "-f", "a@b"], ["bob", "-t"]))

CALLERS = tuple(row(" ".join(words[:4]), *words, stdin=text, to=whom, has=has) for words, text, whom, has in (
    (["-FCronDaemon", "-i", "-B8BITMIME", "-oem", "web"],
     b"From: root (Cron Daemon)\nTo: web\nSubject: Cron <root@h> true\nMIME-Version: 1.0\n"
     b"X-Cron-Env: <SHELL=/bin/sh>\n\nout\n", ["web@example.com"],
     (rb"\r\nFrom: root@example\.com \(Cron Daemon\)\r\n", rb"\r\nTo: web@example\.com\r\n")),
    (["-FCronDaemon", "-i", "-odi", "-oem", "-oi", "-t", "-f", "root"],
     b"From: root (Cron Daemon)\nTo: web\n\nout\n", ["web@example.com"], ()),
    (["-FAnacron", "-odi", "web"], b"From: Anacron <root>\nTo: web\nSubject: job\n\nout\n",
     ["web@example.com"], rb"\r\nFrom: Anacron <root@example\.com>\r\n"),
    (["-i", "web"], b"Subject: Output from your job 3\nTo: web\n\nout\n", ["web@example.com"], ()),
    (["-t"], b"To: one@example.net\nTo: two@example.net\nFrom: Logwatch\nSubject: L\n\nx\n",
     [ONE, TWO], rb"\r\nFrom: Logwatch@example\.com\r\n"),
    (["-t", "-i", "-fa@b.example"], b"To: one@example.net\r\nSubject: x\r\nX-PHP: 1\r\n\r\na\nb\n\r\n",
     [ONE], ()),
    (["-i", "-f", "a@b.example", "--", "one@example.net"], b"To: one@example.net\r\n\r\nx\r\n", [ONE], ()),
))


class CompatTest(unittest.TestCase):
    """One daemon and one smarthost for all rows; messages are told apart by their order."""

    @classmethod
    def setUpClass(cls):
        cls.fixture = lib.Case()
        lib.Case.setUpClass()
        cls.addClassCleanup(lib.Case.tearDownClass)
        cls.fixture.setUp()
        cls.addClassCleanup(cls.fixture.place.remove)
        cls.addClassCleanup(cls.fixture.finish)
        cls.host, cls.daemon = cls.fixture.host, cls.fixture.daemon
        cls.daemon.start()

    def check_rows(self, rows):
        before = len(self.host.records)
        for case in rows:
            with self.subTest(case.name):
                self.check_row(case)
        self.daemon.wait_queue(0)
        self.assertEqual(len(self.host.records) - before,
                         sum((row.status == 0) + (row.reported is not None) for row in rows))
        self.assertEqual(self.host.violations, [])

    def check_row(self, case):
        before = len(self.host.records)
        done = self.daemon.sendmail(*case.arguments, stdin=case.stdin, env=case.env, user=case.user)
        self.assertEqual((done.returncode, done.stdout), (case.status, b""), done.stderr)
        self.assertRegex(done.stderr, case.stderr)
        if case.status:
            return
        awaited = before + (2 if case.reported else 1)
        lib.wait_for(lambda: len(self.host.records) >= awaited, "the message")
        records = self.host.records[before:awaited]
        if case.reported:
            records.sort(key=lambda record: record["recipients"] != case.to)
            self.assertEqual(records[1]["sender"], "")
            self.assertIn(case.reported, self.host.content(records[1]))
        record = records[0]
        self.assertEqual(record["recipients"], case.to)
        if case.sender is not None:
            self.assertEqual(record["sender"], case.sender)
        self.check_content(case, self.host.content(record))

    def check_content(self, case, content):
        head, _, body = content.partition(b"\r\n\r\n")
        head = b"\r\n" + head + b"\r\n"
        for pattern in case.has:
            self.assertRegex(head, pattern)
        for pattern in case.lacks:
            self.assertNotRegex(head, pattern)
        if case.body is not None:
            self.assertEqual(body, case.body)

    def test_operands_are_address_lists(self):
        self.check_rows(OPERANDS)

    def test_the_sender_is_who_it_should_be(self):
        self.check_rows(SENDERS)

    def test_the_environment_says_little(self):
        self.check_rows(ENVIRONMENT)

    def test_a_user_without_a_passwd_entry_sends(self):
        if os.getuid() != 0:
            self.skipTest("only root can become another user")
        self.check_rows(UNKNOWN_USERS)

    def test_t_takes_recipients_from_the_header(self):
        self.check_rows(HEADER_RECIPIENTS)

    def test_headers_are_mended_and_else_left_alone(self):
        self.check_rows(HEADERS)

    def test_bodies_arrive_as_they_should(self):
        self.check_rows(BODIES)

    def test_options_of_all_mailers_are_understood(self):
        self.check_rows(OPTIONS)

    def test_callers_word_for_word(self):
        self.check_rows(CALLERS)

    def test_the_name_it_is_called_by_decides(self):
        """Only the last part of the path counts; an unknown name delivers."""
        names = {"send-mail.postfix": lib.RECIPIENT, "rmail": lib.RECIPIENT, "mailq": None,
                 "newaliases": None, "runq": None, "hoststat": None, "purgestat": None}
        for name, recipient in names.items():
            with self.subTest(name):
                link = self.fixture.place.file(name)
                os.symlink(self.fixture.place.programs["sendmail"], link)
                before = len(self.host.records)
                self.fixture.place.programs[name] = link
                done = self.daemon.run(name, *([recipient] if recipient else []),
                                       stdin=b"Subject: x\n\na\n.\nb\n", user=self.privileged())
                self.assertEqual((done.returncode, done.stderr), (0, b""))
                self.assertEqual(done.stdout, b"Mail queue is empty\n" if name == "mailq" else b"")
                if recipient:
                    lib.wait_for(lambda n=before: len(self.host.records) > n, "the message")
                    body = self.host.content(self.host.records[-1]).partition(b"\r\n\r\n")[2]
                    self.assertEqual(body, b"a\r\n.\r\nb\r\n" if name == "rmail" else b"a\r\n")

    def test_bv_answers_and_sends_nothing(self):
        before = len(self.host.records)
        done = self.daemon.sendmail("-bv", "A <a@b.example>, c", stdin=b"")
        self.assertEqual((done.returncode, done.stderr, done.stdout), (0, b"", (
            b"a@b.example... deliverable: mailer relay, host localhost, user a@b.example\n"
            b"c@example.com... deliverable: mailer relay, host localhost, user c@example.com\n")))
        done = self.daemon.sendmail("-bv", "a@b@c", stdin=b"")
        self.assertEqual(done.returncode, 67)
        self.assertRegex(done.stderr, ONE_LINE)
        self.assertEqual((self.daemon.queue(), len(self.host.records)), ([], before))

    def test_bs_takes_several_messages_with_any_line_end_before_it_is_asked(self):
        before = len(self.host.records)
        one = "MAIL FROM:<a@b.example>\nRCPT TO:<r%d@example.net>\nDATA\nSubject: %d\nBcc: x@y.example\n\nx\n..\n.\n"
        done = self.daemon.sendmail("-bs", "-odb", "-oem", stdin=(
            "EHLO x\n" + one % (1, 1) + (one % (2, 2)).replace("\n", "\r\n") + "QUIT\n").encode())
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(len(re.findall(rb"(?m)^250 2\.0\.0 Ok: queued as [0-9A-F]{10,16}\r$", done.stdout)), 2)
        lib.wait_for(lambda: len(self.host.records) == before + 2, "both messages")
        for number, record in enumerate(sorted(self.host.records[before:], key=lambda r: r["recipients"]), 1):
            self.assertEqual(record["recipients"], ["r%d@example.net" % number])
            head, _, body = self.host.content(record).partition(b"\r\n\r\n")
            self.assertIn(b"\r\nSubject: %d" % number, head)
            self.assertNotRegex(head, rb"(?i)\nbcc:")
            self.assertEqual(body, b"x\r\n.\r\n")

    def test_operands_may_fill_the_argument_list(self):
        """Sympa packs recipients up to ARG_MAX: here a mebibyte and a half."""
        operands = ["%s-%05d@example.net" % ("u" * 50, number) for number in range(18000)]
        server = Submission(self.fixture.place.file("many.sock"))
        self.addCleanup(server.close)
        done = self.daemon.sendmail(*I_F, "--", *operands,
                                    env={"TRANTER_SOCKET": self.fixture.place.file("many.sock")})
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
        self.assertEqual(server.complete, 1)
        self.assertEqual([line for line in server.commands if line.startswith("RCPT")],
                         ["RCPT TO:<%s>" % operand for operand in operands])

    def privileged(self):
        return (0, 0) if self.fixture.place.user else None

    def test_modes_without_a_message_do_not_read_one(self):
        """Their standard input is a terminal or a pipe that nobody ever closes."""
        reader, writer = os.pipe()
        self.addCleanup(os.close, writer)
        self.addCleanup(os.close, reader)
        for words in (["-bp"], ["-bi"], ["-q"], ["-q30m"], ["-bv", "a@b.example"], ["-bh"], ["-bH"], ["-I"],
                      ["-qf"], ["-qRx"], ["-qGx"], ["-bd"], ["-bt"], ["-y", "x"], ["--frob", "x"], ["-f"],
                      ["x", "-f"]):
            with self.subTest(words):
                done = subprocess.run([self.fixture.place.programs["sendmail"], *words],
                                      stdin=reader, capture_output=True, timeout=lib.PATIENCE,
                                      env=self.daemon.environment(), check=False)
                self.assertEqual(done.returncode,
                                 64 if words[0] in ("-bd", "-bt", "-y", "--frob", "-f", "x") else 0, done.stderr)
                self.assertEqual(b"tranter.service" in done.stderr, words == ["-bd"])


if __name__ == "__main__":
    lib.main()
