"""Groups that live: from the first join to their deletion, and members with a name of their own."""

from .groups import commits, describes, joins, leaves, reads_offsets, removes, subscription, syncs
from .language import Ask, got


def living(world, level):
    """Two members come, share, commit and go; each API at this version or at its highest."""
    group, told = world.name(f"living-{level}"), f"living {level}: "
    highest = {
        "JoinGroup": 9,
        "SyncGroup": 5,
        "Heartbeat": 4,
        "LeaveGroup": 5,
        "DescribeGroups": 6,
        "OffsetCommit": 10,
        "OffsetFetch": 10,
        "DeleteGroups": 2,
        "ListGroups": 5,
    }
    lowest = {"OffsetCommit": 2, "OffsetFetch": 1}

    def ask(api, words, fields, **more):
        return Ask(api, max(min(level, highest.get(api, 0)), lowest.get(api, 0)), told + words, fields, **more)

    def join(who, known, **changes):
        protocols = (("range", subscription(world.name("read"))), ("roundrobin", b"x"))
        return joins(world, group, known, protocols=protocols, **changes)

    def sync(known, generation, *assigned):
        return syncs(world, group, min(level, 5), known, generation, assigned)

    answer = yield ask("JoinGroup", "first", join("one", ""), line="one")
    one = got(answer, "MemberId", default="")
    if got(answer, "ErrorCode") == 79:
        # Whether Kafka's readers see the group by now depends on what its shard has written meanwhile.
        yield ask("DescribeGroups", "one is expected", describes(group), quiet=True)
        yield ask("Heartbeat", "expected only", {"GroupId": group, "GenerationId": 0, "MemberId": one})
        answer = yield ask("JoinGroup", "first with its id", join("one", one), line="one")
    generation = got(answer, "GenerationId", default=-1)
    yield ask("Heartbeat", "before the sync", {"GroupId": group, "GenerationId": generation, "MemberId": one})
    yield ask(
        "OffsetCommit",
        "before the sync",
        commits(world, group, ("read", 0, 1, {}), generation=generation, member_id=one),
    )
    yield ask("DescribeGroups", "before the sync", describes(group))
    yield ask("SyncGroup", "wrong generation", sync(one, generation + 5))
    yield ask("SyncGroup", "wrong member", sync("nobody", generation))
    yield ask("SyncGroup", "leader", sync(one, generation, (one, b"all of it")), line="one")
    yield ask("SyncGroup", "again", sync(one, generation), line="one")
    yield ask("Heartbeat", "stable", {"GroupId": group, "GenerationId": generation, "MemberId": one})
    yield ask("Heartbeat", "wrong generation", {"GroupId": group, "GenerationId": generation + 1, "MemberId": one})
    yield ask(
        "Heartbeat",
        "unknown member and generation",
        {"GroupId": group, "GenerationId": generation + 1, "MemberId": "nobody"},
    )
    yield ask("DescribeGroups", "stable", describes(group, operations=True))
    yield ask(
        "OffsetCommit",
        "member",
        commits(world, group, ("read", 0, 4, {"CommittedMetadata": "m"}), generation=generation, member_id=one),
    )
    yield ask("OffsetCommit", "outsider", commits(world, group, ("read", 0, 4, {})))
    yield ask(
        "OffsetCommit",
        "wrong generation",
        commits(world, group, ("read", 0, 4, {}), generation=generation + 1, member_id=one),
    )
    yield ask(
        "OffsetCommit",
        "unknown member",
        commits(world, group, ("read", 0, 4, {}), generation=generation, member_id="nobody"),
    )
    yield ask("OffsetFetch", "member", reads_offsets(world, max(min(level, 10), 1), (group, (("read", (0, 1)),))))
    yield ask("OffsetDelete", "subscribed and not", removes(world, group, ("read", 0), ("empty", 0)))
    yield ask("DeleteGroups", "not empty", {"GroupsNames": [group]})
    yield ask("JoinGroup", "other protocols", joins(world, group, "", protocols=(("sticky", b""),)))
    yield ask("JoinGroup", "other type", joins(world, group, "", kind="connect"))
    yield ask("JoinGroup", "unknown member", join("x", "nobody"))
    # A second one comes: the first is told by its heartbeat.
    answer = yield ask("JoinGroup", "second", join("two", ""), line="two", **({"mode": "send"} if level < 4 else {}))
    two = got(answer, "MemberId", default="")
    if level >= 4:
        yield ask("JoinGroup", "second with its id", join("two", two), line="two", mode="send")
    beat = {"GroupId": group, "GenerationId": generation, "MemberId": one}
    answer = yield ask("Heartbeat", "rebalance", beat, until=lambda found: found["ErrorCode"] != 0)
    yield ask("SyncGroup", "during the rebalance", sync(one, generation))
    yield ask(
        "OffsetCommit",
        "during the rebalance",
        commits(world, group, ("read", 0, 5, {}), generation=generation, member_id=one),
    )
    answer = yield ask("JoinGroup", "first again", join("one", one), line="one")
    words = "second with its id" if level >= 4 else "second"
    second = yield ask("JoinGroup", words, line="two", fields={}, mode="receive")
    two, generation = got(second, "MemberId", default=two), got(answer, "GenerationId", default=-1)
    yield ask("SyncGroup", "follower waits", sync(two, generation), line="two", mode="send")
    yield ask("SyncGroup", "leader of two", sync(one, generation, (one, b"one"), (two, b"two")), line="one")
    yield ask("SyncGroup", "follower waits", {}, line="two", mode="receive")
    yield ask("DescribeGroups", "of two", describes(group))
    yield ask("LeaveGroup", "nobody", leaves(world, group, min(level, 5), ("nobody", None)))
    yield ask("LeaveGroup", "second", leaves(world, group, min(level, 5), (two, None)))
    yield ask("Heartbeat", "second is gone", {"GroupId": group, "GenerationId": generation, "MemberId": two})
    yield ask(
        "Heartbeat", "second went", beat | {"GenerationId": generation}, until=lambda found: found["ErrorCode"] != 0
    )
    yield ask("LeaveGroup", "first", leaves(world, group, min(level, 5), (one, None)))
    yield ask("DescribeGroups", "empty", describes(group))
    yield ask("OffsetCommit", "outsider of an empty group", commits(world, group, ("read", 1, 4, {})))
    yield ask("OffsetDelete", "empty", removes(world, group, ("read", 0), ("read", 1), ("none", 0)))
    yield ask("OffsetFetch", "nothing left", reads_offsets(world, max(min(level, 10), 1), (group, (("read", (0, 1)),))))
    yield ask("DeleteGroups", "empty", {"GroupsNames": [group]})
    yield ask("DeleteGroups", "deleted", {"GroupsNames": [group]})
    yield ask("DescribeGroups", "deleted", describes(group))


def fixed(world, version):
    """A member with a name of its own: it is replaced, fenced, and leaves by its name (KIP-345)."""
    group, told = world.name(f"fixed-{version}"), f"fixed {version}: "
    level = min(version, 5)

    def join(known="", instance="seat", metadata=b"1"):
        return joins(world, group, known, protocols=(("range", metadata),), GroupInstanceId=instance)

    answer = yield Ask("JoinGroup", version, told + "first", join())
    old, generation = got(answer, "MemberId", default=""), got(answer, "GenerationId", default=-1)
    yield Ask(
        "SyncGroup",
        level,
        told + "first",
        syncs(world, group, level, old, generation, ((old, b"seat"),), GroupInstanceId="seat"),
    )
    answer = yield Ask("JoinGroup", version, told + "returns", join())
    new, generation = got(answer, "MemberId", default=""), got(answer, "GenerationId", default=-1)
    for words, known, instance in (
        ("old id", old, "seat"),
        ("new id", new, "seat"),
        ("other seat", new, "other"),
        ("no seat", new, None),
    ):
        beat = {"GroupId": group, "GenerationId": generation, "MemberId": known, "GroupInstanceId": instance}
        yield Ask("Heartbeat", 4, told + words, beat)
        yield Ask(
            "SyncGroup", level, told + words, syncs(world, group, level, known, generation, GroupInstanceId=instance)
        )
        commit = commits(
            world, group, ("read", 0, 3, {}), generation=generation, member_id=known, GroupInstanceId=instance
        )
        yield Ask("OffsetCommit", 9, f"{told}{words}", commit)
    yield Ask("JoinGroup", version, told + "old id", join(old))
    yield Ask("JoinGroup", version, told + "other metadata", join(new, metadata=b"2"))
    yield Ask("DescribeGroups", 6, told + "described", describes(group))
    yield Ask("LeaveGroup", level, told + "old id", leaves(world, group, level, (old, "seat")))
    yield Ask("LeaveGroup", level, told + "by its name", leaves(world, group, level, ("", "seat"), ("", "other")))
    yield Ask("DescribeGroups", 6, told + "left", describes(group))


SCENES = [*((living, level) for level in range(11)), *((fixed, version) for version in range(5, 10))]
