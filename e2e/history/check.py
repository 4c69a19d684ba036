"""Judges a history from the journals alone: journals in, findings out. Pure: no clock, no server, no client.

| event | says | beside |
|---|---|---|
| `role` | what the process is | `kind`, `client`, `group` |
| `produce` | these values are about to be sent, in this order | `tp`, `v` |
| `unannounced` | values with this prefix are sent without a `produce` | `prefix` |
| `acked` | the cluster said it has the value | `v`, `tp`, `o` (-1: not told where) |
| `refused` | a rule is missing: a known failure | `v` |
| `unknown` | it may be there or not | `v` |
| `assign` | reading starts anew on these partitions | `tps` |
| `read` | what was handed over, in order | `tp`, `rows` of (offset, value) |
| `commit` | offsets given to the cluster, and whether it took them | `g`, `at`, `ok`, `from` |
| `committed` | offsets the cluster told | `g`, `at`, `from` |
| `watermark` | high watermarks the cluster told | `at`, `from` |
| `reset` | an operator moved offsets back | `g`, `tps`, `from` |
| `nemesis` | what was done to the server | `op`, `from`, with what belongs to it |
| `died` | the server ended by itself | `why` |
| `broken` | a process of the history ended with an error | `why` |
| `expected` | what is to be done to the server in this history | `ops` |

`t` is when it was over, `from` when it began; all processes share the clock. What happened at the same time is in no order.
"""

import collections
import json
import re

# A change of the rules is in force on open connections within a second.
GRACE = 1_000_000_000
NUMBERED = re.compile(r"(.+)[:.](\d+)")
SHOWN = 5


class History:
    """The events of all processes, and what each value and place came to."""

    def __init__(self, journals):
        """`journals`: name of the process -> its events, in its order."""
        self.journals = journals
        self.roles = {name: event for name, events in journals.items() for event in events if event["e"] == "role"}
        self.produced = {value: event for _, event in self.each("produce") for value in event["v"]}
        self.prefixes = tuple(event["prefix"] for _, event in self.each("unannounced"))
        self.acked = {event["v"]: (name, event) for name, event in self.each("acked")}
        # Where a value was found, and what was found at a place: by every reader.
        self.places, self.values = collections.defaultdict(set), collections.defaultdict(set)
        # What the group was handed, and what the last reader, who came when all was quiet, was.
        self.by_group, self.final = collections.defaultdict(set), {}
        for name, event in self.each("read"):
            role = self.roles[name]
            for offset, value in event["rows"]:
                self.places[value].add((event["tp"], offset))
                self.values[event["tp"], offset].add(value)
                if role["kind"] == "member":
                    self.by_group[role["group"]].add(value)
                elif role["kind"] == "final":
                    self.final.setdefault(event["tp"], []).append((offset, value))

    def each(self, kind):
        for name, events in self.journals.items():
            for event in events:
                if event["e"] == kind:
                    yield name, event

    def groups(self):
        return sorted({role["group"] for role in self.roles.values() if role["kind"] == "member"})


def load(folder):
    """The journals of a folder."""
    journals = {}
    for path in sorted(folder.glob("*.jsonl")):
        lines = path.read_text().split("\n")
        # Whoever was killed may have left half a line.
        journals[path.stem] = [json.loads(line) for line in lines[:-1]]
    return History(journals)


def nothing_acknowledged_is_lost(history):
    there = {value for rows in history.final.values() for _, value in rows}
    for value, (name, event) in history.acked.items():
        if value not in there:
            yield f"{value} was acknowledged at {event['tp']} offset {event['o']} and is not there"


def each_value_lies_at_one_offset(history):
    for value, places in history.places.items():
        if len(places) > 1:
            yield f"{value} lies at {sorted(places)}"
        if value not in history.produced and not value.startswith(history.prefixes or ("\0",)):
            yield f"{value} was written by nobody"
        if value in history.produced and {history.produced[value]["tp"]} != {tp for tp, _ in places}:
            yield f"{value} was written to {history.produced[value]['tp']} and lies at {sorted(places)}"
        _, acked = history.acked.get(value, (None, None))
        if acked and acked["o"] >= 0 and (acked["tp"], acked["o"]) not in places:
            yield f"{value} was acknowledged at {acked['tp']} offset {acked['o']} and lies at {sorted(places)}"


def offsets_are_unique_and_rise(history):
    for (tp, offset), values in history.values.items():
        if len(values) > 1:
            yield f"{tp} offset {offset} held {sorted(values)}"
    for name, events in history.journals.items():
        last = {}
        for event in events:
            if event["e"] == "assign":
                for tp in event["tps"]:
                    last.pop(tp, None)
            elif event["e"] == "read":
                for offset, _ in event["rows"]:
                    before = last.get(event["tp"], -1)
                    if offset <= before:
                        yield f"{name} was handed {event['tp']} offset {offset} after {before}"
                    last[event["tp"]] = offset
    for tp, rows in history.final.items():
        for expected, (offset, _) in enumerate(rows):
            if offset != expected:
                yield f"{tp} has offset {offset} where {expected} belongs"
                break


def a_producers_order_is_kept(history):
    for tp, rows in history.final.items():
        last = {}
        for offset, value in rows:
            producer, number = NUMBERED.fullmatch(value).groups()
            if int(number) < last.get(producer, -1):
                yield f"{tp} offset {offset}: {value} lies behind {producer}:{last[producer]}"
            last[producer] = int(number)


def behind(facts, resets=()):
    """What was told although something higher was known before it was asked. `facts`: (from, until, value, what told it).

    `resets` (from, until): what began before a reset was over says nothing about what comes after.
    """
    events = [(until, 1, began, value, None) for began, until, value, _ in facts]
    events += [(began, 0, began, value, what) for began, _, value, what in facts if what]
    events += [(began, 2, until, None, None) for began, until in resets]
    known, fresh_from = -1, -1
    for _, kind, when, value, what in sorted(events, key=lambda event: event[:2]):
        if kind == 2:
            known, fresh_from = -1, when
        elif when >= fresh_from and kind == 1:
            known = max(known, value)
        elif when >= fresh_from and value < known:
            yield f"{what}: {value} after {known}"


def a_committed_offset_never_goes_back(history):
    facts, resets = collections.defaultdict(list), collections.defaultdict(list)
    for kind in ("commit", "committed"):
        for name, event in history.each(kind):
            if kind == "committed" or event["ok"]:
                for tp, offset in event["at"].items():
                    facts[event["g"], tp].append((event["from"], event["t"], offset, f"{name} {kind}"))
    for _, event in history.each("reset"):
        for tp in event["tps"]:
            resets[event["g"], tp].append((event["from"], event["t"]))
    for place, found in facts.items():
        for finding in behind(found, resets[place]):
            yield f"{place[0]} {place[1]} {finding}"


def the_high_watermark_never_goes_back(history):
    """Nor is it below what was acknowledged or read before it was asked for."""
    facts = collections.defaultdict(list)
    for name, event in history.each("watermark"):
        for tp, offset in event["at"].items():
            facts[tp].append((event["from"], event["t"], offset, name))
    for _, event in history.each("acked"):
        facts[event["tp"]].append((event["t"], event["t"], event["o"] + 1, None))
    for _, event in history.each("read"):
        facts[event["tp"]].append((event["t"], event["t"], event["rows"][-1][0] + 1, None))
    for tp, found in facts.items():
        for finding in behind(found):
            yield f"{tp} {finding}"


def what_was_read_stays(history):
    there = {(tp, offset): value for tp, rows in history.final.items() for offset, value in rows}
    for (tp, offset), values in history.values.items():
        for value in values:
            if there.get((tp, offset)) != value:
                yield f"{tp} offset {offset} held {value}, and now {there.get((tp, offset), 'nothing')}"


def every_acknowledged_value_is_consumed(history):
    for group in history.groups():
        for value, (_, event) in history.acked.items():
            if value not in history.by_group[group]:
                yield f"{group} was never handed {value}, acknowledged at {event['tp']} offset {event['o']}"


def nothing_is_acknowledged_without_a_rule(history):
    for _, flip in history.each("nemesis"):
        if flip["op"] != "rules are taken away and given back":
            continue
        gone, back = flip["gone"] + GRACE, flip["back"]
        for value, (name, event) in history.acked.items():
            produced = history.produced.get(value)
            if name in flip["users"] and produced and produced["t"] > gone and event["t"] < back:
                yield f"{value} was acknowledged {(event['t'] - flip['gone']) / 1e9:.1f} s after the rule was gone"


def the_server_never_ends_by_itself(history):
    for _, event in history.each("died"):
        yield event["why"]


def everybody_had_a_part(history):
    """A history in which nothing happened proves nothing."""
    for name, role in history.roles.items():
        events = history.journals[name]
        wanted = {"producer": "acked", "member": "commit", "observer": "watermark", "final": "read"}[role["kind"]]
        if not any(event["e"] == wanted and event.get("ok", True) for event in events):
            yield f"{name} has no {wanted!r}"
        if role["kind"] != "producer" and not any(event["e"] == "read" for event in events):
            yield f"{name} read nothing"
    for _, event in history.each("broken"):
        yield event["why"]
    if not any(role["kind"] == "final" for role in history.roles.values()):
        yield "nobody read everything at the end"
    for _, event in history.each("expected"):
        done = {nemesis["op"] for _, nemesis in history.each("nemesis")}
        for op in set(event["ops"]) - done:
            yield f"it never happened that {op}"


RULES = [
    nothing_acknowledged_is_lost, each_value_lies_at_one_offset, offsets_are_unique_and_rise, a_producers_order_is_kept,
    a_committed_offset_never_goes_back, the_high_watermark_never_goes_back, what_was_read_stays,
    every_acknowledged_value_is_consumed, nothing_is_acknowledged_without_a_rule, the_server_never_ends_by_itself,
    everybody_had_a_part,
]


def judge(history):
    """Each rule with its findings: how many, and the first of them."""
    verdicts = {}
    for rule in RULES:
        findings = list(rule(history))
        verdicts[rule.__name__] = (len(findings), findings[:SHOWN])
    return verdicts


def figures(history):
    """What a history holds, for the report."""
    ops = collections.Counter(event["op"] for _, event in history.each("nemesis"))
    consumed = {group: len(history.by_group[group] & history.acked.keys()) for group in history.groups()}
    by_client = collections.Counter(history.roles[name]["client"] for name, _ in history.acked.values())
    return {
        "produced": len(history.produced.keys() | history.acked.keys()), "acknowledged": len(history.acked),
        "by client": dict(by_client), "refused": sum(1 for _ in history.each("refused")),
        "unknown": sum(1 for _ in history.each("unknown")),
        "in the log": sum(len(rows) for rows in history.final.values()), "acknowledged and consumed": consumed,
        "commits": sum(event["ok"] for _, event in history.each("commit")), "nemesis": dict(ops),
    }
