"""The judge of histories and its power supply: a good history passes, a doctored one breaks the rule that it should."""

import functools
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import textwrap

from history import check as judge
from history.power import Power
from lib import check

SECOND = 1_000_000_000


def good():
    """Two producers, two members of a group, an observer, and one that reads everything at the end."""
    def at(seconds, event, **fields):
        return {"e": event, "t": int(seconds * SECOND), **fields}

    def asked(began, ended, event, **fields):
        return at(ended, event, **{"from": int(began * SECOND)}, **fields)

    rows = [[0, "one/1:1"], [1, "two/1:1"], [2, "one/1:2"], [3, "one/1:3"]]
    return {
        "one": [
            at(0, "role", kind="producer", client="librdkafka"),
            at(1, "produce", tp="t/0", v=["one/1:1", "one/1:2"]),
            at(1.1, "acked", tp="t/0", v="one/1:1", o=0), at(1.1, "acked", tp="t/0", v="one/1:2", o=2),
            at(5, "produce", tp="t/0", v=["one/1:3", "one/1:4"]),
            at(10.5, "acked", tp="t/0", v="one/1:3", o=3), at(10.5, "refused", v="one/1:4"),
        ],
        "two": [
            at(0, "role", kind="producer", client="java"), at(1, "unannounced", prefix="two/1:"),
            at(1.1, "acked", tp="t/0", v="two/1:1", o=1), at(2, "unknown", v="two/1:2"),
        ],
        "first": [
            at(0, "role", kind="member", client="librdkafka", group="g"), at(1, "assign", tps=["t/0"]),
            at(2, "read", tp="t/0", rows=rows[:2]), asked(2.1, 2.2, "commit", g="g", at={"t/0": 2}, ok=True),
            asked(3.1, 3.2, "commit", g="g", at={"t/0": 1}, ok=False),
        ],
        "second": [
            at(0, "role", kind="member", client="aiokafka", group="g"), at(4, "assign", tps=["t/0"]),
            at(5, "read", tp="t/0", rows=rows[1:2]), at(6, "assign", tps=["t/0"]),
            at(11, "read", tp="t/0", rows=rows[1:]), asked(11.1, 11.2, "commit", g="g", at={"t/0": 4}, ok=True),
        ],
        "observer": [
            at(0, "role", kind="observer", client="librdkafka"), at(0, "assign", tps=["t/0"]),
            asked(1, 1.2, "watermark", at={"t/0": 0}), asked(2, 2.1, "watermark", at={"t/0": 3}),
            asked(2.05, 2.15, "committed", g="g", at={"t/0": -1}), asked(3, 3.1, "committed", g="g", at={"t/0": 2}),
            asked(12, 12.1, "watermark", at={"t/0": 4}), asked(12, 12.1, "committed", g="g", at={"t/0": 4}),
            at(12, "read", tp="t/0", rows=rows),
        ],
        "final": [
            at(0, "role", kind="final", client="librdkafka"), at(20, "assign", tps=["t/0"]),
            at(21, "read", tp="t/0", rows=rows),
        ],
        "nemesis": [
            at(0, "expected", ops=["it is killed"]), asked(3, 4, "nemesis", op="it is killed"),
            asked(6, 11, "nemesis", op="rules are taken away and given back", users=["one"], gone=6 * SECOND,
                  back=10 * SECOND),
        ],
    }


def broken_rules(journals):
    return [rule for rule, (count, _) in judge.judge(judge.History(journals)).items() if count]


def case_good_history_breaks_no_rule():
    check(broken_rules(good()) == [], judge.judge(judge.History(good())))
    figures = judge.figures(judge.History(good()))
    check(figures["acknowledged"] == 4 and figures["acknowledged and consumed"] == {"g": 4}, figures)


DOCTORED = set()


def breaks(rule):
    """Makes a case of a function that doctors a good history: it has to break the rule."""
    def case(doctor):
        DOCTORED.add(rule.__name__)

        @functools.wraps(doctor)
        def run():
            journals = good()
            doctor(journals)
            check(rule.__name__ in broken_rules(journals), f"{rule.__name__} holds")

        del run.__wrapped__
        return run
    return case


def event(journals, name, kind, number=0):
    return [event for event in journals[name] if event["e"] == kind][number]


@breaks(judge.nothing_acknowledged_is_lost)
def case_acknowledged_value_that_is_not_there_is_found(journals):
    event(journals, "final", "read")["rows"].pop()


@breaks(judge.each_value_lies_at_one_offset)
def case_value_that_is_there_twice_is_found(journals):
    for name in ("observer", "final"):
        event(journals, name, "read")["rows"].append([4, "one/1:1"])


@breaks(judge.each_value_lies_at_one_offset)
def case_value_elsewhere_than_acknowledged_is_found(journals):
    event(journals, "one", "acked")["o"] = 1


@breaks(judge.each_value_lies_at_one_offset)
def case_value_that_nobody_wrote_is_found(journals):
    event(journals, "final", "read")["rows"].append([4, "three/1:1"])


@breaks(judge.each_value_lies_at_one_offset)
def case_value_in_a_partition_that_it_was_not_sent_to_is_found(journals):
    event(journals, "observer", "read")["tp"] = "t/1"


@breaks(judge.offsets_are_unique_and_rise)
def case_offset_with_two_values_is_found(journals):
    event(journals, "first", "read")["rows"][1] = [1, "one/1:2"]


@breaks(judge.offsets_are_unique_and_rise)
def case_reader_that_is_led_back_is_found(journals):
    second = journals["second"]
    second.remove(event(journals, "second", "assign", 1))


@breaks(judge.offsets_are_unique_and_rise)
def case_gap_in_the_offsets_is_found(journals):
    event(journals, "final", "read")["rows"].pop(1)


@breaks(judge.a_producers_order_is_kept)
def case_values_in_the_wrong_order_are_found(journals):
    rows = event(journals, "final", "read")["rows"]
    rows[2][1], rows[3][1] = rows[3][1], rows[2][1]


@breaks(judge.a_committed_offset_never_goes_back)
def case_commit_that_is_forgotten_is_found(journals):
    event(journals, "observer", "committed", 1)["at"] = {"t/0": -1}


@breaks(judge.a_committed_offset_never_goes_back)
def case_commit_of_a_member_that_was_left_behind_is_found(journals):
    event(journals, "first", "commit", 1)["ok"] = True


def case_offset_moved_back_by_an_operator_is_in_order():
    def moved(journals):
        event(journals, "observer", "committed", 2)["at"] = {"t/0": 0}
        return journals

    reset = {"e": "reset", "from": 11_500_000_000, "t": 11_600_000_000, "g": "g", "tps": ["t/0"]}
    journals = moved(good())
    rule = judge.a_committed_offset_never_goes_back.__name__
    check(rule in broken_rules(journals), "it went back")
    journals["nemesis"].append(reset)
    check(rule not in broken_rules(journals), "an operator did that")


@breaks(judge.the_high_watermark_never_goes_back)
def case_high_watermark_that_falls_is_found(journals):
    event(journals, "observer", "watermark", 2)["at"] = {"t/0": 2}


@breaks(judge.the_high_watermark_never_goes_back)
def case_high_watermark_below_what_was_acknowledged_is_found(journals):
    journals["observer"].remove(event(journals, "observer", "watermark", 1))
    event(journals, "observer", "watermark", 1)["at"] = {"t/0": 2}


@breaks(judge.what_was_read_stays)
def case_value_that_was_read_and_is_gone_is_found(journals):
    event(journals, "first", "read")["rows"].append([4, "two/1:2"])


@breaks(judge.every_acknowledged_value_is_consumed)
def case_value_that_a_group_never_gets_is_found(journals):
    event(journals, "second", "read", 1)["rows"].pop()


@breaks(judge.nothing_is_acknowledged_without_a_rule)
def case_value_taken_without_a_rule_is_found(journals):
    event(journals, "one", "produce", 1)["t"] = 8 * SECOND
    event(journals, "one", "acked", 2)["t"] = 9 * SECOND


@breaks(judge.the_server_never_ends_by_itself)
def case_server_that_ends_is_found(journals):
    journals["nemesis"].append({"e": "died", "t": 1, "why": "it ended with 101"})


@breaks(judge.everybody_had_a_part)
def case_producer_without_an_acknowledgement_is_found(journals):
    journals["two"] = [event for event in journals["two"] if event["e"] != "acked"]


@breaks(judge.everybody_had_a_part)
def case_event_that_never_happened_is_found(journals):
    journals["nemesis"] = journals["nemesis"][:1]


@breaks(judge.everybody_had_a_part)
def case_process_that_broke_down_is_found(journals):
    journals["nemesis"].append({"e": "broken", "t": 1, "why": "one ended with 1"})


def case_each_rule_has_a_history_that_breaks_it():
    check(DOCTORED == {rule.__name__ for rule in judge.RULES}, DOCTORED)


WRITER = """
import os, signal, sys
def at(name):
    return os.path.join(sys.argv[1], name)
def put(name, text, flags=os.O_CREAT, sync=True):
    file = os.open(at(name), os.O_RDWR | flags, 0o600)
    os.write(file, text)
    if sync:
        os.fsync(file)
    return file
def sync():
    os.fsync(os.open(at("."), os.O_RDONLY))
for name in ("kept", "cut", "emptied", "removed", "replaced"):
    put(name, b"durable")
sync()
os.pwrite(put("kept", b"", sync=False), b"D", 0)
os.fdatasync(os.open(at("kept"), os.O_RDONLY))
os.pwrite(os.open(at("kept"), os.O_RDWR), b"lost and longer", 3)
os.ftruncate(os.open(at("cut"), os.O_RDWR), 2)
put("emptied", b"", os.O_TRUNC, sync=False)
os.unlink(at("removed"))
put("new", b"new")
os.rename(at("new"), at("replaced"))
put("created", b"created")
os.mkdir(at("folder"))
print("done", flush=True)
signal.pause()
"""


def case_loss_of_power_takes_back_what_was_not_synced():
    class All(random.Random):
        """Nothing that was not synced survives."""

        def choice(self, options):
            return options[0]

    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as root:
        power = Power(root, home, sync=0)
        folder = pathlib.Path(root) / "data"
        folder.mkdir()
        program = textwrap.dedent(WRITER)
        with subprocess.Popen([sys.executable, "-c", program, folder], stdout=subprocess.PIPE,
                              env=power.environment()) as writer:
            check(writer.stdout.readline() == b"done\n", "it wrote")
            before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
            writer.send_signal(signal.SIGKILL)
        check(before == {"kept": b"Durlost and longer", "cut": b"du", "emptied": b"", "replaced": b"new",
                         "created": b"created"}, before)
        power.compact()
        lost = power.lose(All(0))
        check(lost == 8, f"two writes (one of nothing), two truncations, four changes of names: {lost}")
        after = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        check(after == {name: b"durable" for name in ("cut", "emptied", "removed", "replaced")} | {"kept": b"Durable"},
              after)
        check(power.lose(All(0)) == 0 and not list(power.stash.iterdir()), "nothing is left to lose")
