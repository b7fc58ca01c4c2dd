# SPDX-License-Identifier: GPL-3.0-or-later
"""make install DESTDIR= puts things where the documentation says, without a privilege on any."""

import glob
import os
import re
import stat
import subprocess
import unittest

import lib

PREFIX = "/usr/local"
DIRECTORIES = ("prefix=" + PREFIX, "sysconfdir=/etc", "localstatedir=/var", "runstatedir=/run",
               "systemdsystemunitdir=/usr/lib/systemd/system")


class InstallTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = lib.Place()
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")}
        cls.root = cls.place.file("root")
        done = subprocess.run(["make", "-s", "-C", lib.BUILD, "install", "DESTDIR=" + cls.root,
                               *DIRECTORIES], env=environment, capture_output=True, text=True,
                              check=False)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)

    @classmethod
    def tearDownClass(cls):
        cls.place.remove()

    def path(self, name):
        return self.root + (name if name.startswith("/") else os.path.join(PREFIX, name))

    def test_the_programs_are_where_they_belong(self):
        for name in ("sbin/tranterd", "bin/tranterctl", "libexec/tranter/sendmail"):
            with self.subTest(name=name):
                self.assertTrue(stat.S_ISREG(os.lstat(self.path(name)).st_mode))
                self.assertTrue(os.access(self.path(name), os.X_OK))

    def test_the_names_that_programs_call_lead_to_the_shim(self):
        shim = self.path("libexec/tranter/sendmail")
        for name in ("sbin/sendmail", "lib/sendmail", "bin/mailq", "bin/newaliases"):
            with self.subTest(name=name):
                link = self.path(name)
                target = os.path.join(os.path.dirname(link), os.readlink(link))
                if os.readlink(link).startswith("/"):
                    target = self.root + os.readlink(link)
                self.assertEqual(os.path.realpath(target), os.path.realpath(shim))

    def test_no_file_has_a_privilege_or_is_writable_by_others(self):
        for directory, _, names in os.walk(self.root):
            for name in names:
                mode = os.lstat(os.path.join(directory, name)).st_mode
                if not stat.S_ISLNK(mode):
                    self.assertFalse(mode & (stat.S_ISUID | stat.S_ISGID | 0o022), name)

    def test_units_stay_under_the_prefix(self):
        with open(os.path.join(lib.BUILD, "Makefile"), encoding="utf-8") as file:
            directory = re.search(r"(?m)^systemdsystemunitdir = (.*)$", file.read())[1]
        self.assertRegex(directory, r"\A\$\{prefix\}/lib/systemd/system\Z")

    def test_no_template_is_left_unfilled(self):
        for name in ("/usr/lib/systemd/system/tranter.service", "lib/sysusers.d/tranter.conf",
                     "lib/tmpfiles.d/tranter.conf"):
            with open(self.path(name), encoding="utf-8") as file:
                self.assertNotIn("@", file.read().replace("@system-service", "").replace(
                    "@privileged", "").replace("@resources", ""), name)

    def test_the_way_to_a_drop_directory_stays_open(self):
        with open(self.path("lib/tmpfiles.d/tranter.conf"), encoding="utf-8") as file:
            self.assertRegex(file.read(), r"(?m)^d \S+/spool/tranter 0711 ")

    def test_the_manual_pages_and_units_are_there(self):
        for name in ("share/man/man8/tranterd.8", "share/man/man8/sendmail.8",
                     "share/man/man8/tranterctl.8", "share/man/man5/tranter.conf.5"):
            self.assertTrue(os.path.exists(self.path(name)), name)
        for name in ("tranter.service", "tranter.socket"):
            self.assertTrue(os.path.exists(self.path("/usr/lib/systemd/system/" + name)), name)

    def test_the_example_is_accepted_once_host_and_password_are_there(self):
        path = glob.glob(self.path("/etc/tranter/tranter.conf*"))[0]
        with open(path, encoding="utf-8") as file:
            text = file.read()
        password = self.place.write("password", "secret\n", 0o600)
        text = re.sub(r'(?m)^(\s*)#?\s*host(\s*=\s*)"[^"]*"', r'\1host\2"localhost"', text, 1)
        text = re.sub(r'(?m)^(\s*)#?\s*password-file(\s*=\s*)"[^"]*"',
                      lambda match: '%spassword-file%s"%s"' % (match[1], match[2], password),
                      text, 1)
        example = self.place.write("tranter.conf", text)
        done = subprocess.run([self.place.programs["tranterd"], "-t", "-c", example],
                              capture_output=True, text=True, check=False,
                              **lib.identity(self.place.user))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_programs_tell_their_version(self):
        for name in ("tranterd", "tranterctl"):
            done = subprocess.run([self.place.programs[name], "-V"], capture_output=True, text=True,
                                  check=False)
            self.assertRegex(done.stdout, r"\Atranter\w* \d+\.\d+", name)


if __name__ == "__main__":
    lib.main()
