"""Scenarios with kafka-python."""
import time

import kafka
import kafka.admin
import kafka.errors as kerr

from common import BOOT, CODECS, CONF, TESTS, check, denied, name, plain_sasl, same, scenario, until, wrong
from with_confluent import c_admin


def k_conf(conf=None, **kw):
    conf = conf or CONF
    plain_sasl(conf)
    d = dict(bootstrap_servers=BOOT.split(","), security_protocol=conf["protocol"])
    if conf["tls"]:
        d.update(ssl_cafile=conf["ca"] or None, ssl_check_hostname=conf["verify_host"])
        if conf["cert"]:
            d.update(ssl_certfile=conf["cert"], ssl_keyfile=conf["cert"], ssl_password=conf["key_password"] or None)
    if conf["sasl"]:
        d.update(sasl_mechanism=conf["mechanism"], sasl_plain_username=conf["username"], sasl_plain_password=conf["password"])
    d.update(kw)
    return d


def k_topic(stem, partitions=1):
    t = name(stem)
    a = kafka.admin.KafkaAdminClient(**k_conf())
    a.create_topics([kafka.admin.NewTopic(t, num_partitions=partitions, replication_factor=-1)])
    c_a = c_admin()  # the broker can be a moment behind its own answer
    until(10, "the topic has leaders", lambda: len([p for p in c_a.list_topics(t, 5).topics[t].partitions.values() if p.leader >= 0]) == partitions)
    a.close()
    return t


def k_fill(t, n, **kw):
    p = kafka.KafkaProducer(**k_conf(**kw))
    fs = [p.send(t, b"v%d" % i, key=b"k%d" % i) for i in range(n)]
    p.flush()
    for f in fs:
        f.get(timeout=20)
    p.close()


def k_consumer(group=None, conf=None, **kw):
    return kafka.KafkaConsumer(**k_conf(conf, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False, **kw))


def k_read(c, n, seconds=20):
    out, end = [], time.monotonic() + seconds
    while len(out) < n and time.monotonic() < end:
        # Long polls: kafka-python 3.0.12 forgets its partitions when one ends while it waits for them.
        for rs in c.poll(timeout_ms=5000).values():
            out.extend(rs)
    check(len(out) >= n, "only %d of %d records within %d s" % (len(out), n, seconds))
    return out


def k_readall(t, n, partitions=1, **kw):
    c = k_consumer(**kw)
    c.assign([kafka.TopicPartition(t, i) for i in range(partitions)])
    c.seek_to_beginning()
    out = k_read(c, n)
    c.close()
    return out


def k_codec(codec):
    t = k_topic("codec")
    p = kafka.KafkaProducer(**k_conf(compression_type=None if codec == "none" else codec, linger_ms=50))
    want = []
    for i in range(300):
        v = None if i % 7 == 0 else b"value-%d-" % i * 20
        k = b"k0" if v is None else None if i % 5 == 0 else b"k%d" % i
        h = [("h", b"x%d" % i), ("h", b"again")]
        want.append((k, v, h))
        p.send(t, v, key=k, headers=h)
    p.flush()
    p.close()
    same(want, [(m.key, m.value, list(m.headers)) for m in k_readall(t, 300)], "records")


for _c in CODECS:
    TESTS["kafka-python/produce_" + _c] = lambda c=_c: k_codec(c)


@scenario("kafka-python/idempotent")
def _():
    t = k_topic("idem", 3)
    k_fill(t, 5000, enable_idempotence=True, batch_size=1024)
    same(5000, len({m.value for m in k_readall(t, 5000, 3)}), "distinct records")


@scenario("kafka-python/group_two_members")
def _():
    t, g = k_topic("group", 4), name("g")
    kw = dict(session_timeout_ms=10000, heartbeat_interval_ms=500)
    a, b = k_consumer(g, **kw), k_consumer(g, **kw)
    got = []

    def turn(*cs):
        for c in cs:
            for rs in c.poll(timeout_ms=1500).values():
                got.extend(rs)
    a.subscribe([t])
    until(25, "4 partitions", lambda: (turn(a), len(a.assignment()) == 4)[1])
    b.subscribe([t])
    until(30, "2 partitions each", lambda: (turn(a, b), len(a.assignment()) == len(b.assignment()) == 2)[1])
    k_fill(t, 40)
    until(20, "40 records", lambda: (turn(a, b), len(got) >= 40)[1])
    same(40, len({(m.partition, m.offset) for m in got}), "distinct records")
    b.close()
    until(20, "4 partitions again", lambda: (turn(a), len(a.assignment()) == 4)[1])
    a.close()


@scenario("kafka-python/commit_resume")
def _():
    t, g = k_topic("commit"), name("g")
    k_fill(t, 20)
    tp = kafka.TopicPartition(t, 0)
    a = k_consumer(g, max_poll_records=7)
    a.subscribe([t])
    same(7, len(k_read(a, 7)), "records")
    a.commit()
    same(7, a.committed(tp), "committed offset")
    a.close()
    b = k_consumer(g)
    b.subscribe([t])
    same(7, k_read(b, 13)[0].offset, "first offset after the resume")
    b.close()


@scenario("kafka-python/offsets_by_time")
def _():
    t = k_topic("times")
    tp = kafka.TopicPartition(t, 0)
    t0 = int(time.time() * 1000) - 3600000
    p = kafka.KafkaProducer(**k_conf(linger_ms=50))
    for i in range(10):
        p.send(t, b"v", timestamp_ms=t0 + i * 1000)
    p.flush()
    c = k_consumer()
    for at, want in ((0, 0), (2500, 3), (9000, 9)):
        same(want, c.offsets_for_times({tp: t0 + at})[tp].offset, "offset for +%d" % at)
    same(None, c.offsets_for_times({tp: t0 + 9001})[tp], "offset past the last record")
    same([0, 10], [c.beginning_offsets([tp])[tp], c.end_offsets([tp])[tp]], "offsets")
    c.close()


@scenario("kafka-python/admin")
def _():
    t = k_topic("admin", 2)
    a = kafka.admin.KafkaAdminClient(**k_conf())
    check(t in a.list_topics(), "the topic is not listed")
    same(2, len(a.describe_topics([t])[0]["partitions"]), "partitions")
    try:
        a.create_topics([kafka.admin.NewTopic(t, num_partitions=1, replication_factor=1)])
        check(False, "made twice")
    except kerr.TopicAlreadyExistsError:
        pass
    check(a.describe_cluster(), "no cluster")
    a.describe_configs([kafka.admin.ConfigResource(kafka.admin.ConfigResourceType.TOPIC, t)])
    a.list_groups()
    a.delete_topics([t])
    until(10, "the topic is gone", lambda: t not in a.list_topics())
    a.close()


@scenario("kafka-python/transactions")
def _():
    t = k_topic("txn")
    p = kafka.KafkaProducer(**k_conf(transactional_id=name("tx")))
    p.init_transactions()
    for word in (b"drop", b"keep"):
        p.begin_transaction()
        for _i in range(5):
            p.send(t, word)
        p.flush()
        if word == b"keep":
            p.commit_transaction()
        else:
            p.abort_transaction()
    same({b"keep"}, {m.value for m in k_readall(t, 5, isolation_level="read_committed")}, "committed records")
    same(10, len(k_readall(t, 10)), "all records")
    p.close()


@scenario("kafka-python/wrong_password")
def _():
    w = wrong()
    try:
        p = kafka.KafkaProducer(**k_conf(w, max_block_ms=15000))
        p.send("x", b"v").get(timeout=15)
        check(False, "no error")
    except kerr.KafkaError as e:
        check("uthentication" in repr(e), "unexpected %r" % e)


@scenario("kafka-python/denied_topic")
def _():
    d, t = denied(), k_topic("secret")
    p = kafka.KafkaProducer(**k_conf(d, max_block_ms=15000))
    try:
        p.send(t, b"v").get(timeout=15)
        check(False, "no error")
    except kerr.TopicAuthorizationFailedError:
        pass
    p.close()
