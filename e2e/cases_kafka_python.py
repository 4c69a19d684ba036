"""kafka-python."""

import contextlib
import importlib.util
import logging
import threading
import time

import kafka
from kafka import errors
from kafka.admin import NewPartitions, NewTopic

from lib import Server, check, doors, until


def bundle(folder, **changes):
    """The settings of a bundle, as its file has them."""
    spec = importlib.util.spec_from_file_location("bundle", folder / "kafka_python.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {**module.CONFIG, **changes}


def certificate(server, folder, pem=None):
    """The settings for the listener that wants certificates."""
    settings = {"bootstrap_servers": server.mtls, "security_protocol": "SSL", "ssl_cafile": str(folder / "ca.pem")}
    return {**settings, "ssl_certfile": str(pem), "ssl_keyfile": str(pem)} if pem else settings


@contextlib.contextmanager
def said(logger):
    """What a client writes to its log meanwhile."""
    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logging.getLogger(logger).addHandler(handler)
    try:
        yield lines
    finally:
        logging.getLogger(logger).removeHandler(handler)


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


def case_idempotent_producer_keeps_order():
    with Server() as server:
        settings = bundle(server.client("app", "Create,Read,Write topic:t"))
        producer = kafka.KafkaProducer(**settings, enable_idempotence=True, max_block_ms=15000)
        sent = [producer.send("t", str(number).encode()) for number in range(1000)]
        producer.flush(20)
        check([one.get(1).offset for one in sent] == list(range(1000)), "in order, once")
        producer.close()


def case_each_mechanism_and_a_certificate_log_in():
    with Server() as server:
        folder = server.client("app", "Create,Read,Write topic:t")
        ways = [bundle(folder, sasl_mechanism=name) for name in ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")]
        for offset, settings in enumerate([*ways, certificate(server, folder, folder / "client.pem")]):
            producer = kafka.KafkaProducer(**settings, max_block_ms=15000)
            check(producer.send("t", b"x").get(15).offset == offset, settings["security_protocol"])
            producer.close()


class Member:
    """A consumer of group g that reads in a thread of its own, with long polls: kafka-python 3.0.12 forgets its partitions
    when a poll ends while it waits for them."""

    def __init__(self, settings):
        self.consumer = kafka.KafkaConsumer("t", **settings, group_id="g", auto_offset_reset="earliest",
                                            heartbeat_interval_ms=200)
        self.read, self.ended = [], threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.ended.is_set():
            for records in self.consumer.poll(3000).values():
                self.read.extend(record.value for record in records)
        self.consumer.close()

    def owned(self):
        return len(self.consumer.assignment())

    def leave(self):
        self.ended.set()
        self.thread.join(20)


def case_group_of_two_shares_partitions():
    with Server() as server:
        settings = bundle(server.client("app", "All topic:t", "Read group:g"))
        admin = kafka.KafkaAdminClient(**settings)
        admin.create_topics([NewTopic("t", 4, 1)])
        admin.close()
        first = Member(settings)
        until(30, "four partitions", lambda: first.owned() == 4)
        second = Member(settings)
        until(30, "two partitions each", lambda: first.owned() == second.owned() == 2)
        producer = kafka.KafkaProducer(**settings)
        for number in range(20):
            producer.send("t", str(number).encode(), partition=number % 4).get(15)
        producer.close()
        until(30, "twenty records", lambda: len(first.read + second.read) >= 20)
        check(first.read and second.read, "both read")
        second.leave()
        until(30, "all four again", lambda: first.owned() == 4)
        first.leave()
        check(sorted(first.read + second.read, key=int) == [str(number).encode() for number in range(20)], first.read)


def case_admin_makes_grows_and_deletes_topics():
    with Server() as server:
        admin = kafka.KafkaAdminClient(**bundle(server.client("app", "All topic:t")))
        admin.create_topics([NewTopic("t", 2, 1)])
        try:
            admin.create_topics([NewTopic("t", 2, 1)])
            check(False, "a topic twice")
        except errors.TopicAlreadyExistsError:
            pass
        admin.create_partitions({"t": NewPartitions(3)})
        until(10, "three partitions", lambda: len(admin.describe_topics(["t"])[0]["partitions"]) == 3)
        admin.delete_topics(["t"])
        until(10, "no topic", lambda: "t" not in admin.list_topics())
        admin.close()


def case_offsets_by_time():
    with Server() as server:
        settings = bundle(server.client("app", "Create,Read,Write topic:t"))
        producer = kafka.KafkaProducer(**settings)
        start = int(time.time() * 1000) - 60_000
        for number in range(10):
            producer.send("t", b"x", timestamp_ms=start + number * 1000).get(15)
        producer.close()
        consumer = kafka.KafkaConsumer(**settings)
        partition = kafka.TopicPartition("t", 0)
        check(consumer.offsets_for_times({partition: start + 4500})[partition].offset == 5, "by time")
        check(consumer.end_offsets([partition])[partition] == 10, "the end")
        consumer.close()


def case_what_is_refused_is_said():
    # While it looks for a first broker, kafka-python writes each reason to its log and raises, at the end of its time,
    # that it found none; against Apache Kafka too.
    with doors("Create,Read,Write topic:t") as at:
        denied = "SaslAuthenticationFailedError"
        rows = [
            ("wrong password", bundle(at.app, sasl_plain_password="wrong"), denied),
            ("wrong password, PLAIN", bundle(at.app, sasl_plain_password="wrong", sasl_mechanism="PLAIN"), denied),
            ("unknown user", bundle(at.app, sasl_plain_username="nobody"), denied),
            ("wrong host name", bundle(at.app, bootstrap_servers=at.elsewhere), "CERTIFICATE_VERIFY_FAILED"),
            ("wrong CA", bundle(at.app, ssl_cafile=str(at.other_ca)), "CERTIFICATE_VERIFY_FAILED"),
            ("no certificate", certificate(at.server, at.app), "CERTIFICATE_REQUIRED"),
            ("revoked certificate", certificate(at.server, at.app, at.revoked), "CERTIFICATE_REVOKED"),
        ]
        for name, settings, words in rows:
            with said("kafka") as lines:
                try:
                    # One try: a second one would be made to wait, as guesses are.
                    kafka.KafkaProducer(**settings, bootstrap_timeout_ms=2000, reconnect_backoff_ms=60000,
                                        reconnect_backoff_max_ms=60000).close()
                    check(False, f"{name} is not refused")
                except errors.KafkaTimeoutError:
                    check(any(words in line for line in lines), f"{name}: {lines}")


def case_missing_rule_is_an_authorization_error():
    with Server() as server:
        settings = bundle(server.client("app", "Create,Read,Write topic:t"))
        producer = kafka.KafkaProducer(**settings, max_block_ms=15000)
        producer.send("t", b"x").get(15)
        try:
            producer.send("secret", b"x").get(15)
            check(False, "a topic without a rule")
        except errors.TopicAuthorizationFailedError:
            pass
        producer.close()
        consumer = kafka.KafkaConsumer("t", **settings, group_id="secret")
        try:
            until(15, "an error", lambda: consumer.poll(1000))
            check(False, "a group without a rule")
        except errors.GroupAuthorizationFailedError:
            pass
        finally:
            consumer.close()
        # To a consumer it only says it.
        with said("kafka") as lines:
            consumer = kafka.KafkaConsumer("secret", **settings)
            until(15, "the reason", lambda: consumer.poll(500) or
                  any("Topic secret is not authorized" in line for line in lines))
            consumer.close()
