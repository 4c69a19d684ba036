"""Scenarios with confluent-kafka, and what the other clients borrow of it: topics that have leaders, and records."""
import os
import time

import confluent_kafka as ck
import confluent_kafka.admin as cka

from common import BOOT, CODECS, CONF, TESTS, check, clientconf, denied, name, same, scenario, until, wrong


def c_conf(conf=None, **kw):
    out = {"bootstrap.servers": BOOT, "log_level": 0}
    out.update(clientconf.librdkafka(conf or CONF))
    out.update({k.replace("_", "."): v for k, v in kw.items()})
    return out


def c_admin(conf=None):
    return cka.AdminClient(c_conf(conf))


def c_topic(stem, partitions=1, **config):
    t = name(stem)
    a = c_admin()
    a.create_topics([cka.NewTopic(t, partitions, config=config)])[t].result(20)
    until(10, "the topic has leaders", lambda: len([p for p in a.list_topics(t, 5).topics[t].partitions.values() if p.leader >= 0]) == partitions)
    return t


def c_fill(t, n, first=0, **kw):
    p, bad = ck.Producer(c_conf(**kw)), []
    for i in range(first, first + n):
        p.produce(t, b"v%d" % i, b"k%d" % i, on_delivery=lambda e, m: bad.append(e) if e else None)
    same(0, p.flush(20), "records not sent")
    check(not bad, "delivery: %s" % bad[:1])


def c_read(c, n, seconds=20):
    out, end = [], time.monotonic() + seconds
    while len(out) < n and time.monotonic() < end:
        m = c.poll(0.2)
        if m is None:
            continue
        if m.error():
            raise ck.KafkaException(m.error())
        out.append(m)
    check(len(out) >= n, "only %d of %d records within %d s" % (len(out), n, seconds))
    return out


def c_consumer(group=None, conf=None, **kw):
    d = c_conf(conf, group_id=group or name("none"), auto_offset_reset="earliest", enable_auto_commit=False)
    d.update({k.replace("_", "."): v for k, v in kw.items()})
    return ck.Consumer(d)


def c_readall(t, n, partitions=1, **kw):
    c = c_consumer(**kw)
    c.assign([ck.TopicPartition(t, i, ck.OFFSET_BEGINNING) for i in range(partitions)])
    try:
        return c_read(c, n)
    finally:
        c.close()


def c_codec(codec):
    t = c_topic("codec")
    p = ck.Producer(c_conf(compression_type=codec, linger_ms=50))
    want = []
    for i in range(300):
        v = None if i % 7 == 0 else b"value-%d-" % i * 20
        k = None if i % 5 == 0 else b"k%d" % i
        h = [("h", b"x%d" % i), ("h", b"again"), ("null", None)]
        want.append((k, v, h))
        p.produce(t, v, k, headers=h)
    same(0, p.flush(20), "records not sent")
    same(want, [(m.key(), m.value(), m.headers()) for m in c_readall(t, 300)], "records")


for _c in CODECS:
    TESTS["confluent/produce_" + _c] = lambda c=_c: c_codec(c)


@scenario("confluent/idempotent")
def _():
    t = c_topic("idem", 3)
    c_fill(t, 5000, enable_idempotence=True)
    same(5000, len({m.value() for m in c_readall(t, 5000, 3)}), "distinct records")


@scenario("confluent/idempotent_20000")
def _():
    """20,000 records of 100 bytes, acknowledged, and read by a group: three seconds each, where nothing else runs."""
    t, value = c_topic("many", 3), b"x" * 100
    p, bad = ck.Producer(c_conf(enable_idempotence=True, linger_ms=5)), []
    p.list_topics(t, 10)
    began = time.monotonic()
    for i in range(20000):
        while True:
            try:
                p.produce(t, value, b"%d" % i, on_delivery=lambda e, m: bad.append(e) if e else None)
                break
            except BufferError:
                p.poll(0.05)
    same(0, p.flush(30), "records not sent")
    wrote = time.monotonic() - began
    check(not bad, "delivery: %s" % bad[:1])
    c = c_consumer(name("g"))
    c.subscribe([t])
    began, keys = time.monotonic(), set()
    while len(keys) < 20000 and time.monotonic() < began + 30:
        keys.update(m.key() for m in c.consume(1000, 0.2) if not m.error())
    read = time.monotonic() - began
    c.close()
    same(20000, len(keys), "distinct records")
    limit = 3 * max(1, os.getloadavg()[0] / os.cpu_count())
    check(wrote < limit and read < limit, "written in %.1f s, read in %.1f s" % (wrote, read))


@scenario("confluent/group_cooperative_three")
def _():
    """Three members share six partitions; who joins takes from the others only what it gets."""
    t, g = c_topic("coop", 6), name("g")
    taken, members = {}, []

    def turn():
        for c in members:
            m = c.poll(0.05)
            check(m is None or not m.error() or m.error().code() == ck.KafkaError._PARTITION_EOF, "poll: %s" % (m and m.error()))

    for number in range(3):
        c = c_consumer(g, partition_assignment_strategy="cooperative-sticky")
        taken[number] = 0

        def revoked(_, parts, number=number):
            taken[number] += len(parts)
        c.subscribe([t], on_revoke=revoked)
        members.append(c)
        want = 6 // len(members)
        until(30, "%d partitions each" % want, lambda: (turn(), all(len(c.assignment()) == want for c in members))[1])
    # From 6 to 3 and 3, then one more from each: nobody loses what it keeps.
    same({0: 4, 1: 1, 2: 0}, taken, "partitions taken away")
    owned = [p.partition for c in members for p in c.assignment()]
    same(list(range(6)), sorted(owned), "each partition once")
    for c in members:
        c.close()


@scenario("confluent/too_large")
def _():
    t = c_topic("large", **{"max.message.bytes": "100000"})
    errs = []
    p = ck.Producer(c_conf())
    p.produce(t, b"x" * 200000, on_delivery=lambda e, m: errs.append(e.code() if e else None))
    p.flush(20)
    same([ck.KafkaError.MSG_SIZE_TOO_LARGE], errs, "delivery")


def c_group(**kw):
    t, g = c_topic("group", 4), name("g")
    a, b = c_consumer(g, **kw), c_consumer(g, **kw)
    got = []

    def turn(*cs):
        for c in cs:
            m = c.poll(0.1)
            if m is not None:
                if m.error():
                    raise ck.KafkaException(m.error())
                got.append(m)
    a.subscribe([t])
    until(25, "4 partitions", lambda: (turn(a), len(a.assignment()) == 4)[1])
    b.subscribe([t])
    until(30, "2 partitions each", lambda: (turn(a, b), len(a.assignment()) == len(b.assignment()) == 2)[1])
    c_fill(t, 40)
    until(20, "40 records", lambda: (turn(a, b), len(got) >= 40)[1])
    same(40, len({(m.partition(), m.offset()) for m in got}), "distinct records")
    b.close()
    until(20, "4 partitions again", lambda: (turn(a), len(a.assignment()) == 4)[1])
    a.close()


@scenario("confluent/group_two_members")
def _():
    c_group(session_timeout_ms=10000, heartbeat_interval_ms=500)


@scenario("confluent/group_cooperative")
def _():
    c_group(session_timeout_ms=10000, heartbeat_interval_ms=500, partition_assignment_strategy="cooperative-sticky")


@scenario("confluent/group_kip848")
def _():
    c_group(group_protocol="consumer")


@scenario("confluent/commit_resume")
def _():
    t, g = c_topic("commit"), name("g")
    c_fill(t, 20)
    a = c_consumer(g)
    a.subscribe([t])
    m = c_read(a, 7)[6]
    a.commit(message=m, asynchronous=False)
    same(7, a.committed([ck.TopicPartition(t, 0)], 10)[0].offset, "committed offset")
    a.close()
    b = c_consumer(g)
    b.subscribe([t])
    same(7, c_read(b, 13)[0].offset(), "first offset after the resume")
    b.close()


@scenario("confluent/offsets_by_time")
def _():
    t = c_topic("times")
    t0 = int(time.time() * 1000) - 3600000
    p = ck.Producer(c_conf(linger_ms=50))
    for i in range(10):
        p.produce(t, b"v", timestamp=t0 + i * 1000)
    p.flush(20)
    c = c_consumer()
    for at, want in ((0, 0), (2500, 3), (9000, 9), (9001, ck.OFFSET_END)):
        same(want, c.offsets_for_times([ck.TopicPartition(t, 0, t0 + at)], 10)[0].offset, "offset for +%d" % at)
    same((0, 10), c.get_watermark_offsets(ck.TopicPartition(t, 0), 10), "watermarks")
    c.close()


@scenario("confluent/admin")
def _():
    a, t = c_admin(), c_topic("admin", 2, **{"retention.ms": "1234567"})
    check(t in a.list_topics(timeout=10).topics, "the topic is not listed")
    d = a.describe_topics(ck.TopicCollection([t]))[t].result(10)
    same(2, len(d.partitions), "partitions")
    r = cka.ConfigResource(cka.ConfigResource.Type.TOPIC, t)
    same("1234567", a.describe_configs([r])[r].result(10)["retention.ms"].value, "retention.ms")
    try:
        a.create_topics([cka.NewTopic(t, 1)])[t].result(10)
        check(False, "made twice")
    except ck.KafkaException as e:
        same(ck.KafkaError.TOPIC_ALREADY_EXISTS, e.args[0].code(), "error")
    a.create_partitions([cka.NewPartitions(t, 3)])[t].result(10)
    until(10, "3 partitions", lambda: len(a.list_topics(t, 5).topics[t].partitions) == 3)
    check(len(a.describe_cluster().result(10).nodes) >= 1, "no nodes")
    a.list_consumer_groups().result(10)
    a.delete_topics([t])[t].result(10)
    until(10, "the topic is gone", lambda: t not in a.list_topics(timeout=5).topics)


@scenario("confluent/transactions")
def _():
    src, t, g = c_topic("in"), c_topic("txn"), name("g")
    c_fill(src, 5)
    p = ck.Producer(c_conf(transactional_id=name("tx")))
    p.init_transactions(20)
    p.begin_transaction()
    for i in range(5):
        p.produce(t, b"drop")
    p.flush(10)
    p.abort_transaction(20)
    c = c_consumer(g)
    c.subscribe([src])
    c_read(c, 5)
    p.begin_transaction()
    for i in range(5):
        p.produce(t, b"keep")
    p.send_offsets_to_transaction(c.position(c.assignment()), c.consumer_group_metadata(), 20)
    p.commit_transaction(20)
    same({b"keep"}, {m.value() for m in c_readall(t, 5, isolation_level="read_committed")}, "committed records")
    same(10, len(c_readall(t, 10, isolation_level="read_uncommitted")), "all records")
    until(10, "the offset", lambda: c.committed([ck.TopicPartition(src, 0)], 10)[0].offset == 5)
    c.close()


@scenario("confluent/wrong_password")
def _():
    seen = []
    p = ck.Producer(dict(c_conf(wrong()), error_cb=lambda e: seen.append(e.code())))
    until(15, "an authentication error", lambda: (p.poll(0.2), ck.KafkaError._AUTHENTICATION in seen)[1])


@scenario("confluent/denied_topic")
def _():
    d, t = denied(), c_topic("secret")
    errs = []
    p = ck.Producer(c_conf(d))
    p.produce(t, b"x", on_delivery=lambda e, m: errs.append(e.code() if e else None))
    p.flush(20)
    same([ck.KafkaError.TOPIC_AUTHORIZATION_FAILED], errs, "delivery")
    c = c_consumer(conf=d)
    c.assign([ck.TopicPartition(t, 0, 0)])
    # librdkafka looks for the group's coordinator too and tells of that first, perhaps.
    until(15, "TOPIC_AUTHORIZATION_FAILED", lambda: (lambda m: m and m.error() and m.error().code() == ck.KafkaError.TOPIC_AUTHORIZATION_FAILED)(c.poll(0.5)))
    c.close()


@scenario("confluent/denied_group")
def _():
    d, t = denied(), c_topic("secret")
    c = c_consumer(name("g"), conf=d)
    c.subscribe([t])
    until(15, "GROUP_AUTHORIZATION_FAILED", lambda: (lambda m: m and m.error() and m.error().code() == ck.KafkaError.GROUP_AUTHORIZATION_FAILED)(c.poll(0.5)))
    c.close()
