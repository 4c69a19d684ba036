"""aiokafka."""

import asyncio
import ssl
import time

import aiokafka
from aiokafka import errors
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic

from cases_kafka_python import bundle, certificate, said
from lib import Server, check, doors


def tls(config):
    """The same settings with a TLS context in place of file names, as aiokafka wants them."""
    config = dict(config)
    context = ssl.create_default_context(cafile=config.pop("ssl_cafile"))
    if "ssl_certfile" in config:
        context.load_cert_chain(config.pop("ssl_certfile"), config.pop("ssl_keyfile"))
    return {**config, "ssl_context": context}


def settings(folder, **changes):
    return tls(bundle(folder, **changes))


async def produce(config, *values, topic="t", **options):
    """Produces one after the other; gives the offsets."""
    producer = aiokafka.AIOKafkaProducer(**config, request_timeout_ms=10000, **options)
    try:
        await producer.start()
        return [(await producer.send_and_wait(topic, value)).offset for value in values]
    finally:
        await producer.stop()


async def until(seconds, what, probe):
    end = time.monotonic() + seconds
    while not probe():
        check(time.monotonic() < end, f"not within {seconds} s: {what}")
        await asyncio.sleep(0.05)


async def read(config, count, **options):
    consumer = aiokafka.AIOKafkaConsumer("t", **config, auto_offset_reset="earliest", **options)
    await consumer.start()
    values = [(await asyncio.wait_for(consumer.getone(), 15)).value for _ in range(count)]
    if options:
        await consumer.commit()
    await consumer.stop()
    return values


def case_produces_and_consumes_in_a_group():
    async def run(config):
        values = [str(number).encode() for number in range(20)]
        await produce(config, *values, acks="all", enable_idempotence=True)
        check(await read(config, 20, group_id="g") == values, "in order, once")

    with Server() as server:
        asyncio.run(run(settings(server.client("app", "Create,Read,Write topic:t", "Read group:g"))))


def case_produces_and_consumes_with_each_codec():
    async def run(config):
        wanted = []
        for codec in (None, "gzip", "snappy", "lz4", "zstd"):
            values = [f"{codec} {number} {'x' * 500}".encode() for number in range(5)]
            await produce(config, *values, compression_type=codec)
            wanted += values
        check(await read(config, len(wanted)) == wanted, "each codec comes back")

    with Server() as server:
        asyncio.run(run(settings(server.client("app", "Create,Read,Write topic:t"))))


def case_each_mechanism_and_a_certificate_log_in():
    with Server() as server:
        folder = server.client("app", "Create,Read,Write topic:t")
        ways = [settings(folder, sasl_mechanism=name) for name in ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")]
        for offset, config in enumerate([*ways, tls(certificate(server, folder, folder / "client.pem"))]):
            check(asyncio.run(produce(config, b"x")) == [offset], config["security_protocol"])


def case_group_of_two_shares_partitions():
    async def run(config):
        admin = AIOKafkaAdminClient(**config)
        await admin.start()
        await admin.create_topics([NewTopic("t", 4, 1)])
        await admin.close()
        member = lambda: aiokafka.AIOKafkaConsumer("t", **config, group_id="g", auto_offset_reset="earliest",
                                                   heartbeat_interval_ms=200)
        seen = []

        async def take(consumer):
            async for record in consumer:
                seen.append(record.value)

        first = member()
        await first.start()
        reading = [asyncio.create_task(take(first))]
        await until(20, "four partitions", lambda: len(first.assignment()) == 4)
        second = member()
        await second.start()
        reading.append(asyncio.create_task(take(second)))
        await until(20, "two partitions each", lambda: len(first.assignment()) == len(second.assignment()) == 2)
        values = [str(number).encode() for number in range(20)]
        producer = aiokafka.AIOKafkaProducer(**config)
        await producer.start()
        for number, value in enumerate(values):
            await producer.send_and_wait("t", value, partition=number % 4)
        await producer.stop()
        await until(20, "twenty records", lambda: len(seen) >= 20)
        reading[1].cancel()
        await second.stop()
        await until(20, "all four again", lambda: len(first.assignment()) == 4)
        reading[0].cancel()
        await first.stop()
        check(sorted(seen, key=int) == values, seen)

    with Server() as server:
        asyncio.run(run(settings(server.client("app", "All topic:t", "Read group:g"))))


def case_admin_makes_grows_and_deletes_topics():
    async def run(config):
        admin = AIOKafkaAdminClient(**config)
        await admin.start()
        made = [(await admin.create_topics([NewTopic("t", 2, 1)])).topic_errors[0][1] for _ in range(2)]
        check(made == [0, errors.TopicAlreadyExistsError.errno], made)
        await admin.create_partitions({"t": NewPartitions(3)})
        check(len((await admin.describe_topics(["t"]))[0]["partitions"]) == 3, "three partitions")
        await admin.delete_topics(["t"])
        check("t" not in await admin.list_topics(), "no topic")
        await admin.close()

    with Server() as server:
        asyncio.run(run(settings(server.client("app", "All topic:t"))))


def case_offsets_by_time():
    async def run(config):
        producer = aiokafka.AIOKafkaProducer(**config)
        await producer.start()
        start = int(time.time() * 1000) - 60_000
        for number in range(10):
            await producer.send_and_wait("t", b"x", timestamp_ms=start + number * 1000)
        await producer.stop()
        consumer = aiokafka.AIOKafkaConsumer(**config)
        await consumer.start()
        partition = aiokafka.TopicPartition("t", 0)
        check((await consumer.offsets_for_times({partition: start + 4500}))[partition].offset == 5, "by time")
        check((await consumer.end_offsets([partition]))[partition] == 10, "the end")
        await consumer.stop()

    with Server() as server:
        asyncio.run(run(settings(server.client("app", "Create,Read,Write topic:t"))))


def case_what_is_refused_is_said():
    # aiokafka writes the reason to its log, and raises that it could not bootstrap.
    with doors("Create,Read,Write topic:t") as at:
        rows = [
            ("wrong host name", settings(at.app, bootstrap_servers=at.elsewhere), "CERTIFICATE_VERIFY_FAILED"),
            ("wrong CA", settings(at.app, ssl_cafile=str(at.other_ca)), "CERTIFICATE_VERIFY_FAILED"),
            ("no certificate", tls(certificate(at.server, at.app)), "closed"),
            ("revoked certificate", tls(certificate(at.server, at.app, at.revoked)), "closed"),
            ("wrong password", settings(at.app, sasl_plain_password="wrong"), "SaslAuthenticationFailed"),
            ("wrong password, PLAIN", settings(at.app, sasl_plain_password="wrong", sasl_mechanism="PLAIN"),
             "SaslAuthenticationFailed"),
            ("unknown user", settings(at.app, sasl_plain_username="nobody"), "SaslAuthenticationFailed"),
        ]
        for name, config, words in rows:
            with said("aiokafka") as lines:
                try:
                    asyncio.run(asyncio.wait_for(produce(config, b"x"), 10))
                    check(False, f"{name} is not refused")
                except errors.KafkaConnectionError:
                    check(any(words in line for line in lines), f"{name}: {lines}")


def case_missing_rule_is_an_authorization_error():
    async def refused(error, work):
        try:
            await asyncio.wait_for(work, 15)
        except error:
            return
        check(False, f"no {error}")

    async def run(config):
        await produce(config, b"x")
        await refused(errors.TopicAuthorizationFailedError, produce(config, b"x", topic="secret"))
        consumer = aiokafka.AIOKafkaConsumer("t", **config, group_id="secret")
        try:
            await refused(errors.GroupAuthorizationFailedError, consumer.start())
        finally:
            await consumer.stop()

    with Server() as server:
        asyncio.run(run(settings(server.client("app", "Create,Read,Write topic:t"))))
