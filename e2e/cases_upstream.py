"""In front of an Apache Kafka node (`kastellan gateway`), with kcat, confluent-kafka and Java."""

import re
import time
import urllib.request

from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from cases_java import done, tool
from cases_kcat import kcat
from cases_server import ALL, consumed, produced
from kafka_node import KafkaNode
from lib import BINARY, CONFIG, Server, check, librdkafka, until

UPSTREAM = """
[gateway.upstream]
bootstrap = "{}"
insecure_upstream_plaintext = true
"""


class Gateway(Server):
    """The gateway alone, in front of a node."""

    def __init__(self, node):
        log = CONFIG.index("[log]")
        super().__init__(CONFIG[:log] + CONFIG[CONFIG.index("[ops]"):] + UPSTREAM.format(node.address))

    def command(self):
        words = super().command()
        check(words[1] == "up", words)
        return [BINARY, "gateway", *words[2:]]


def page(server, path):
    return urllib.request.urlopen(f"http://{server.ready['ops']}{path}", timeout=5).read().decode()


def failures(server):
    """How often the node could not be reached."""
    found = re.findall(r"^gateway_upstream_connect_failures_total (\d+)", page(server, "/metrics"), re.M)
    return int(found[0]) if found else 0


def case_clients_use_an_apache_kafka_node_by_the_gateways_rules():
    with KafkaNode() as node, Gateway(node) as server:
        folder = server.client("app", "All topic:t", "All topic:java", "Read group:g")
        settings = librdkafka(folder)
        admin = AdminClient(settings)
        metadata = admin.list_topics(timeout=10)
        found = {f"{broker.host}:{broker.port}" for broker in metadata.brokers.values()}
        check(found == {server.kafka}, f"only the gateway's address: {found}")

        admin.create_topics([NewTopic("t", 1, 1)])["t"].result(15)
        lines = [f"{codec} {'x' * 300}" for codec in ("none", "gzip", "snappy", "lz4", "zstd")]
        for line in lines:
            sent = kcat(folder, "-P", "-t", "t", "-z", line.split()[0], stdin=f"{line}\n")
            check(sent.returncode == 0, sent.stderr)
        values = [str(number).encode() for number in range(1000)]
        errors, acknowledged = produced(settings, "t", values, **{"enable.idempotence": True})
        check(not errors and acknowledged == values, errors[:2])
        everything = [line.encode() for line in lines] + values
        check(consumed(settings, "t") == everything, "through the gateway")
        check(consumed({"bootstrap.servers": node.address}, "t") == everything, "and the node holds it")

        group = {**settings, "group.id": "g", "auto.offset.reset": "earliest"}
        members = [Consumer(group), Consumer(group)]
        admin.create_topics([NewTopic("java", 4, 1)])["java"].result(15)
        for member in members:
            member.subscribe(["java"])
        sizes = lambda: [(member.poll(0.1), len(member.assignment()))[1] for member in members]
        until(40, "two partitions each", lambda: sizes() == [2, 2])
        for member in members:
            member.close()
        config = folder / "client.properties"
        done(tool("console-producer", config, "--topic", "java", stdin="1\n2\n"))
        read = done(tool("console-consumer", config, "--topic", "java", "--group", "g", "--from-beginning",
                         "--max-messages", "2", "--timeout-ms", "30000"))
        check(sorted(read.split()) == ["1", "2"], read)

        produced({"bootstrap.servers": node.address}, "secret", [b"x"])
        refused = kcat(folder, "-C", "-t", "secret", "-e")
        check(refused.returncode != 0 and "Topic authorization failed" in refused.stderr, refused)
        listed = admin.list_topics(timeout=10).topics
        check(set(listed) == {"t", "java"}, f"what it may not see is not shown: {set(listed)}")
        errors, _ = produced(settings, "secret", [b"x"])
        check(errors and errors[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED, errors)
        wrong = kcat(folder, "-L", "-m", "2", changes={"sasl.password": "wrong"})
        check(wrong.returncode != 0 and "SASL authentication error" in wrong.stderr, wrong)
        check(consumed({"bootstrap.servers": node.address}, "secret") == [b"x"], "nothing came through")


def case_node_that_stops_and_comes_back_is_used_again():
    with KafkaNode() as node, Gateway(node) as server:
        settings = librdkafka(server.client("app", *ALL))
        producer = Producer({**settings, "acks": "all", "enable.idempotence": True, "message.timeout.ms": 60000,
                             "reconnect.backoff.max.ms": 500, "log_level": 0})
        outcomes = []
        send = lambda value: producer.produce("t", value, on_delivery=lambda error, _: outcomes.append(error))
        send(b"before")
        check(producer.flush(20) == 0 and outcomes == [None], outcomes)
        node.stop()
        send(b"meanwhile")
        started = time.monotonic()
        errors, _ = produced(settings, "t", [b"lost"], **{"message.timeout.ms": 2000, "log_level": 0})
        check(errors and time.monotonic() - started < 20, "a producer that does not wait is told")
        check(failures(server) > 0, "what was tried is counted")
        check(page(server, "/livez") == "ok\n", "the gateway lives")
        node.start()
        check(producer.flush(50) == 0 and outcomes == [None, None], f"what waited arrives: {outcomes}")
        check(consumed(settings, "t") == [b"before", b"meanwhile"], "once each")
