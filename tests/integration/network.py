# SPDX-License-Identifier: GPL-3.0-or-later
"""A network, a hosts file and a DNS of a test module's own, so that it may listen on 25 and 587.

own_network() puts this process, and the threads and programs that it starts from then on, into
namespaces of their own: an ordinary user can, where the kernel lets users make namespaces.
"""

import ctypes
import fcntl
import os
import select
import socket
import struct
import tempfile
import threading
import unittest

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x20000, 0x10000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 1 << 18
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
A, CNAME, MX, AAAA = 1, 5, 15, 28
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3

libc = ctypes.CDLL(None, use_errno=True)


def call(function, *arguments):
    if function(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, "%s: %s" % (function.__name__, os.strerror(error)))


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def own_namespaces():
    uid, gid = os.getuid(), os.getgid()
    call(libc.unshare, CLONE_NEWNET | CLONE_NEWNS | (CLONE_NEWUSER if uid else 0))
    if uid:
        write("/proc/self/setgroups", "deny")
        write("/proc/self/uid_map", "%d %d 1" % (uid, uid))
        write("/proc/self/gid_map", "%d %d 1" % (gid, gid))
    call(libc.mount, b"none", b"/", None, MS_REC | MS_PRIVATE, None)


def lift_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(sock, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def replace_file(path, text):
    """Have this process and its children see a file of this text at path."""
    with tempfile.NamedTemporaryFile("w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.chmod(file.name, 0o644)
        call(libc.mount, file.name.encode(), os.path.realpath(path).encode(), None, MS_BIND, None)


class Dns:
    """A name server on 127.0.0.1 that knows what it is told: {name: {type: [data]}}, or a code."""

    def __init__(self):
        self.names = {}
        self.sock = None

    def start(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 53))
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def stop(self):
        if self.sock:
            self.stopping.set()
            self.thread.join()
            self.sock.close()
            self.sock = None

    def _serve(self):
        while not self.stopping.is_set():
            if select.select([self.sock], [], [], 0.02)[0]:
                question, address = self.sock.recvfrom(512)
                self.sock.sendto(self.answer(question), address)

    def answer(self, question):
        name, end = self._name(question, 12)
        kind = struct.unpack("!H", question[end:end + 2])[0]
        known = self.names.get(name, NXDOMAIN)
        code = known if isinstance(known, int) else NOERROR
        answers = b""
        count = 0
        if code == NOERROR:
            for type_, data in ((t, d) for t in (CNAME, kind) for d in known.get(t, ())):
                answers += self._wire(name) + struct.pack("!HHIH", type_, 1, 0, len(data)) + data
                count += 1
                if type_ == CNAME:
                    name = self._name(data, 0)[0]
                    known = self.names[name]
        return (question[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, count, 0, 0) +
                question[12:end + 4] + answers)

    @staticmethod
    def _name(packet, at):
        labels = []
        while packet[at]:
            labels.append(packet[at + 1:at + 1 + packet[at]].decode().lower())
            at += 1 + packet[at]
        return ".".join(labels), at + 1

    @staticmethod
    def _wire(name):
        return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"

    def add(self, name, ipv4=(), ipv6=(), alias=None, mx=None):
        known = {A: [socket.inet_pton(socket.AF_INET, ip) for ip in ipv4],
                 AAAA: [socket.inet_pton(socket.AF_INET6, ip) for ip in ipv6]}
        if alias:
            known[CNAME] = [self._wire(alias)]
        if mx:
            known[MX] = [struct.pack("!H", 10) + self._wire(mx)]
        self.names[name] = known


class Mute:
    """A port that swallows every connection: its queue is full."""

    def __init__(self, ip, port):
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        self.socks = [socket.socket(family)]
        self.socks[0].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socks[0].bind((ip, port))
        self.socks[0].listen(0)
        for _ in range(8):
            sock = socket.socket(family)
            sock.setblocking(False)
            sock.connect_ex((ip, port))
            self.socks.append(sock)

    def close(self):
        for sock in self.socks:
            sock.close()


def own_network(hosts=""):
    """Also replaces /etc/hosts (with localhost and these lines) and the name server by ours."""
    try:
        own_namespaces()
    except PermissionError as error:
        raise unittest.SkipTest("namespaces of one's own are not allowed here: %s" % error)
    lift_loopback()
    replace_file("/etc/hosts", "127.0.0.1 localhost\n" + hosts)
    replace_file("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
