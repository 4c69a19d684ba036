"""The whole comparison: parts, peers, what is accepted, what is covered, and the table that is told.

In: nothing but the binary and the jars. Out: a row (case, verdict, seconds, reason) for each API of each part and for
each authorization case.
"""

import collections
import pathlib
import threading
import time

from . import authorization, coverage, matrix, parts
from .compare import Accepted, differences
from .drive import Driver
from .language import EMPTY, MAXIMAL, TWO, TYPICAL, World
from .peers import Kafka, Kastellan, Mock
from .schema import keys

ACCEPTED = pathlib.Path(__file__).resolve().parent.parent / "frames.accepted"
# Not asked where there is a login: what they are for on such a connection is an authorization case of its own.
LOGIN = {"SaslHandshake", "SaslAuthenticate"}


class Comparison:
    def __init__(self):
        self.accepted = Accepted(ACCEPTED)
        self.rows, self.new, self.labels, self.asked = {}, [], [], []

    def part(self, name, peers, offers):
        """Asks both at once, each in a thread of its own."""
        prefix, rules = parts.PARTS[name]
        offered = [one for one in offers if rules is None or one[0] not in LOGIN]
        drivers, problems, began = {}, [], time.monotonic()

        def ask(peer):
            try:
                drivers[peer.name] = asked(peer, name, prefix, rules, offered)
            except BaseException as error:
                problems.append(f"{peer.name}: {error!r}")

        threads = [threading.Thread(target=ask, args=(peer,)) for peer in peers]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        if problems:
            raise AssertionError(f"part {name}: {problems}")
        theirs, ours = (drivers[peer.name] for peer in peers)
        self.compare(name, theirs.found, ours.found, ours.asked, time.monotonic() - began)
        return theirs, ours

    def compare(self, part, theirs, ours, asked, seconds):
        frames, found = collections.Counter(), collections.defaultdict(list)
        share = seconds / max(len(asked), 1)
        suffix = "" if part == "everything" else f" (as {part})"
        for label in dict.fromkeys((*theirs, *ours)):
            api = label.split(" ", 1)[0]
            frames[api] += 1
            told = label + suffix
            self.labels.append(told)
            for path, one, other in differences(theirs.get(label, "not asked"), ours.get(label, "not asked")):
                if not (self.accepted.takes(told, path) or suffix and self.accepted.takes(label, path)):
                    found[api].append(f"{told} | {path}\n    Kafka {one}\n    ours  {other}")
        for api, count in frames.items():
            self.new += found[api]
            reason = found[api][0].replace("\n", " ") if found[api] else f"{count} frames"
            self.rows[f"{part}/{api}"] = ("FAIL" if found[api] else "PASS", round(share * count, 3), reason)
        self.asked += [ask for _, ask in asked]

    def problems(self, whole):
        """What fails the run, in words."""
        yield from self.new
        for label, path, _, number in self.accepted.unused(self.labels):
            if whole or "(as " not in label:
                yield f"{ACCEPTED.name}:{number}: no longer differs: {label} | {path}"


def asked(peer, part, prefix, rules, offers):
    """One part against one peer."""
    world = World(prefix, peer)
    peer.user = None
    driver = Driver(peer)
    try:
        driver.run(matrix.prepared(world), world)
        if rules is not None:
            caller = f"{prefix}caller"
            driver.run(parts.user(caller), world)
            driver.run(parts.ruled(rules(world, caller)), world)
            peer.user = caller
        matrix.run(driver, world, offers)
    finally:
        driver.close()
        peer.user = None
    return driver


def offers_of(peer):
    line = peer.line("admin")
    try:
        return list(coverage.offered(line))
    finally:
        line.close()


def told_by(peer):
    """(API, version) that a peer offers, of those that have a schema."""
    line = peer.line("admin")
    answer = line.exchange("ApiVersions", 0, {})
    line.close()
    for one in answer["ApiKeys"]:
        if one["ApiKey"] in keys():
            for version in range(one["MinVersion"], one["MaxVersion"] + 1):
                yield keys()[one["ApiKey"]][0], version


def mocked(kafka, ours):
    """librdkafka's mock cluster beside both: a row for each API. Where it and Kafka disagree, Kafka decides."""
    with Mock() as peer:
        mock = peer.cluster
        known = set(told_by(peer))
        world = World("e-", peer)
        for word, (partitions, _) in matrix.FOUND.items():
            mock.make(world.name(word), partitions)
        driver = Driver(peer, lambda api, version: mock.is_there() and (api, version) in known, wanted=for_mock)
        driver.run(matrix.filled(world), world)
        matrix.run(driver, world, [one for one in offers_of_both(ours) if one in known], scenes=False)
        driver.close()
    table = collections.defaultdict(collections.Counter)
    for label, answer in driver.found.items():
        if label in kafka.found and label in ours.found:
            row = table[label.split(" ", 1)[0]]
            row["frames"] += 1
            row["mock as Kafka"] += answer == kafka.found[label]
            row["ours as Kafka"] += ours.found[label] == kafka.found[label]
            row["ours as mock, not as Kafka"] += answer == ours.found[label] != kafka.found[label]
    return table


def for_mock(ask):
    """Records that are none and groups that live are not for it: its process ends, or it waits."""
    if ask.api == "JoinGroup":
        return False
    return ask.kind in (TYPICAL, MAXIMAL) or ask.kind in (EMPTY, TWO) and ask.api != "Produce"


def offers_of_both(ours):
    return sorted({(ask.api, ask.version) for _, ask in ours.asked})


def tell(table):
    columns = ("frames", "mock as Kafka", "ours as Kafka", "ours as mock, not as Kafka")
    print(f"{'librdkafka mock':24}" + "".join(f"{column:>28}" for column in columns))
    for api, row in sorted(table.items()):
        print(f"{api:24}" + "".join(f"{row[column]:>28}" for column in columns))


def run(whole=True, show=print):
    """Gives the comparison, what is wrong, and the coverage in words."""
    comparison, wrong = Comparison(), []
    with Kastellan() as ours, Kafka() as kafka:
        offers = offers_of(ours)
        names = {name for name, _ in offers}
        ours.offered = kafka.offered = {key for key, (name, _, _) in keys().items() if name in names}
        for part in parts.PARTS if whole else ("everything",):
            sides = comparison.part(part, (kafka, ours), offers)
            show(f"as {part}: {len(sides[1].found)} frames")
            if part == "everything":
                first = sides
        wrong += [
            f"nobody asked for {api} v{version}: {kind}"
            for api, version, kind in coverage.missing(offers, comparison.asked)
        ]
        if whole:
            tell(mocked(*first))
            for name, (verdict, seconds, reason) in authorization.run(kafka, ours).items():
                comparison.rows[f"authorization/{name}"] = (verdict, seconds, reason)
                if verdict == "FAIL":
                    wrong.append(f"authorization/{name}: {reason}")
    wrong += comparison.problems(whole)
    return comparison, wrong, coverage.counted(comparison.asked)


def run_suite():
    """Rows as the suites of others have them; gives what is wrong."""
    began = time.monotonic()
    comparison, wrong, counted = run()
    for name, (verdict, seconds, reason) in sorted(comparison.rows.items()):
        if verdict == "SKIP":
            print(f"not run: {name}: {reason}")
            continue
        print(f"{verdict} {name.replace(' ', '_')} {max(seconds, 0.001)}")
        if verdict == "FAIL":
            print(f"    {reason}")
    # What belongs to no API: coverage, and lines that no longer differ.
    rest = [line for line in wrong if line not in comparison.new]
    print(f"{'FAIL' if rest else 'PASS'} coverage_and_accepted_differences 0.001")
    for line in rest:
        print(f"    {line}")
    print(f"{counted}, {time.monotonic() - began:.0f} s")
    return wrong
