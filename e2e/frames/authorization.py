"""Authorization and login, case by case, with the same rules on both sides.

Each case says what the answer has to be, and both peers have to give it. A case whose API is not offered, or whose
subject is not on the wire, is not run: its row says where it is shown instead.
"""

import time

from . import groups
from .access import (
    ALL,
    ALTER_CONFIGS,
    CLUSTER,
    DELETE,
    DENY,
    DESCRIBE,
    GROUP,
    LITERAL,
    MATCH,
    PREFIXED,
    READ,
    TOPIC,
    WRITE,
    rule,
    sought,
)
from .data import fetch_of, fetched, produced, producer, topic_data
from .drive import Driver
from .language import NIL, NOBODYS, Ask, World, got
from .line import CLOSED
from .logins import CALLER, LOGINS, ME, PREFIX
from .matrix import prepared
from .parts import ruled, unruled, user
from .records import TRANSACTIONAL, batch
from .topics import asked_settings, gone, names

# The cases that are not run here, and why.
ELSEWHERE = {
    "03 default of everyone": "there is no such setting: the default is no; core::policy has the tests",
    "09 group of KIP-848": "ConsumerGroupDescribe is not offered",
    "14 AddPartitionsToTxn": "not offered, so closed: the row `closed` has it",
    "19 OAUTHBEARER": "the mechanism is not offered",
    "24 delegation token": "not offered, so closed: the row `closed` has it",
    "28 certificate names": "no frames: trust::principal has the tests, against Kafka's own mapper",
    "29 Kerberos names": "the mechanism is not offered",
}


def asks(api, version, fields, **more):
    return Ask(api, version, f"authorization {api}", fields, quiet=True, **more)


def prefix_and_denial(world):
    """01 A literal DENY READ beside a prefix ALLOW READ: denied there, allowed beside it, DESCRIBE goes on."""
    yield from ruled(
        [
            rule(CALLER, READ, TOPIC, world.name("re"), PREFIXED),
            rule(CALLER, READ, TOPIC, world.name("read"), effect=DENY),
            rule(CALLER, READ, TOPIC, world.name("small")),
        ]
    )
    answer = yield asks("Fetch", 4, fetched(fetch_of(world, "read", (0, 0, {})), fetch_of(world, "small", (0, 0, {}))))
    codes = {one["Topic"]: one["Partitions"][0]["ErrorCode"] for one in answer["Responses"]}
    answer = yield asks("Metadata", 4, names(world, 4, "read"))
    return [codes[world.name("read")], codes[world.name("small")], answer["Topics"][0]["ErrorCode"]], [29, 0, 0]


def settings_only(world):
    """04 ALTER_CONFIGS alone lets see the settings and not the topic."""
    yield from ruled([rule(CALLER, ALTER_CONFIGS, TOPIC, world.name("read"))])
    seen = yield asks("DescribeConfigs", 1, asked_settings((TOPIC, world.name("read"), ("retention.ms",))))
    topic = yield asks("Metadata", 4, names(world, 4, "read"))
    return [seen["Results"][0]["ErrorCode"], topic["Topics"][0]["ErrorCode"]], [0, 29]


def producer_under_denied_prefix(world):
    """05 Idempotence by a WRITE prefix under a shorter denied prefix: no producer id; without the denial one."""
    yield from ruled(
        [
            rule(CALLER, WRITE, TOPIC, world.name("write"), PREFIXED),
            rule(CALLER, WRITE, TOPIC, world.name("w"), PREFIXED, effect=DENY),
        ]
    )
    denied = yield asks("InitProducerId", 1, producer())
    yield from unruled(ME)
    yield from ruled([rule(CALLER, WRITE, TOPIC, world.name("write"), PREFIXED)])
    allowed = yield asks("InitProducerId", 1, producer())
    return [denied["ErrorCode"], denied["ProducerId"], denied["ProducerEpoch"], allowed["ErrorCode"]], [31, -1, -1, 0]


def producer_under_wildcard(world):
    """27 The same under a denied wildcard."""
    yield from ruled(
        [rule(CALLER, WRITE, TOPIC, world.name("write"), PREFIXED), rule(CALLER, WRITE, TOPIC, "*", effect=DENY)]
    )
    denied = yield asks("InitProducerId", 1, producer())
    return [denied["ErrorCode"], denied["ProducerId"]], [31, -1]


def transactional_batch(world):
    """06 A transactional batch without a transactional id: 53 on every partition, also of those without such a batch."""
    yield from ruled([rule(CALLER, WRITE, TOPIC, world.name("write"))])
    odd = batch(1, attributes=TRANSACTIONAL, producer=4, epoch=0, sequence=0)
    answer = yield asks("Produce", 8, produced(topic_data(world, "write", (0, odd), (1, batch(1)))))
    return sorted((one["Index"], one["ErrorCode"]) for one in answer["Responses"][0]["PartitionResponses"]), [
        (0, 53),
        (1, 53),
    ]


def silent_produce(world):
    """07 acks=0 to a denied topic: the connection ends; to an allowed one there is no answer."""
    yield from ruled([rule(CALLER, WRITE, TOPIC, world.name("write"))])
    fine = yield asks("Produce", 8, produced(topic_data(world, "write", (0, batch(1))), acks=0), mode="perhaps")
    denied = yield asks("Produce", 8, produced(topic_data(world, "read", (0, batch(1))), acks=0), mode="perhaps")
    return [fine, denied], ["no answer", CLOSED]


def some_offsets(world):
    """08 All offsets of a group, one of two topics describable: one topic, no error."""
    both = groups.commits(world, world.name("two"), ("read", 0, 1, {}), ("small", 0, 1, {}))
    yield asks("OffsetCommit", 7, both, line="admin")
    yield from ruled(
        [rule(CALLER, DESCRIBE, GROUP, world.name("two")), rule(CALLER, DESCRIBE, TOPIC, world.name("small"))]
    )
    answer = yield asks("OffsetFetch", 7, {"GroupId": world.name("two"), "Topics": None})
    return [answer["ErrorCode"], [one["Name"] for one in answer["Topics"]]], [0, [world.name("small")]]


def hidden_id(world):
    """10 Metadata by the id of a hidden topic: 29, no name, the id; an id of nothing: 100."""
    answer = yield asks("Metadata", 12, names(world, 12, (None, world.id("read")), (None, NOBODYS)))
    found = {one["TopicId"]: (one["ErrorCode"], one["Name"]) for one in answer["Topics"]}
    return found, {world.id("read"): (29, None), NOBODYS: (100, None)}


def hidden_deletion(world):
    """11 DeleteTopics by name, hidden and there, hidden and missing: the same."""
    answer = yield asks("DeleteTopics", 6, gone(world, 6, "read", "none"))
    return {one["Name"]: (one["TopicId"], one["ErrorCode"]) for one in answer["Responses"]}, {
        world.name("read"): (NIL, 29),
        world.name("none"): (NIL, 29),
    }


def revoked(world):
    """12 A fetch that goes on, READ revoked: the next one is refused, on the same connection."""
    yield from ruled([rule(CALLER, READ, TOPIC, world.name("read"))])
    first = yield asks("Fetch", 12, fetched(fetch_of(world, "read", (0, 0, {})), SessionEpoch=0))
    yield from unruled(ME)
    session = first["SessionId"]
    # An empty incremental fetch where there is a session, the whole again where there is none.
    more = (
        fetched(SessionId=session, SessionEpoch=1)
        if session
        else fetched(fetch_of(world, "read", (0, 0, {})), SessionEpoch=0)
    )
    second = yield asks("Fetch", 12, more)
    return [
        first["Responses"][0]["Partitions"][0]["ErrorCode"],
        second["ErrorCode"],
        got(second, "Responses", 0, "Partitions", 0, "ErrorCode"),
    ], [0, 0, 29]


def as_replica(world):
    """13 Fetch with a replica's id, in the body and as a tag, by who may READ: 29 on each partition."""
    yield from ruled([rule(CALLER, READ, TOPIC, world.name("read"))])
    asked = fetched(fetch_of(world, "read", (0, 0, {}), (1, 0, {})))
    body = yield asks("Fetch", 12, {**asked, "ReplicaId": 1})
    tag = yield asks("Fetch", 15, {**asked, "ReplicaState": {"ReplicaId": 1}})
    return [[one["ErrorCode"] for one in answer["Responses"][0]["Partitions"]] for answer in (body, tag)], [
        [29, 29],
        [29, 29],
    ]


def rules_beside(world):
    """15 CreateAcls beside a good entry: 42 and success, -1 twice and nothing stored, closed."""
    good = rule("a-other", READ, TOPIC, world.name("x"))
    mixed = yield asks("CreateAcls", 3, {"Creations": [good, {**good, "Operation": 99}]}, line="admin")
    yield from ruled([good])
    yield from unruled("User:a-other")
    both = yield asks("CreateAcls", 3, {"Creations": [good, {**good, "Operation": 1}]}, line="admin")
    stored = yield asks("DescribeAcls", 3, sought(principal="User:a-other"), line="admin")
    shut = yield asks("CreateAcls", 3, {"Creations": [good, {**good, "Operation": 0}]}, line="admin")
    codes = [[one["ErrorCode"] for one in answer["Results"]] for answer in (mixed, both)]
    return [*codes, stored["Resources"], shut], [[0, 42], [-1, -1], [], CLOSED]


def match(world):
    """16 DescribeAcls that match a name: the literal, the wildcard, its prefixes, and nothing else."""
    who = "a-matched"
    wanted = {("payments.eu", LITERAL), ("*", LITERAL), ("pay", PREFIXED), ("payments.eu", PREFIXED)}
    others = {("payments", LITERAL), ("payments.eu.x", PREFIXED), ("Pay", PREFIXED)}
    yield from ruled([rule(who, READ, TOPIC, name, pattern) for name, pattern in wanted | others])
    answer = yield asks("DescribeAcls", 3, sought(TOPIC, "payments.eu", MATCH, f"User:{who}"), line="admin")
    yield from unruled(f"User:{who}")
    return {(one["ResourceName"], one["PatternType"]) for one in answer["Resources"]}, wanted


def two_mechanisms(world):
    """17 Two mechanisms of one user in one request: 92."""
    one = {"Name": "a-two", "Iterations": 4096, "Salt": b"x" * 16, "SaltedPassword": b"y" * 32}
    answer = yield asks(
        "AlterUserScramCredentials",
        0,
        {"Upsertions": [{**one, "Mechanism": 1}, {**one, "Mechanism": 2, "SaltedPassword": b"y" * 64}]},
        line="admin",
    )
    return [(one["User"], one["ErrorCode"]) for one in answer["Results"]], [("a-two", 92)]


def no_groups(world):
    """22 ListGroups without any right: empty, no error; with DESCRIBE on one group that one."""
    nothing = yield asks("ListGroups", 4, {})
    yield from ruled([rule(CALLER, DESCRIBE, GROUP, world.name("simple"))])
    one = yield asks("ListGroups", 4, {})
    return [nothing["ErrorCode"], nothing["Groups"], [group["GroupId"] for group in one["Groups"]]], [
        0,
        [],
        [world.name("simple")],
    ]


def wildcard_group(world):
    """25 ALLOW READ on GROUP `*` reaches an ordinary group (for `*x` Kafka's sorted search differs and is left out)."""
    yield from ruled([rule(CALLER, READ, GROUP, "*")])
    answer = yield asks("Heartbeat", 3, {"GroupId": "a-none", "MemberId": "m", "GenerationId": 1})
    return answer["ErrorCode"], 25


def host(world):
    """26 A rule for another address is no rule; one for this address is."""
    yield from ruled(
        [
            rule(CALLER, READ, TOPIC, world.name("read"), host="10.9.9.9"),
            rule(CALLER, READ, TOPIC, world.name("small"), host="127.0.0.1"),
        ]
    )
    answer = yield asks("Metadata", 4, names(world, 4, "read", "small"))
    return {one["Name"]: one["ErrorCode"] for one in answer["Topics"]}, {world.name("read"): 29, world.name("small"): 0}


def closed(world):
    """14, 23, 24 Keys and versions of brokers, controllers and tokens, as Kastellan does not offer them: closed (Kafka offers some)."""
    answers = []
    for api, version in (("BrokerRegistration", 0), ("BrokerHeartbeat", 0), ("Vote", 0), ("Envelope", 0)):
        answers.append((yield asks(api, version, {})))
    return answers, [CLOSED] * 4


def refused_wholly(world):
    """Nobody's rights: what a name is refused with, whether it is there or not."""
    answer = yield asks(
        "ListOffsets",
        4,
        {
            "ReplicaId": -1,
            "Topics": [{"Name": world.name(word), "Partitions": [{"Timestamp": -1}]} for word in ("read", "none")],
        },
    )
    return sorted(
        (one["Name"], one["Partitions"][0]["ErrorCode"], one["Partitions"][0]["Offset"]) for one in answer["Topics"]
    ), [(world.name("none"), 29, -1), (world.name("read"), 29, -1)]


def deleting_groups(world):
    """DELETE on one of two groups: that one goes."""
    for word in ("mine", "theirs"):
        yield asks("OffsetCommit", 7, groups.commits(world, world.name(word), ("read", 0, 1, {})), line="admin")
    yield from ruled([rule(CALLER, DELETE, GROUP, world.name("mine"))])
    answer = yield asks("DeleteGroups", 2, {"GroupsNames": [world.name("mine"), world.name("theirs")]})
    return {one["GroupId"]: one["ErrorCode"] for one in answer["Results"]}, {
        world.name("mine"): 0,
        world.name("theirs"): 30,
    }


def super_user(world):
    """02 A DENY ALL for everybody and from here does not bind who may do everything (Kafka: a super user)."""
    yield from ruled([rule("a-other", ALL, TOPIC, world.name("read"), effect=DENY)])
    answer = yield asks("Metadata", 4, names(world, 4, "read"), line="admin")
    yield from unruled("User:a-other")
    return answer["Topics"][0]["ErrorCode"], 0


def cluster_denied(world):
    """DENY DESCRIBE on the cluster beside ALLOW ALL on it: the rules cannot be read."""
    yield from ruled(
        [rule(CALLER, ALL, CLUSTER, "kafka-cluster"), rule(CALLER, DESCRIBE, CLUSTER, "kafka-cluster", effect=DENY)]
    )
    answer = yield asks("DescribeAcls", 3, sought())
    return [answer["ErrorCode"], answer["Resources"]], [31, []]


CASES = [
    prefix_and_denial,
    super_user,
    settings_only,
    producer_under_denied_prefix,
    transactional_batch,
    silent_produce,
    some_offsets,
    hidden_id,
    hidden_deletion,
    revoked,
    as_replica,
    rules_beside,
    match,
    two_mechanisms,
    no_groups,
    closed,
    wildcard_group,
    host,
    producer_under_wildcard,
    refused_wholly,
    deleting_groups,
    cluster_denied,
]


def words(case):
    return case.__doc__.strip().splitlines()[0].rstrip(".")


def judged(found):
    value, expected = found
    return None if value == expected else f"{value} instead of {expected}"


def run(kafka, ours):
    """Rows of (verdict, seconds, reason)."""
    rows = {name: ("SKIP", 0, reason) for name, reason in ELSEWHERE.items()}
    wrong, spent = {}, {}
    for peer in (kafka, ours):
        world = World(PREFIX, peer)
        driver = Driver(peer)
        driver.run(prepared(world), world)
        driver.run(user(CALLER), world)
        peer.user = CALLER
        for case in CASES:
            began = time.monotonic()
            problem = attempt(lambda: judged(driver.value(case(world), world)))
            driver.run(unruled(ME), world)
            note(case, peer, problem, began, wrong, spent)
        for case in LOGINS:
            began = time.monotonic()
            problem = attempt(lambda: judged(case(peer, lambda steps: driver.value(steps, world))))
            note(case, peer, problem, began, wrong, spent)
        driver.close()
        peer.user = None
    for case in (*CASES, *LOGINS):
        problems = wrong.get(case, [])
        rows[words(case)] = ("FAIL" if problems else "PASS", round(spent[case], 3), "; ".join(problems))
    return rows


def attempt(check):
    try:
        return check()
    except Exception as error:
        return repr(error)


def note(case, peer, problem, began, wrong, spent):
    spent[case] = spent.get(case, 0) + time.monotonic() - began
    if problem:
        wrong.setdefault(case, []).append(f"{peer.name}: {problem}")
