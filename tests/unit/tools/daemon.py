# SPDX-License-Identifier: GPL-3.0-or-later
"""What sendmail and tranterctl talk to in these tests: sockets that follow a script."""

import os
import re
import socket
import threading

EHLO = "250-localhost\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-DSN\r\n250-SIZE 99999999\r\n250 SMTPUTF8"
SCRIPT = {"GREETING": "220 localhost", "EHLO": EHLO, "MAIL": "250 2.1.0 ok",
          "RCPT": "250 2.1.5 ok", "DATA": "354 go on", "FINAL": "250 2.0.0 queued as ABC123"}
DOT = b"\r\n.\r\n"


class Server:
    """A UNIX socket with a thread that serves one connection after the other."""

    def __init__(self, path):
        self.connections = 0
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        self.listener.listen(8)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                try:
                    self.serve(connection)
                except OSError:
                    pass

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


class Smtp(Server):
    """Speaks SMTP by a script: a reply for each step, or a list with one for each time, of which
    the last one stays.

    A reply of None closes the connection instead; so does one of 421, after it was said. What was
    heard is kept: .commands, .segments (as they arrived), .content (as on the wire, without the
    dot), .contents (all of them), .whole (the dot came). at_final() is called when it has,
    at_loss() before a connection is closed.
    """

    def __init__(self, path, **script):
        self.script = dict(SCRIPT, **script)
        self.commands, self.segments, self.content, self.whole = [], [], b"", False
        self.keep, self.content_bytes = True, 0
        self.contents = []
        self.at_final = self.at_loss = lambda: None
        self.over = threading.Event()
        super().__init__(path)

    def serve(self, connection):
        self.connection, self.input = connection, b""
        try:
            self.talk()
        finally:
            self.over.set()

    def more(self):
        piece = self.connection.recv(65536)
        if not piece:
            raise ConnectionError("end of file")
        return piece

    def line(self):
        while b"\r\n" not in self.input:
            self.segments.append(self.more())
            self.input += self.segments[-1]
        line, self.input = self.input.split(b"\r\n", 1)
        self.commands.append(line.decode("latin-1"))
        return self.commands[-1].split(" ")[0].upper()

    def reply(self, step):
        reply = self.script[step]
        if isinstance(reply, list):
            reply = reply.pop(0) if len(reply) > 1 else reply[0]
        if reply is None:
            self.at_loss()
            raise ConnectionError("as the script says")
        self.connection.sendall(reply.encode() + b"\r\n")
        if reply.startswith("421"):
            raise ConnectionError("as the reply says")
        return reply

    def talk(self):
        self.reply("GREETING")
        while True:
            verb = self.line()
            if verb == "QUIT":
                return
            if self.reply(verb).startswith("354"):
                self.take_content()

    def take_content(self):
        tail, received = b"\r\n", [self.input]
        while True:
            piece = received[-1]
            self.content_bytes += len(piece)
            tail = (tail + piece)[-200:]
            if DOT in tail:
                break
            if self.script.get("stop after", 1 << 60) <= self.content_bytes:
                raise ConnectionError("as the script says")
            if not self.keep:
                received.clear()
            received.append(self.more())
        self.whole = True
        self.at_final()
        text = b"".join(received)
        self.content, dot, self.input = (b"\r\n" + text if text.startswith(b".\r\n")
                                         else text).partition(DOT)
        self.content += b"\r\n"
        self.contents.append(self.content)
        self.reply("FINAL")


class Control(Server):
    """Answers every question on a control socket with the same bytes."""

    def __init__(self, path, answer):
        self.answer, self.questions = answer, []
        super().__init__(path)

    def serve(self, connection):
        with connection.makefile("rb") as lines:
            self.questions.append(lines.readline().decode())
        connection.sendall(self.answer)


def peak_kib(pid):
    """The most memory that the process has had, in KiB."""
    with open("/proc/%d/status" % pid, encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s*(\d+) kB", status.read()).group(1))


def remove(path):
    if os.path.exists(path):
        os.unlink(path)
