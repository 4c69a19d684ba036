"""Producer and member of a group with Apache Kafka's own VerifiableProducer and VerifiableConsumer.

In: a task of `workload.py`; the jars that `./test` fetches for the cases with Java. Out: its journal, translated from the
lines of JSON that those programs write. They do not tell what they are about to send, only what became of it.
"""

import json
import os
import pathlib
import select
import signal
import subprocess
import time

from history.journal import now
from history.workload import Seen

LIBS = pathlib.Path(__file__).resolve().parent.parent / "peers/java/target/libs"
# Errors in a row that a producer is left after.
ERRORS_MAX = 20


def run(task):
    {"producer": produce, "member": consume}[task.role["kind"]](task)


def started(task, program, *words, **settings):
    """One of the programs, with settings over those of the bundle; the CA of the bundle does not know the server."""
    lines = [line for line in (task.bundle / "client.properties").read_text().splitlines()
             if not line.startswith(("ssl.truststore", "bootstrap.servers"))]
    lines += ["ssl.truststore.type=PEM", f"ssl.truststore.location={task.ca}"]
    lines += [f"{name.replace('_', '.')}={value}" for name, value in settings.items()]
    path = task.folder / f"{task.name}.properties"
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o600)
    command = ["java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{LIBS}/*",
               f"org.apache.kafka.tools.{program}", "--bootstrap-server", task.kafka, "--command-config", path, *words]
    log = open(task.folder / f"{task.name}.java.log", "ab")
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)


def told(process, is_over):
    """The events that a program tells, until it has ended; asked to end once it is over, it has 20 s for that."""
    pending, deadline = b"", None
    while True:
        if deadline is None and is_over():
            process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + 20
        if deadline and time.monotonic() > deadline:
            process.kill()
        if not select.select([process.stdout], [], [], 0.2)[0]:
            continue
        chunk = os.read(process.stdout.fileno(), 1 << 16)
        if not chunk:
            process.wait()
            return
        *lines, pending = (pending + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"{"):
                yield json.loads(line)


def produce(task):
    topic, session = task.role["topic"], 0
    while not task.is_over():
        session += 1
        # The values are PREFIX.0, PREFIX.1 and so on.
        prefix, errors = task.role["prefix"] * 1000 + session, 0
        task.journal.note("unannounced", prefix=f"{prefix}.")
        process = started(
            task, "VerifiableProducer", "--topic", topic, "--throughput", str(int(10 / task.pace)), "--acks", "-1",
            "--value-prefix", str(prefix), enable_idempotence="true", retries="2147483647",
            request_timeout_ms="3000", delivery_timeout_ms="60000", reconnect_backoff_max_ms="500",
            max_block_ms="20000")
        for event in told(process, lambda: task.is_over() or errors > ERRORS_MAX):
            if event["name"] == "producer_send_success":
                errors = 0
                place = f"{event['topic']}/{event['partition']}"
                task.journal.note("acked", v=event["value"], tp=place, o=event["offset"])
            elif event["name"] == "producer_send_error":
                is_refused = "Authorization" in event["exception"]
                errors += not is_refused
                task.journal.note("refused" if is_refused else "unknown", v=event["value"], why=event["exception"])


def happened(event):
    """When the client says that it was, in whole milliseconds: what it says is read later, and may be read much later."""
    return event["timestamp"] * 1_000_000 - (time.time_ns() - now())


def consume(task):
    while not task.is_over():
        # A commit began behind the one before it: nothing more is told.
        seen, began = Seen(task), now()
        process = started(
            task, "VerifiableConsumer", "--topic", task.role["topic"], "--group-id", task.role["group"], "--verbose",
            "--session-timeout", "6000", "--reset-policy", "earliest", "--assignment-strategy",
            "org.apache.kafka.clients.consumer.RoundRobinAssignor", heartbeat_interval_ms="1000",
            request_timeout_ms="8000", default_api_timeout_ms="10000", reconnect_backoff_max_ms="500")
        for event in told(process, task.is_over):
            if event["name"] == "partitions_assigned":
                seen.assigned([(place["topic"], place["partition"]) for place in event["partitions"]])
                began = happened(event)
            elif event["name"] == "record_data":
                seen.rows([(event["topic"], event["partition"], event["offset"], event["value"].encode())])
                seen.next.clear()
            elif event["name"] == "offsets_committed" and event["offsets"]:
                at = {(place["topic"], place["partition"]): place["offset"] for place in event["offsets"]}
                seen.committed(at, began, None if event["success"] else event.get("error", "failed"))
                began = happened(event)
        task.journal.note("trouble", why=f"ended with {process.returncode}")
        time.sleep(0.3)
