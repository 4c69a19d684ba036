"""The same frames to Kastellan and to an Apache Kafka node: what they decode to is the same, but for what is listed."""

import json
import pathlib
import socket
import struct
import uuid

from kafka.protocol.admin import *  # noqa: F403: request and response classes, found by their names
from kafka.protocol.admin import CreateTopicsRequest, DescribeGroupsRequest
from kafka.protocol.consumer import *  # noqa: F403
from kafka.protocol.metadata import *  # noqa: F403
from kafka.protocol.metadata import FindCoordinatorRequest
from kafka.protocol.producer import *  # noqa: F403
from kafka.record import MemoryRecordsBuilder

from kafka_node import KafkaNode
from lib import CONFIG, Server, check, free_ports, until

ACCEPTED = pathlib.Path(__file__).with_name("frames.accepted")
# Differs from one run or place to the next.
MASKED = {
    "authorized_operations", "broker_id", "cluster_authorized_operations", "cluster_id", "controller_id",
    "current_leader", "error_message", "host", "isr_nodes", "leader", "leader_epoch", "leader_id", "member_id",
    "node_endpoints", "node_id", "nodes", "port", "producer_id", "records", "replica_nodes", "throttle_time_ms",
    "topic_id", "total_bytes", "usable_bytes", "log_dir",
}
NIL = uuid.UUID(int=0)
TOPIC, BROKER, GROUP = 2, 4, 32


class Fields:
    """A dictionary as kafka-python wants to be given structures."""

    def __init__(self, fields):
        self.__dict__.update(fields)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return NIL if name == "topic_id" else None


def structured(value):
    if isinstance(value, dict):
        return Fields({name: structured(inner) for name, inner in value.items()})
    return [structured(inner) for inner in value] if isinstance(value, list) else value


def masked(value):
    if isinstance(value, dict):
        return {name: masked(inner) for name, inner in value.items() if name not in MASKED}
    if isinstance(value, list):
        return sorted((masked(inner) for inner in value), key=lambda inner: json.dumps(inner, sort_keys=True, default=str))
    return value


class Line:
    """One connection; opened anew when the other side closed it."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.address = (host, int(port))
        self.stream = None
        self.number = 0

    def ask(self, request, version, fields):
        if self.stream is None:
            self.stream = socket.create_connection(self.address, timeout=20)
        self.number += 1
        message = request(version=version, **{name: structured(value) for name, value in fields.items()})
        message.with_header(correlation_id=self.number, client_id="frames")
        frame = bytes(message.encode(version=version, header=True))
        self.stream.sendall(struct.pack(">i", len(frame)) + frame)
        try:
            answer = self.read(struct.unpack(">i", self.read(4))[0])
        except (EOFError, ConnectionError):
            self.stream = None
            return "closed"
        response = globals()[request.__name__.replace("Request", "Response")]
        return response.decode(answer, version=version, header=True).to_dict()

    def read(self, count):
        read = b""
        while len(read) < count:
            more = self.stream.recv(count - len(read))
            if not more:
                raise EOFError
            read += more
        return read


def topic(name, partitions=1, replicas=1, **configs):
    configs = [{"name": key.replace("_", "."), "value": value} for key, value in configs.items()]
    return {"name": name, "num_partitions": partitions, "replication_factor": replicas, "assignments": [],
            "configs": configs}


def batch(count=1):
    builder = MemoryRecordsBuilder(2, 0, 1 << 20)
    for _ in range(count):
        builder.append(timestamp=1_700_000_000_000, key=b"k", value=b"v", headers=[])
    builder.close()
    return bytes(builder.buffer())


def produced(name, records, partition=0, acks=-1):
    data = [{"name": name, "partition_data": [{"index": partition, "records": records}]}]
    return {"transactional_id": None, "acks": acks, "timeout_ms": 3000, "topic_data": data}


def fetched(name, offset, partition=0, session=(0, -1)):
    one = {"partition": partition, "current_leader_epoch": -1, "fetch_offset": offset, "last_fetched_epoch": -1,
           "log_start_offset": -1, "partition_max_bytes": 1 << 20}
    return {"max_wait_ms": 10, "min_bytes": 1, "max_bytes": 1 << 20, "isolation_level": 0, "replica_id": -1,
            "session_id": session[0], "session_epoch": session[1], "rack_id": "", "forgotten_topics_data": [],
            "topics": [{"topic": name, "partitions": [one]}]}


def named(*names, version):
    entries = [{"name": name, **({"topic_id": NIL} if version >= 10 else {})} for name in names]
    return {"topics": entries, "allow_auto_topic_creation": False, "include_cluster_authorized_operations": False,
            "include_topic_authorized_operations": False}


def offsets(*names, timestamp=-1):
    one = [{"partition_index": 0, "current_leader_epoch": -1, "timestamp": timestamp}]
    return {"replica_id": -1, "isolation_level": 0, "timeout_ms": 1000,
            "topics": [{"name": name, "partitions": one} for name in names]}


def created(*topics, validate_only=False):
    return {"topics": list(topics), "timeout_ms": 5000, "validate_only": validate_only}


def altered(kind, name, *configs):
    configs = [{"name": key, "config_operation": how, "value": value} for key, how, value in configs]
    return {"resources": [{"resource_type": kind, "resource_name": name, "configs": configs}], "validate_only": False}


def described(kind, name, *keys):
    asked = {"resource_type": kind, "resource_name": name, "configuration_keys": list(keys)}
    return {"resources": [asked], "include_synonyms": False, "include_documentation": False}


def grown(name, count):
    return {"topics": [{"name": name, "count": count, "assignments": None}], "timeout_ms": 3000, "validate_only": False}


def cut(name, offset, partition=0):
    one = [{"partition_index": partition, "offset": offset}]
    return {"topics": [{"name": name, "partitions": one}], "timeout_ms": 3000}


def frames():
    """What is sent, in order: a word, the request's name, its version, its fields."""
    yield "makes", "CreateTopics", 7, created(topic("a", 2))
    for version in range(2, 8):
        yield "is there", "CreateTopics", version, created(topic("a", 2))
    for word, one in {
        "bad name": topic("a b"), "dot": topic("."), "no name": topic(""), "no partition": topic("x", 0),
        "no replica": topic("x", 1, 0), "three replicas": topic("x", 1, 3), "unknown setting": topic("x", no_such="1"),
        "bad setting": topic("x", retention_ms="x"), "there and wrong": topic("a", 0),
    }.items():
        yield word, "CreateTopics", 7, created(one, validate_only=True)
    yield "twice", "CreateTopics", 7, created(topic("y"), topic("y"))
    for version in range(4, 13):
        yield "names", "Metadata", version, named("a", "none", "b b", version=version)
        yield "nothing", "Metadata", version, named(version=version)
    for version in range(1, 11):
        for timestamp in (-1, -2, -3, -9, 0):
            yield f"at {timestamp}", "ListOffsets", version, offsets("a", "none", timestamp=timestamp)
    whole, damaged = batch(2), bytearray(batch(2))
    damaged[64] ^= 1
    for version in range(3, 13):
        yield "writes", "Produce", version, produced("a", whole)
    for word, fields in {
        "two batches": produced("a", whole + whole), "checksum": produced("a", bytes(damaged)),
        "cut": produced("a", whole[:-1]), "empty": produced("a", b""), "no partition": produced("a", whole, 9),
        "no topic": produced("none", whole), "acks 2": produced("a", whole, acks=2),
    }.items():
        yield word, "Produce", 9, fields
    for version in range(4, 13):
        yield "reads", "Fetch", version, fetched("a", 0)
    for word, fields in {
        "beyond": fetched("a", 10**6), "negative": fetched("a", -1), "no partition": fetched("a", 0, 9),
        "no topic": fetched("none", 0), "no session": fetched("a", 0, session=(5, 1)),
        "no session yet": fetched("a", 0, session=(0, 1)),
    }.items():
        yield word, "Fetch", 12, fields
    for version in range(5):
        group = {"group_id": "none", "generation_id": 1, "member_id": "m"}
        yield "no group", "Heartbeat", version, group
        yield "empty id", "Heartbeat", version, {**group, "group_id": ""}
    for version in range(7):
        asked = {"groups": ["none", ""], "include_authorized_operations": False}
        yield "no group", "DescribeGroups", version, asked
    for version in range(3):
        yield "no group", "DeleteGroups", version, {"groups_names": ["none", ""]}
    one = [{"name": "a", "partitions": [{"partition_index": 0}]}]
    yield "no group", "OffsetDelete", 0, {"group_id": "none", "topics": one}
    for version in range(1, 5):
        yield "settings", "DescribeConfigs", version, described(TOPIC, "a", "retention.ms", "cleanup.policy")
    for word, asked in {
        "no topic": described(TOPIC, "none"), "bad name": described(TOPIC, "a b"), "no kind": described(99, "x"),
        "no node": described(BROKER, "9", "x"), "no group": described(GROUP, ""),
    }.items():
        yield word, "DescribeConfigs", 4, asked
    for word, change in {
        "sets": altered(TOPIC, "a", ("retention.ms", 0, "5000")),
        "bad": altered(TOPIC, "a", ("retention.ms", 0, "x")),
        "null": altered(TOPIC, "a", ("retention.ms", 0, None)),
        "unknown": altered(TOPIC, "a", ("nope", 0, "1")),
        "twice": altered(TOPIC, "a", ("retention.ms", 0, "1"), ("retention.ms", 1, None)),
        "no topic": altered(TOPIC, "none", ("retention.ms", 0, "1")),
        "no such operation": altered(TOPIC, "a", ("retention.ms", 9, "1")),
        "no kind": altered(99, "1", ("x", 0, "1")),
    }.items():
        yield word, "IncrementalAlterConfigs", 1, change
    yield "after", "DescribeConfigs", 4, described(TOPIC, "a", "retention.ms")
    for word, growth in {"none": grown("none", 3), "same": grown("a", 2), "less": grown("a", 1),
                         "negative": grown("a", -1), "more": grown("a", 3)}.items():
        yield word, "CreatePartitions", 3, growth
    for word, end in {"none": cut("none", 1), "no partition": cut("a", 1, 9), "beyond": cut("a", 10**6),
                      "-2": cut("a", -2), "some": cut("a", 3), "lower": cut("a", 1), "all": cut("a", -1)}.items():
        yield word, "DeleteRecords", 2, end
    for version in range(1, 3):
        for kind in (1, 2, 9):
            asked = {"include_cluster_authorized_operations": False, "endpoint_type": kind}
            yield f"endpoint {kind}", "DescribeCluster", version, asked
    for version in range(1, 6):
        yield "no topic", "DeleteTopics", version, {"topic_names": ["none"], "timeout_ms": 3000}
    for word, gone in {"by id": (None, uuid.UUID(int=77)), "both": ("x", uuid.UUID(int=77)), "neither": (None, NIL),
                       "is gone": ("a", NIL)}.items():
        entry = [{"name": gone[0], "topic_id": gone[1]}]
        yield word, "DeleteTopics", 6, {"topics": entry, "timeout_ms": 3000}


def answers(address):
    """Each frame's answer, by its label."""
    line = Line(address)
    until(30, "a node that makes topics", lambda: line.ask(
        CreateTopicsRequest, 7, created(topic("first"), validate_only=True))["topics"][0]["error_code"] == 0)
    sought = {"key_type": 0, "coordinator_keys": ["none", ""]}
    until(30, "a coordinator of groups", lambda: all(
        one["error_code"] == 0 for one in line.ask(FindCoordinatorRequest, 4, sought)["coordinators"]))
    asked = {"groups": ["none"], "include_authorized_operations": False}
    until(30, "a coordinator that is ready", lambda: line.ask(DescribeGroupsRequest, 5, asked)["groups"][0]["error_code"] == 0)
    found = {}
    for word, name, version, fields in frames():
        label = f"{name} v{version}: {word}"
        check(label not in found, f"{label} is there twice")
        answer = line.ask(globals()[f"{name}Request"], version, fields)
        found[label] = json.dumps(masked(answer), sort_keys=True, default=str)
    return found


def accepted():
    """Labels of answers that differ, each with its reason."""
    lines = ACCEPTED.read_text().splitlines()
    return dict(line.split(" | ", 1) for line in lines if line and not line.startswith("#"))


def case_frames_are_answered_as_apache_kafka_answers_them():
    port, = free_ports(1)
    listener = f'[[gateway.listener]]\nname = "plain"\nbind = "127.0.0.1:{port}"\nprotocol = "insecure_plaintext"\n\n'
    config = (listener + CONFIG).replace("[log]\n", "[log]\nauto_create_topics = false\n")
    with KafkaNode() as node, Server(config) as server:
        for resource in ("topic:*", "group:*", "cluster"):
            server.cli("rule", "add", "allow", "User:ANONYMOUS", "All", resource)
        theirs, ours = answers(node.address), answers(f"127.0.0.1:{port}")
    reasons = accepted()
    unknown = set(reasons) - set(theirs)
    check(not unknown, f"accepted, and not asked: {sorted(unknown)}")
    differing = {label for label in theirs if theirs[label] != ours[label]}
    new = [f"{label}\n  Kafka {theirs[label]}\n  ours  {ours[label]}" for label in sorted(differing - set(reasons))]
    check(not new, f"{len(new)} of {len(theirs)} frames are answered differently:\n" + "\n".join(new))
    same = sorted(set(reasons) - differing)
    check(not same, f"answered the same by now, to be taken out of {ACCEPTED.name}: {same}")
