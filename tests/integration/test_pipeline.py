# SPDX-License-Identifier: GPL-3.0-or-later
"""Several transactions in flight on one connection: what goes wrong with one is no other's."""

import json
import time

import lib
from smarthost import CAPABILITIES, CHUNKING

ONE = {"connections": 1, "idle_timeout": "1s"}


def rule(stage, action, text=None, **more):
    more.update(stage=stage, action=action)
    if text is not None:
        more["text"] = text
    return more


class PipelineCase(lib.Case):
    capabilities = CHUNKING
    keys = ONE

    def setUp(self):
        super().setUp()
        self.daemon.smarthosts.clear()
        self.daemon.add_smarthost(self.host, **self.keys)
        self.host.capabilities = self.capabilities

    def script(self, *rules):
        self.host.script.replace(rules)

    def release(self, n, *rules):
        """Submit n messages to r0@, r1@, ... that wait, and then all go at once, in that order
        on one connection. The first is a probe, alone; the answer to the next takes time, so
        that others stand behind it."""
        self.host.stop()
        self.daemon.settings["retry-min"] = self.daemon.settings["retry-max"] = "1h"
        self.daemon.start()
        for number in range(n):
            self.daemon.submit("r%d@example.net" % number, sender="s%d@example.com" % number)
        self.daemon.wait_log("is down")
        self.script(rule("mail", "delay", seconds=0.3, total=2, times=1), *rules)
        self.host.start()
        done = self.daemon.tranterctl("retry", "--all", user=(0, 0) if self.place.user else None)
        self.assertEqual(done.returncode, 0, done.stderr)

    def recipients(self):
        return [record["recipients"][0].split("@")[0] for record in self.host.records]

    def in_doubt(self):
        """Wait until all that is left in the queue is in doubt: its recipients' names."""
        entries = []

        def settled():
            entries[:] = self.daemon.queue()
            return all("may arrive twice" in json.dumps(entry) for entry in entries)
        lib.wait_for(settled, "each message delivered or in doubt")
        return [entry["recipients"][0]["address"].split("@")[0] for entry in entries]

    def check_kept(self, *names):
        """These, each once, and nothing waits."""
        lib.wait_for(lambda: len(self.host.records) >= len(names), "all messages")
        self.wait_idle()
        self.assertEqual(sorted(self.recipients()), sorted(names))
        self.check_manners()


class ChunkedTest(PipelineCase):
    chunked = True

    def test_the_next_goes_out_before_the_reply_to_the_last(self):
        self.release(8)
        self.check_kept(*("r%d" % number for number in range(8)))
        self.assertEqual(self.recipients(), ["r%d" % number for number in range(8)])
        self.assertEqual({record["chunked"] for record in self.host.records}, {self.chunked})
        self.assertTrue([record for record in self.host.records if record["followed"]])
        self.assertEqual(len({record["session"] for record in self.host.records}), 1)

    def test_a_refused_message_does_not_hurt_the_next(self):
        self.release(8, rule("mail", "reply", "451 4.3.0 Not this one", sender="s2@*", times=1),
                     rule("rcpt", "reply", "450 4.2.1 Busy", recipient="r3@*", times=1),
                     rule("dot", "reply", "451 4.3.0 Not this content", sender="s5@*", times=1))
        lib.wait_for(lambda: len(self.host.records) >= 5, "five messages")
        waiting = self.daemon.wait_queue(3)
        self.assertEqual(sorted(self.recipients()), ["r0", "r1", "r4", "r6", "r7"])
        self.assertEqual(sorted(entry["recipients"][0]["address"][:2] for entry in waiting),
                         ["r2", "r3", "r5"])
        self.check_manners()

    def test_a_connection_that_is_lost_leaves_no_more_in_doubt_than_it_must(self):
        self.release(8, rule("dot", "rst", total=3, keep=False, times=1))
        self.daemon.wait_log("status=deferred.*so it may arrive twice")
        doubtful = self.in_doubt()
        self.assertEqual(sorted(self.recipients() + doubtful), ["r%d" % n for n in range(8)])
        self.assertIn("r2", doubtful)
        self.assertLessEqual(len(doubtful), 4 if self.chunked else 1)
        self.check_manners()

    def test_what_is_in_doubt_goes_alone_the_next_time(self):
        """A message that breaks each connection holds up no other for longer than once."""
        self.release(6, rule("dot", "rst", sender="s1@*", keep=False))
        self.daemon.wait_log("status=deferred.*so it may arrive twice")
        self.assertIn("r1", self.in_doubt())
        waiting = [entry["queue_id"] for entry in self.daemon.queue()]
        done = self.daemon.tranterctl("retry", *waiting,
                                      user=(0, 0) if self.place.user else None)
        self.assertEqual(done.returncode, 0, done.stderr)
        lib.wait_for(lambda: len(self.host.records) == 5, "all but the one")
        self.assertEqual(sorted(self.recipients()), ["r0", "r2", "r3", "r4", "r5"])

    def test_replies_out_of_step_end_it_and_one_goes_after_another_from_then_on(self):
        self.release(4, rule("rcpt", "reply", "250 2.1.5 Ok\n354 Go", total=2, times=1))
        self.daemon.wait_log("is sent one command after another from now on")
        self.assertEqual(set(self.in_doubt() + self.recipients()), {"r0", "r1", "r2", "r3"})
        lib.wait_for(lambda: not self.host.open_sessions(), "the end of the connection")
        kept = len(self.host.records)
        for number in range(3):
            self.daemon.submit("later%d@example.net" % number)
        self.wait_kept(kept + 3)
        later = self.host.records[kept:]
        self.assertEqual({(record["pipelined"], record["chunked"], record["followed"])
                          for record in later}, {(False, False, False)})

    def test_a_large_content_passes_between_small_ones(self):
        large = lib.MESSAGE + b".0123456789abcde\n" * 100000
        self.host.stop()
        self.daemon.settings["retry-min"] = self.daemon.settings["retry-max"] = "1h"
        self.daemon.start()
        for number in range(6):
            self.daemon.submit("r%d@example.net" % number,
                               message=large if number in (2, 3) else lib.MESSAGE)
        self.daemon.wait_log("is down")
        self.host.start()
        self.daemon.tranterctl("retry", "--all", user=(0, 0) if self.place.user else None)
        self.check_kept(*("r%d" % number for number in range(6)))
        self.assertTrue(self.host.content(self.host.records[2]).endswith(
            b"\r\n.0123456789abcde\r\n"))

    def test_a_refusal_while_content_goes_out_is_its_answer_and_no_other_s(self):
        large = lib.MESSAGE + b"0123456789abcde\n" * 500000
        self.script(rule("body", "reply", "552 5.3.4 Too large", after=100000))
        self.daemon.settings["retry-min"] = self.daemon.settings["retry-max"] = "1h"
        self.daemon.start()
        self.daemon.submit("large@example.net", message=large)
        self.daemon.submit("r0@example.net")
        self.daemon.wait_log(r"to=<large@example\.net>, .*dsn=5\.3\.4, status=bounced")
        self.daemon.submit("r1@example.net")
        lib.wait_for(lambda: {"r0", "r1", "app"} == set(self.recipients()), "the others")
        self.wait_idle()
        self.assertFalse(self.daemon.logged("is down"))
        self.check_manners()

    def test_a_daemon_that_is_killed_marks_all_that_were_out(self):
        self.release(6, rule("dot", "stall", total=3, keep=False, times=1))
        lib.wait_for(lambda: any("stall" in line for line in self.host.transcript), "the stall")
        self.assertEqual(len(self.host.records), 2)
        self.daemon.wait_log("(?s)(?:status=sent.*){2}")
        self.daemon.kill()
        self.script()
        self.daemon.start()
        doubtful = self.in_doubt()
        self.assertIn("r2", doubtful)
        self.assertEqual(sorted(self.recipients() + doubtful), ["r%d" % n for n in range(6)])


class DataTest(ChunkedTest):
    capabilities = CAPABILITIES
    chunked = False


class ManyConnectionsTest(PipelineCase):
    keys = {"connections": 3, "pipeline": 16}

    def test_each_arrives_once(self):
        self.release(60)
        self.check_kept(*("r%d" % number for number in range(60)))


class SlowTest(PipelineCase):
    keys = {"connections": 2}

    def test_a_message_that_takes_long_has_no_others_behind_it(self):
        self.script(rule("dot", "delay", seconds=8, sender="slow@*"))
        self.daemon.start()
        self.daemon.submit("slow@example.net", sender="slow@example.com")
        lib.wait_for(lambda: len(self.host.records) == 1, "its content")
        begun = self.host.records[0]["time"]
        lib.wait_for(lambda: time.time() > begun + 2.5, "it to take long")
        self.daemon.submit("r1@example.net")
        self.wait_kept(2)
        self.assertNotIn("answered", self.host.records[0])
        self.assertEqual(self.host.sessions, 2)
        self.check_manners()


class ShortTest(PipelineCase):
    def test_a_server_that_ends_connections_without_a_word_is_left_before(self):
        self.release(24, rule("mail", "close", message=4))
        self.daemon.wait_log("ends connections after 3 messages without a word")
        doubtful = len(self.in_doubt())
        self.assertEqual(len(self.host.records), 24 - doubtful)
        self.assertLessEqual(doubtful, 8)
        for number in range(6):
            self.daemon.submit("later%d@example.net" % number)
        lib.wait_for(lambda: len(self.host.records) == 24 - doubtful + 6, "the later ones")
        self.assertEqual(len(self.daemon.queue()), doubtful)
        self.assertFalse(self.daemon.logged("is down.*LOST"))
        self.check_manners()


class OneByOneTest(PipelineCase):
    keys = {"connections": 1, "pipeline": 1}

    def test_nothing_is_sent_before_the_reply_to_what_was_said(self):
        self.release(5)
        self.check_kept(*("r%d" % number for number in range(5)))
        self.assertEqual({(record["pipelined"], record["chunked"], record["followed"])
                          for record in self.host.records}, {(False, False, False)})


class ChunkingTest(PipelineCase):
    def test_a_server_that_does_not_know_bdat_gets_data(self):
        self.release(4, rule("bdat", "reply", "500 5.5.1 What is that"))
        self.check_kept("r0", "r1", "r2", "r3")
        self.assertEqual({record["chunked"] for record in self.host.records}, {False})
        self.assertTrue(self.daemon.logged("is sent mail with DATA from now on"))
        self.assertFalse(self.daemon.logged("status=bounced"))

    def test_chunking_without_pipelining(self):
        self.host.capabilities = ("CHUNKING", "8BITMIME")
        self.daemon.start().submit("a@example.net", "b@example.net")
        record = self.wait_kept()[0]
        self.assertEqual((record["chunked"], record["pipelined"]), (True, False))
        self.check_manners()

    def test_octets_over_127_are_announced(self):
        self.daemon.start().submit(message=lib.MESSAGE + "é\n.é\n".encode())
        record = self.wait_kept()[0]
        self.assertEqual((record["chunked"], record["parameters"]["BODY"]), (True, "8BITMIME"))
        self.assertTrue(self.host.content(record).endswith("\r\né\r\n.é\r\n".encode()))
        self.check_manners()

    def test_our_address_takes_the_place_of_a_refused_name(self):
        self.script(rule("ehlo", "reply", "550 5.7.1 Not that name", times=1))
        self.daemon.start().submit()
        self.wait_kept()
        self.assertTrue([line for line in self.host.transcript if "> EHLO [127.0.0.1]" in line])
        self.check_manners()


if __name__ == "__main__":
    lib.main()
