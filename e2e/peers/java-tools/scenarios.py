"""Apache Kafka's own command line tools, each as a client that may and as one that may not.

usage: scenarios.py BOOTSTRAP CONFIG LIB [TEST...]
A tool is a process of its own, as its shell script starts it. NAME shows what the tool does, NAME/refused what it says
without rights. What is said is Kafka's own wording: the same cases pass straight against Apache Kafka.
"""
import json
import os
import pathlib
import re
import secrets
import subprocess
import sys
import tempfile
import time

BOOT, CONFIG, LIB = sys.argv[1:4]
sys.path.insert(0, LIB)
import clientconf  # noqa: E402
from verdicts import Skip, check, tell  # noqa: E402

CACHE = pathlib.Path(os.environ["CACHE"])
DENIED = os.environ.get("DENIED_CONFIG", "")
JAVA = ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto",
        f"-XX:SharedArchiveFile={CACHE}/tools.jsa",
        f"-Dlog4j2.configurationFile={pathlib.Path(LIB).parent}/java/log4j2.properties", "-cp", f"{CACHE}/libs/*"]
TOOLS = {
    "acls": "AclCommand",
    "broker-api-versions": "BrokerApiVersionsCommand",
    "cluster": "ClusterTool",
    "configs": "kafka.admin.ConfigCommand",
    "console-consumer": "consumer.ConsoleConsumer",
    "console-producer": "ConsoleProducer",
    "consumer-groups": "consumer.group.ConsumerGroupCommand",
    "consumer-perf-test": "ConsumerPerformance",
    "delete-records": "DeleteRecordsCommand",
    "delegation-tokens": "DelegationTokenCommand",
    "e2e-latency": "EndToEndLatency",
    "features": "FeatureCommand",
    "get-offsets": "GetOffsetShell",
    "groups": "GroupsCommand",
    "leader-election": "LeaderElectionCommand",
    "log-dirs": "LogDirsCommand",
    "metadata-quorum": "MetadataQuorumCommand",
    "producer-perf-test": "ProducerPerformance",
    "reassign-partitions": "reassign.ReassignPartitionsCommand",
    "topics": "TopicCommand",
    "transactions": "TransactionsCommand",
    "verifiable-consumer": "VerifiableConsumer",
    "verifiable-producer": "VerifiableProducer",
}
# Generous: nothing here measures, and a JVM starts slowly on a busy machine.
LIMIT = 120
TESTS = {}


def scenario(name):
    def add(function):
        TESTS[name] = function
        return function
    return add


def name(stem):
    return f"tools-{stem}-{secrets.token_hex(4)}"


def run(tool, *words, config=CONFIG, stdin=""):
    """A tool, with where to find the server. Gives the ended process, all that it said as `said`."""
    main = TOOLS[tool]
    main = main if main.startswith("kafka.") else f"org.apache.kafka.tools.{main}"
    where = ["--bootstrap-server", BOOT, "--command-config", config]
    # Theirs come after the word that says what to do, except here.
    words = [*where, *words] if tool != "cluster" else [*words, *where]
    ended = subprocess.run([*JAVA, main, *map(str, words)], input=stdin, capture_output=True, text=True, timeout=LIMIT)
    ended.said = ended.stdout + ended.stderr
    return ended


def done(tool, *words, **more):
    """What it said on standard output, when it went well."""
    ended = run(tool, *words, **more)
    check(ended.returncode == 0, f"{tool} {words} ended with {ended.returncode}: {ended.said[-1500:]}")
    return ended.stdout


def refused(tool, *words, says, **more):
    """Without rights it ends with an error of that name."""
    check(DENIED, "DENIED_CONFIG is not set")
    ended = run(tool, *words, config=DENIED, **more)
    check(re.search(says, ended.said), f"{tool} {words} did not say {says}: {ended.returncode} {ended.said[-1500:]}")
    return ended


def has(pattern, text):
    check(re.search(pattern, text, re.M), f"no {pattern} in: {text[-1500:]}")


def topic(stem, partitions=1, lines=()):
    made = name(stem)
    done("topics", "--create", "--topic", made, "--partitions", partitions)
    if lines:
        fill(made, lines)
    return made


def fill(into, lines):
    done("console-producer", "--topic", into, stdin="".join(f"{line}\n" for line in lines))


def read(where, group, count):
    return done("console-consumer", "--topic", where, "--group", group, "--from-beginning", "--max-messages", count,
                "--timeout-ms", 90000).split()


def file(text):
    made = pathlib.Path(tempfile.mkstemp(prefix="kastellan-tools-")[1])
    made.write_text(text)
    return made


# --- topics --------------------------------------------------------------------

@scenario("topics")
def _():
    made = name("t")
    done("topics", "--create", "--topic", made, "--partitions", 2, "--config", "retention.ms=60000")
    again = run("topics", "--create", "--topic", made)
    check(again.returncode == 1, "a second one of that name")
    has("TopicExistsException", again.said)
    done("topics", "--create", "--topic", made, "--if-not-exists")
    described = done("topics", "--describe", "--topic", made)
    has(r"PartitionCount: 2\s+ReplicationFactor: 1\s+Configs: .*retention.ms=60000", described)
    has(r"Partition: 1\s+Leader: \d+\s+Replicas: \d+\s+Isr: \d+", described)
    done("topics", "--alter", "--topic", made, "--partitions", 5)
    has("PartitionCount: 5", done("topics", "--describe", "--topic", made))
    fewer = run("topics", "--alter", "--topic", made, "--partitions", 3)
    has("InvalidPartitionsException", fewer.said)
    check(made in done("topics", "--list").split(), "listed")
    for filter in ("--under-replicated-partitions", "--unavailable-partitions", "--under-min-isr-partitions"):
        check(made not in done("topics", "--describe", filter), filter)
    done("topics", "--delete", "--topic", made)
    check(made not in done("topics", "--list").split(), "gone")


@scenario("topics/refused")
def _():
    made = topic("t")
    refused("topics", "--create", "--topic", name("t"), says="TopicAuthorizationException")
    check(made not in refused("topics", "--list", says="").said, "not listed")
    for verb in ("--describe", "--delete"):
        refused("topics", verb, "--topic", made, says="does not exist as expected")
    refused("topics", "--alter", "--topic", made, "--partitions", 3, says="does not exist as expected")
    has("PartitionCount: 1", done("topics", "--describe", "--topic", made))


# --- configs -------------------------------------------------------------------

@scenario("configs/topics")
def _():
    made = topic("c")
    of = ("--entity-type", "topics", "--entity-name", made)
    done("configs", "--alter", *of, "--add-config", "retention.ms=70000,max.message.bytes=2000000")
    described = done("configs", "--describe", *of)
    has("retention.ms=70000 .*DYNAMIC_TOPIC_CONFIG:retention.ms=70000", described)
    has("max.message.bytes=2000000", described)
    has("segment.bytes=.*DEFAULT_CONFIG", done("configs", "--describe", "--all", *of))
    done("configs", "--alter", *of, "--delete-config", "retention.ms")
    check("retention.ms" not in done("configs", "--describe", *of), "deleted")
    bad = run("configs", "--alter", *of, "--add-config", "retention.ms=soon")
    check(bad.returncode == 1, "a value that is none")
    has("InvalidConfigurationException|ConfigException", bad.said)


@scenario("configs/brokers")
def _():
    of = ("--entity-type", "brokers", "--entity-name", "1")
    described = done("configs", "--describe", "--all", *of)
    for setting in ("log.retention.ms", "message.max.bytes", "num.partitions", "auto.create.topics.enable"):
        has(f"^ *{re.escape(setting)}=", described)
    check("password" not in re.sub(r"\S*password\S*=null", "", described).lower(), "no password is shown")


@scenario("configs/groups")
def _():
    group = name("g")
    of = ("--entity-type", "groups", "--entity-name", group)
    done("configs", "--alter", *of, "--add-config", "consumer.session.timeout.ms=50000")
    has("consumer.session.timeout.ms=50000", done("configs", "--describe", *of))


@scenario("configs/users")
def _():
    user, of = name("u"), ("--entity-type", "users", "--entity-name")
    done("configs", "--alter", *of, user, "--add-config", "SCRAM-SHA-512=[iterations=8192,password=first-password-12]")
    has("SCRAM-SHA-512=iterations=8192", done("configs", "--describe", *of, user))
    check("first-password" not in done("configs", "--describe", *of, user), "the password stays inside")
    done("configs", "--alter", *of, user, "--delete-config", "SCRAM-SHA-512")
    check("SCRAM" not in run("configs", "--describe", *of, user).stdout, "deleted")


@scenario("configs/refused")
def _():
    made = topic("c")
    alter = ("configs", "--alter", "--add-config")
    of = ("--entity-type", "topics", "--entity-name", made)
    refused(*alter, "retention.ms=1", *of, says="TopicAuthorizationException")
    refused("configs", "--describe", *of, says="doesn't exist and doesn't have dynamic config")
    refused(*alter, "log.retention.ms=1", "--entity-type", "brokers", "--entity-name", "1",
            says="ClusterAuthorizationException")
    refused(*alter, "consumer.session.timeout.ms=50000", "--entity-type", "groups", "--entity-name", "g",
            says="GroupAuthorizationException")
    refused(*alter, "SCRAM-SHA-512=[password=taken-over-123]", "--entity-type", "users", "--entity-name", "suite",
            says="ClusterAuthorizationException")
    refused("configs", "--describe", "--entity-type", "users", "--entity-name", "suite",
            says="ClusterAuthorizationException")
    check("retention.ms" not in done("configs", "--describe", *of), "as before")


# --- records -------------------------------------------------------------------

@scenario("console")
def _():
    made, lines = topic("t"), [f"line-{number}" for number in range(100)]
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        fill(made, lines[:20]) if codec == "none" else done(
            "console-producer", "--topic", made, "--compression-codec", codec,
            stdin="".join(f"{line}\n" for line in lines[:20]))
    check(read(made, name("g"), 100) == lines[:20] * 5, "in order")
    done("console-producer", "--topic", made, "--reader-property", "parse.key=true", "--reader-property",
         "parse.headers=true", stdin="h:1\tkey\tvalue\n")
    shown = done("console-consumer", "--topic", made, "--partition", 0, "--offset", 100, "--max-messages", 1,
                 "--formatter-property", "print.key=true", "--formatter-property", "print.headers=true",
                 "--formatter-property", "print.offset=true", "--formatter-property", "print.partition=true")
    check(shown.split() == ["Partition:0", "Offset:100", "h:1", "key", "value"], shown)


@scenario("console/refused")
def _():
    made, group = topic("t", lines=["secret"]), name("g")
    refused("console-producer", "--topic", made, stdin="x\n", says="TopicAuthorizationException")
    consume = ("console-consumer", "--topic", made, "--from-beginning", "--timeout-ms", 20000, "--max-messages", 1)
    ended = refused(*consume, "--group", group, says="(Topic|Group)AuthorizationException")
    check("secret" not in ended.stdout, "nothing is read")
    check(read(made, group, 1) == ["secret"], "and nothing was written")


@scenario("verifiable")
def _():
    made, group = topic("v", 2), name("g")
    said = done("verifiable-producer", "--topic", made, "--max-messages", 2000, "--throughput", -1, "--acks", -1)
    rows = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    sent = [row for row in rows if row["name"] == "producer_send_success"]
    check(len({(row["partition"], row["offset"]) for row in sent}) == 2000, f"{len(sent)} acknowledged")
    said = done("verifiable-consumer", "--topic", made, "--group-id", group, "--max-messages", 2000,
                "--reset-policy", "earliest", "--verbose")
    rows = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    values = [row["value"] for row in rows if row["name"] == "record_data"]
    check(sorted(map(int, values)) == list(range(2000)), f"{len(values)} read")
    check(all(row["success"] for row in rows if row["name"] == "offsets_committed"), "committed")


@scenario("verifiable/refused")
def _():
    made, group = topic("v", lines=["x"]), name("g")
    ended = refused("verifiable-producer", "--topic", made, "--max-messages", 3, says="producer_send_error")
    has("TopicAuthorizationException|Not authorized to access topics", ended.said)
    check("producer_send_success" not in ended.said, "none is acknowledged")
    ended = refused("verifiable-consumer", "--topic", made, "--group-id", group, "--max-messages", 1, "--reset-policy",
                    "earliest", says="(Group|Topic)AuthorizationException")
    check('"records_consumed"' not in ended.said, "none is read")


@scenario("performance")
def _():
    made = topic("p", 2)
    said = done("producer-perf-test", "--topic", made, "--num-records", 20000, "--record-size", 100, "--throughput", -1,
                "--command-property", "acks=all", "compression.type=lz4", "linger.ms=5")
    has(r"^20000 records sent, .* records/sec .* ms avg latency", said)
    said = done("consumer-perf-test", "--topic", made, "--num-records", 20000, "--group", name("g"), "--timeout", 60000)
    row = said.splitlines()[1].split(", ")
    check(int(row[4]) == 20000, said)


@scenario("performance/refused")
def _():
    made = topic("p", lines=["x"])
    ended = refused("producer-perf-test", "--topic", made, "--num-records", 3, "--record-size", 10, "--throughput", -1,
                    says="TopicAuthorizationException|Not authorized to access topics")
    refused("consumer-perf-test", "--topic", made, "--num-records", 1, "--group", name("g"), "--timeout", 30000,
            says="(Group|Topic)AuthorizationException|Not authorized")
    has(":0:1$", done("get-offsets", "--topic", made))
    check(" 0.0 records/sec" in ended.said or "3 records sent" not in ended.said, ended.said[-800:])


@scenario("e2e_latency")
def _():
    said = done("e2e-latency", "--topic", topic("l"), "--num-records", 200, "--producer-acks", "all", "--record-size", 50)
    has(r"^Percentiles: 50th = \d+, 99th = \d+, 99.9th = \d+", said)


@scenario("e2e_latency/refused")
def _():
    ended = refused("e2e-latency", "--topic", topic("l"), "--num-records", 2, "--producer-acks", "all", "--record-size",
                    10, says="AuthorizationException")
    check(ended.returncode != 0, "an error")


@scenario("get_offsets")
def _():
    made = topic("o", 2)
    began = int(time.time() * 1000)
    done("console-producer", "--topic", made, "--reader-property", "parse.key=true", "--reader-property",
         "key.separator=:", stdin="a:1\na:2\na:3\n")
    offsets = lambda *words: sorted(done("get-offsets", *(() if "--topic-partitions" in words else ("--topic", made)),
                                         *words).split())
    last = offsets()
    check([row.rsplit(":", 1)[0] for row in last] == [f"{made}:0", f"{made}:1"], last)
    full = next(row.split(":")[1] for row in last if row.endswith(":3"))
    check(offsets("--time", "earliest") == [f"{made}:0:0", f"{made}:1:0"], "earliest")
    check(f"{made}:{full}:0" in offsets("--time", began), "by time")
    check(offsets("--time", "latest") == last, "latest")
    newest = offsets("--time", "max-timestamp", "--topic-partitions", f"{made}:{full}")
    check(re.fullmatch(rf"{made}:{full}:[012]", newest[0]), f"max-timestamp: {newest}")


@scenario("get_offsets/refused")
def _():
    made = topic("o", lines=["x"])
    ended = refused("get-offsets", "--topic", made, says="Could not match any topic-partitions|AuthorizationException")
    check(":0:1" not in ended.said, "no offset")


@scenario("delete_records")
def _():
    made = topic("d", lines="abcdef")
    upto = file(json.dumps({"version": 1, "partitions": [{"topic": made, "partition": 0, "offset": 4}]}))
    has(r"low_watermark: 4", done("delete-records", "--offset-json-file", upto))
    has(":0:4$", done("get-offsets", "--topic", made, "--time", "earliest"))
    check(read(made, name("g"), 2) == ["e", "f"], "the rest")
    beyond = file(json.dumps({"version": 1, "partitions": [{"topic": made, "partition": 0, "offset": 9}]}))
    has("OffsetOutOfRangeException", run("delete-records", "--offset-json-file", beyond).said)


@scenario("delete_records/refused")
def _():
    made = topic("d", lines="abc")
    upto = file(json.dumps({"version": 1, "partitions": [{"topic": made, "partition": 0, "offset": -1}]}))
    refused("delete-records", "--offset-json-file", upto, says="TopicAuthorizationException")
    check(read(made, name("g"), 3) == list("abc"), "all there")


# --- groups --------------------------------------------------------------------

def described(group, *words):
    said = done("consumer-groups", "--describe", "--group", group, *words)
    return [line.split() for line in said.splitlines() if line.startswith(f"{group} ")]


@scenario("consumer_groups")
def _():
    made, group = topic("g", lines="abcde"), name("g")
    check(read(made, group, 5) == list("abcde"), "read")
    check(group in done("consumer-groups", "--list").split(), "listed")
    has(rf"^{group} +Classic +Empty|^{group}.*Empty", done("consumer-groups", "--list", "--state"))
    check(described(group)[0][1:6] == [made, "0", "5", "5", "0"], described(group))
    has(rf"{group} .*Empty +0", done("consumer-groups", "--describe", "--group", group, "--state"))
    reset = ("consumer-groups", "--reset-offsets", "--group", group, "--topic", made)
    for words, offset in ((("--to-offset", 2), 2), (("--shift-by", 1), 3), (("--to-earliest",), 0),
                          (("--to-latest",), 5), (("--by-duration", "PT1H"), 0)):
        has(rf" 0 +{offset}$| 0 +{offset} ", done(*reset, *words, "--dry-run"))
        done(*reset, *words, "--execute")
        check(described(group)[0][3] == str(offset), f"{words}: {described(group)}")
    done("consumer-groups", "--delete-offsets", "--group", group, "--topic", made)
    check(not described(group), "no offset")
    check(read(made, group, 5) == list("abcde"), "from the beginning again")
    has("was successful", done("consumer-groups", "--delete", "--group", group))
    check(group not in done("consumer-groups", "--list").split(), "gone")


@scenario("consumer_groups/live")
def _():
    made, group = topic("g", 2, lines="ab"), name("g")
    words = ["--topic", made, "--group", group, "--from-beginning"]
    main = "org.apache.kafka.tools.consumer.ConsoleConsumer"
    member = subprocess.Popen([*JAVA, main, "--bootstrap-server", BOOT, "--command-config", CONFIG, *words],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 120
        while not (rows := described(group, "--members")) or rows[0][-1] != "2":
            check(time.monotonic() < end, f"not a member with two partitions: {rows}")
        has("range|cooperative", done("consumer-groups", "--describe", "--group", group, "--state"))
        deleted = run("consumer-groups", "--delete", "--group", group)
        has("GroupNotEmptyException", deleted.said)
        reset = run("consumer-groups", "--reset-offsets", "--group", group, "--topic", made, "--to-earliest", "--execute")
        has("inactive|Assignments can only be reset", reset.said)
    finally:
        member.terminate()
        member.wait(20)


@scenario("consumer_groups/refused")
def _():
    made, group = topic("g", lines="abc"), name("g")
    check(read(made, group, 3) == list("abc"), "read")
    check(group not in refused("consumer-groups", "--list", says="").said, "not listed")
    denied = "GroupAuthorizationException"
    refused("consumer-groups", "--describe", "--group", group, says=denied)
    refused("consumer-groups", "--reset-offsets", "--group", group, "--topic", made, "--to-earliest", "--execute",
            says="(Group|Topic)AuthorizationException|UnknownTopicOrPartition")
    refused("consumer-groups", "--delete", "--group", group, says=denied)
    refused("consumer-groups", "--delete-offsets", "--group", group, "--topic", made, says="Group authorization failed")
    check(described(group)[0][3] == "3", "as before")


@scenario("groups")
def _():
    made, group = topic("g", lines="a"), name("g")
    read(made, group, 1)
    has(rf"^{group} +Classic +consumer", done("groups", "--list"))
    check(group not in refused("groups", "--list", says="").said, "not listed without rights")


# --- the cluster ---------------------------------------------------------------

@scenario("log_dirs")
def _():
    made = topic("s", 2, lines="abc")
    said = done("log-dirs", "--describe", "--topic-list", made)
    found = json.loads(next(line for line in said.splitlines() if line.startswith("{")))
    parts = {part["partition"]: part for folder in found["brokers"][0]["logDirs"] for part in folder["partitions"]}
    check(set(parts) == {f"{made}-0", f"{made}-1"} and sum(part["size"] for part in parts.values()) > 0, found)
    check(all(folder["error"] is None for folder in found["brokers"][0]["logDirs"]), found)


@scenario("log_dirs/refused")
def _():
    made = topic("s", lines="abc")
    ended = refused("log-dirs", "--describe", says="ClusterAuthorizationException|CLUSTER_AUTHORIZATION|\\{")
    check(made not in ended.said, "names no topic")


@scenario("acls")
def _():
    made, who = name("a"), "User:" + name("u")
    rule = ("--allow-principal", who, "--operation", "Read", "--topic", made)
    done("acls", "--add", *rule)
    done("acls", "--add", "--deny-principal", who, "--operation", "Write", "--topic", made, "--resource-pattern-type",
         "prefixed")
    listed = done("acls", "--list", "--topic", made, "--resource-pattern-type", "match")
    has(f"principal={who}, host=\\*, operation=READ, permissionType=ALLOW", listed)
    has("patternType=PREFIXED", listed)
    has(f"principal={who}.*operation=WRITE, permissionType=DENY", listed)
    done("acls", "--remove", "--force", *rule)
    check("operation=READ" not in done("acls", "--list", "--principal", who), "removed")
    done("acls", "--remove", "--force", "--topic", made, "--resource-pattern-type", "prefixed")
    check(who not in done("acls", "--list"), "gone")


@scenario("acls/refused")
def _():
    rule = ("--allow-principal", "User:denied", "--operation", "All", "--topic", "*")
    for verb in (("--add", *rule), ("--list",), ("--remove", "--force", *rule)):
        refused("acls", *verb, says="ClusterAuthorizationException")
    check("principal=User:denied" not in done("acls", "--list"), "as before")


@scenario("broker_api_versions")
def _():
    said = done("broker-api-versions")
    has(r"\(id: \d+ rack: .*\) -> \($", said)
    for api in (r"Produce\(0\): 0 to 13 \[usable: 13\]", r"Fetch\(1\): 4 to 18", r"JoinGroup\(11\): 0 to 9",
                r"ApiVersions\(18\): 0 to [45]", r"InitProducerId\(22\): 0 to \d"):
        has(api, said)


@scenario("broker_api_versions/wrong_password")
def _():
    if not clientconf.parse(CONFIG)["sasl"]:
        raise Skip("the client configuration has no SASL password")
    text = re.sub(r'password="[^"]*"', 'password="no"', pathlib.Path(CONFIG).read_text())
    ended = run("broker-api-versions", config=str(file(text)))
    check(ended.returncode != 0 or "usable" not in ended.said, "nothing is shown")
    has("SaslAuthenticationException", ended.said)


@scenario("cluster_id")
def _():
    has(r"^Cluster ID: \S{22}$", done("cluster", "cluster-id"))
    has(r"^\d+ +\S+", done("cluster", "list-endpoints"))


@scenario("features")
def _():
    has("Feature: metadata.version|^$", done("features", "describe"))


# --- what a broker may have -----------------------------------------------------

@scenario("transactions_list")
def _():
    has("TransactionalId", done("transactions", "list"))


@scenario("leader_election")
def _():
    has("Valid replica already elected|Successfully completed",
        done("leader-election", "--election-type", "PREFERRED", "--topic", topic("e"), "--partition", 0))


@scenario("reassign_partitions_list")
def _():
    has("No partition reassignments found", done("reassign-partitions", "--list"))


@scenario("metadata_quorum")
def _():
    has("LeaderId: +1", done("metadata-quorum", "describe", "--status"))


if __name__ == "__main__":
    sys.exit(tell(TESTS, sys.argv[4:], CACHE / "last-run.log", limit=600, jobs=2))
