"""Scenarios for kafka-python, aiokafka and confluent-kafka.

usage: scenarios.py BOOTSTRAP CONFIG_OR_EMPTY LIB [TEST...]
Every scenario runs in a process of its own, for 60 s at most.
"""
import asyncio
import fnmatch
import multiprocessing
import os
import secrets
import ssl
import sys
import time
import traceback

BOOT, CONFIG, LIB = sys.argv[1:4]
sys.path.insert(0, LIB)
import clientconf  # noqa: E402

import aiokafka  # noqa: E402
import aiokafka.admin  # noqa: E402
import aiokafka.errors as aerr  # noqa: E402
import aiokafka.structs  # noqa: E402
import confluent_kafka as ck  # noqa: E402
import confluent_kafka.admin as cka  # noqa: E402
import kafka  # noqa: E402
import kafka.admin  # noqa: E402
import kafka.errors as kerr  # noqa: E402

LIMIT = 60
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
CONF = clientconf.parse(CONFIG)
DENIED = os.environ.get("DENIED_CONFIG")
SUFFIX = secrets.token_hex(5)
TESTS = {}


class Skip(Exception):
    pass


def scenario(name):
    def add(f):
        TESTS[name] = f
        return f
    return add


def name(stem):
    return "kst-%s-%s" % (stem, SUFFIX)


def check(ok, what):
    if not ok:
        raise AssertionError(what)


def same(want, got, what):
    check(want == got, "%s: expected %r, got %r" % (what, want, got))


def denied():
    if not DENIED:
        raise Skip("DENIED_CONFIG is not set")
    return clientconf.parse(DENIED)


def wrong():
    if not CONF["sasl"] or not CONF["password"]:
        raise Skip("the client configuration has no SASL password")
    return dict(CONF, password="not-the-password")


def until(seconds, what, f):
    end = time.monotonic() + seconds
    while True:
        r = f()
        if r:
            return r
        check(time.monotonic() < end, "not within %d s: %s" % (seconds, what))
        time.sleep(0.02)


# --- confluent-kafka ----------------------------------------------------------

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


# --- kafka-python -------------------------------------------------------------

def plain_sasl(conf):
    if conf["sasl"] and not (conf["mechanism"] == "PLAIN" or conf["mechanism"].startswith("SCRAM")):
        raise Skip("this client is run with PLAIN and SCRAM only")


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


# --- aiokafka -----------------------------------------------------------------

def a_conf(conf=None, **kw):
    conf = conf or CONF
    plain_sasl(conf)
    d = dict(bootstrap_servers=BOOT, security_protocol=conf["protocol"])
    if conf["tls"]:
        ctx = ssl.create_default_context(cafile=conf["ca"] or None)
        ctx.check_hostname = conf["verify_host"]
        if conf["cert"]:
            ctx.load_cert_chain(conf["cert"], password=conf["key_password"] or None)
        d["ssl_context"] = ctx
    if conf["sasl"]:
        d.update(sasl_mechanism=conf["mechanism"], sasl_plain_username=conf["username"], sasl_plain_password=conf["password"])
    d.update(kw)
    return d


def a_consumer(*topics, conf=None, group=None, **kw):
    return aiokafka.AIOKafkaConsumer(*topics, **a_conf(conf, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False, **kw))


async def a_read(c, n, seconds=20):
    out, end = [], time.monotonic() + seconds
    while len(out) < n and time.monotonic() < end:
        for rs in (await c.getmany(timeout_ms=200)).values():
            out.extend(rs)
    check(len(out) >= n, "only %d of %d records within %d s" % (len(out), n, seconds))
    return out


async def a_readall(t, n, partitions=1, **kw):
    c = a_consumer(**kw)
    await c.start()
    try:
        c.assign([aiokafka.TopicPartition(t, i) for i in range(partitions)])
        await c.seek_to_beginning()
        return await a_read(c, n)
    finally:
        await c.stop()


def ascenario(n):
    def add(f):
        TESTS[n] = lambda: asyncio.run(f())
        return f
    return add


async def a_codec(codec):
    t = c_topic("codec")
    p = aiokafka.AIOKafkaProducer(**a_conf(compression_type=None if codec == "none" else codec, linger_ms=50))
    await p.start()
    want = []
    for i in range(300):
        v = None if i % 7 == 0 else b"value-%d-" % i * 20
        k = b"k0" if v is None else None if i % 5 == 0 else b"k%d" % i
        h = (("h", b"x%d" % i), ("h", b"again"))
        want.append((k, v, h))
        await p.send(t, v, key=k, headers=list(h))
    await p.stop()
    same(want, [(m.key, m.value, tuple(m.headers)) for m in await a_readall(t, 300)], "records")


for _c in CODECS:
    TESTS["aiokafka/produce_" + _c] = lambda c=_c: asyncio.run(a_codec(c))


@ascenario("aiokafka/idempotent")
async def _():
    t = c_topic("idem", 3)
    p = aiokafka.AIOKafkaProducer(**a_conf(enable_idempotence=True, max_batch_size=1024))
    await p.start()
    fs = [await p.send(t, b"v%d" % i) for i in range(5000)]
    await asyncio.gather(*fs)
    await p.stop()
    same(5000, len({m.value for m in await a_readall(t, 5000, 3)}), "distinct records")


@ascenario("aiokafka/group_two_members")
async def _():
    t, g = c_topic("group", 4), name("g")
    kw = dict(group=g, session_timeout_ms=10000, heartbeat_interval_ms=500)
    a, b = a_consumer(t, **kw), a_consumer(t, **kw)
    got = []

    async def turn(what, ok, *cs):
        end = time.monotonic() + 30
        while not ok():
            check(time.monotonic() < end, "not within 30 s: " + what)
            for c in cs:
                for rs in (await c.getmany(timeout_ms=100)).values():
                    got.extend(rs)
    await a.start()
    await turn("4 partitions", lambda: len(a.assignment()) == 4, a)
    await b.start()
    await turn("2 partitions each", lambda: len(a.assignment()) == len(b.assignment()) == 2, a, b)
    c_fill(t, 40)
    await turn("40 records", lambda: len(got) >= 40, a, b)
    same(40, len({(m.partition, m.offset) for m in got}), "distinct records")
    await b.stop()
    await turn("4 partitions again", lambda: len(a.assignment()) == 4, a)
    await a.stop()


@ascenario("aiokafka/commit_resume")
async def _():
    t, g = c_topic("commit"), name("g")
    c_fill(t, 20)
    tp = aiokafka.TopicPartition(t, 0)
    a = a_consumer(t, group=g, max_poll_records=7)
    await a.start()
    same(7, len(await a_read(a, 7)), "records")
    await a.commit({tp: 7})
    same(7, await a.committed(tp), "committed offset")
    await a.stop()
    b = a_consumer(t, group=g)
    await b.start()
    same(7, (await a_read(b, 13))[0].offset, "first offset after the resume")
    await b.stop()


@ascenario("aiokafka/offsets_by_time")
async def _():
    t = c_topic("times")
    tp = aiokafka.TopicPartition(t, 0)
    t0 = int(time.time() * 1000) - 3600000
    p = aiokafka.AIOKafkaProducer(**a_conf())
    await p.start()
    for i in range(10):
        await p.send_and_wait(t, b"v", timestamp_ms=t0 + i * 1000)
    await p.stop()
    c = a_consumer()
    await c.start()
    for at, want in ((0, 0), (2500, 3), (9000, 9)):
        same(want, (await c.offsets_for_times({tp: t0 + at}))[tp].offset, "offset for +%d" % at)
    same([0, 10], [(await c.beginning_offsets([tp]))[tp], (await c.end_offsets([tp]))[tp]], "offsets")
    await c.stop()


@ascenario("aiokafka/admin")
async def _():
    t = name("admin")
    a = aiokafka.admin.AIOKafkaAdminClient(**a_conf())
    await a.start()
    r = await a.create_topics([aiokafka.admin.NewTopic(t, 2, 1)])
    same(0, r.topic_errors[0][1], "error code of the creation")
    end = time.monotonic() + 10
    while t not in await a.list_topics():
        check(time.monotonic() < end, "the topic is not listed")
    same(2, len((await a.describe_topics([t]))[0]["partitions"]), "partitions")
    r = await a.create_topics([aiokafka.admin.NewTopic(t, 2, 1)])
    same(36, r.topic_errors[0][1], "error code of the second creation")
    check(await a.describe_cluster(), "no cluster")
    await a.list_consumer_groups()
    await a.delete_topics([t])
    end = time.monotonic() + 10
    while t in await a.list_topics():
        check(time.monotonic() < end, "the topic is still listed")
    await a.close()


@ascenario("aiokafka/transactions")
async def _():
    src, t, g = c_topic("in"), c_topic("txn"), name("g")
    p = aiokafka.AIOKafkaProducer(**a_conf(transactional_id=name("tx")))
    await p.start()
    for word in (b"drop", b"keep"):
        await p.begin_transaction()
        for _i in range(5):
            await p.send_and_wait(t, word)
        if word == b"keep":
            await p.send_offsets_to_transaction({aiokafka.TopicPartition(src, 0): 3}, g)
            await p.commit_transaction()
        else:
            await p.abort_transaction()
    await p.stop()
    same({b"keep"}, {m.value for m in await a_readall(t, 5, isolation_level="read_committed")}, "committed records")
    same(10, len(await a_readall(t, 10)), "all records")
    c = a_consumer(group=g)
    await c.start()
    tp = aiokafka.TopicPartition(src, 0)
    c.assign([tp])
    same(3, await c.committed(tp), "offset of the transaction")
    await c.stop()


@ascenario("aiokafka/wrong_password")
async def _():
    p = aiokafka.AIOKafkaProducer(**a_conf(wrong()))
    try:
        await asyncio.wait_for(p.start(), 20)
        check(False, "no error")
    except aerr.KafkaError as e:
        # aiokafka logs the authentication error and raises only that it could not bootstrap.
        check(isinstance(e, aerr.KafkaConnectionError) or "uthentication" in repr(e), "unexpected %r" % e)
    finally:
        await p.stop()


@ascenario("aiokafka/denied_topic")
async def _():
    d, t = denied(), c_topic("secret")
    p = aiokafka.AIOKafkaProducer(**a_conf(d, request_timeout_ms=10000))
    await p.start()
    try:
        await p.send_and_wait(t, b"v")
        check(False, "no error")
    except aerr.TopicAuthorizationFailedError:
        pass
    finally:
        await p.stop()


# --- running ------------------------------------------------------------------

def child(n, conn):
    log = open(os.path.join(os.environ["CACHE"], "last-run.log"), "a")
    os.dup2(log.fileno(), 2)
    os.dup2(log.fileno(), 1)
    global SUFFIX
    SUFFIX = secrets.token_hex(5)
    try:
        TESTS[n]()
        out = ("PASS", "")
    except Skip as e:
        out = ("SKIP", str(e))
    except BaseException as e:
        print("--- " + n, file=sys.stderr)
        traceback.print_exc()
        at = [f for f in traceback.extract_tb(e.__traceback__) if f.filename == __file__]
        out = ("FAIL", "%s: %s (line %s)" % (type(e).__name__, " ".join(str(e).split())[:400], at[-1].lineno if at else "?"))
    conn.send(out)
    os._exit(0)


def main():
    open(os.path.join(os.environ["CACHE"], "last-run.log"), "w").close()
    chosen = []
    for w in sys.argv[4:] or ["*"]:
        hit = fnmatch.filter(TESTS, w)
        chosen += hit or [w]
    count = {"PASS": 0, "FAIL": 0, "SKIP": 0}
    ctx = multiprocessing.get_context("fork")
    for n in chosen:
        t0 = time.monotonic()
        if n not in TESTS:
            verdict, why = "FAIL", "no such scenario"
        else:
            ours, theirs = ctx.Pipe(False)
            p = ctx.Process(target=child, args=(n, theirs))
            p.start()
            theirs.close()
            try:
                verdict, why = ours.recv() if ours.poll(LIMIT) else ("FAIL", "not done within %d s" % LIMIT)
            except EOFError:
                verdict, why = "FAIL", "the process ended without a verdict"
            p.join(1)
            if p.is_alive():
                p.kill()
            p.join()
        count[verdict] += 1
        print("%s %s %.3f" % (verdict, n, time.monotonic() - t0) + ("\n    " + why if why else ""), flush=True)
    print("%(PASS)d passed, %(FAIL)d failed, %(SKIP)d skipped" % count)
    sys.exit(count["FAIL"] > 0)


main()
