"""Produce, Fetch, ListOffsets, OffsetForLeaderEpoch, DeleteRecords, InitProducerId."""

from .language import NOBODYS, Api, Ask
from .records import CONTROL, GZIP, TIME, TRANSACTIONAL, ZSTD, batch, record

DAY = 86_400_000


def topic_data(world, word, *parts):
    """(partition, records) of a topic, by its name and its id."""
    data = [{"Index": index, "Records": records} for index, records in parts]
    return {"Name": world.name(word), "TopicId": world.id(word), "PartitionData": data}


def produced(*topics, acks=-1, transactional_id=None):
    return {"TransactionalId": transactional_id, "Acks": acks, "TimeoutMs": 5000, "TopicData": list(topics)}


def produce(world, version):
    return produced(topic_data(world, "write", (0, batch(2))))


def produce_maximal(world, version):
    many = batch(3, headers=((b"h", b"1"), (b"h", None)), codec=GZIP)
    return produced(
        topic_data(world, "write", (0, batch(1)), (1, many)),
        topic_data(world, "read", (1, batch(1, key=None, value=None))),
        topic_data(world, "none", (0, batch(1))),
        transactional_id="nobodys",
    )


def produce_two(world, version):
    good, damaged = batch(1), batch(1, crc=1)
    return {
        "no topic, acks 2": produced(topic_data(world, "none", (0, good)), acks=2),
        "no topic, no records": produced(topic_data(world, "none", (0, None))),
        "no topic, checksum": produced(topic_data(world, "none", (0, damaged))),
        "no partition, checksum": produced(topic_data(world, "write", (9, damaged))),
        "acks 2, checksum": produced(topic_data(world, "write", (0, damaged)), acks=2),
        "checksum, no key for compaction": produced(topic_data(world, "compact", (0, batch(1, key=None, crc=1)))),
        "checksum, too large": produced(topic_data(world, "small", (0, batch(1, value=b"v" * 900, crc=1)))),
        "old, no key for compaction": produced(
            topic_data(world, "compact", (0, batch(1, key=None, time=TIME + 10**12)))
        ),
        "control, sequence": produced(
            topic_data(world, "idem", (0, batch(1, attributes=CONTROL, producer=9, epoch=0, sequence=9)))
        ),
        "transactional, no topic": produced(
            topic_data(world, "none", (0, batch(1, attributes=TRANSACTIONAL, producer=9, epoch=0, sequence=0)))
        ),
        "transactional, acks 2": produced(
            topic_data(world, "write", (0, batch(1, attributes=TRANSACTIONAL, producer=9, epoch=0, sequence=0))), acks=2
        ),
    }


def produce_rows(world, version):
    def to(word, *batches, **more):
        return produced(topic_data(world, word, (0, b"".join(batches))), **more)

    rows = {
        "no topic": to("none", batch(1)),
        "acks 1": to("write", batch(1), acks=1),
        "no partition": produced(topic_data(world, "write", (9, batch(1)))),
        "partition -1": produced(topic_data(world, "write", (-1, batch(1)))),
        "one good, one bad": produced(topic_data(world, "write", (0, batch(1)), (1, batch(1, crc=1)))),
        "partition twice": produced(topic_data(world, "odd", (0, batch(1)), (0, batch(1)))),
        "topic twice": produced(topic_data(world, "write", (0, batch(1))), topic_data(world, "write", (1, batch(1)))),
        "empty records": to("write", b""),
        "magic 1": to("write", batch(1, magic=1)),
        "magic 3": to("write", batch(1, magic=3)),
        "two batches": to("write", batch(1), batch(1)),
        "cut": to("write", batch(1)[:-1]),
        "cut in the header": to("write", batch(1)[:30]),
        "longer than it says": to("odd", batch(1), b"x"),
        "length": to("write", batch(1, length=1)),
        "length 1": to("write", batch(1, length=-50)),
        "checksum": to("write", batch(1, crc=1)),
        "count 0": to("write", batch(0, records=b"")),
        "count wrong": to("write", batch(2, declared=3)),
        "last delta wrong": to("write", batch(2, last_delta=5)),
        "deltas": to("odd", batch(2, records=record(0) + record(7))),
        "record too long": to("write", batch(1, records=b"\x7f\0\0\0")),
        "control": to("write", batch(1, attributes=CONTROL)),
        "negative sequence": to("write", batch(1, producer=5, epoch=0, sequence=-1)),
        "zstd that is none": to("write", batch(1, codec=ZSTD)),
        "codec 7": to("write", batch(1, codec=7)),
        "gzip that is none": to("write", batch(1, attributes=GZIP)),
        "too large": to("small", batch(1, value=b"v" * 900)),
        "not too large": to("small", batch(1, value=b"v" * 100)),
        "future": to("write", batch(1, time=2 * TIME)),
        "no time": to("write", batch(1, time=-1)),
        "keyless for compaction": to("compact", batch(2, key=None)),
        "one keyless for compaction": to("compact", batch(2, records=record(0) + record(1, key=None))),
        "stamped": to("stamped", batch(2)),
        "two in sync": to("strict", batch(1)),
        "two in sync, acks 1": to("strict-too", batch(1), acks=1),
        "transactional": to("write", batch(1, attributes=TRANSACTIONAL, producer=9, epoch=0, sequence=0)),
        "base offset kept out": to("write", batch(1, base=77)),
    }
    silent = {
        "acks 0": to("write", batch(1), acks=0),
        "acks 0, no topic": to("none", batch(1), acks=0),
        "acks 0, checksum": to("write", batch(1, crc=1), acks=0),
    }
    rows.update({words: Ask("", 0, "", fields, mode="perhaps") for words, fields in silent.items()})
    if version in (3, 13):
        # Kafka fails inside and never answers.
        nothing = produced(topic_data(world, "write", (0, None)))
        rows |= {
            "no records": Ask("", 0, "", nothing, patience=1.5),
            "acks 2, no records": Ask("", 0, "", nothing | {"Acks": 2}, patience=1.5),
        }

    # A producer's life, under an id of its own for each version.
    def sequence(first, count=1, epoch=0, producer=1000 + version):
        return to("idem", batch(count, producer=producer, epoch=epoch, sequence=first))

    rows.update(
        {
            "producer begins at 5": sequence(5),
            "next": sequence(6, 2),
            "gap": sequence(9),
            "again": sequence(6, 2),
            "again, otherwise": sequence(6, 1),
            "older again": sequence(5),
            "newer epoch at 3": sequence(3, epoch=1),
            "newer epoch": sequence(0, epoch=1),
            "older epoch": sequence(8, epoch=0),
            "newer epoch goes on": sequence(1, 3, epoch=1),
            "epoch -1": sequence(0, epoch=-1),
            "last sequence": sequence(2147483647, producer=2000 + version),
            "behind the last": sequence(0, producer=2000 + version),
            "far behind": sequence(1, 6, producer=2000 + version),
        }
    )
    return rows


def fetched(*topics, **changes):
    return {"MaxWaitMs": 0, "MinBytes": 0, "MaxBytes": 1 << 20, "Topics": list(topics), **changes}


def fetch_of(world, word, *partitions):
    """(partition, offset, changes) of a topic."""
    parts = [
        {"Partition": index, "FetchOffset": offset, "PartitionMaxBytes": 1 << 20, **changes}
        for index, offset, changes in partitions
    ]
    return {"Topic": world.name(word), "TopicId": world.id(word), "Partitions": parts}


def fetch(world, version):
    return fetched(fetch_of(world, "read", (0, 0, {})))


def fetch_maximal(world, version):
    known = {"CurrentLeaderEpoch": world.epoch, "LastFetchedEpoch": world.epoch, "LogStartOffset": 0}
    return fetched(
        fetch_of(world, "read", (0, 1, known), (1, 0, known), (9, 0, {})),
        fetch_of(world, "empty", (0, 0, {})),
        fetch_of(world, "none", (0, 0, {})),
        MaxWaitMs=10,
        MinBytes=1,
        IsolationLevel=1,
        RackId="r",
        ClusterId=None if version < 12 else "c",
        ForgottenTopicsData=[{"Topic": world.name("empty"), "TopicId": world.id("empty"), "Partitions": [0]}],
    )


def fetch_two(world, version):
    both = {"CurrentLeaderEpoch": 9}
    return {
        "no topic, offset": fetched(fetch_of(world, "none", (0, -7, {}))),
        "no partition, offset": fetched(fetch_of(world, "read", (9, 10**6, {}))),
        "epoch, offset": fetched(fetch_of(world, "read", (0, 10**6, both))),
        "no session, no topic": fetched(fetch_of(world, "none", (0, 0, {})), SessionId=5, SessionEpoch=1),
        "no session yet, offset": fetched(fetch_of(world, "read", (0, -7, {})), SessionEpoch=1),
    }


def fetch_rows(world, version):
    rows = {
        "beyond": fetched(fetch_of(world, "read", (0, 10**6, {}))),
        "negative": fetched(fetch_of(world, "read", (0, -1, {}))),
        "at the end": fetched(fetch_of(world, "read", (0, 6, {}))),
        "no topic": fetched(fetch_of(world, "none", (0, 0, {}))),
        "no partition": fetched(fetch_of(world, "read", (9, 0, {}))),
        "inside a batch": fetched(fetch_of(world, "read", (0, 3, {}))),
        "one byte": fetched(fetch_of(world, "read", (0, 0, {"PartitionMaxBytes": 1}))),
        "one byte of all": fetched(fetch_of(world, "read", (0, 0, {}), (1, 0, {})), MaxBytes=1),
        "no bytes": fetched(fetch_of(world, "read", (0, 0, {"PartitionMaxBytes": 0})), MaxBytes=0),
        "empty topic": fetched(fetch_of(world, "empty", (0, 0, {})), MaxWaitMs=20, MinBytes=1),
        "committed only": fetched(fetch_of(world, "read", (0, 0, {})), IsolationLevel=1),
        "isolation 7": fetched(fetch_of(world, "read", (0, 0, {})), IsolationLevel=7),
        "partition twice": fetched(fetch_of(world, "read", (0, 0, {}), (0, 2, {}))),
        "negative bytes": fetched(fetch_of(world, "read", (0, 0, {"PartitionMaxBytes": -1})), MaxBytes=-1),
        "negative wait": fetched(fetch_of(world, "empty", (0, 0, {})), MaxWaitMs=-1, MinBytes=-1),
        "no session": fetched(fetch_of(world, "read", (0, 0, {})), SessionId=5, SessionEpoch=1),
        "no session yet": fetched(fetch_of(world, "read", (0, 0, {})), SessionEpoch=1),
        "session ended": fetched(fetch_of(world, "read", (0, 0, {})), SessionId=5, SessionEpoch=-1),
        "session begun": fetched(fetch_of(world, "read", (0, 0, {})), SessionEpoch=0),
    }
    if version >= 9:
        rows["newer leader"] = fetched(fetch_of(world, "read", (0, 0, {"CurrentLeaderEpoch": 9})))
        rows["leader known"] = fetched(fetch_of(world, "read", (0, 0, {"CurrentLeaderEpoch": world.epoch})))
    if version >= 12:
        rows["newer last epoch"] = fetched(
            fetch_of(world, "read", (0, 0, {"LastFetchedEpoch": 9, "CurrentLeaderEpoch": world.epoch}))
        )
    if version >= 13:
        rows["no id"] = fetched({**fetch_of(world, "read", (0, 0, {})), "TopicId": NOBODYS})
    return rows


def listed(world, *asked, **changes):
    """(topic, partition, timestamp) of what is sought."""
    topics = {}
    for word, partition, timestamp, *epoch in asked:
        one = {
            "PartitionIndex": partition,
            "Timestamp": timestamp,
            **({"CurrentLeaderEpoch": epoch[0]} if epoch else {}),
        }
        topics.setdefault(word, []).append(one)
    return {
        "ReplicaId": -1,
        "TimeoutMs": 1000,
        "Topics": [{"Name": world.name(word), "Partitions": parts} for word, parts in topics.items()],
        **changes,
    }


def list_rows(world, version):
    times = {
        "earliest": -2,
        "largest time": -3,
        "earliest local": -4,
        "latest tiered": -5,
        "earliest pending": -6,
        "-7": -7,
        "-9": -9,
        "0": 0,
        "first": TIME,
        "second": TIME + 1,
        "between": TIME + 500,
        "third batch": TIME + 1000,
        "later": TIME + 10**9,
    }
    rows = {f"time {words}": listed(world, ("read", 0, time)) for words, time in times.items()}
    rows.update(
        {
            "empty, latest": listed(world, ("empty", 0, -1)),
            "empty, largest time": listed(world, ("empty", 0, -3)),
            "empty, time": listed(world, ("empty", 0, 5)),
            "no topic": listed(world, ("none", 0, -1)),
            "no partition": listed(world, ("read", 9, -1)),
            "partition twice": listed(world, ("read", 0, -1), ("read", 0, -2)),
            "newer leader": listed(world, ("read", 0, -1, 9)),
            "leader known": listed(world, ("read", 0, -1, world.epoch)),
            "isolation 7": listed(world, ("read", 0, -1), IsolationLevel=7),
        }
    )
    return rows


def list_two(world, version):
    return {
        "no topic, time -9": listed(world, ("none", 0, -9)),
        "no partition, newer leader": listed(world, ("read", 9, -1, 9)),
        "twice, no topic": listed(world, ("none", 0, -1), ("none", 0, -2)),
        "newer leader, time -9": listed(world, ("read", 0, -9, 9)),
    }


def epochs(world, *asked, **changes):
    topics = {}
    for word, partition, epoch, *current in asked:
        one = {"Partition": partition, "LeaderEpoch": epoch, **({"CurrentLeaderEpoch": current[0]} if current else {})}
        topics.setdefault(word, []).append(one)
    return {
        "ReplicaId": -1,
        "Topics": [{"Topic": world.name(word), "Partitions": parts} for word, parts in topics.items()],
        **changes,
    }


def epoch_rows(world, version):
    now = world.epoch
    return {
        f"epoch {words}": epochs(world, ("read", 0, epoch))
        for words, epoch in (("-1", -1), ("next", now + 1), ("9", 9))
    } | {
        "empty topic": epochs(world, ("empty", 0, now)),
        "no topic": epochs(world, ("none", 0, now)),
        "no partition": epochs(world, ("read", 9, now)),
        "newer leader": epochs(world, ("read", 0, now, 9)),
        "twice": epochs(world, ("read", 0, now), ("read", 0, now)),
    }


def cut(world, *asked):
    topics = {}
    for word, partition, offset in asked:
        topics.setdefault(word, []).append({"PartitionIndex": partition, "Offset": offset})
    return {
        "TimeoutMs": 3000,
        "Topics": [{"Name": world.name(word), "Partitions": parts} for word, parts in topics.items()],
    }


def cut_rows(world, version):
    return {
        "nothing": cut(world, ("cut", 0, 0)),
        "beyond": cut(world, ("cut", 0, 10**6)),
        "-2": cut(world, ("cut", 0, -2)),
        "no topic": cut(world, ("none", 0, 1)),
        "no partition": cut(world, ("cut", 9, 1)),
        "partition twice": cut(world, ("cut", 0, 1), ("cut", 0, 2)),
        "lower": cut(world, ("cut", 0, 1)),
        "all": cut(world, ("cut", 0, -1)),
        "all again": cut(world, ("cut", 0, -1)),
        "compacted": cut(world, ("compact", 0, 0)),
    }


def producer(transactional=None, **changes):
    return {"TransactionalId": transactional, "TransactionTimeoutMs": 60000, **changes}


def producer_rows(world, version):
    rows = {
        "no timeout": producer(TransactionTimeoutMs=0),
        "negative timeout": producer(TransactionTimeoutMs=-1),
        "transactional": producer(world.name("tx")),
    }
    if version >= 3:
        rows.update(
            {
                "with id": producer(ProducerId=5, ProducerEpoch=3),
                "id alone": producer(ProducerId=5),
                "epoch alone": producer(ProducerEpoch=3),
            }
        )
    return rows


def producer_two(world, version):
    rows = {"empty id, negative timeout": producer("", TransactionTimeoutMs=-1)}
    if version >= 3:
        rows["empty id, id alone"] = producer("", ProducerId=5)
    return rows


APIS = [
    Api("Fetch", fetch, fetch_maximal, fetch_two, fetch_rows),
    Api(
        "ListOffsets",
        lambda w, v: listed(w, ("read", 0, -1)),
        lambda w, v: listed(
            w,
            ("read", 0, -2, w.epoch),
            ("read", 1, TIME, w.epoch),
            ("empty", 0, -1, w.epoch),
            ("none", 0, -1, w.epoch),
            IsolationLevel=1,
        ),
        list_two,
        list_rows,
    ),
    Api(
        "OffsetForLeaderEpoch",
        lambda w, v: epochs(w, ("read", 0, w.epoch)),
        lambda w, v: epochs(
            w, *((word, part, w.epoch, w.epoch) for word, part in (("read", 0), ("read", 1), ("empty", 0), ("none", 0)))
        ),
        lambda w, v: {
            "no topic, newer leader": epochs(w, ("none", 0, w.epoch, 9)),
            "newer leader, newer epoch": epochs(w, ("read", 0, 9, 9)),
        },
        epoch_rows,
    ),
    Api("Produce", produce, produce_maximal, produce_two, produce_rows, {"Acks": -1}),
    Api(
        "DeleteRecords",
        lambda w, v: cut(w, ("cut", 0, 2)),
        lambda w, v: cut(w, ("cut", 0, 3), ("cut", 1, 0), ("none", 0, 1)),
        lambda w, v: {"no topic, -2": cut(w, ("none", 0, -2)), "no partition, beyond": cut(w, ("cut", 9, 10**6))},
        cut_rows,
    ),
    Api(
        "InitProducerId",
        lambda w, v: producer(),
        lambda w, v: producer(ProducerId=7, ProducerEpoch=1),
        producer_two,
        producer_rows,
    ),
]
