"""The server itself: start, directories, configuration, revocation, restart, crash."""

import os
import pathlib
import random
import signal
import socket
import stat
import subprocess
import threading
import time
import urllib.request

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

from lib import BINARY, CONFIG, Server, check, librdkafka, until


def produced(settings, topic, values, partition=-1, **extra):
    """Produces with acks=all; gives the errors and the acknowledged values."""
    producer = Producer({"log_level": 0, **settings, "acks": "all", "message.timeout.ms": 15000, **extra})
    acknowledged, errors = [], []

    def report(error, message):
        (errors if error else acknowledged).append(error or message.value())

    for value in values:
        producer.produce(topic, value, partition=partition, on_delivery=report)
        producer.poll(0)
    producer.flush(30)
    return errors, acknowledged


def consumed(settings, topic, seconds=20, partitions=1):
    """Everything in a topic, from its beginning."""
    consumer = Consumer({"log_level": 0, **settings, "group.id": "reader", "auto.offset.reset": "earliest",
                         "enable.partition.eof": True, "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
    values, ends, end = [], 0, time.monotonic() + seconds
    while ends < partitions and time.monotonic() < end:
        message = consumer.poll(0.5)
        if message is None:
            continue
        if message.error() is None:
            values.append(message.value())
        elif message.error().code() == KafkaError._PARTITION_EOF:
            ends += 1
    consumer.close()
    check(ends == partitions, "the end of the topic was not reached")
    return values


ALL = ("All topic:*", "All group:*", "All cluster")


def case_first_start_makes_a_private_directory_and_says_what_is_next():
    with Server() as server:
        text = server.log_text()
        for words in ("kastellan is ready", server.kafka, "client add", "rule add", "status"):
            check(words in text, f"{words!r} is not in what the first start says")
        for folder, _, files in os.walk(server.data):
            check(stat.S_IMODE(os.stat(folder).st_mode) == 0o700, f"mode of {folder}")
            for name in files:
                path = os.path.join(folder, name)
                if not stat.S_ISSOCK(os.stat(path).st_mode):
                    check(stat.S_IMODE(os.stat(path).st_mode) & 0o077 == 0, f"mode of {path}")


def case_nothing_readable_lies_in_the_log():
    with Server() as server:
        settings = librdkafka(server.client("writer", *ALL))
        errors, _ = produced(settings, "very-recognisable-topic", [b"very-recognisable-value"] * 10)
        check(not errors, errors)
        consumer = Consumer({**settings, "group.id": "very-recognisable-group", "auto.offset.reset": "earliest"})
        consumer.subscribe(["very-recognisable-topic"])
        until(20, "a message", lambda: consumer.poll(0.2))
        consumer.commit(asynchronous=False)
        consumer.close()
        server.stop()
        count = 0
        for path in (server.data / "log").rglob("*"):
            if path.is_file():
                count += 1
                content = path.read_bytes()
                for word in (b"very-recognisable", b"writer", b"rdkafka"):
                    check(word not in content, f"{word} in {path}")
        check(count > 4, "there are files to look at")


def case_second_server_on_the_same_directory_is_refused():
    with Server() as server:
        again = subprocess.run(server.command(), capture_output=True, text=True, timeout=20)
        check(again.returncode == 2, again)
        check("another server is running" in again.stderr, again.stderr)


def case_foreign_directory_is_refused_and_left_alone():
    server = Server()
    server.data.mkdir()
    (server.data / "thesis.tex").write_text("x")
    refused = subprocess.run(server.command(), capture_output=True, text=True, timeout=20)
    check(refused.returncode == 2 and "not Kastellan's" in refused.stderr, refused)
    check([path.name for path in server.data.iterdir()] == ["thesis.tex"], "nothing was added")


def case_taken_port_is_told_with_the_remedy():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = Server(CONFIG.replace("127.0.0.1:0", f"127.0.0.1:{port}", 1))
        refused = subprocess.run(server.command(), capture_output=True, text=True, timeout=20)
        check(refused.returncode == 2, refused)
        check(str(port) in refused.stderr and "next:" in refused.stderr, refused.stderr)


def case_every_problem_of_a_configuration_is_told_with_its_line():
    server = Server("[gateway]\nsuper_user = []\n\n[ops]\nbind = \"0.0.0.0:1\"\n")
    refused = subprocess.run(server.command(), capture_output=True, text=True, timeout=20)
    check(refused.returncode == 2, refused)
    for words in (":2:", "did you mean super_users", ":5:", "ops.bind"):
        check(words in refused.stderr, f"{words} is not in {refused.stderr}")
    checked = subprocess.run([BINARY, "config", "check", server.config], capture_output=True, text=True)
    check(checked.returncode == 2, checked)


def case_health_and_metrics_are_served():
    with Server() as server:
        check(not produced(librdkafka(server.client("app", *ALL)), "t", [b"1"])[0], "there is something to count")
        for path, words in (("/livez", "ok"), ("/readyz", "ready"), ("/metrics", "gateway_connections_total")):
            body = urllib.request.urlopen(f"http://{server.ready['ops']}{path}", timeout=5).read().decode()
            check(words in body, f"{path}: {body[:200]}")


def case_missing_server_has_its_own_status():
    server = Server()
    refused = subprocess.run([BINARY, "status", "--data", server.data], capture_output=True, text=True)
    check(refused.returncode == 3 and "next:" in refused.stderr, refused)


def case_explain_tells_the_rule_or_what_is_missing():
    with Server() as server:
        server.client("app", "Read topic:orders")
        allowed = server.cli("explain", "User:app", "Read", "topic:orders")
        check("ALLOWED" in allowed and "because of rule" in allowed, allowed)
        refused = server.cli("explain", "User:app", "Write", "topic:orders", status=1)
        check("REFUSED" in refused and "kastellan rule add allow User:app Write topic:orders" in refused, refused)


def case_disabled_user_is_cut_within_a_second():
    with Server() as server:
        settings = librdkafka(server.client("app", *ALL))
        check(not produced(settings, "t", [b"before"])[0], "produces before")
        sessions = lambda: server.json("status")["sessions"]
        consumer = Consumer({**settings, "group.id": "g"})
        consumer.subscribe(["t"])
        until(10, "a session", lambda: consumer.poll(0.1) or sessions() > 0)
        server.cli("user", "disable", "app")
        until(1.5, "no session left", lambda: sessions() == 0)
        errors, acknowledged = produced(settings, "t", [b"after"], **{"message.timeout.ms": 3000})
        check(errors and not acknowledged, "nothing is taken from a disabled user")
        consumer.close()
        server.cli("user", "enable", "app")
        check(not produced(settings, "t", [b"again"])[0], "produces again")


def case_removed_rule_holds_for_the_next_request_of_an_open_connection():
    with Server() as server:
        folder = server.client("app", "Create,Write topic:t")
        producer = Producer({**librdkafka(folder), "message.timeout.ms": 8000})
        outcomes = []
        report = lambda error, _: outcomes.append(error.code() if error else None)
        producer.produce("t", b"1", on_delivery=report)
        producer.flush(15)
        for rule in server.json("rule", "list", "--principal", "User:app"):
            server.cli("rule", "remove", rule["id"])
        producer.produce("t", b"2", on_delivery=report)
        producer.flush(15)
        check(outcomes == [None, KafkaError.TOPIC_AUTHORIZATION_FAILED], outcomes)


def case_rotated_client_loses_its_old_secret_and_certificate():
    with Server() as server:
        folder = server.client("app", *ALL)
        old = librdkafka(folder)
        certificate = folder / "client.pem"
        kept = server.home / "kept.pem"
        kept.write_bytes(certificate.read_bytes())
        tls = {"bootstrap.servers": server.mtls, "security.protocol": "SSL",
               "ssl.ca.location": str(folder / "ca.pem"),
               "ssl.certificate.location": str(kept), "ssl.key.location": str(kept)}
        check(not produced(tls, "t", [b"1"])[0], "the certificate works")
        server.cli("client", "rotate", "app", "--out", folder)
        quick = {"message.timeout.ms": 3000}
        check(produced(old, "t", [b"2"], **quick)[0], "the old secret is refused")
        check(produced(tls, "t", [b"3"], **quick)[0], "the old certificate is refused")
        check(not produced(librdkafka(folder), "t", [b"4"])[0], "the new secret works")
        fresh = {**tls, "ssl.certificate.location": str(certificate), "ssl.key.location": str(certificate)}
        check(not produced(fresh, "t", [b"5"])[0], "the new certificate works")
        check(consumed(fresh, "t") == [b"1", b"4", b"5"], "only what was acknowledged")


def case_reload_by_signal_keeps_connections():
    with Server() as server:
        producer = Producer(librdkafka(server.client("app", *ALL)))
        outcomes = []
        for number in range(3):
            producer.produce("t", str(number), on_delivery=lambda error, _: outcomes.append(error))
            producer.flush(15)
            server.process.send_signal(signal.SIGHUP)
            server.cli("reload")
        check(outcomes == [None] * 3, outcomes)


def case_records_groups_and_offsets_are_there_after_a_restart():
    with Server(pinned=True) as server:
        settings = librdkafka(server.client("app", *ALL))
        values = [str(number).encode() for number in range(100)]
        check(not produced(settings, "t", values)[0], "produces")
        consumer = Consumer({**settings, "group.id": "g", "auto.offset.reset": "earliest"})
        consumer.subscribe(["t"])
        seen = []
        until(20, "forty messages", lambda: len(seen) >= 40 or seen.extend(
            message.value() for message in consumer.consume(40 - len(seen), 0.5) if not message.error()))
        consumer.commit(offsets=[TopicPartition("t", 0, 40)], asynchronous=False)
        consumer.close()
        server.stop()
        server.start()
        check(consumed(settings, "t") == values, "every record, in order")
        consumer = Consumer({**settings, "group.id": "g"})
        committed = consumer.committed([TopicPartition("t", 0)], 10)[0].offset
        check(committed == 40, f"committed {committed}")
        consumer.close()
        check("damage" not in server.cli("log", "verify").replace("no damage", ""), "verified")


class Load:
    """A producer with acks=all on a partition of its own, through everything that happens to the server."""

    def __init__(self, settings, name, partition, **extra):
        self.name, self.partition = name, partition
        self.settings = {**settings, "acks": "all", "linger.ms": 1, "message.timeout.ms": 120000,
                         "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 100, "retry.backoff.ms": 20,
                         "log_level": 0, **extra}
        self.acknowledged, self.errors, self.ended = [], [], threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        producer = Producer(self.settings)

        def report(error, message):
            (self.errors if error else self.acknowledged).append(error or message.value())

        number = 0
        while not self.ended.is_set():
            # A bounded number on the way: each round is about the server, not about a long queue.
            if len(producer) < 500:
                producer.produce("t", f"{self.name} {number}".encode(), partition=self.partition, on_delivery=report)
                number += 1
            producer.poll(0 if len(producer) < 500 else 0.01)
        producer.flush(60)

    def end(self):
        self.ended.set()
        self.thread.join(70)
        check(not self.errors, f"{self.name}: {self.errors[:2]}")


def case_nothing_acknowledged_is_lost_over_fifty_kills():
    rounds = int(os.environ.get("KASTELLAN_KILLS", "50"))
    with Server(CONFIG.replace("[log]\n", "[log]\nnum_partitions = 3\n"), pinned=True) as server:
        settings = librdkafka(server.client("app", *ALL))
        check(not produced(settings, "t", [b"first"], partition=0)[0], "produces")
        idempotent = [Load(settings, name, partition, **{"enable.idempotence": True})
                      for partition, name in enumerate(("one", "two"))]
        loads = [*idempotent, Load(settings, "plain", 2, **{"max.in.flight": 1})]
        for _ in range(rounds):
            before = [len(load.acknowledged) for load in loads]
            until(30, "acknowledgements", lambda: all(
                len(load.acknowledged) > count + 20 for load, count in zip(loads, before)))
            time.sleep(random.uniform(0, 0.05))
            server.kill()
            server.start()
        for load in loads:
            load.end()
        values = consumed(settings, "t", seconds=60, partitions=3)
        for load in loads:
            mine = [value for value in values if value.startswith(f"{load.name} ".encode())]
            lost = set(load.acknowledged) - set(mine)
            check(not lost, f"{load.name}: {len(lost)} of {len(load.acknowledged)} acknowledged values are gone")
            numbers = [int(value.split()[1]) for value in dict.fromkeys(mine)]
            check(numbers == sorted(numbers), f"{load.name}: not in order")
        for load in idempotent:
            mine = [value for value in values if value.startswith(f"{load.name} ".encode())]
            check(len(mine) == len(set(mine)), f"{load.name}: an idempotent producer's values are there once")
        check("no damage" in server.cli("log", "verify"), "verified")


case_nothing_acknowledged_is_lost_over_fifty_kills.limit = 300


def case_exported_partition_is_an_ordinary_segment():
    with Server() as server:
        settings = librdkafka(server.client("app", *ALL))
        check(not produced(settings, "t", [b"in clear"])[0], "produces")
        target = server.home / "00000000000000000000.log"
        server.cli("log", "export", "t", "0", "--plain", "--out", target)
        content = target.read_bytes()
        check(b"in clear" in content and content[16] == 2, "a batch of magic 2")
        check(stat.S_IMODE(target.stat().st_mode) == 0o600, "private")


def case_garbage_and_silence_do_no_harm():
    with Server() as server:
        host, port = server.kafka.rsplit(":", 1)
        sockets = []
        for noise in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x00\x00\x00\x08\x00\x12\x00\x00", b"\xff" * 64):
            for target in (int(port), int(server.mtls.rsplit(":", 1)[1])):
                one = socket.create_connection((host, target), timeout=5)
                one.sendall(noise)
                sockets.append(one)
        check(not produced(librdkafka(server.client("app", *ALL)), "t", [b"1"])[0], "honest clients are served")
        check(server.process.poll() is None, "the server lives")
        for one in sockets:
            one.close()
