"""Metadata, topics and settings: Metadata, CreateTopics, DeleteTopics, CreatePartitions, the three of configurations, DescribeLogDirs."""

from .language import NIL, NOBODYS, Api, Ask

TOPIC, BROKER, LOGGER, CLIENTS, GROUP = 2, 4, 8, 16, 32
SET, DELETE, APPEND, SUBTRACT = range(4)


def names(world, version, *asked, **flags):
    """Names, or (name, id)."""
    topics = []
    for one in asked:
        name, known = one if isinstance(one, tuple) else (world.name(one), NIL)
        topics.append({"Name": name, "TopicId": known})
    return {"Topics": topics, "AllowAutoTopicCreation": False, **flags}


def metadata_maximal(world, version):
    return names(
        world,
        version,
        "read",
        "empty",
        "none",
        IncludeClusterAuthorizedOperations=True,
        IncludeTopicAuthorizedOperations=True,
    )


def metadata_rows(world, version):
    rows = {
        "no topic": names(world, version, "none"),
        "bad name": names(world, version, ("b b", NIL)),
        "empty name": names(world, version, ("", NIL)),
        "long name": names(world, version, ("n" * 250, NIL)),
        "dots": names(world, version, ("..", NIL)),
        "name twice": names(world, version, "read", "read"),
        "none at all": {"Topics": [], "AllowAutoTopicCreation": False},
        "reserved": names(world, version, ("__share_group_state", NIL)),
    }
    if version >= 4:
        rows["to be created"] = names(world, version, "none", AllowAutoTopicCreation=True)
    if version >= 8:
        rows["operations"] = names(world, version, "read", "none", IncludeTopicAuthorizedOperations=True)
    if version >= 10:
        rows.update(
            {
                "by id": names(world, version, (None, world.id("read"))),
                "no such id": names(world, version, (None, NOBODYS)),
                "null and no id": names(world, version, (None, NIL)),
                "id and name": names(world, version, (world.name("read"), world.id("read"))),
                "id of another": names(world, version, (world.name("read"), world.id("empty"))),
                "id and a name": names(world, version, (None, world.id("read")), (world.name("empty"), NIL)),
                "id twice": names(world, version, (None, world.id("read")), (None, world.id("read"))),
            }
        )
    return rows


def metadata_two(world, version):
    rows = {
        "bad name twice": names(world, version, ("b b", NIL), ("b b", NIL)),
        "bad and missing": names(world, version, ("b b", NIL), "none"),
    }
    if version >= 10:
        rows["no such id, bad name"] = names(world, version, ("b b", NOBODYS))
    return rows


def topic(world, word, partitions=1, replicas=1, assigned=(), name=None, **configs):
    configs = [{"Name": key.replace("_", "."), "Value": value} for key, value in configs.items()]
    return {
        "Name": world.name(word) if name is None else name,
        "NumPartitions": partitions,
        "ReplicationFactor": replicas,
        "Configs": configs,
        "Assignments": [{"PartitionIndex": index, "BrokerIds": brokers} for index, brokers in assigned],
    }


def made(*topics, check=False):
    return {"Topics": list(topics), "timeoutMs": 5000, "validateOnly": check}


def make_maximal(world, version):
    word = f"made-maximal-{version}"
    return made(
        topic(world, word, 2, 1, retention_ms="5000", cleanup_policy="compact,delete"),
        topic(world, f"{word}-b", -1, -1, assigned=((0, [1]), (1, [1]))),
        *([topic(world, f"{word}-c", -1, -1)] if version >= 4 else []),
        topic(world, "read"),
    )


def make_rows(world, version):
    def only(**changes):
        return made(topic(world, "only-checked", **changes), check=True)

    long, word = "n" * 249, f"row-{version}"
    return {
        "is there": made(topic(world, "read")),
        "checked only": only(),
        "bad name": only(name="a b"),
        "dot": only(name="."),
        "dots": only(name=".."),
        "empty name": only(name=""),
        "long name": only(name=f"{world.prefix}{long}"[:249]),
        "longer name": only(name=f"{long}n"),
        "collides": made(topic(world, "col.lide")),
        "with this": made(topic(world, "col_lide"), topic(world, "col_lide.x")),
        "reserved": only(name="__cluster_metadata"),
        "no partitions": only(partitions=0),
        "partitions -1": only(partitions=-1),
        "partitions -2": only(partitions=-2),
        "no replicas": only(replicas=0),
        "replicas -1": only(replicas=-1),
        "replicas -2": only(replicas=-2),
        "three replicas": only(replicas=3),
        "many partitions": only(partitions=10_001),
        "assigned and counted": only(assigned=((0, [1]),)),
        "assigned": only(partitions=-1, replicas=-1, assigned=((0, [1]), (1, [1]))),
        "assigned to nobody": only(partitions=-1, replicas=-1, assigned=((0, []),)),
        "assigned to another": only(partitions=-1, replicas=-1, assigned=((0, [7]),)),
        "assigned twice": only(partitions=-1, replicas=-1, assigned=((0, [1, 1]),)),
        "assigned with a gap": only(partitions=-1, replicas=-1, assigned=((1, [1]),)),
        "assigned the same": only(partitions=-1, replicas=-1, assigned=((0, [1]), (0, [1]))),
        "assigned unevenly": only(partitions=-1, replicas=-1, assigned=((0, [1]), (1, [1, 2]))),
        "negative partition": only(partitions=-1, replicas=-1, assigned=((-1, [1]),)),
        "unknown setting": only(no_such="1"),
        "bad setting": only(retention_ms="x"),
        "setting out of range": only(retention_ms="-5"),
        "null setting": only(retention_ms=None),
        "empty setting": only(retention_ms=""),
        "bad policy": only(cleanup_policy="x"),
        "setting with blanks": only(retention_ms=" 7 "),
        "bad codec": only(compression_type="x"),
        "name twice": made(topic(world, word), topic(world, word)),
        "good and bad": made(topic(world, f"{word}-good"), topic(world, "x", 0)),
        "nothing": made(),
    }


def make_two(world, version):
    def only(**changes):
        return made(topic(world, "only-checked", **changes), check=True)

    return {
        "is there, no partitions": made(topic(world, "read", 0)),
        "is there, bad setting": made(topic(world, "read", retention_ms="x")),
        "bad name, no partitions": only(name="a b", partitions=0),
        "no partitions, no replicas": only(partitions=0, replicas=0),
        "no partitions, bad setting": only(partitions=0, retention_ms="x"),
        "no replicas, bad setting": only(replicas=0, retention_ms="x"),
        "bad name, bad setting": only(name="a b", no_such="1"),
        "twice, bad name": made(topic(world, "", name="a b"), topic(world, "", name="a b")),
        "assigned wrongly, bad setting": only(partitions=-1, replicas=-1, assigned=((0, [7]),), no_such="1"),
        "assigned wrongly and counted": only(assigned=((0, [7]),)),
        "null and unknown": only(retention_ms=None, no_such="1"),
        "unknown and bad": only(no_such="1", retention_ms="x"),
    }


def gone(world, version, *words):
    """Words, or (name, id)."""
    entries = [word if isinstance(word, tuple) else (world.name(word), NIL) for word in words]
    return {
        "TimeoutMs": 5000,
        "TopicNames": [name for name, _ in entries],
        "Topics": [{"Name": name, "TopicId": known} for name, known in entries],
    }


def gone_rows(world, version):
    rows = {
        "no topic": gone(world, version, "none"),
        "empty name": gone(world, version, ("", NIL)),
        "bad name": gone(world, version, ("b b", NIL)),
        "twice": gone(world, version, f"twice-{version}", f"twice-{version}"),
        "missing twice": gone(world, version, "none", "none"),
        "nothing": gone(world, version),
    }
    if version >= 6:
        rows.update(
            {
                "by id": gone(world, version, (None, world.id("gone-by-id"))),
                "no such id": gone(world, version, (None, NOBODYS)),
                "both": gone(world, version, (world.name("read"), world.id("read"))),
                "neither": gone(world, version, (None, NIL)),
                "id twice": gone(world, version, (None, world.id("read")), (None, world.id("read"))),
                "id and its name": gone(world, version, (None, world.id("empty")), "empty"),
            }
        )
    return rows


def grown(world, *asked, check=False):
    """(topic, count, assignments)."""
    topics = [
        {
            "Name": world.name(word),
            "Count": count,
            "Assignments": None if assigned is None else [{"BrokerIds": brokers} for brokers in assigned],
        }
        for word, count, assigned in asked
    ]
    return {"Topics": topics, "TimeoutMs": 5000, "ValidateOnly": check}


def grow_rows(world, version):
    return {
        "no topic": grown(world, ("none", 3, None)),
        "same": grown(world, ("read", 2, None)),
        "less": grown(world, ("read", 1, None)),
        "none": grown(world, ("read", 0, None)),
        "negative": grown(world, ("read", -1, None)),
        "many": grown(world, ("read", 20_000, None), check=True),
        "checked only": grown(world, ("read", 3, None), check=True),
        "assigned": grown(world, ("read", 3, ([1],)), check=True),
        "assigned too few": grown(world, ("read", 4, ([1],)), check=True),
        "assigned to nobody": grown(world, ("read", 3, ([],)), check=True),
        "assigned to another": grown(world, ("read", 3, ([7],)), check=True),
        "assigned none": grown(world, ("read", 3, ()), check=True),
        "assigned twice": grown(world, ("read", 3, ([1, 1],)), check=True),
        "twice": grown(world, ("read", 3, None), ("read", 4, None), check=True),
        "nothing": grown(world),
    }


def grow_two(world, version):
    return {
        "no topic, negative": grown(world, ("none", -1, None)),
        "no topic, assigned wrongly": grown(world, ("none", 3, ([7],))),
        "same, assigned wrongly": grown(world, ("read", 2, ([7],))),
        "twice, no topic": grown(world, ("none", 3, None), ("none", 3, None)),
    }


def asked_settings(*resources, **flags):
    return {
        "Resources": [
            {"ResourceType": kind, "ResourceName": name, "ConfigurationKeys": None if wanted is None else list(wanted)}
            for kind, name, wanted in resources
        ],
        **flags,
    }


def setting_rows(world, version):
    some = ("retention.ms",)
    return {
        "no topic": asked_settings((TOPIC, world.name("none"), some)),
        "bad name": asked_settings((TOPIC, "b b", some)),
        "empty name": asked_settings((TOPIC, "", some)),
        "unknown key": asked_settings((TOPIC, world.name("read"), ("no.such",))),
        "no keys": asked_settings((TOPIC, world.name("read"), ())),
        "topic twice": asked_settings((TOPIC, world.name("read"), some), (TOPIC, world.name("read"), some)),
        "all of a topic": asked_settings((TOPIC, world.name("settings"), None)),
        "broker": asked_settings((BROKER, "1", ("log.retention.ms", "background.threads"))),
        "default broker": asked_settings((BROKER, "", ("log.retention.ms",))),
        "other broker": asked_settings((BROKER, "9", some)),
        "broker that is no number": asked_settings((BROKER, "x", some)),
        "group": asked_settings((GROUP, world.name("simple"), ("consumer.session.timeout.ms",))),
        "group without a name": asked_settings((GROUP, "", some)),
        "clients": asked_settings((CLIENTS, "x", None)),
        "no such kind": asked_settings((99, "x", some)),
        "kind 0": asked_settings((0, "x", some)),
        "nothing": asked_settings(),
    }


def setting_two(world, version):
    return {
        "no topic, unknown key": asked_settings((TOPIC, world.name("none"), ("no.such",))),
        "bad kind, no topic": asked_settings((99, "x", None), (TOPIC, world.name("none"), None)),
        "other broker, no group": asked_settings((BROKER, "9", None), (GROUP, "", None)),
    }


def changed(*resources, check=False):
    """(kind, name, (key, value, how)..)"""
    found = []
    for kind, name, *configs in resources:
        found.append(
            {
                "ResourceType": kind,
                "ResourceName": name,
                "Configs": [
                    {"Name": key, "Value": value, **({"ConfigOperation": how[0]} if how else {})}
                    for key, value, *how in configs
                ],
            }
        )
    return {"Resources": found, "ValidateOnly": check}


def change_rows(world, version):
    def one(*config, word="settings"):
        return changed((TOPIC, world.name(word), config))

    return {
        "bad": one("retention.ms", "x", SET),
        "range": one("retention.ms", "-5", SET),
        "null": one("retention.ms", None, SET),
        "unknown": one("no.such", "1", SET),
        "delete": one("retention.ms", None, DELETE),
        "delete with a value": one("retention.ms", "1", DELETE),
        "delete unknown": one("no.such", None, DELETE),
        "append": one("cleanup.policy", "compact", APPEND),
        "append again": one("cleanup.policy", "compact", APPEND),
        "append to no list": one("retention.ms", "1", APPEND),
        "append null": one("cleanup.policy", None, APPEND),
        "subtract": one("cleanup.policy", "compact", SUBTRACT),
        "subtract what is not there": one("cleanup.policy", "compact", SUBTRACT),
        "append nonsense": one("cleanup.policy", "x", APPEND),
        "operation 9": one("retention.ms", "1", 9),
        "no topic": one("retention.ms", "1", SET, word="none"),
        "key twice": changed((TOPIC, world.name("settings"), ("retention.ms", "1", SET), ("retention.ms", "2", SET))),
        "topic twice": changed(
            (TOPIC, world.name("settings"), ("retention.ms", "1", SET)),
            (TOPIC, world.name("settings"), ("retention.ms", "2", SET)),
        ),
        "bad name": changed((TOPIC, "b b", ("retention.ms", "1", SET))),
        "empty name": changed((TOPIC, "", ("retention.ms", "1", SET))),
        "no such kind": changed((99, "x", ("x", "1", SET))),
        "kind 0": changed((0, "x", ("x", "1", SET))),
        "no change": changed((TOPIC, world.name("settings"))),
        "checked only": changed((TOPIC, world.name("settings"), ("retention.ms", "7000", SET)), check=True),
        "checked, bad": changed((TOPIC, world.name("settings"), ("retention.ms", "x", SET)), check=True),
        "good and bad": changed(
            (TOPIC, world.name("settings"), ("segment.ms", "7000", SET), ("retention.ms", "x", SET))
        ),
        "other broker": changed((BROKER, "9", ("background.threads", "5", SET))),
        "broker x": changed((BROKER, "x", ("background.threads", "5", SET))),
        "group": changed((GROUP, world.name("simple"), ("consumer.session.timeout.ms", "46000", SET))),
        "group out of range": changed((GROUP, world.name("simple"), ("consumer.session.timeout.ms", "1", SET))),
        "group without a name": changed((GROUP, "", ("consumer.session.timeout.ms", "46000", SET))),
        "nothing": changed(),
    }


def change_two(world, version):
    return {
        "no topic, unknown key": changed((TOPIC, world.name("none"), ("no.such", "1", SET))),
        "no topic, bad": changed((TOPIC, world.name("none"), ("retention.ms", "x", SET))),
        "twice, bad": changed((TOPIC, world.name("settings"), ("retention.ms", "x", SET), ("retention.ms", "x", SET))),
        "no topic, key twice": changed(
            (TOPIC, world.name("none"), ("retention.ms", "1", SET), ("retention.ms", "1", SET))
        ),
        "unknown, null": changed((TOPIC, world.name("settings"), ("no.such", None, SET), ("retention.ms", None, SET))),
    }


def change_maximal(world, version):
    return changed(
        (TOPIC, world.name("settings"), ("retention.ms", "6000", SET), ("cleanup.policy", "delete", SET)),
        (TOPIC, world.name("none"), ("retention.ms", "1", SET)),
        (TOPIC, world.name("compact"), ("min.cleanable.dirty.ratio", "0.4", SET)),
    )


def replaced(table):
    """The rows that AlterConfigs has too: it has no operations."""
    without = ("delete", "append", "subtract", "operation")

    def rows(world, version):
        found = {words: fields for words, fields in table(world, version).items() if not words.startswith(without)}
        for fields in found.values():
            for resource in fields["Resources"]:
                for config in resource["Configs"]:
                    config.pop("ConfigOperation", None)
        if version and "topic twice" in found:
            del found["topic twice"]
        elif "topic twice" in found:
            # Kafka fails inside and never answers.
            found["topic twice"] = Ask("", 0, "", found["topic twice"], patience=1.5)
        return found

    return rows


def one_replaced(make):
    return lambda world, version: replaced(lambda w, v: {"": make(w, v)})(world, version)[""]


def log_dirs(*topics):
    return {"Topics": [{"Topic": name, "Partitions": list(parts)} for name, parts in topics]}


# What only looks comes before what changes.
BEFORE = [
    Api("Metadata", lambda w, v: names(w, v, "read"), metadata_maximal, metadata_two, metadata_rows),
    Api(
        "DescribeConfigs",
        lambda w, v: asked_settings((TOPIC, w.name("read"), ("retention.ms", "cleanup.policy"))),
        lambda w, v: asked_settings(
            (TOPIC, w.name("read"), ("retention.ms", "max.message.bytes")),
            (TOPIC, w.name("compact"), ("cleanup.policy",)),
            (TOPIC, w.name("none"), None),
            (GROUP, w.name("simple"), ("consumer.session.timeout.ms",)),
            IncludeSynonyms=True,
            IncludeDocumentation=False,
        ),
        setting_two,
        setting_rows,
    ),
    Api(
        "DescribeLogDirs",
        lambda w, v: log_dirs((w.name("read"), (0,))),
        lambda w, v: log_dirs((w.name("read"), (0, 1, 9)), (w.name("none"), (0,)), (w.name("empty"), (0,))),
        lambda w, v: {"no topic, no partition": log_dirs((w.name("none"), (9,)), (w.name("read"), (9,)))},
    ),
]
APIS = [
    Api("CreateTopics", lambda w, v: made(topic(w, f"made-{v}", 2)), make_maximal, make_two, make_rows),
    Api(
        "CreatePartitions",
        lambda w, v: grown(w, (f"grow-{v}", 2, None)),
        lambda w, v: grown(w, (f"grow-{v}", 4, ([1], [1])), ("none", 3, None), ("read", 9, None), check=False),
        grow_two,
        grow_rows,
    ),
    Api(
        "IncrementalAlterConfigs",
        lambda w, v: changed((TOPIC, w.name("settings"), ("retention.ms", "5000", SET))),
        change_maximal,
        change_two,
        change_rows,
    ),
    Api(
        "AlterConfigs",
        one_replaced(lambda w, v: changed((TOPIC, w.name("settings"), ("retention.ms", "5000", SET)))),
        one_replaced(change_maximal),
        replaced(change_two),
        replaced(change_rows),
    ),
    Api(
        "DeleteTopics",
        lambda w, v: gone(w, v, f"gone-{v}"),
        lambda w, v: gone(w, v, f"gone-too-{v}", "none"),
        lambda w, v: {
            "bad name, missing": gone(w, v, ("b b", NIL), "none"),
            "empty name twice": gone(w, v, ("", NIL), ("", NIL)),
        },
        gone_rows,
    ),
]
