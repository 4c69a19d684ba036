"""kafka-python."""

import importlib.util

import kafka
from kafka import errors

from lib import Server, check


def bundle(folder, **changes):
    """The settings of a bundle, as its file has them."""
    spec = importlib.util.spec_from_file_location("bundle", folder / "kafka_python.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {**module.CONFIG, **changes}


def case_produces_and_consumes_with_each_codec():
    with Server() as server:
        settings = bundle(server.client("app", "Create,Read,Write topic:t", "Read group:g"))
        for codec in (None, "gzip", "snappy", "lz4", "zstd"):
            producer = kafka.KafkaProducer(**settings, compression_type=codec, acks="all", max_block_ms=15000)
            producer.send("t", key=b"k", value=str(codec).encode()).get(15)
            producer.close()
        consumer = kafka.KafkaConsumer("t", **settings, group_id="g", auto_offset_reset="earliest",
                                       consumer_timeout_ms=8000)
        values = []
        for record in consumer:
            values.append(record.value)
            if len(values) == 5:
                break
        consumer.commit()
        consumer.close()
        check(values == [b"None", b"gzip", b"snappy", b"lz4", b"zstd"], values)


def case_a_missing_rule_is_told_by_its_own_error():
    # A wrong password is not here: kafka-python 3 drops the answer when the end of the connection comes with it, and
    # tries again until its own limit.
    with Server() as server:
        producer = kafka.KafkaProducer(**bundle(server.client("app", "Create,Write topic:t")), max_block_ms=15000)
        producer.send("t", b"x").get(15)
        try:
            producer.send("secret", b"x").get(15)
            check(False, "a topic without a rule")
        except errors.TopicAuthorizationFailedError:
            pass
        producer.close()
