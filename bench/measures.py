"""The measures. In: a target and how long. Out: a Figure: what was counted, and what it cost the server."""

import multiprocessing
import os
import statistics
import time
from collections import deque
from dataclasses import dataclass

import batch
from client import Connection, NotLeader, Refused, Target, fetch_request, fetched, produce_request, produced
from server import cpu_seconds, peak, resident

IN_FLIGHT = 5
#: A measure stops at so many bytes, whatever the time: the log lies on a disk.
BYTES_MAX = 3 << 30
#: Records of about 1 KiB each: one request, a usual batch, the largest that Kafka takes by default.
SIZES = {"1k": 1, "64k": 64, "1m": 1_000}
VALUE_SIZE = 1_011


@dataclass
class Figure:
    measure: str
    #: Processor time for one unit of work, or another headline, with its unit.
    value: float
    unit: str
    #: What else was seen, for a person.
    beside: str
    #: A second headline: the 99th percentile beside the median.
    second: float | None = None


def _per_work(measure: str, size: str, cpu: float, elapsed: float, requests: int, moved: int) -> Figure:
    beside = f"{requests / elapsed:,.0f} requests/s, {moved / elapsed / 1e6:,.0f} MB/s, server at {cpu / elapsed:.0%} of a core"
    if size == "1k":
        return Figure(measure, cpu / requests * 1e6, "us CPU per request", beside)
    return Figure(measure, cpu / moved * 1e9, "CPU-s per GB", beside)


def produce(target: Target, size: str, seconds: float, warm_up: float, acks: int = 1) -> Figure:
    """One connection, five requests in flight, the same batch again and again."""
    topic = f"bench.produce-{size}-{time.time_ns()}"
    request = produce_request(topic, batch.build(SIZES[size], VALUE_SIZE, time.time_ns() // 1_000_000), acks)
    with Connection(target) as connection:
        connection.create_topic(topic)
        connection.topic_id(topic)
        _first_produce(connection, request, topic)
        _produce_for(connection, request, topic, warm_up)
        started, before = time.monotonic(), cpu_seconds(target.pids)
        requests = _produce_for(connection, request, topic, seconds)
        cpu, elapsed = cpu_seconds(target.pids) - before, time.monotonic() - started
        connection.delete_topic(topic)
    return _per_work(f"produce-{size}", size, cpu, elapsed, requests, requests * len(request))


def synced(target: Target, size: str, seconds: float, warm_up: float, measure: str = "synced", settings=()) -> Figure:
    """Four connections with a topic each, acks=all: Kastellan answers when the records are on the disk."""
    with multiprocessing.get_context("fork").Pool(4) as workers:
        workers.map(_synced_for, [(target, size, warm_up, settings)] * 4)
        started, before = time.monotonic(), cpu_seconds(target.pids)
        done = sum(workers.map(_synced_for, [(target, size, seconds, settings)] * 4))
        cpu, elapsed = cpu_seconds(target.pids) - before, time.monotonic() - started
    moved = done * SIZES[size] * VALUE_SIZE
    beside = f"{moved / elapsed / 1e6:,.0f} MB/s, {cpu / done * 1e6:,.0f} us CPU each, server at {cpu / elapsed:.0%} of a core"
    return Figure(f"{measure}-{size}", done / elapsed, "requests/s", beside)


#: What makes Apache Kafka sync each batch before it answers. Kastellan does so without being told.
FLUSHED = (("flush.messages", "1"),)


def flushed(target: Target, size: str, seconds: float, warm_up: float) -> Figure:
    """As `synced`, with topics whose every batch is to be synced, whoever the server is."""
    return synced(target, size, seconds, warm_up, "flushed", FLUSHED)


def acked(target: Target, size: str, seconds: float, warm_up: float) -> Figure:
    """One connection, one request in flight, acks=all, each batch synced: how long until the answer."""
    topic = f"bench.acked-{size}-{time.time_ns()}"
    request = produce_request(topic, batch.build(SIZES[size], VALUE_SIZE, time.time_ns() // 1_000_000), -1)
    with Connection(target) as connection:
        connection.create_topic(topic, FLUSHED)
        connection.topic_id(topic)
        _first_produce(connection, request, topic)
        _times(connection, request, topic, warm_up)
        taken = _times(connection, request, topic, seconds)
        connection.delete_topic(topic)
    middle, late = median_and_late(taken)
    return Figure(f"acked-{size}", middle, "ms, median / 99 %", f"{len(taken):,} requests, slowest {max(taken):.1f} ms", late)


def _times(connection: Connection, request: bytes, topic: str, seconds: float) -> list[float]:
    deadline, taken = time.monotonic() + seconds, []
    while time.monotonic() < deadline:
        began = time.perf_counter()
        produced(connection.ask(request), topic)
        taken.append((time.perf_counter() - began) * 1_000)
    return taken


def median_and_late(taken: list[float]) -> tuple[float, float]:
    """The median and the 99th percentile."""
    ordered = sorted(taken)
    return statistics.median(ordered), ordered[min(len(ordered) * 99 // 100, len(ordered) - 1)]


def _synced_for(task: tuple[Target, str, float, tuple]) -> int:
    target, size, seconds, settings = task
    topic = f"bench.synced-{size}-{time.time_ns()}-{os.getpid()}"
    request = produce_request(topic, batch.build(SIZES[size], VALUE_SIZE, time.time_ns() // 1_000_000), -1)
    with Connection(target) as connection:
        connection.create_topic(topic, settings)
        connection.topic_id(topic)
        _first_produce(connection, request, topic)
        done = _produce_for(connection, request, topic, seconds)
        connection.delete_topic(topic)
    return done


def _first_produce(connection: Connection, request: bytes, topic: str):
    """Once the node takes it: Kafka names itself the leader of a new topic before it acts as one."""
    for _ in range(100):
        try:
            return produced(connection.ask(request), topic)
        except NotLeader:
            time.sleep(0.05)
    raise Refused(f"{topic} has a leader that does not lead")


def _produce_for(connection: Connection, request: bytes, topic: str, seconds: float) -> int:
    most = max(BYTES_MAX // len(request), IN_FLIGHT)
    deadline = time.monotonic() + seconds
    for _ in range(IN_FLIGHT):
        connection.send(request)
    sent, answered = IN_FLIGHT, 0
    while answered < sent:
        produced(connection.receive(), topic)
        answered += 1
        if sent < most and time.monotonic() < deadline:
            connection.send(request)
            sent += 1
    return answered


def fetch(target: Target, size: str, seconds: float, warm_up: float) -> Figure:
    """One connection, one request at a time, through a topic of 128 MB over and over."""
    topic = f"bench.fetch-{size}-{time.time_ns()}"
    whole = batch.build(SIZES[size], VALUE_SIZE, time.time_ns() // 1_000_000)
    with Connection(target) as connection:
        connection.create_topic(topic)
        topic_id = connection.topic_id(topic)
        request = produce_request(topic, whole, 1)
        count = (128 << 20) // len(whole)
        _first_produce(connection, request, topic)
        _fill(connection, request, topic, count)
        end = (count + 1) * SIZES[size]
        # One whole batch an answer. With room for more, Apache Kafka sends a part of the next one, which is of no use.
        limit = len(whole)
        _fetch_for(connection, topic_id, limit, end, warm_up)
        started, before = time.monotonic(), cpu_seconds(target.pids)
        requests, moved = _fetch_for(connection, topic_id, limit, end, seconds)
        cpu, elapsed = cpu_seconds(target.pids) - before, time.monotonic() - started
        connection.delete_topic(topic)
    return _per_work(f"fetch-{size}", size, cpu, elapsed, requests, moved)


def _fill(connection: Connection, request: bytes, topic: str, count: int):
    waiting: deque[None] = deque()
    for _ in range(count):
        connection.send(request)
        waiting.append(None)
        if len(waiting) == IN_FLIGHT:
            produced(connection.receive(), topic)
            waiting.popleft()
    for _ in waiting:
        produced(connection.receive(), topic)


def _fetch_for(connection: Connection, topic_id: bytes, limit: int, end: int, seconds: float) -> tuple[int, int]:
    deadline = time.monotonic() + seconds
    offset = requests = moved = 0
    while time.monotonic() < deadline:
        records = fetched(connection.ask(fetch_request(topic_id, offset, limit)))
        behind = batch.offset_behind(records)
        requests += 1
        moved += len(records)
        if behind is None:
            raise Refused(f"an answer without a whole batch at offset {offset}")
        offset = behind if behind < end else 0
    return requests, moved


def logins(target: Target, seconds: float, warm_up: float) -> Figure:
    """Connect, log in, ask for the versions, close; two processes beside each other."""
    with multiprocessing.get_context("fork").Pool(2) as workers:
        workers.map(_login_for, [(target, warm_up)] * 2)
        started, before = time.monotonic(), cpu_seconds(target.pids)
        counts = workers.map(_login_for, [(target, seconds)] * 2)
        cpu, elapsed = cpu_seconds(target.pids) - before, time.monotonic() - started
    done = sum(counts)
    return Figure("logins", done / cpu, "logins per CPU-s", f"{done / elapsed:,.0f} logins/s, {cpu / done * 1e6:,.0f} us CPU each")


def _login_for(task: tuple[Target, float]) -> int:
    target, seconds = task
    deadline, count = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        with Connection(target) as connection:
            connection.api_versions()
        count += 1
    return count


def idle(target: Target, connections: int = 1_000) -> Figure:
    """Memory of the server for one connection that is logged in and asks for nothing: the slope behind the first 200."""
    first, held, seen = 200, [], {}
    try:
        for number in range(1, connections + 1):
            held.append(Connection(target))
            if number in (first, connections):
                time.sleep(1)
                seen[number] = resident(target.pids)
    finally:
        for connection in held:
            connection.close()
    grown = seen[connections] - seen[first]
    each = grown / (connections - first)
    return Figure("idle", each / 1_000, "KB per connection", f"{connections} connections, {seen[connections] / 1e6:,.1f} MB in all")


def memory(target: Target) -> Figure:
    """Resident memory while nobody is connected. Comes first, before any load."""
    time.sleep(3)
    return Figure("memory", resident(target.pids) / 1e6, "MB resident", "ready, no clients")


def loaded(target: Target) -> Figure:
    """Resident memory at its highest. Comes last, when everything else was measured on this process."""
    return Figure("loaded", peak(target.pids) / 1e6, "MB resident", f"{resident(target.pids) / 1e6:,.1f} MB at the end")


def start(server) -> Figure:
    """From exec to the first answer over TLS, on a data directory that is there already."""
    taken = server.starts()
    spread = f"median of {len(taken)}, {min(taken):,.0f} to {max(taken):,.0f} ms"
    return Figure("start", statistics.median(taken), "ms to the first answer", spread)
