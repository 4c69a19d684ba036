"""Producer, member of a group and observer with librdkafka (confluent-kafka).

In: a task of `workload.py`. Out: its journal. A client that says it cannot go on is replaced by a new one, as is one
whose certificate was reissued.
"""

import contextlib
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Producer as Client

from history.journal import now
from history.workload import PADDING, Producer, Seen

REFUSED = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED)
# A producer that was told this produces no more.
FATAL = (KafkaError._FATAL, KafkaError.CLUSTER_AUTHORIZATION_FAILED)
REFUSED_READING = (*REFUSED, KafkaError.GROUP_AUTHORIZATION_FAILED)
IN_FLIGHT_MAX = 300


def settings(task, **more):
    """Short waits: what stops answering is left soon, and tried again."""
    common = {
        "bootstrap.servers": task.mtls if task.is_mtls else task.kafka, "ssl.ca.location": task.ca, "log_level": 0,
        "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 500, "socket.timeout.ms": 4000,
        "retry.backoff.ms": 50, "error_cb": lambda error: None, "client.id": task.name, **more,
    }
    if task.is_mtls:
        # Both in memory: the file may be replaced while it is read.
        pem = task.certified.decode()
        return {**common, "security.protocol": "SSL", "ssl.certificate.pem": pem, "ssl.key.pem": pem}
    user, password = task.user_and_password()
    return {**common, "security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": user,
            "sasl.password": password}


def run(task):
    {"producer": produce, "member": consume, "observer": observe, "final": read_all}[task.role["kind"]](task)


def produce(task):
    values = Producer(task)
    while not task.is_over():
        values.next_session()
        # A produce request waits 3 s for its answer, then it is sent again: the first may well have been carried out.
        client = Client(settings(task, **{
            "enable.idempotence": True, "acks": "all", "linger.ms": task.rng.choice((0, 5, 20)),
            "compression.type": task.role.get("codec", "none"), "request.timeout.ms": 3000,
            "message.timeout.ms": 60000,
        }))
        is_good = produce_session(task, values, client)
        with contextlib.suppress(KafkaException):
            client.flush(45 if is_good else 3)
        client.purge()
        with contextlib.suppress(KafkaException):
            client.flush(3)


def produce_session(task, values, client):
    """Produces until it is over, or this client can do no more."""
    fatal = []

    def told(error, value):
        task.journal.note("refused" if error.code() in REFUSED else "unknown", v=value, why=error.name())
        if error.fatal() or error.code() in FATAL:
            fatal.append(error)

    def delivered(error, message):
        value = message.value().decode().split(" ", 1)[0]
        if error is None:
            place = f"{message.topic()}/{message.partition()}"
            task.journal.note("acked", v=value, tp=place, o=message.offset())
        else:
            told(error, value)

    while not task.is_over():
        if fatal or task.has_new_certificate():
            return False
        if len(client) < IN_FLIGHT_MAX:
            topic, partition, burst = values.burst()
            for value in burst:
                try:
                    client.produce(topic, f"{value} {PADDING}", partition=partition, on_delivery=delivered)
                except KafkaException as error:
                    told(error.args[0], value)
        until = time.monotonic() + task.rng.expovariate(1) * task.pace
        try:
            while (left := until - time.monotonic()) > 0:
                client.poll(left)
        except KafkaException as error:
            fatal.append(error)
    return True


def reader(task, group, **more):
    return Consumer(settings(task, **{
        "group.id": group, "enable.auto.commit": False, "auto.offset.reset": "earliest", "session.timeout.ms": 6000,
        "heartbeat.interval.ms": 1000, "partition.assignment.strategy": "roundrobin", "fetch.wait.max.ms": 200,
        "fetch.error.backoff.ms": 50, **more,
    }))


def handed(task, messages):
    """The rows among what a poll gave, and whether it was refused something."""
    rows, refused = [], False
    for message in messages:
        if message.error() is None:
            rows.append((message.topic(), message.partition(), message.offset(), message.value()))
        else:
            task.journal.note("trouble", why=message.error().name())
            refused |= message.error().code() in REFUSED_READING or message.error().fatal()
    return rows, refused


def consume(task):
    while not task.is_over():
        seen = Seen(task)
        client = reader(task, task.role["group"])

        def commit():
            at, started = seen.committing()
            if not at:
                return
            try:
                places = [TopicPartition(topic, number, offset) for (topic, number), offset in at.items()]
                done = client.commit(offsets=places, asynchronous=False)
                errors = [place.error for place in done if place.error]
                seen.committed(at, started, errors[0] if errors else None)
            except KafkaException as error:
                seen.committed(at, started, error.args[0].name())

        client.subscribe(
            task.topics,
            on_assign=lambda _, places: seen.assigned([(place.topic, place.partition) for place in places]),
            on_revoke=lambda *_: commit(), on_lost=lambda *_: seen.next.clear())
        consume_session(task, client, seen, commit)
        client.close()
        time.sleep(0.3)


def consume_session(task, client, seen, commit):
    committed = time.monotonic()
    while not task.is_over():
        try:
            rows, refused = handed(task, client.consume(100, 0.2))
        except KafkaException as error:
            task.journal.note("trouble", why=error.args[0].name())
            return
        seen.rows(rows)
        if time.monotonic() - committed > 0.5:
            commit()
            committed = time.monotonic()
        if refused or task.has_new_certificate():
            return


def observe(task):
    """Reads everything from the start, and asks how far the log and the groups are."""
    seen, client = Seen(task), reader(task, "observer")
    groups = {group: reader(task, group) for group in task.groups}
    client.assign([TopicPartition(topic, number, 0) for topic, number in task.partitions])
    seen.assigned(task.partitions)
    asked = 0.0
    while not task.is_over():
        seen.rows(handed(task, client.consume(500, 0.2))[0])
        if time.monotonic() - asked > 0.5:
            watermarks(task, client)
            for group, asker in groups.items():
                committed(task, group, asker)
            asked = time.monotonic()


def watermarks(task, client):
    at, started = {}, now()
    try:
        for topic, number in task.partitions:
            at[f"{topic}/{number}"] = client.get_watermark_offsets(TopicPartition(topic, number), 2)[1]
    except KafkaException:
        return None
    task.journal.note("watermark", at=at, **{"from": started})
    return at


def committed(task, group, client):
    started = now()
    try:
        places = client.committed([TopicPartition(topic, number) for topic, number in task.partitions], 2)
    except KafkaException:
        return None
    if any(place.error for place in places):
        return None
    # -1001: nothing is committed.
    at = {f"{place.topic}/{place.partition}": max(place.offset, -1) for place in places}
    task.journal.note("committed", g=group, at=at, **{"from": started})
    return at


def read_all(task):
    """After everything is quiet: each partition from 0 to its end, once; then waits until the groups are there too."""
    seen, client = Seen(task), reader(task, "final")
    end = None
    while end is None and not task.is_over():
        end = watermarks(task, client)
    client.assign([TopicPartition(topic, number, 0) for topic, number in task.partitions])
    seen.assigned(task.partitions)
    at = {place: 0 for place in end or {}}
    while not task.is_over() and any(at[place] < end[place] for place in at):
        rows, _ = handed(task, client.consume(1000, 0.5))
        seen.rows(rows)
        at.update({f"{topic}/{number}": offset + 1 for topic, number, offset, _ in rows})
    groups = {group: reader(task, group) for group in task.groups}
    while groups and not task.is_over():
        for group in list(groups):
            found = committed(task, group, groups[group])
            if found and all(found[place] >= end[place] for place in end if end[place]):
                del groups[group]
        time.sleep(0.3)
