"""What a broker without a feature is asked for, by each client: its own error comes within five seconds, never nothing.

usage: scenarios.py BOOTSTRAP CONFIG LIB [TEST...]   (the Java client's part is in ../java-clients/src, Without*.java)
The embedded log has no transactions, no groups of KIP-848, no share groups and no streams groups. An Apache Kafka node
runs with the last three switched off, so that its words can be compared; transactions cannot be switched off.
"""
import asyncio
import json
import os
import pathlib
import secrets
import subprocess
import sys
import time

BOOT, CONFIG, LIB = sys.argv[1:4]
sys.path.insert(0, LIB)
import clientconf  # noqa: E402
from verdicts import Skip, check, tell  # noqa: E402

import aiokafka  # noqa: E402
import aiokafka.errors as aerr  # noqa: E402
import confluent_kafka as ck  # noqa: E402
import kafka  # noqa: E402
import kafka.errors as kerr  # noqa: E402

HERE, CACHE = pathlib.Path(os.environ["HERE"]), pathlib.Path(os.environ["CACHE"])
KAFKA = os.environ.get("APACHE_KAFKA")
CONF = clientconf.parse(CONFIG)
SOON = 5
TESTS = {}


def scenario(name):
    def add(function):
        TESTS[name] = function
        return function
    return add


def name(stem):
    return f"without-{stem}-{secrets.token_hex(4)}"


def transactions_are_missing():
    if KAFKA:
        raise Skip("Apache Kafka has transactions and no switch for it")


class Soon:
    """The error is of this class, and comes in time."""

    def __init__(self, kind, holds=lambda error: True):
        self.kind, self.holds = kind, holds

    def __enter__(self):
        self.began = time.monotonic()

    def __exit__(self, kind, error, _):
        took = time.monotonic() - self.began
        check(error is not None, "no error")
        check(isinstance(error, self.kind) and self.holds(error), f"another error: {error!r}")
        check(took < SOON, f"only after {took:.1f} s")
        return True


# --- librdkafka, by confluent-kafka ----------------------------------------------

def librdkafka(**more):
    settings = {"bootstrap.servers": BOOT, "log_level": 0, **clientconf.librdkafka(CONF)}
    settings.update({key.replace("_", "."): value for key, value in more.items()})
    return settings


@scenario("confluent/transactions")
def _():
    transactions_are_missing()
    producer = ck.Producer(librdkafka(transactional_id=name("id")))
    failed = ck.KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    with Soon(ck.KafkaException, lambda error: error.args[0].code() == failed and error.args[0].fatal()):
        producer.init_transactions(SOON)


@scenario("confluent/kip848")
def _():
    consumer = ck.Consumer(librdkafka(group_id=name("g"), group_protocol="consumer"))
    consumer.subscribe([name("t")])
    told = lambda error: error.args[0].code() == ck.KafkaError._FATAL and "API version not supported" in error.args[0].str()
    with Soon(ck.KafkaException, told):
        end = time.monotonic() + 2 * SOON
        while time.monotonic() < end:
            message = consumer.poll(0.1)
            if message is not None and message.error():
                raise ck.KafkaException(message.error())
    consumer.close()


# --- kafka-python and aiokafka ---------------------------------------------------

def python(**more):
    context = None
    if CONF["tls"]:
        import ssl
        context = ssl.create_default_context(cafile=CONF["ca"])
    return {"bootstrap_servers": BOOT, "security_protocol": CONF["protocol"], "ssl_context": context,
            "sasl_mechanism": CONF["mechanism"], "sasl_plain_username": CONF["username"],
            "sasl_plain_password": CONF["password"], **more}


@scenario("kafka-python/transactions")
def _():
    transactions_are_missing()
    producer = kafka.KafkaProducer(**python(transactional_id=name("id")))
    with Soon(kerr.TransactionalIdAuthorizationFailedError):
        producer.init_transactions()


@scenario("aiokafka/transactions")
def _():
    transactions_are_missing()

    async def main():
        producer = aiokafka.AIOKafkaProducer(**python(transactional_id=name("id")))
        try:
            with Soon(aerr.TransactionalIdAuthorizationFailed):
                await asyncio.wait_for(producer.start(), 30)
        finally:
            await asyncio.wait_for(producer.stop(), SOON)
    asyncio.run(main())


# --- franz-go and kafkajs ----------------------------------------------------------

def go(test):
    settings = {"Bootstrap": BOOT, "CA": CONF["ca"], "Mechanism": CONF["mechanism"], "User": CONF["username"],
                "Password": CONF["password"], "Certificate": CONF["cert"], "Topic": name("t"), "Group": name("g")}
    done = subprocess.run([CACHE / "franz-go", test], input=json.dumps(settings), capture_output=True, text=True, timeout=60)
    check(done.returncode == 0, f"{done.stdout} {done.stderr}")


@scenario("franz-go/transactions")
def _():
    transactions_are_missing()
    go("without_transactions")


TESTS["franz-go/kip848_falls_back"] = lambda: go("without_kip848")
TESTS["franz-go/share_groups"] = lambda: go("without_share_groups")


@scenario("kafkajs/transactions")
def _():
    transactions_are_missing()
    settings = {"brokers": [BOOT], "ca": CONF["ca"], "mechanism": CONF["mechanism"].lower(), "username": CONF["username"],
                "password": CONF["password"], "id": name("id")}
    done = subprocess.run(["node", HERE / "kafkajs.js", json.dumps(settings)], capture_output=True, text=True, timeout=60,
                          cwd=HERE.parent / "kafkajs")
    check(done.returncode == 0, f"{done.stdout} {done.stderr}")


if __name__ == "__main__":
    sys.exit(tell(TESTS, sys.argv[4:], CACHE / "last-run.log", limit=90, jobs=1))
