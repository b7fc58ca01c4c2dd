#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small, strict and scriptable smarthost on loopback, for the tests and the demonstration.

It demands TLS and a login before MAIL, checks whatever its client does against RFC 5321, 2920,
3207 and 4954, keeps each message as a file with a record beside it, and misbehaves as it is told.

    smarthost.py --directory DIR [--starttls PORT] [--implicit PORT] [--user NAME:PASSWORD]...
                 [--script FILE] [--certificate KIND]

Port 0 takes a free one. When it listens, DIR/ready.json tells the ports and the authority's file.
DIR then fills with

    N.eml, N.json      the N-th message as received (dot-stuffing undone) and what is known of it
    violations         a line for each rule that the client broke
    transcript         the dialogue, without secrets

The script is a list of rules; of those that fit, the first that is not used up applies:

    stage        greeting ehlo starttls tls auth mail rcpt data bdat body dot quit rset noop;
                 dot is the answer to a whole content, also behind BDAT
    session      number of the connection, from 1      } a number or a list of numbers
    message      number of MAIL within the session     }
    total        number of MAIL over all sessions      }
    recipient    pattern (fnmatch) on the address of RCPT
    sender       pattern on the address of MAIL
    secured      true: only inside TLS; false: only in clear
    times        how often it applies; always where it is missing
    after        with body: not before so many bytes of content were received
    action       what to do in place of the plain answer:
      reply      send text (lines divided by \\n); a 421 also closes
      close      close the connection; with "text", send it first
      rst        reset the connection
      stall      say nothing more, until the client leaves
      delay      wait for seconds, then give the usual answer (or text)
      drip       the usual answer (or text), a byte each "seconds"
      garbage    send text, or bytes that are no reply at all, and wait
      inject     the usual answer with text behind it in the same segment, before any TLS
      drop       the usual answer to EHLO without the capabilities named in the list "words"
      offer      the usual answer to EHLO with those in "words" added
    keep         with dot: keep the message although the client is not told (or not, if false);
                 it is kept unless the action is a reply that refuses
"""

import argparse
import fnmatch
import json
import os
import select
import signal
import socket
import ssl
import sys
import threading
import time
import weakref

from certificates import Certificates
from smarthost_sasl import client_context
from smarthost_session import Session

CAPABILITIES = ("PIPELINING", "SIZE 104857600", "8BITMIME", "ENHANCEDSTATUSCODES")
CHUNKING = CAPABILITIES + ("CHUNKING",)


class Script:
    """The rules, and how often each was used. Tests may replace them while the host runs."""

    def __init__(self, rules=()):
        self._lock = threading.Lock()
        self.replace(rules)

    def replace(self, rules):
        for rule in rules:
            if "stage" not in rule or "action" not in rule:
                raise ValueError("a rule needs a stage and an action: %r" % (rule,))
        with self._lock:
            self._rules = [(dict(rule), [0]) for rule in rules]

    def take(self, facts):
        """The rule that applies to these facts, or None; counts its use."""
        with self._lock:
            for rule, used in self._rules:
                if used[0] < rule.get("times", used[0] + 1) and self._fits(rule, facts):
                    used[0] += 1
                    return rule
        return None

    @staticmethod
    def _fits(rule, facts):
        if rule["stage"] != facts["stage"] or facts["received"] < rule.get("after", 0):
            return False
        for key in ("session", "message", "total"):
            wanted = rule.get(key, facts[key])
            if facts[key] not in (wanted if isinstance(wanted, list) else [wanted]):
                return False
        for key in ("sender", "recipient"):
            if not fnmatch.fnmatchcase(facts[key], rule.get(key, "*")):
                return False
        return rule.get("secured", facts["secured"]) == facts["secured"]


class Smarthost:
    """A smarthost with one port. start() and stop() may follow each other; the port stays."""

    def __init__(self, directory, certificates, tls="starttls", users=None, rules=(), port=0,
                 certificate="good"):
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        self.certificates = certificates
        self.certificate = certificate
        self.tls = tls  # "starttls", "implicit", "none"
        self.users = {"web1@example.com": "secret word"} if users is None else users
        self.script = Script(rules)
        self.port = port
        self.name = "smarthost.test"
        self.capabilities = CAPABILITIES
        self.mechanisms = ("PLAIN", "LOGIN")
        self.tokens = {}      # user: tokens that are good for him
        self.sasl = {}        # how AUTH misbehaves: smarthost_sasl.py
        self.client_ca = None  # asks for client certificates of this authority
        self.login_in_clear = False
        self.newest_tls = None  # an ssl.TLSVersion; older ones than usual are spoken, too
        self.records = []     # of the messages kept, in order
        self.violations = []
        self.transcript = []
        self.sessions = 0     # since the beginning
        self.most_open = 0    # sessions at once
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._open = {}
        self._messages = 0
        self._listener = None
        self._violations = self._open_text("violations")
        self._transcript = self._open_text("transcript")

    def _open_text(self, name):
        descriptor = os.open(os.path.join(self.directory, name),
                             os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        weakref.finalize(self, os.close, descriptor)
        return descriptor

    def start(self):
        self.stopping.clear()
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()
        return self

    def stop(self):
        """Close the port and every connection, as a killed server would."""
        if not self._listener:
            return
        self.stopping.set()
        self._acceptor.join()
        self._listener.close()
        self._listener = None
        with self._lock:
            left = list(self._open.items())
        for thread, session in left:
            try:
                # Not the method of ssl's socket: that makes it read what was encrypted as it is.
                socket.socket.shutdown(session.sock, socket.SHUT_RDWR)
            except OSError:
                pass
            thread.join(10)

    def _accept(self):
        while not self.stopping.is_set():
            if not select.select([self._listener], [], [], 0.05)[0]:
                continue
            sock, _ = self._listener.accept()
            self.sessions += 1
            session = Session(self, sock, self.sessions, self.tls == "implicit")
            thread = threading.Thread(target=self._serve, args=(session,), daemon=True)
            with self._lock:
                self._open[thread] = session
                self.most_open = max(self.most_open, len(self._open))
            thread.start()

    def _serve(self, session):
        try:
            session.run()
        finally:
            with self._lock:
                self._open.pop(threading.current_thread(), None)

    def open_sessions(self):
        with self._lock:
            return len(self._open)

    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificates.chain(self.certificate),
                                self.certificates.key(self.certificate))
        if self.client_ca:
            client_context(context, self.client_ca)
        if self.newest_tls:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            context.maximum_version = self.newest_tls
        return context

    def count_message(self):
        with self._lock:
            self._messages += 1
            return self._messages

    def kept(self):
        return len(self.records)

    def temporary(self, session):
        return os.path.join(self.directory, "tmp.%d.%d" % (session.number, session.message))

    def keep(self, record, temporary):
        """Put a message and its record in place, each at once or not at all."""
        with self._lock:
            number = len(self.records) + 1
            record.update(number=number, file=self.path_of(number))
            os.rename(temporary, record["file"])
            self._write("%d.json" % number, json.dumps(record, indent=1) + "\n")
            self.records.append(record)

    def path_of(self, number):
        return os.path.join(self.directory, "%d.eml" % number)

    def content(self, record):
        with open(record["file"], "rb") as file:
            return file.read()

    def violate(self, text):
        with self._lock:
            self.violations.append(text)
            os.write(self._violations, (text + "\n").encode("latin-1", "replace"))

    def note(self, text):
        line = "%.3f %s" % (time.time(), text)
        with self._lock:
            self.transcript.append(line)
            os.write(self._transcript, (line + "\n").encode("latin-1", "replace"))

    def _write(self, name, text):
        temporary = os.path.join(self.directory, "tmp." + name)
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(temporary, os.path.join(self.directory, name))

    def announce(self, facts):
        self._write("ready.json", json.dumps(facts) + "\n")


def parse_arguments():
    parser = argparse.ArgumentParser(description="a strict smarthost on loopback")
    parser.add_argument("--directory", required=True)
    parser.add_argument("--starttls", type=int, metavar="PORT")
    parser.add_argument("--implicit", type=int, metavar="PORT")
    parser.add_argument("--user", action="append", default=[], metavar="NAME:PASSWORD")
    parser.add_argument("--script", metavar="FILE")
    parser.add_argument("--certificate", default="good")
    given = parser.parse_args()
    if given.starttls is None and given.implicit is None:
        given.starttls = 0
    return given


def main():
    given = parse_arguments()
    certificates = Certificates.make(os.path.join(given.directory, "certificates"))
    users = dict(user.split(":", 1) for user in given.user) or None
    rules = []
    if given.script:
        with open(given.script, encoding="utf-8") as file:
            rules = json.load(file)
    ends = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ends.set())
    hosts = {}
    for tls, port in (("starttls", given.starttls), ("implicit", given.implicit)):
        if port is not None:
            directory = given.directory if not hosts else os.path.join(given.directory, tls)
            hosts[tls] = Smarthost(directory, certificates, tls, users, rules, port,
                                   given.certificate).start()
    facts = {tls: host.port for tls, host in hosts.items()}
    next(iter(hosts.values())).announce(dict(facts, ca=certificates.ca, pid=os.getpid()))
    ends.wait()
    for host in hosts.values():
        host.stop()
    return 1 if any(host.violations for host in hosts.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
