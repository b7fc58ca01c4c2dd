# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports as a strict parser reads them, and what every one of them must have."""

import email
import email.policy
import email.utils
import re
import subprocess

STRICT = email.policy.default.clone(raise_on_defect=True)


class Report:
    """A report at a smarthost: its fields, its text, what it says of each recipient, and what it
    returns."""

    def __init__(self, test, content, sender):
        self.message = email.message_from_bytes(content, policy=STRICT)
        message = self.message
        test.assertEqual(message.get_content_type(), "multipart/report")
        test.assertEqual(message.get_param("report-type"), "delivery-status")
        test.assertEqual(message["To"], sender)
        test.assertEqual(message["Auto-Submitted"], "auto-replied")
        test.assertTrue(message["X-Tranter-Report"])
        test.assertRegex(message["From"], r"(?i)mailer-daemon@example\.com")
        for name in ("Date", "Message-ID", "Subject"):
            test.assertTrue(message[name], name)
        self.text_part, self.status, self.original = message.iter_parts()
        self.text = self.text_part.get_content()
        self.of_message, *self.of_recipients = self.status.get_payload()
        test.assertEqual(self.of_message["Reporting-MTA"], "dns; client.example.com")
        test.assertTrue(self.of_message["Arrival-Date"])
        for part in self.of_recipients:
            for name in ("Final-Recipient", "Action", "Status"):
                test.assertTrue(part[name], name)
            for name in ("Last-Attempt-Date", "Will-Retry-Until"):
                if part[name]:
                    test.assertTrue(email.utils.parsedate_to_datetime(part[name]), part[name])
            test.assertRegex(part["Status"], {"failed": r"^[45]\.", "delayed": r"^4\."}.get(
                part["Action"], r"^2\."))
            self.check_told(test, part)

    def check_told(self, test, part):
        """People are told what software is."""
        address = re.sub(r"^[^;]*; *", "", part["Final-Recipient"])
        test.assertIn("    %s\n" % address, self.text.replace("\r\n", "\n"))

    def actions(self):
        return [(re.sub(r"^[^;]*; *", "", part["Final-Recipient"]), part["Action"])
                for part in self.of_recipients]


PARSER = """
use Mail::DeliveryStatus::BounceParser;
local $/;
my $bounce = Mail::DeliveryStatus::BounceParser->new(scalar <STDIN>);
print join("|", $bounce->is_bounce ? "bounce" : "none", $bounce->orig_message_id // ""), "\\n";
print join("|", map { $_ // "" } $_->get("email"), $_->get("std_reason"), $_->get("smtp_code")), "\\n"
    for $bounce->reports;
"""


def read_by_bounce_parser(test, content):
    """What Perl's Mail::DeliveryStatus::BounceParser makes of a report: its lines, split."""
    if subprocess.run(["perl", "-MMail::DeliveryStatus::BounceParser", "-e", "1"], check=False,
                      stderr=subprocess.DEVNULL).returncode:
        test.skipTest("BounceParser is not installed (./bootstrap install all)")
    done = subprocess.run(["perl", "-e", PARSER], input=content.replace(b"\r\n", b"\n"),
                          capture_output=True, timeout=60, check=True)
    return [line.split("|") for line in done.stdout.decode().splitlines() if line]


def wait_report(test, sender, n=1, host=None):
    """The n-th message at the smarthost, which must be a report to sender."""
    record = test.wait_kept(n, host)[-1]
    test.assertEqual((record["sender"], record["recipients"]), ("", [sender]))
    return Report(test, (host or test.host).content(record), sender)
