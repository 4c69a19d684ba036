"""The embedded log: root keys, damage, repair."""

from cases_server import ALL, consumed, produced
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
