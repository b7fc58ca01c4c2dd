# SPDX-License-Identifier: GPL-3.0-or-later
"""A certification authority for one run of the tests, made with the openssl program.

Certificates.make(directory) writes there

    ca.pem                 the authority: what tls-ca-file names
    NAME.pem, NAME.key     for each of KINDS: the server's chain and its key

    good        localhost, smarthost.test and 127.0.0.1; valid for a day
    expired     the same names; the last day of its validity was yesterday
    wrongname   elsewhere.test alone
    client      not a server's: a client called web1@example.com
    selfsigned  the right names, signed by itself
"""

import datetime
import os
import subprocess

KINDS = ("good", "expired", "wrongname", "client", "selfsigned")
NAMES = "DNS:localhost,DNS:smarthost.test,IP:127.0.0.1"

CONFIGURATION = """\
[ca]
default_ca = authority
[authority]
dir = .
database = index
serial = serial
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
policy = policy
unique_subject = no
[policy]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
commonName = ignored
[authority_extensions]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[right]
basicConstraints = critical,CA:false
extendedKeyUsage = serverAuth
subjectAltName = {names}
[client]
basicConstraints = critical,CA:false
extendedKeyUsage = clientAuth
[wrong]
basicConstraints = critical,CA:false
extendedKeyUsage = serverAuth
subjectAltName = DNS:elsewhere.test
"""


class Certificates:
    def __init__(self, directory):
        self.directory = directory
        self.ca = os.path.join(directory, "ca.pem")

    @classmethod
    def make(cls, directory):
        """Make the authority and one certificate of each kind, or take those that are there."""
        certificates = cls(directory)
        if not os.path.exists(certificates.chain(KINDS[-1])):
            certificates._make_all()
        return certificates

    def chain(self, kind):
        return os.path.join(self.directory, kind + ".pem")

    def key(self, kind):
        return os.path.join(self.directory, kind + ".key")

    def _make_all(self):
        os.makedirs(self.directory, exist_ok=True)
        self._write("openssl.cnf", CONFIGURATION.format(names=NAMES))
        self._write("index", "")
        self._write("serial", "1000\n")
        self._self_signed("ca", "/CN=Test authority", "authority_extensions")
        now = datetime.datetime.now(datetime.timezone.utc)
        day = datetime.timedelta(days=1)
        self._issued("good", "right", now - day, now + day)
        self._issued("expired", "right", now - 30 * day, now - day)
        self._issued("wrongname", "wrong", now - day, now + day)
        self._issued("client", "client", now - day, now + day, "web1@example.com")
        self._self_signed("selfsigned", "/CN=localhost", "right")

    def _self_signed(self, name, subject, extensions):
        self._key(name)
        self._openssl("req", "-config", "openssl.cnf", "-new", "-x509", "-days", "1", "-key",
                      name + ".key", "-subj", subject, "-extensions", extensions, "-out",
                      name + ".pem")

    def _issued(self, name, extensions, first, last, subject=None):
        self._key(name)
        self._openssl("req", "-config", "openssl.cnf", "-new", "-key", name + ".key", "-subj",
                      "/CN=" + (subject or name), "-out", name + ".csr")
        stamp = "%Y%m%d%H%M%SZ"
        self._openssl("ca", "-batch", "-notext", "-config", "openssl.cnf", "-extensions",
                      extensions, "-startdate", first.strftime(stamp), "-enddate",
                      last.strftime(stamp), "-in", name + ".csr", "-out", name + ".pem")

    def _key(self, name):
        self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
                      name + ".key")

    def _write(self, name, text):
        with open(os.path.join(self.directory, name), "w", encoding="ascii") as file:
            file.write(text)

    def _openssl(self, *arguments):
        done = subprocess.run(("openssl",) + arguments, cwd=self.directory, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError("openssl %s: %s" % (" ".join(arguments), done.stderr))
