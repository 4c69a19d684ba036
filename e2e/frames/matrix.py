"""All cases of all APIs in an order that lets them stand beside each other, and what they find there."""

from . import access, data, groups, scenes as living, topics
from .language import NIL, Ask, got
from .records import TIME, batch
from .schema import keys
from .topics import topic

# Topics that the cases find: word: (partitions, settings).
FOUND = {
    "read": (2, {}),
    "write": (2, {}),
    "idem": (1, {}),
    "empty": (1, {}),
    "cut": (2, {}),
    "settings": (1, {}),
    "compact": (1, {"cleanup_policy": "compact"}),
    "small": (1, {"max_message_bytes": "300"}),
    "stamped": (1, {"message_timestamp_type": "LogAppendTime"}),
    "strict": (1, {"min_insync_replicas": "2"}),
    "strict-too": (1, {"min_insync_replicas": "2"}),
    "odd": (1, {}),
    "gone-by-id": (1, {}),
    **{f"grow-{version}": (1, {}) for version in range(4)},
    **{f"gone-{version}": (1, {}) for version in range(1, 7)},
    **{f"gone-too-{version}": (1, {}) for version in range(1, 7)},
    **{f"twice-{version}": (1, {}) for version in range(1, 7)},
}


def prepared(world):
    """Makes the topics and what lies in them, and learns their ids. Whoever may do everything does it."""
    wanted = [topic(world, word, partitions, **settings) for word, (partitions, settings) in FOUND.items()]
    answer = yield Ask("CreateTopics", 5, "prepared", {"Topics": wanted, "timeoutMs": 30000}, line="admin", quiet=True)
    bad = [one for one in got(answer, "Topics", default=[{}]) if one.get("ErrorCode") != 0]
    if bad:
        raise AssertionError(f"topics were not made: {bad}")
    yield from filled(world)


def filled(world):
    """What lies in the topics, once they have leaders."""
    yield from learnt(world)
    rows = [
        ("read", 0, batch(2)),
        ("read", 0, batch(3, time=TIME + 1000)),
        ("read", 0, batch(1, time=TIME + 2000, value=b"w" * 50)),
        ("read", 1, batch(1)),
    ] + [("cut", 0, batch(1))] * 6
    for word, partition, records in rows:
        produced = data.produced(data.topic_data(world, word, (partition, records)))
        yield Ask("Produce", 7, "prepared", produced, line="admin", quiet=True, until=written)
    sought = {"CoordinatorKeys": [world.name("simple")], "KeyType": 0}
    yield Ask("FindCoordinator", 4, "prepared", sought, line="admin", quiet=True, until=found)
    yield Ask(
        "InitProducerId",
        1,
        "prepared",
        data.producer(),
        line="admin",
        quiet=True,
        until=lambda answer: answer["ErrorCode"] == 0,
    )
    for word in ("simple", "simple-0", "simple-1", "simple-2", "joined"):
        fields = groups.commits(world, world.name(word), ("read", 0, 1, {}), ("read", 1, 1, {}))
        yield Ask("OffsetCommit", 7, "prepared", fields, line="admin", quiet=True, until=committed)


def written(answer):
    return got(answer, "Responses", 0, "PartitionResponses", 0, "ErrorCode") == 0


def committed(answer):
    return got(answer, "Topics", 0, "Partitions", 0, "ErrorCode") == 0


def found(answer):
    return got(answer, "Coordinators", 0, "ErrorCode") == 0


def learnt(world):
    """Waits until all topics have a leader, and takes their ids."""
    asked = {"Topics": [{"Name": world.name(word), "TopicId": NIL} for word in FOUND], "AllowAutoTopicCreation": False}

    def ready(answer):
        return all(
            one["ErrorCode"] == 0 and all(part["LeaderId"] >= 0 for part in one["Partitions"])
            for one in answer["Topics"]
        )

    answer = yield Ask("Metadata", 12, "prepared", asked, line="admin", quiet=True, until=ready)
    world.epoch = min(
        part.get("LeaderEpoch", 0) for one in got(answer, "Topics", default=()) for part in one["Partitions"]
    )
    world.ids.update({one["Name"]: one["TopicId"] for one in got(answer, "Topics", default=())})


def apis():
    return [*topics.BEFORE, *groups.BEFORE, *data.APIS, *groups.APIS, *access.APIS, *topics.APIS]


def versions(api, offers):
    return sorted(version for name, version in offers if name == api.name)


def run(driver, world, offers, scenes=True):
    """Everything, against one peer."""
    offers = set(offers)
    for api in apis():
        for version in versions(api, offers):
            driver.each(api.asks(world, version), world)
    for scene, level in living.SCENES if scenes else ():
        driver.run(scene(world, level), world)
    driver.each(hidden(offers), world)


def hidden(offers):
    """What Kastellan does not offer closes the connection, there and here: the version behind the last, and no key at all."""
    for name, _ in sorted({(name, "") for name, _ in offers}):
        highest = max(version for one, version in offers if one == name)
        if name != "ApiVersions" and highest == known(name)[2]:
            yield Ask(name, highest + 1, "newer than all")
    yield Ask("ApiVersions", 0, "after all")
    for name, version in (("Produce", 0), ("Produce", 1), ("Produce", 2)):
        yield Ask(name, version, "shown, not served")


def known(name):
    return next(row for row in keys().values() if row[0] == name)
