"""Scenarios with aiokafka."""
import asyncio
import ssl
import time

import aiokafka
import aiokafka.admin
import aiokafka.errors as aerr

from common import BOOT, CODECS, CONF, TESTS, check, denied, name, plain_sasl, same, wrong
from with_confluent import c_fill, c_topic


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
