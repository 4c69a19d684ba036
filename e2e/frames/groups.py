"""Consumer groups: each API by itself; `scenes` has groups that live."""

import struct

from .language import Api

ALL_TOPICS = None
MINUTE = 60_000


def subscription(*topics):
    """What a consumer says that it reads, as ConsumerProtocolSubscription v0."""
    names = b"".join(struct.pack(">h", len(name)) + name.encode() for name in topics)
    return struct.pack(">hi", 0, len(topics)) + names + struct.pack(">i", -1)


def joins(
    world,
    group,
    member="",
    *,
    protocols=(("range", b"\0\0"),),
    kind="consumer",
    session=MINUTE,
    rebalance=MINUTE,
    **changes,
):
    return {
        "GroupId": group,
        "SessionTimeoutMs": session,
        "RebalanceTimeoutMs": rebalance,
        "MemberId": member,
        "ProtocolType": kind,
        "Protocols": [{"Name": name, "Metadata": metadata} for name, metadata in protocols],
        **changes,
    }


def join_rows(world, version):
    group = world.name(f"rows-{version}")
    return {
        "session too short": joins(world, group, session=5000),
        "session too long": joins(world, group, session=1_800_001),
        "session -1": joins(world, group, session=-1),
        "unknown member": joins(world, group, "nobody"),
        "no protocols": joins(world, group, protocols=()),
        "no protocol type": joins(world, group, kind=""),
        "rebalance -1": joins(world, world.name(f"rebalance-{version}"), rebalance=-1),
        "no group": joins(world, ""),
    }


def join_two(world, version):
    group = world.name(f"rows-{version}")
    rows = {
        "no group, session": joins(world, "", session=1),
        "session, unknown member": joins(world, group, "nobody", session=1),
        "session, no protocols": joins(world, group, protocols=(), session=1),
        "unknown member, no protocols": joins(world, group, "nobody", protocols=()),
    }
    if version >= 5:
        rows["unknown instance, member"] = joins(world, group, "nobody", GroupInstanceId="i")
    return rows


def join_maximal(world, version):
    return (
        joins(
            world,
            world.name(f"maximal-{version}"),
            protocols=(("range", subscription(world.name("read"))), ("roundrobin", b"")),
            GroupInstanceId="fixed",
            Reason="to see",
        )
        if version >= 5
        else joins(world, world.name(f"maximal-{version}"), protocols=(("range", b"1"), ("roundrobin", b"")))
    )


def member(world, group, **changes):
    return {"GroupId": group, "GenerationId": 1, "MemberId": "nobody", **changes}


def beats(world, version):
    rows = {
        "no such group": member(world, "nowhere"),
        "no group": member(world, ""),
        "simple group": member(world, world.name("simple")),
    }
    if version >= 3:
        rows["unknown instance"] = member(world, world.name("simple"), GroupInstanceId="i")
    return rows


def two_wrong(world, version):
    return {
        "no group, generation": member(world, "", GenerationId=-5),
        "unknown member, generation": member(world, world.name("simple"), GenerationId=77),
    }


def leaves(world, group, version, *members):
    if version < 3:
        return {"GroupId": group, "MemberId": members[0][0] if members else ""}
    return {
        "GroupId": group,
        "Members": [{"MemberId": one, "GroupInstanceId": instance, "Reason": "bye"} for one, instance in members],
    }


def leave_rows(world, version):
    rows = {
        "no such group": leaves(world, "nowhere", version, ("m", None)),
        "no group": leaves(world, "", version, ("m", None)),
    }
    if version >= 3:
        rows.update(
            {
                "nobody": leaves(world, world.name("simple"), version),
                "instance": leaves(world, world.name("simple"), version, ("", "i")),
                "nobody, nowhere": leaves(world, "nowhere", version),
            }
        )
    return rows


def syncs(world, group, version, member_id="nobody", generation=1, assignments=(), **changes):
    fields = {
        "GroupId": group,
        "GenerationId": generation,
        "MemberId": member_id,
        "Assignments": [{"MemberId": one, "Assignment": what} for one, what in assignments],
    }
    return {**fields, **({"ProtocolType": "consumer", "ProtocolName": "range"} if version >= 5 else {}), **changes}


def sync_rows(world, version):
    rows = {"no such group": syncs(world, "nowhere", version), "no group": syncs(world, "", version)}
    if version >= 5:
        rows.update(
            {
                "no protocol type": syncs(world, "nowhere", version, ProtocolType=None),
                "no protocol": syncs(world, "nowhere", version, ProtocolName=None),
            }
        )
    return rows


def sync_two(world, version):
    rows = {"unknown member, generation": syncs(world, world.name("simple"), version, generation=9)}
    if version >= 5:
        rows["no group, no protocol"] = syncs(world, "", version, ProtocolName=None)
    return rows


def commits(world, group, *topics, generation=-1, member_id="", **changes):
    """(topic, partition, offset, changes) of what is committed."""
    found = {}
    for word, partition, offset, more in topics:
        found.setdefault(word, []).append(
            {"PartitionIndex": partition, "CommittedOffset": offset, "CommittedMetadata": "", **more}
        )
    return {
        "GroupId": group,
        "GenerationIdOrMemberEpoch": generation,
        "MemberId": member_id,
        "Topics": [
            {"Name": world.name(word), "TopicId": world.id(word), "Partitions": parts} for word, parts in found.items()
        ],
        **changes,
    }


def commit_rows(world, version):
    simple = world.name("simple")
    return {
        "no such group, generation": commits(world, "nowhere", ("read", 0, 1, {}), generation=3, member_id="m"),
        "no group": commits(world, "", ("read", 0, 1, {})),
        "no topic": commits(world, simple, ("none", 0, 1, {})),
        "no partition": commits(world, simple, ("read", 9, 1, {})),
        "negative": commits(world, simple, ("read", 1, -3, {})),
        "metadata": commits(world, simple, ("read", 1, 1, {"CommittedMetadata": "m" * 4096})),
        "too much": commits(world, simple, ("read", 1, 1, {"CommittedMetadata": "m" * 4097})),
        "no metadata": commits(world, simple, ("read", 1, 2, {"CommittedMetadata": None})),
        "partition twice": commits(world, simple, ("read", 1, 3, {}), ("read", 1, 4, {})),
        "simple, generation": commits(world, simple, ("read", 1, 1, {}), generation=3, member_id="m"),
        "simple, member": commits(world, simple, ("read", 1, 1, {}), member_id="m"),
        "good and bad": commits(world, simple, ("read", 1, 5, {}), ("none", 0, 5, {})),
        "nothing": commits(world, simple),
    }


def commit_two(world, version):
    big = {"CommittedMetadata": "m" * 5000}
    return {
        "no topic, too much": commits(world, world.name("simple"), ("none", 0, 1, big)),
        "no group, no topic": commits(world, "nowhere", ("none", 0, 1, {}), generation=2),
        "generation, too much": commits(world, world.name("simple"), ("read", 0, 1, big), generation=9, member_id="m"),
    }


def reads_offsets(world, version, *groups, **changes):
    """(group, topics) with (topic, partitions); without topics: all."""

    def topics(asked):
        known = (lambda word: {"TopicId": world.id(word)}) if version >= 8 else lambda word: {}
        return (
            None
            if asked is None
            else [{"Name": world.name(word), **known(word), "PartitionIndexes": list(parts)} for word, parts in asked]
        )

    if version < 8:
        group, asked = groups[0]
        return {"GroupId": group, "Topics": topics(asked if asked is not None or version >= 2 else ()), **changes}
    return {"Groups": [{"GroupId": group, "Topics": topics(asked)} for group, asked in groups], **changes}


def offset_rows(world, version):
    simple, one = world.name("simple"), (("read", (0, 1)),)
    rows = {
        "all": reads_offsets(world, version, (simple, ALL_TOPICS)),
        "no such group": reads_offsets(world, version, ("nowhere", one)),
        "no group": reads_offsets(world, version, ("", one)),
        "no topic": reads_offsets(world, version, (simple, (("none", (0,)),))),
        "no partition": reads_offsets(world, version, (simple, (("read", (9,)),))),
        "nothing": reads_offsets(world, version, (simple, ())),
        "no such group, all": reads_offsets(world, version, ("nowhere", ALL_TOPICS)),
        "no partitions": reads_offsets(world, version, (simple, (("read", ()),))),
        "partition twice": reads_offsets(world, version, (simple, (("read", (0, 0)),))),
    }
    if version >= 8:
        rows.update(
            {
                "several": reads_offsets(world, version, (simple, one), ("nowhere", one), (simple, ALL_TOPICS)),
                "no groups": {"Groups": []},
            }
        )
    if version >= 9:
        rows["member, epoch"] = {
            "Groups": [{"GroupId": simple, "MemberId": "nobody", "MemberEpoch": 3, "Topics": None}]
        }
    return rows


def offset_maximal(world, version):
    return reads_offsets(
        world,
        version,
        (world.name("simple"), (("read", (0, 1, 9)), ("empty", (0,)), ("none", (0,)))),
        RequireStable=True,
    )


def offset_two(world, version):
    return {
        "no group, no topic": reads_offsets(world, version, ("nowhere", (("none", (0,)),))),
        "empty group, no partition": reads_offsets(world, version, ("", (("read", (9,)),))),
    }


def finds(version, *names, kind=0):
    return (
        {"CoordinatorKeys": list(names), "KeyType": kind}
        if version >= 4
        else {"Key": names[0] if names else "", "KeyType": kind}
    )


def find_rows(world, version):
    rows = {"empty name": finds(version, "")}
    if version >= 1:
        rows.update({f"kind {kind}": finds(version, world.name("simple"), kind=kind) for kind in (2, 3, 9, -1)})
        rows["transactional"] = finds(version, world.name("tx"), kind=1)
    if version >= 4:
        rows["twice"] = finds(version, "x", "x")
    return rows


def describes(*groups, operations=False):
    return {"Groups": list(groups), "IncludeAuthorizedOperations": operations}


def removes(world, group, *topics):
    found = {}
    for word, partition in topics:
        found.setdefault(word, []).append({"PartitionIndex": partition})
    return {
        "GroupId": group,
        "Topics": [{"Name": world.name(word), "Partitions": parts} for word, parts in found.items()],
    }


def list_maximal(world, version):
    return {"StatesFilter": ["Empty", "stable", "Empty"], "TypesFilter": ["Classic", "classic"]}


def list_rows(world, version):
    rows = {}
    if version >= 4:
        rows.update(
            {
                "state Empty": {"StatesFilter": ["empty"]},
                "state Dead": {"StatesFilter": ["Dead"]},
                "no such state": {"StatesFilter": ["x"]},
            }
        )
    if version >= 5:
        rows.update(
            {
                "type classic": {"TypesFilter": ["CLASSIC"]},
                "type consumer": {"TypesFilter": ["consumer"]},
                "no such type": {"TypesFilter": ["x"]},
            }
        )
    return rows


# Groups that are listed come first, before others change.
BEFORE = [
    Api(
        "OffsetCommit",
        lambda w, v: commits(w, w.name("simple"), ("read", 0, v, {})),
        lambda w, v: commits(
            w,
            w.name("simple"),
            ("read", 0, 2, {"CommittedLeaderEpoch": 0, "CommittedMetadata": "here"}),
            ("empty", 0, 0, {}),
            ("none", 0, 1, {}),
            RetentionTimeMs=5000,
            **({"GroupInstanceId": None} if v >= 7 else {}),
        ),
        commit_two,
        commit_rows,
    ),
    Api(
        "OffsetFetch",
        lambda w, v: reads_offsets(w, v, (w.name("simple"), (("read", (0,)),))),
        offset_maximal,
        offset_two,
        offset_rows,
    ),
    Api(
        "FindCoordinator",
        lambda w, v: finds(v, w.name("simple")),
        lambda w, v: finds(v, w.name("simple"), "nowhere", w.name("joined")),
        lambda w, v: {"empty name, kind 9": finds(v, "", kind=9)},
        find_rows,
    ),
    Api("ListGroups", lambda w, v: {}, list_maximal, None, list_rows),
]
APIS = [
    Api(
        "DescribeGroups",
        lambda w, v: describes(w.name("simple")),
        lambda w, v: describes(w.name("simple"), "nowhere", "", operations=True),
        lambda w, v: {"no such group twice": describes("nowhere", "nowhere")},
        lambda w, v: {
            "no such group": describes("nowhere"),
            "empty name": describes(""),
            "with operations": describes("nowhere", operations=True),
        },
    ),
    Api("JoinGroup", lambda w, v: joins(w, w.name(f"typical-{v}")), join_maximal, join_two, join_rows),
    Api(
        "Heartbeat",
        lambda w, v: member(w, w.name("simple")),
        lambda w, v: member(w, w.name("simple"), GroupInstanceId="i"),
        two_wrong,
        beats,
    ),
    Api(
        "SyncGroup",
        lambda w, v: syncs(w, w.name("simple"), v),
        lambda w, v: syncs(w, w.name("simple"), v, assignments=(("m", b"1"), ("n", b"")), GroupInstanceId="i"),
        sync_two,
        sync_rows,
    ),
    Api(
        "LeaveGroup",
        lambda w, v: leaves(w, w.name("simple"), v, ("nobody", None)),
        lambda w, v: leaves(w, w.name("simple"), v, ("nobody", "i"), ("other", None), ("", "j")),
        lambda w, v: {
            "no group, nobody": leaves(w, "", v),
            "no such group, no member": leaves(w, "nowhere", v, ("", None)),
        },
        leave_rows,
    ),
    Api(
        "OffsetDelete",
        lambda w, v: removes(w, w.name("simple"), ("read", 1)),
        lambda w, v: removes(w, w.name("simple"), ("read", 0), ("read", 9), ("none", 0), ("empty", 0)),
        lambda w, v: {
            "no such group, no topic": removes(w, "nowhere", ("none", 0)),
            "empty group, no partition": removes(w, "", ("read", 9)),
        },
        lambda w, v: {
            "no such group": removes(w, "nowhere", ("read", 0)),
            "no group": removes(w, "", ("read", 0)),
            "nothing": removes(w, w.name("simple")),
        },
    ),
    # An epoch that nobody has: a group of KIP-848 is not made, where there are any.
    Api(
        "ConsumerGroupHeartbeat",
        lambda w, v: {"GroupId": "nowhere", "MemberId": "m", "MemberEpoch": 5},
        lambda w, v: {
            "GroupId": "nowhere", "MemberId": "m", "MemberEpoch": 5, "InstanceId": "i", "RackId": "r",
            "RebalanceTimeoutMs": 1000, "SubscribedTopicNames": [w.name("read")], "ServerAssignor": "uniform",
            "TopicPartitions": [{"TopicId": w.id("read"), "Partitions": [0, 1]}],
        },
        lambda w, v: {"empty name, epoch -9": {"GroupId": "", "MemberId": "m", "MemberEpoch": -9}},
    ),
    Api(
        "DeleteGroups",
        lambda w, v: {"GroupsNames": [w.name(f"simple-{v}")]},
        lambda w, v: {"GroupsNames": [w.name(f"simple-{v}"), "nowhere", "", "nowhere"]},
        lambda w, v: {"no such group, empty name": {"GroupsNames": ["nowhere", ""]}},
    ),
]
