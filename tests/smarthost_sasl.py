# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's half of AUTH for smarthost.py: each mechanism that tranter has, strictly.

A test makes it misbehave by Smarthost.sasl, a dictionary:

    iterations      of SCRAM (4096)
    first, final    SCRAM's server messages, in the place of the right ones
    unproven        True: SCRAM ends with 235 and without a signature
    no_verifier     True: SCRAM's first message is refused, as where only hashes are kept
    accept          True: whatever the proof, it is right
    error           the JSON with which a token is refused
    echo            True: a refusal repeats what the client said last
"""

import base64
import binascii
import ctypes
import hashlib
import hmac
import os
import ssl

EXPORTER = b"EXPORTER-Channel-Binding"
MESSAGE_MAX = 12288


class Cancelled(Exception):
    """The client said *."""


def exported(sock):
    """RFC 9266's tls-exporter, which Python's ssl does not give: ask the OpenSSL beneath it."""
    library = ctypes.CDLL("libssl.so.3")
    library.SSL_export_keying_material.argtypes = [
        ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t,
        ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
    library.SSL_version.argtypes = [ctypes.c_void_p]
    # struct PySSLSocket: the head of an object, the socket, the SSL.
    at = id(sock._sslobj) + object.__basicsize__ + ctypes.sizeof(ctypes.c_void_p)
    pointer = ctypes.c_void_p.from_address(at).value
    if library.SSL_version(pointer) != 0x0304:
        raise RuntimeError("this Python keeps its SSL elsewhere, or it is not TLS 1.3")
    out = ctypes.create_string_buffer(32)
    if library.SSL_export_keying_material(pointer, out, 32, EXPORTER, len(EXPORTER), b"", 0, 1) != 1:
        raise RuntimeError("SSL_export_keying_material failed")
    return out.raw


class Exchange:
    """One AUTH command. run() gives the name of who logged in, "" for nobody."""

    def __init__(self, session, mechanism, initial):
        self.session = session
        self.mechanism = mechanism
        self.initial = initial
        self.how = session.host.sasl
        self.refusal = "535 5.7.8 Authentication credentials invalid"
        self.heard = initial
        self.binding = ""

    def run(self):
        user = self.steps()
        if not user and self.how.get("echo"):
            self.refusal = "535 5.7.8 cannot make sense of " + self.heard
        return user

    def steps(self):
        if self.mechanism.startswith("SCRAM-"):
            return self.scram()
        return {"PLAIN": self.plain, "LOGIN": self.login, "CRAM-MD5": self.cram_md5,
                "EXTERNAL": self.external, "XOAUTH2": self.xoauth2,
                "OAUTHBEARER": self.oauthbearer}[self.mechanism]()

    # What goes and comes

    def ask(self, challenge):
        """Send a challenge, and give the answer's bytes."""
        encoded = base64.b64encode(challenge)
        self.session.send(b"334 " + encoded + b"\r\n")
        text = self.session.line(secret=True)
        if self.session.has_input():
            self.session.violation("something was sent behind an answer of AUTH before its reply")
        if text == "*":
            raise Cancelled
        return self.raw(text)

    def raw(self, text):
        self.heard = text
        if len(text) > MESSAGE_MAX:
            self.session.violation("AUTH: a response of %d octets" % len(text))
        try:
            return base64.b64decode(text.encode("latin-1"), validate=True)
        except binascii.Error:
            self.session.violation("AUTH: that is no base64")
            return b""

    def first(self):
        """The initial response, asked for where it did not come along."""
        if self.initial == "=":
            return b""
        return self.raw(self.initial) if self.initial else self.ask(b"")

    def text(self, raw):
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            self.session.violation("AUTH: that is no UTF-8")
            return ""

    def knows(self, user, password):
        return user if password and self.session.host.users.get(user) == password else ""

    # The mechanisms

    def plain(self):
        parts = self.text(self.first()).split("\0")
        if len(parts) != 3 or parts[0]:
            self.session.violation("PLAIN is not an empty authorization, a name, a password")
            return ""
        return self.knows(parts[1], parts[2])

    def login(self):
        user = self.text(self.raw(self.initial) if self.initial else self.ask(b"Username:"))
        return self.knows(user, self.text(self.ask(b"Password:")))

    def cram_md5(self):
        challenge = b"<%s@smarthost.test>" % os.urandom(8).hex().encode()
        user, _, digest = self.text(self.ask(challenge)).partition(" ")
        password = self.session.host.users.get(user, "")
        right = hmac.digest(password.encode(), challenge, "md5").hex()
        return user if password and digest == right else ""

    def external(self):
        asked = self.text(self.first())
        certificate = self.session.sock.getpeercert() if self.session.secured else None
        names = dict(pair[0] for pair in (certificate or {}).get("subject", ()))
        return (asked or names.get("commonName", "")) if certificate else ""

    def token(self, user, fields):
        """Is that a good token for user? If not, say why first, as RFC 7628 has it."""
        kind, _, token = fields.get("auth", "").partition(" ")
        if kind != "Bearer":
            self.session.violation("AUTH: there is no Bearer in %r" % sorted(fields))
        if token in self.session.host.tokens.get(user, ()):
            return user
        error = self.how.get("error", '{"status":"invalid_token","scope":"mail"}')
        answer = self.ask(error.encode())
        if answer != (b"\1" if self.mechanism == "OAUTHBEARER" else b""):
            self.session.violation("AUTH: the answer to an error is %r" % answer)
        return ""

    @staticmethod
    def fields(text):
        return dict(part.partition("=")[::2] for part in text.split("\1") if part)

    def xoauth2(self):
        text = self.text(self.first())
        if not text.endswith("\1\1"):
            self.session.violation("XOAUTH2 does not end in two ^A")
        fields = self.fields(text)
        return self.token(fields.get("user", ""), fields)

    def oauthbearer(self):
        header, _, rest = self.text(self.first()).partition("\1")
        if not rest.endswith("\1\1") or not header.startswith("n,a=") or header[-1] != ",":
            self.session.violation("OAUTHBEARER is not as RFC 7628 has it")
        fields = self.fields(rest)
        if fields.get("port") != str(self.session.host.port):
            self.session.violation("OAUTHBEARER names port %s" % fields.get("port"))
        return self.token(header[4:-1].replace("=2C", ",").replace("=3D", "="), fields)

    # SCRAM

    def binding_data(self, name):
        if name == "tls-exporter":
            return exported(self.session.sock)
        if name == "tls-unique":
            return self.session.sock.get_channel_binding("tls-unique") or b"none"
        self.session.violation("SCRAM: channel binding %r" % name)
        return b""

    def check_flag(self, flag):
        """Is it the GS2 flag that our offer and this connection call for? The binding's bytes."""
        offered = any(name.endswith("-PLUS") for name in self.session.host.mechanisms)
        if self.mechanism.endswith("-PLUS"):
            if not flag.startswith("p="):
                self.session.violation("SCRAM-PLUS with the flag " + flag)
            return self.binding_data(flag[2:])
        if flag not in ("y", "n") or (flag == "y" and offered):
            self.session.violation("SCRAM with the flag " + flag)
        return b""

    def scram(self):
        name = "sha256" if "256" in self.mechanism else "sha1"
        first = self.text(self.first())
        flag, authorization, bare = (first.split(",", 2) + ["", ""])[:3]
        self.binding = flag
        data = self.check_flag(flag)
        fields = dict(part.partition("=")[::2] for part in bare.split(","))
        user = fields.get("n", "").replace("=2C", ",").replace("=3D", "=")
        if authorization or list(fields) != ["n", "r"] or len(fields["r"]) < 16:
            self.session.violation("SCRAM's first message is %r" % first)
        if self.how.get("no_verifier"):
            return ""
        salt = hashlib.sha256(user.encode()).digest()[:16]
        iterations = self.how.get("iterations", 4096)
        nonce = fields["r"] + base64.b64encode(os.urandom(9)).decode()
        server = self.how.get("first") or "r=%s,s=%s,i=%d" % (
            nonce, base64.b64encode(salt).decode(), iterations)
        final = self.text(self.ask(server.encode()))
        without, _, proof = final.rpartition(",p=")
        header = base64.b64encode(("%s,%s," % (flag, authorization)).encode() + data).decode()
        if without != "c=%s,r=%s" % (header, nonce):
            self.session.violation("SCRAM's final message is %r" % without)
            return ""
        message = ",".join((bare, server, without)).encode()
        password = self.session.host.users.get(user, "")
        salted = hashlib.pbkdf2_hmac(name, password.encode(), salt, iterations)
        return self.prove(name, salted, message, self.raw(proof)) and user

    def prove(self, name, salted, message, proof):
        """Check the client's proof, and give the server's."""
        key = hmac.digest(salted, b"Client Key", name)
        signature = hmac.digest(hashlib.new(name, key).digest(), message, name)
        right = bytes(a ^ b for a, b in zip(key, signature))
        if proof != right and not self.how.get("accept"):
            return False
        if self.how.get("unproven"):
            return True
        mine = hmac.digest(hmac.digest(salted, b"Server Key", name), message, name)
        final = self.how.get("final") or "v=" + base64.b64encode(mine).decode()
        if self.ask(final.encode()):
            self.session.violation("SCRAM: the server's proof was answered")
        return True


def client_context(context, authority):
    """Ask clients for a certificate of authority, for EXTERNAL."""
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(authority)


