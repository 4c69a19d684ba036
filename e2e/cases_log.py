"""The embedded log: root keys, damage, repair."""

import struct
import subprocess
import time

from cases_server import ALL, consumed, produced
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from lib import Server, check, librdkafka


def small_files(settings, topic):
    """A topic whose files hold a megabyte."""
    admin = AdminClient(settings)
    admin.create_topics([NewTopic(topic, 1, 1, config={"segment.bytes": str(1 << 20)})])[topic].result(20)


def segments(server):
    return sorted((server.data / "log/p").rglob("*.seg"))


def case_root_key_is_replaced_while_the_log_runs():
    with Server() as server:
        settings = librdkafka(server.client("app", *ALL))
        small_files(settings, "t")
        values = [b"%06d" % number * 1000 for number in range(600)]
        check(not produced(settings, "t", values[:300])[0], "produces")
        check("root key 2" in server.cli("log", "rotate-root"), "a second key")
        check(not produced(settings, "t", values[300:])[0], "goes on")
        keys = {key["version"]: key for key in server.json("log", "keys")}
        check(keys[1]["state"] == "retired" and keys[1]["files"] > 0, keys)
        check(keys[2]["state"] == "active" and keys[2]["files"] > 0, keys)
        server.cli("log", "forget-root", "1", status=1)
        check(consumed(settings, "t") == values, "everything is read with both keys")
        server.kill()
        server.start()
        settings = librdkafka(server.client("reader", *ALL))
        check(consumed(settings, "t") == values, "and after a restart")


def case_damage_is_given_up_only_where_somebody_says_so():
    with Server() as server:
        settings = librdkafka(server.client("app", *ALL))
        small_files(settings, "t")
        values = [b"%06d" % number * 1000 for number in range(600)]
        check(not produced(settings, "t", values, **{"linger.ms": 0, "batch.num.messages": 1})[0], "produces")
        running = server.cli("log", "repair", "t", "0", status=2)
        check("another server is running" in running, "a repair wants the directory for itself")
        server.stop()
        check("nothing to repair" in server.cli("log", "repair", "t", "0"), "whole")
        server.cli("log", "repair", "t", "0", "--accept-loss-from", "5", status=1)
        files = segments(server)
        damaged = files[len(files) // 2]
        content = bytearray(damaged.read_bytes())
        content[len(content) // 2] ^= 1
        damaged.write_bytes(content)
        server.start()
        check(damaged.name in server.cli("log", "verify", status=1), "found")
        server.stop()
        before = {path: path.read_bytes() for path in segments(server)}
        report = server.cli("log", "repair", "t", "0", status=1)
        check("would give up" in report and "damaged at byte" in report, report)
        check({path: path.read_bytes() for path in segments(server)} == before, "a report changes nothing")
        good = int(report.split("--accept-loss-from ")[1].split()[0])
        check(0 < good < 600, report)
        too_much = server.cli("log", "repair", "t", "0", "--accept-loss-from", str(good + 1), status=1)
        check("gave up" not in too_much, too_much)
        repaired = server.cli("log", "repair", "t", "0", "--accept-loss-from", str(good))
        check("gave up" in repaired, repaired)
        check(len(list((server.data / "log/quarantine").iterdir())) > 1, "what is given up is kept aside")
        server.start()
        settings = librdkafka(server.client("reader", *ALL))
        check(consumed(settings, "t") == values[:good], "what was whole is served")
        check(not produced(settings, "t", [b"goes on"])[0], "and goes on")
        check(consumed(settings, "t") == [*values[:good], b"goes on"], "behind it")
        check("no damage" in server.cli("log", "verify"), "whole again")


def found(folder, needles):
    """Which of the needles lie in the files of a folder or in their names, and where."""
    places = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_socket()):
        content = path.read_bytes() + str(path.relative_to(folder)).encode()
        places += [(name, path.name) for name, needle in needles.items() if needle in content]
    return places


def case_nothing_of_the_records_or_their_owners_can_be_read_on_the_disk():
    moment = 1_700_123_456_789
    records = {
        "key": b"needle-key", "value": b"needle-value", "header": b"needle-header", "header value": b"needle-said",
        "hex": b"needle-value".hex().encode(), "big": struct.pack(">q", moment), "little": struct.pack("<q", moment),
        "text": str(moment).encode(),
    }
    owners = {"topic": b"needle.topic", "group": b"needle-group", "client id": b"needle-client", "note": b"needle-note",
              "user": b"needleman", "setting": b"987654321012"}
    with Server() as server:
        settings = librdkafka(server.client("needleman", *ALL), **{"client.id": "needle-client"})
        topic = NewTopic("needle.topic", 1, 1, config={"segment.bytes": str(1 << 20), "retention.ms": "987654321012"})
        admin = AdminClient(settings)
        admin.create_topics([topic])["needle.topic"].result(20)
        producer = Producer({**settings, "enable.idempotence": True, "linger.ms": 0})
        for number in range(40):
            producer.produce("needle.topic", b"needle-value" * 3000, b"needle-key", timestamp=moment,
                             headers=[("needle-header", b"needle-said")])
            producer.flush(20)
        reader = Consumer({**settings, "group.id": "needle-group", "auto.offset.reset": "earliest"})
        reader.subscribe(["needle.topic"])
        check(reader.poll(20).timestamp()[1] == moment, "it is there for who may read it")
        at = TopicPartition("needle.topic", 0, 1, metadata="needle-note")
        reader.commit(offsets=[at], asynchronous=False)
        check(reader.committed([at], 10)[0].metadata == "needle-note", "committed")
        reader.close()
        del admin, producer, reader
        check(len(segments(server)) > 1, "a file is closed, another is not")
        for state in ("running", "killed", "stopped"):
            check(not found(server.data, records), (state, found(server.data, records)))
            check(not found(server.data / "log", owners), (state, found(server.data / "log", owners)))
            if state == "running":
                # The search finds what is there: the trail says who did what, by name.
                told = {name for name, _ in found(server.data / "trail", owners)}
                check({"topic", "user"} <= told, told)
                plain = server.home / "plain"
                plain.mkdir()
                server.cli("log", "export", "needle.topic", "0", "--plain", "--out", plain / "exported")
                shown = {name for name, _ in found(plain, records)}
                check({"key", "value", "header", "big"} <= shown, shown)
                server.kill()
                server.start()
            elif state == "killed":
                server.stop()


def case_swapped_replayed_and_changed_files_give_an_error_and_no_record():
    with Server(pinned=True) as server:
        settings = librdkafka(server.client("app", *ALL))
        admin = AdminClient(settings)
        admin.create_topics([NewTopic("t", 2, 1)])["t"].result(20)
        for partition in (0, 1):
            check(not produced(settings, "t", [b"partition %d" % partition], partition)[0], "produces")
        server.stop()
        before = {path: path.read_bytes() for path in segments(server)}
        check(len(before) == 2, before.keys())
        server.start()
        check(not produced(settings, "t", [b"newer"], 0)[0], "goes on")
        server.stop()
        now = {path: path.read_bytes() for path in segments(server)}
        (zero, one), newest = before, next(path for path in now if path not in before)

        def flipped(path, at):
            content = bytearray(now[path])
            content[at] ^= 1
            return {path: bytes(content)}

        for what, changes, words in (
            ("partitions swapped", {zero: now[one], one: now[zero]}, "belongs elsewhere"),
            ("older file in place of the newest", {newest: before[zero]}, "belongs elsewhere"),
            ("changed header byte", flipped(newest, 20), "checksum"),
            ("changed wrapped key", flipped(newest, 80), "checksum"),
            ("changed frame", flipped(newest, 300), "does not authenticate"),
            ("file gone", {newest: None}, "missing"),
        ):
            for path, content in changes.items():
                path.write_bytes(content) if content is not None else path.unlink()
            said = len(server.log_text())
            server.start()
            log = server.log_text()[said:]
            check("Partition is offline" in log and words in log, (what, log))
            damaged = server.cli("log", "verify", status=1)
            check("damage" in damaged or "offline" in damaged, (what, damaged))
            errors, acknowledged = produced(settings, "t", [b"more"], 0, **{"message.timeout.ms": 1500})
            check(errors and not acknowledged, (what, acknowledged))
            server.kill()
            for path, content in now.items():
                path.write_bytes(content)
        # All as it was: a start in between wrote nothing that matters.
        server.start()
        check(consumed(settings, "t", partitions=1) == [b"partition 0", b"newer"], "whole again")
        server.stop()
        key = server.data / "master.key"
        key.write_bytes(bytes(byte ^ 1 for byte in key.read_bytes()))
        said = len(server.log_text())
        server.process = subprocess.Popen(server.command(), stdout=server.log, stderr=server.log)
        status = server.process.wait(timeout=30)
        check(status != 0 and "keyring" in server.log_text()[said:], server.log_text()[said:])


def case_start_after_a_kill_with_long_tails_is_quick():
    with Server(pinned=True) as server:
        settings = librdkafka(server.client("app", *ALL))
        admin = AdminClient(settings)
        admin.create_topics([NewTopic("t", 100, 1)])["t"].result(20)
        value = b"x" * 8192
        producer = Producer({**settings, "acks": "all", "linger.ms": 5})
        for number in range(8192):
            producer.produce("t", value, partition=number % 100)
            producer.poll(0)
        check(producer.flush(60) == 0, "64 MiB are there")
        server.kill()
        began = time.monotonic()
        server.start()
        took = time.monotonic() - began
        check(took < 10, f"ready after {took:.1f} s")
        print(f"ready {took:.2f} s after a kill, 64 MiB in 100 partitions", flush=True)
        check("no damage" in server.cli("log", "verify"), "whole")
