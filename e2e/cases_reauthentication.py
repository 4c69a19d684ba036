"""Sessions that prove themselves again on the connection they have (KIP-368)."""

import re
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import kafka
from confluent_kafka import Consumer, Producer

from cases_java import done, tool
from cases_kafka_python import bundle
from lib import CONFIG, Server, check, librdkafka, until

SESSION = 5
SHORT = CONFIG + f'\n[gateway.deadlines]\nsession_max = "{SESSION}s"\n'
RULES = ("Create,Read,Write topic:t", "Read group:g")


def counted(server, name, **labels):
    """The sum of a metric over the series with these labels."""
    page = urllib.request.urlopen(f"http://{server.ready['ops']}/metrics", timeout=5).read().decode()
    total = 0
    for series, value in re.findall(rf"^{name}(\{{.*\}})? (\S+)$", page, re.MULTILINE):
        if all(f'{label}="{wanted}"' in series for label, wanted in labels.items()):
            total += float(value)
    return total


def holds_its_connections(server, work):
    """Works through three lives of a session; nothing may be connected anew."""
    work()
    before = counted(server, "gateway_connections_total")
    end = time.monotonic() + 3 * SESSION
    rounds = 0
    while time.monotonic() < end:
        work()
        rounds += 1
        time.sleep(0.2)
    renewed = counted(server, "gateway_reauthentications_total", outcome="ok")
    check(rounds > 10 and renewed >= 2, f"{rounds} rounds, proven again {renewed} times")
    check(counted(server, "gateway_reauthentications_total", outcome="refused") == 0, "none was refused")
    after = counted(server, "gateway_connections_total")
    check(after == before, f"{after - before} connections were opened anew")
    check(counted(server, "gateway_sessions_cut_total") == 0, "no session was cut")


def case_confluent_proves_itself_again_without_a_new_connection():
    for mechanism in ("SCRAM-SHA-512", "PLAIN"):
        with Server(SHORT) as server:
            settings = librdkafka(server.client("app", *RULES), sasl_mechanism=mechanism)
            errors = []
            producer = Producer({**settings, "error_cb": errors.append})
            consumer = Consumer({**settings, "group.id": "g", "auto.offset.reset": "earliest",
                                 "error_cb": errors.append})
            producer.produce("t", b"x")
            check(producer.flush(20) == 0, "produces")
            consumer.subscribe(["t"])
            until(20, "a record", lambda: (message := consumer.poll(0.2)) and not message.error())

            def work():
                producer.produce("t", b"x")
                check(producer.flush(10) == 0, "produces")
                until(10, "a record", lambda: (message := consumer.poll(0.2)) and not message.error())

            # The connection to the group's coordinator comes a moment later.
            until(20, "partitions", consumer.assignment)
            consumer.commit(asynchronous=False)
            holds_its_connections(server, work)
            check(not errors, errors)
            consumer.close()


def case_kafka_python_proves_itself_again_without_a_new_connection():
    with Server(SHORT) as server:
        settings = bundle(server.client("app", *RULES))
        producer = kafka.KafkaProducer(**settings, acks="all", max_block_ms=15000)
        for _ in range(3):
            producer.send("t", b"x").get(15)
        holds_its_connections(server, lambda: producer.send("t", b"x").get(10))
        producer.close()


def case_java_proves_itself_again_without_a_new_connection():
    with Server(SHORT) as server:
        config = server.client("app", *RULES) / "client.properties"
        values = iter((b"first", b"second"))

        def produce():
            producer = Producer(librdkafka(server.home / "app"))
            producer.produce("t", next(values))
            check(producer.flush(20) == 0, "produces")

        produce()
        with ThreadPoolExecutor() as pool:
            reading = pool.submit(tool, "console-consumer", config, "--topic", "t", "--group", "g", "--from-beginning",
                                  "--max-messages", "2", "--timeout-ms", "50000")
            renewed = lambda: counted(server, "gateway_reauthentications_total", outcome="ok")
            until(40, "another proof", renewed)
            before, so_far = counted(server, "gateway_connections_total"), renewed()
            until(30, "more proofs", lambda: renewed() >= so_far + 4)
            check(counted(server, "gateway_connections_total") == before, "connections were opened anew")
            produce()
            check(done(reading.result()).split() == ["first", "second"], "both records came")
        check(counted(server, "gateway_reauthentications_total", outcome="refused") == 0, "none was refused")
        check(counted(server, "gateway_sessions_cut_total") == 0, "no session was cut")
