"""aiokafka."""

import asyncio
import ssl

import aiokafka
from aiokafka import errors

from cases_kafka_python import bundle
from lib import Server, check


def settings(folder, **changes):
    config = bundle(folder, **changes)
    config["ssl_context"] = ssl.create_default_context(cafile=config.pop("ssl_cafile"))
    return config


def case_produces_and_consumes_in_a_group():
    async def run(folder):
        producer = aiokafka.AIOKafkaProducer(**settings(folder), acks="all", enable_idempotence=True)
        await producer.start()
        for number in range(20):
            await producer.send_and_wait("t", str(number).encode())
        await producer.stop()
        consumer = aiokafka.AIOKafkaConsumer("t", **settings(folder), group_id="g", auto_offset_reset="earliest")
        await consumer.start()
        values = [(await asyncio.wait_for(consumer.getone(), 15)).value for _ in range(20)]
        await consumer.commit()
        await consumer.stop()
        check(values == [str(number).encode() for number in range(20)], values)

    with Server() as server:
        asyncio.run(run(server.client("app", "Create,Read,Write topic:t", "Read group:g")))


def case_missing_rule_is_an_authorization_error():
    async def run(folder):
        producer = aiokafka.AIOKafkaProducer(**settings(folder), request_timeout_ms=10000)
        await producer.start()
        try:
            await producer.send_and_wait("secret", b"x")
            check(False, "a topic without a rule")
        except errors.TopicAuthorizationFailedError:
            pass
        finally:
            await producer.stop()

    with Server() as server:
        asyncio.run(run(server.client("app", "Write topic:t")))
