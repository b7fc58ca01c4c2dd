# SPDX-License-Identifier: GPL-3.0-or-later
"""One connection of smarthost.py: the dialogue from the greeting to QUIT, and what it demands."""

import hashlib
import os
import re
import select
import socket
import ssl
import struct
import time

from smarthost_sasl import Cancelled, Exchange

COMMAND_MAX = 512
COMMAND_EXTENDED_MAX = 1024  # MAIL and RCPT with the parameters of extensions
AUTH_MAX = 12288
TEXT_LINE_MAX = 998
LAST_OF_GROUP = ("EHLO", "HELO", "STARTTLS", "AUTH", "DATA", "QUIT", "NOOP", "VRFY")
IDLE_SECONDS = 120
GARBAGE = bytes(range(128, 256)) * 2 + b"\0\r\n"

PATH = re.compile(r'<((?:"(?:[^"\\\x00-\x1f\x7f]|\\[ -~])*"@)?[^<>\s\x00-\x1f\x7f]*)>'
                  r"((?: [A-Za-z0-9-]+(?:=[\x21-\x3c\x3e-\x7e]+)?)*)", re.ASCII)
DOMAIN = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)"
                    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Za-z:.]+\]")


class Over(Exception):
    """The session ends here."""


class Body:
    """Content behind DATA: found the end of, checked, unstuffed and written, block by block."""

    END = b"\r\n.\r\n"
    STUFFED = True

    def __init__(self, path, violation):
        self.file = open(path, "wb")
        self.violation = violation
        self.pending = b"\r\n"  # so that a first line is like any other; not written
        self.bytes = 0
        self.has_8bit = False
        self.digest = hashlib.sha256()
        self.first = True

    def feed(self, data):
        """None while the end has not come; else what follows it."""
        data = self.pending + data
        end = data.find(self.END)
        if end < 0:
            cut = max(data.rfind(b"\r\n"), 0)
            self._take(data[:cut])
            self.pending = data[cut:]
            return None
        self._take(data[:end] + b"\r\n")
        self.file.close()
        return data[end + len(self.END):]

    def _take(self, block):
        if re.search(rb"(?<!\r)\n", block):
            self.violation("a bare LF in the content")
        if re.search(rb"\r(?!\n)", block):
            self.violation("a bare CR in the content")
        if b"\0" in block:
            self.violation("a NUL in the content")
        if self.STUFFED and re.search(rb"\r\n\.(?!\.)", block):
            self.violation("a line of the content begins with a dot that was not doubled")
        self.has_8bit = self.has_8bit or not block.isascii()
        if self.STUFFED:
            block = block.replace(b"\r\n.", b"\r\n")
        if max(map(len, block.split(b"\r\n"))) > TEXT_LINE_MAX:
            self.violation("a line of the content is longer than %d octets" % TEXT_LINE_MAX)
        if self.first and block:
            block, self.first = block[2:], False
        self.bytes += len(block)
        self.digest.update(block)
        self.file.write(block)


class Chunks(Body):
    """Content behind BDAT: so many octets as were announced, as they are."""

    STUFFED = False
    left = 0

    def expect(self, octets, last):
        self.left = octets
        self.last = last

    def feed(self, data):
        """None while octets are missing; else what follows them."""
        data, rest = data[:self.left], data[self.left:]
        self.left -= len(data)
        data = self.pending + data
        if self.left or not self.last:
            cut = max(data.rfind(b"\r\n"), 0)
            self._take(data[:cut])
            self.pending = data[cut:]
        else:
            if not data.endswith(b"\r\n"):
                self.violation("the content's last line has no end")
            self._take(data)
            self.file.close()
        return None if self.left else rest


class Session:
    """One connection, in a thread of its own."""

    def __init__(self, host, sock, number, implicit):
        self.host = host
        self.sock = sock
        self.number = number
        self.implicit = implicit
        self.buffer = b""
        self.secured = False
        self.message = 0
        self.total = 0
        self.said = ""
        self.pipelined = False
        self.alone = "the connect"  # nothing may be sent before the reply to this
        self.parameters = {}
        self.forget()
        self.sender = ""
        self.recipients = []
        self.asked_of = []

    def forget(self):
        """The state after the connect and after STARTTLS."""
        self.hello = ""
        self.user = ""
        self.mechanism = ""
        self.binding = ""
        self.offered = ()
        self.in_mail = False
        self.chunks = None

    # What came and goes

    def note(self, direction, text):
        self.host.note("%d%s %s %s" % (self.number, "s" if self.secured else " ", direction, text))

    def violation(self, text):
        self.host.violate("session %d: %s" % (self.number, text))

    def fill(self):
        data = self.sock.recv(65536)
        if not data:
            raise Over("the client left")
        self.buffer += data

    def has_input(self):
        """More was sent before our answer."""
        if not self.buffer:
            self.sock.setblocking(False)
            try:
                self.buffer = self.sock.recv(65536)
            except (BlockingIOError, ssl.SSLWantReadError):
                pass
            finally:
                self.sock.settimeout(IDLE_SECONDS)
        return bool(self.buffer)

    def line(self, limit=AUTH_MAX, secret=False):
        """The next line, without its end."""
        while b"\n" not in self.buffer:
            if len(self.buffer) > limit:
                self.violation("a line is longer than %d octets" % limit)
                raise Over("line too long")
            self.fill()
        raw, self.buffer = self.buffer.split(b"\n", 1)
        if not raw.endswith(b"\r"):
            self.violation("a command line ends in a bare LF: %r" % raw[:80])
        line = raw[:-1] if raw.endswith(b"\r") else raw
        path = line.upper().startswith((b"MAIL FROM:", b"RCPT TO:"))  # see check_ascii()
        if b"\r" in line or b"\0" in line or not (line.isascii() or path):
            self.violation("a command line has octets that it must not have: %r" % line[:80])
        text = line.decode("latin-1")
        shown = re.sub(r"(?i)^(AUTH \S+ )\S+", r"\1(secret)", text)
        self.note(">", "(secret)" if secret else shown)
        return text

    def send(self, data):
        self.note("<", data.decode("latin-1").rstrip("\r\n").replace("\r\n", " | "))
        self.sock.sendall(data)

    # The script

    def facts(self, stage, recipient="", received=0):
        return {"stage": stage, "session": self.number, "message": self.message,
                "total": self.total, "recipient": recipient, "sender": self.sender,
                "secured": self.secured, "received": received}

    def answer(self, stage, text, recipient="", rule=None):
        """Give the answer, or do what the script says in its place. True: a yes was said."""
        rule = rule or stage != "dot" and self.host.script.take(self.facts(stage, recipient))
        pause = 0
        if rule:
            text = self.misbehave(rule, text)
            pause = rule["seconds"] if rule["action"] == "drip" else 0
        if self.alone and self.has_input():
            self.violation("something was sent before the reply to %s: %r" % (self.alone,
                                                                             self.buffer[:80]))
        self.said, self.alone = text, ""
        self.send_lines(text, pause)
        if text.startswith("421"):
            raise Over("we said 421")
        return text[0] in "23"

    def send_lines(self, text, pause=0):
        wire = text.replace("\n", "\r\n").encode("latin-1") + b"\r\n"
        if not pause:
            self.send(wire)
        for at in range(len(wire) if pause else 0):
            self.sock.sendall(wire[at:at + 1])
            self.host.stopping.wait(pause)

    def misbehave(self, rule, text):
        """Act on a rule. Returns the text that is to be sent all the same."""
        action, words = rule["action"], rule.get("words", ())
        self.note("!", action)
        if action in ("reply", "drip"):
            return rule.get("text", text)
        if action == "drop":
            kept = [word for word in self.words_of(text) if word.split(" ")[0] not in words]
            return self.capabilities(kept)
        if action == "offer":
            return self.capabilities(self.words_of(text) + list(words))
        if action == "inject":
            return text + "\n" + rule["text"].rstrip("\r\n")
        if action == "delay":
            self.host.stopping.wait(rule["seconds"])
            return rule.get("text", text)
        self.end(action, rule)
        raise ValueError("no such action: " + action)

    def end(self, action, rule):
        """The actions that the session does not outlive."""
        if action == "garbage":
            self.sock.sendall(rule["text"].encode("latin-1") if "text" in rule else GARBAGE)
        if action in ("garbage", "stall"):
            self.wait_for_end()
        if action == "close" and "text" in rule:
            self.send_lines(rule["text"])
        if action == "rst":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if action in ("close", "rst"):
            raise Over(action)

    def wait_for_end(self):
        while not self.host.stopping.is_set():
            if select.select([self.sock], [], [], 0.1)[0] and not self.sock.recv(65536):
                break
        raise Over("the client gave up")

    @staticmethod
    def words_of(text):
        return [line[4:] for line in text.split("\n")[1:]]

    def capabilities(self, words):
        lines = [self.host.name] + words
        return "\n".join("250%s%s" % ("-" if at < len(lines) - 1 else " ", line)
                         for at, line in enumerate(lines))

    # The dialogue

    def run(self):
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.settimeout(IDLE_SECONDS)
        why = "done"
        try:
            self.note("!", "connected")
            if self.implicit:
                self.secure()
            self.answer("greeting", "220 %s ESMTP" % self.host.name)
            while True:
                self.command()
        except (Over, OSError, ValueError) as error:
            why = str(error)
        self.note("!", "ended: " + why)
        try:
            self.sock.close()
        except OSError:
            pass

    def command(self):
        text = self.line()
        verb = text.split(" ")[0].upper()
        limit = {"AUTH": AUTH_MAX, "MAIL": COMMAND_EXTENDED_MAX, "RCPT": COMMAND_EXTENDED_MAX}
        if len(text) + 2 > limit.get(verb, COMMAND_MAX):
            self.violation("%s is longer than %d octets" % (verb, limit.get(verb, COMMAND_MAX)))
        if verb in ("MAIL", "RCPT"):
            self.pipelined = self.pipelined or bool(self.buffer)
        if verb in LAST_OF_GROUP or "PIPELINING" not in self.offered:
            self.alone = verb
        steps = {"EHLO": self.on_ehlo, "HELO": self.on_ehlo, "STARTTLS": self.on_starttls,
                 "AUTH": self.on_auth, "MAIL": self.on_mail, "RCPT": self.on_rcpt,
                 "DATA": self.on_data, "BDAT": self.on_bdat, "RSET": self.on_rset,
                 "NOOP": self.on_noop, "QUIT": self.on_quit}
        if verb not in steps:
            self.violation("unknown command: %r" % text[:80])
            self.send(b"500 5.5.1 Unknown command\r\n")
            return
        steps[verb](text)

    def on_ehlo(self, text):
        name = text[5:]
        if not DOMAIN.fullmatch(name):
            self.violation("EHLO's argument is neither a domain nor an address literal: %r" % name)
        words = list(self.host.capabilities)
        if self.host.tls == "starttls" and not self.secured:
            words.append("STARTTLS")
        if self.secured or self.host.login_in_clear:
            words.append("AUTH " + " ".join(self.host.mechanisms))
        self.hello = name
        self.in_mail = False
        self.answer("ehlo", self.capabilities(words))
        self.offered = tuple(word.split(" ")[0] for word in self.words_of(self.said))

    def on_starttls(self, text):
        if text.upper() != "STARTTLS":
            self.violation("STARTTLS takes no argument: %r" % text)
        if self.secured or not self.hello:
            self.violation("STARTTLS inside TLS or before EHLO")
        if self.answer("starttls", "220 2.0.0 Go ahead"):
            self.buffer = b""
            self.secure()
            self.forget()

    def secure(self):
        rule = self.host.script.take(self.facts("tls"))
        if rule:
            self.misbehave(rule, "")
        try:
            self.sock = self.host.context().wrap_socket(self.sock, server_side=True)
        except (ssl.SSLError, OSError) as error:
            raise Over("TLS: %s" % error) from error
        self.secured = True
        self.note("!", "%s %s" % (self.sock.version(), self.sock.cipher()[0]))

    def on_auth(self, text):
        if not self.secured and not self.host.login_in_clear:
            self.violation("AUTH in clear")
        if not self.hello or self.user or self.in_mail:
            self.violation("AUTH before EHLO, twice or within a transaction")
        mechanism, _, initial = text[5:].partition(" ")
        mechanism = mechanism.upper()
        if mechanism not in self.host.mechanisms:
            self.violation("AUTH with a mechanism that was not offered: " + mechanism)
            self.answer("auth", "504 5.5.4 Mechanism not known")
            return
        exchange = Exchange(self, mechanism, initial)
        try:
            user = exchange.run()
        except Cancelled:
            self.note("!", "the client breaks AUTH off")
            self.send(b"501 5.7.0 Cancelled\r\n")
            return
        if not user:
            self.answer("auth", exchange.refusal)
        elif self.answer("auth", "235 2.7.0 Authentication successful"):
            self.user, self.mechanism, self.binding = user, mechanism, exchange.binding

    def path(self, text, keyword, parameters):
        """The address and the parameters behind MAIL FROM: or RCPT TO:."""
        match = PATH.fullmatch(text[len(keyword):])
        if not text.upper().startswith(keyword) or not match:
            self.violation("syntax: %r" % text[:200])
            raise Over("syntax")
        given = dict((word.upper().partition("=")[::2]) for word in match[2].split())
        for name in given:
            if parameters.get(name) not in self.offered:
                self.violation("parameter %s of an extension that was not offered" % name)
        return match[1], given

    def check_ascii(self, address):
        if not address.isascii() and "SMTPUTF8" not in self.parameters:
            self.violation("an address in UTF-8 without SMTPUTF8")

    def on_mail(self, text):
        self.message += 1
        self.total = self.host.count_message()
        self.sender, self.parameters = self.path(text, "MAIL FROM:",
                                                 {"SIZE": "SIZE", "BODY": "8BITMIME",
                                                  "SMTPUTF8": "SMTPUTF8", "RET": "DSN",
                                                  "ENVID": "DSN", "REQUIRETLS": "REQUIRETLS"})
        self.check_ascii(self.sender)
        if not self.secured and self.host.tls != "none":
            self.violation("MAIL in clear")
        if not self.hello:
            self.violation("MAIL before EHLO")
        if not self.user and self.host.users:
            self.violation("MAIL before a login")
            self.answer("mail", "530 5.7.0 Authentication required")
            return
        if self.in_mail:
            self.violation("MAIL within a transaction")
        self.recipients, self.asked_of = [], []
        self.in_mail = self.answer("mail", "250 2.1.0 Sender ok")

    def on_rcpt(self, text):
        address, asked = self.path(text, "RCPT TO:", {"NOTIFY": "DSN", "ORCPT": "DSN"})
        self.check_ascii(address)
        if "@" not in address:
            self.violation("RCPT to an address without a domain: %r" % address)
        if not self.in_mail:
            self.answer("rcpt", "503 5.5.1 MAIL first", address)
        elif self.answer("rcpt", "250 2.1.5 Recipient ok", address):
            self.recipients.append(address)
            self.asked_of.append(asked)

    def on_data(self, text):
        if text.upper() != "DATA":
            self.violation("DATA takes no argument: %r" % text)
        ready = self.in_mail and self.recipients
        if self.answer("data", "354 Go ahead" if ready else "554 5.5.1 No valid recipients"):
            self.content()
        self.in_mail = False

    def on_bdat(self, text):
        """The octets come whatever the answer is. After a refusal only RSET ends the transaction."""
        match = re.fullmatch(r"BDAT ([0-9]{1,10})( LAST)?", text, re.IGNORECASE)
        if not match or "CHUNKING" not in self.offered:
            self.violation("BDAT badly written, or not offered: %r" % text)
            raise Over("BDAT")
        rule = self.host.script.take(self.facts("bdat"))
        ready = self.in_mail and self.recipients and not rule
        self.chunks = self.chunks or Chunks(self.host.temporary(self), self.violation)
        self.chunks.expect(int(match[1]), bool(match[2]))
        try:
            self.receive(self.chunks)
            if not ready:
                self.answer("bdat", "503 5.5.1 No valid recipients", rule=rule)
            elif match[2]:
                self.in_mail = not self.end_of_content(self.chunks)
            else:
                self.answer("bdat", "250 2.0.0 %s octets" % match[1])
        finally:
            if match[2] or not ready:
                self.drop(self.chunks)
                self.chunks = None

    def content(self):
        if "PIPELINING" not in self.offered:
            self.alone = "the final dot"
        body = Body(self.host.temporary(self), self.violation)
        try:
            self.receive(body)
            if self.recipients:
                self.end_of_content(body)
            else:
                self.answer("dot", "554 5.5.1 No valid recipients")
        finally:
            self.drop(body)

    def receive(self, body):
        rest = body.feed(self.buffer)
        while rest is None:
            self.interrupt(self.host.script.take(self.facts("body", "", body.bytes)))
            self.buffer = b""
            self.fill()
            rest = body.feed(self.buffer)
        self.buffer = rest

    @staticmethod
    def drop(body):
        body.file.close()
        if os.path.exists(body.file.name):
            os.unlink(body.file.name)

    def interrupt(self, rule):
        """Act on a rule while content comes. A reply comes early, and nothing is read after it."""
        if rule:
            text = self.misbehave(rule, "")
            if text:
                self.send_lines(text)
                self.wait_for_end()

    def end_of_content(self, body):
        """True: the message was taken."""
        declared = int(self.parameters.get("SIZE", body.bytes))
        if declared != body.bytes:
            self.violation("SIZE=%d, but %d octets came" % (declared, body.bytes))
        if body.has_8bit and self.parameters.get("BODY") != "8BITMIME":
            self.violation("octets over 127 without BODY=8BITMIME")
        self.note("!", "content, %d octets" % body.bytes)
        rule = self.host.script.take(self.facts("dot"))
        refused = rule and rule["action"] == "reply" and rule["text"][0] not in "23"
        record = self.record(body)
        if not refused and (not rule or rule.get("keep", True)):
            self.host.keep(record, body.file.name)
        taken = self.answer("dot", "250 2.0.0 Ok: kept as %d" % self.host.kept(), rule=rule)
        record["answered"] = time.time()
        return taken

    def record(self, body):
        return {"session": self.number, "message": self.message, "sender": self.sender,
                "parameters": self.parameters, "recipients": self.recipients,
                "asked_of_recipients": self.asked_of, "pipelined": self.pipelined,
                "chunked": isinstance(body, Chunks), "followed": self.has_input(),
                "user": self.user, "mechanism": self.mechanism, "binding": self.binding,
                "ehlo": self.hello,
                "tls": self.sock.version() if self.secured else "",
                "cipher": self.sock.cipher()[0] if self.secured else "",
                "bytes": body.bytes, "sha256": body.digest.hexdigest(), "time": time.time()}

    def on_rset(self, _text):
        self.in_mail = False
        if self.chunks:
            self.drop(self.chunks)
        self.chunks = None
        self.answer("rset", "250 2.0.0 Reset")

    def on_noop(self, _text):
        self.answer("noop", "250 2.0.0 Ok")

    def on_quit(self, _text):
        self.answer("quit", "221 2.0.0 Bye")
        raise Over("QUIT")
