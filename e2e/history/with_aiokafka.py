"""Producer and member of a group with aiokafka.

In: a task of `workload.py`. Out: its journal. A client that failed is replaced by a new one, as is one whose certificate
was reissued.
"""

import asyncio
import contextlib
import logging
import ssl
import time

import aiokafka
from aiokafka import errors
from aiokafka.structs import TopicPartition

from history.workload import PADDING, Producer, Seen

REFUSED = (errors.TopicAuthorizationFailedError, errors.ClusterAuthorizationFailedError)
IN_FLIGHT_MAX = 300


def settings(task, **more):
    context = ssl.create_default_context(cafile=task.ca)
    common = {"bootstrap_servers": task.mtls if task.is_mtls else task.kafka, "client_id": task.name,
              "ssl_context": context, "retry_backoff_ms": 50, **more}
    if task.is_mtls:
        context.load_cert_chain(task.bundle / "client.pem")
        return {**common, "security_protocol": "SSL"}
    user, password = task.user_and_password()
    return {**common, "security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-512", "sasl_plain_username": user,
            "sasl_plain_password": password}


def run(task):
    # It tells its logger what it tells its caller.
    logging.disable(logging.CRITICAL)
    asyncio.run({"producer": produce, "member": consume}[task.role["kind"]](task))


@contextlib.asynccontextmanager
async def started(client):
    """A client that is there; leaving takes ten seconds at most."""
    try:
        await asyncio.wait_for(client.start(), 30)
        yield client
    finally:
        # It may wait for tasks of its own that it has cancelled; nobody cancels this one.
        with contextlib.suppress(asyncio.TimeoutError, asyncio.CancelledError, errors.KafkaError):
            await asyncio.wait_for(client.stop(), 10)


async def again(task, session):
    """Sessions, one after the other, until it is over."""
    while not task.is_over():
        try:
            await session()
        except (errors.KafkaError, OSError, ssl.SSLError, asyncio.TimeoutError, asyncio.CancelledError) as error:
            task.journal.note("trouble", why=type(error).__name__)
        await asyncio.sleep(0.3)


async def produce(task):
    values = Producer(task)

    async def session():
        values.next_session()
        async with started(aiokafka.AIOKafkaProducer(**settings(
                task, enable_idempotence=True, acks="all", linger_ms=5, request_timeout_ms=20000,
                compression_type=task.role.get("codec")))) as client:
            await produce_session(task, values, client)

    await again(task, session)


async def produce_session(task, values, client):
    """Produces until it is over, or a value failed for another reason than a missing rule."""
    waiting, failed = set(), []

    def told(value, future):
        waiting.discard(future)
        error = "cancelled" if future.cancelled() else future.exception()
        if error is None:
            at = future.result()
            task.journal.note("acked", v=value, tp=f"{at.topic}/{at.partition}", o=at.offset)
            return
        failed.append(error)
        refused = isinstance(error, REFUSED)
        task.journal.note("refused" if refused else "unknown", v=value, why=type(error).__name__)

    while not task.is_over() and not failed and not task.has_new_certificate():
        if len(waiting) < IN_FLIGHT_MAX:
            topic, partition, burst = values.burst()
            for value in burst:
                sending = client.send(topic, f"{value} {PADDING}".encode(), partition=partition)
                future = await asyncio.wait_for(sending, 20)
                waiting.add(future)
                future.add_done_callback(lambda future, value=value: told(value, future))
        await asyncio.sleep(task.rng.expovariate(1) * task.pace)
    if waiting:
        await asyncio.wait(set(waiting), timeout=3 if failed else 45)


class Listener(aiokafka.ConsumerRebalanceListener):
    """What was read is committed before partitions go; the lock lets a commit under way end first."""

    def __init__(self, seen, lock, commit):
        self.seen, self.lock, self.commit = seen, lock, commit

    async def on_partitions_revoked(self, revoked):
        async with self.lock:
            if revoked:
                await self.commit()
            self.seen.next.clear()

    async def on_partitions_assigned(self, assigned):
        self.seen.assigned(assigned)


async def consume(task):
    async def session():
        client = aiokafka.AIOKafkaConsumer(**settings(
            task, group_id=task.role["group"], enable_auto_commit=False, auto_offset_reset="earliest",
            session_timeout_ms=6000, heartbeat_interval_ms=1000, request_timeout_ms=8000, fetch_max_wait_ms=200))
        seen, lock = Seen(task), asyncio.Lock()

        async def commit():
            at, begun = seen.committing()
            if not at:
                return
            places = {TopicPartition(*place): offset for place, offset in at.items()}
            try:
                await asyncio.wait_for(client.commit(places), 5)
                seen.committed(at, begun)
            except (errors.KafkaError, errors.IllegalStateError, asyncio.TimeoutError) as error:
                seen.committed(at, begun, type(error).__name__)

        client.subscribe(task.topics, listener=Listener(seen, lock, commit))
        async with started(client):
            await consume_session(task, client, seen, lock, commit)

    await again(task, session)


async def consume_session(task, client, seen, lock, commit):
    async def work():
        committed = time.monotonic()
        while True:
            # What it gives is noted before anything else runs, so also before its partitions can go.
            found = await client.getmany(timeout_ms=200, max_records=100)
            seen.rows([(row.topic, row.partition, row.offset, row.value) for rows in found.values() for row in rows])
            if time.monotonic() - committed > 0.5:
                async with lock:
                    await commit()
                committed = time.monotonic()

    working = asyncio.create_task(work())
    # Beside it: while partitions are reassigned it waits for as long as that takes.
    while not working.done() and not task.is_over() and not task.has_new_certificate():
        await asyncio.wait({working}, timeout=0.2)
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working
