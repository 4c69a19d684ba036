"""The suites of `e2e/foreign`: how each is run, and what its lists say. A folder `peers/NAME` with a pass.list is a suite.

In: `pass.list` (what must pass), `FINDINGS.md` (its first heading names what runs and the versions; table `Not passing`
gives the reason for each test that fails, table `Not run` for what is left out) and `kafka.list` (what became of each
test straight against Apache Kafka). It starts nothing.
"""

import dataclasses
import pathlib
import re

PEERS = pathlib.Path(__file__).resolve().parent / "peers"
LOG = 'initial_rebalance_delay = "0ms"'


@dataclasses.dataclass
class Part:
    """Tests that share one server."""

    name: str
    tests: object = lambda test: True
    log: str = LOG
    super_user: bool = False
    environment: dict = dataclasses.field(default_factory=dict)
    jobs: int = 1
    # More of the configuration file.
    config: str = ""
    # Its tests have the server stopped and started again.
    restarts: bool = False
    # The same settings of an Apache Kafka node.
    kafka: dict = dataclasses.field(default_factory=dict)
    features: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Suite:
    # One process runs all its tests, and tells them one by one.
    together: bool = False
    # Once more with client certificates when everything runs.
    mtls: bool = False
    # Which of its tests then; all of them unless it says.
    by_certificate: frozenset = frozenset()
    parts: list = dataclasses.field(default_factory=lambda: [Part("all")])


# Kafka's own delay for new groups: the suite counts the rebalances.
KAFKA_DELAY = 'initial_rebalance_delay = "3s"'
FOUR = {"num.partitions": "4"}
FOUR_DELAYED = {**FOUR, "group.initial.rebalance.delay.ms": "3000"}
# Their limits are short, or they measure: nothing runs beside them.
ALONE = {"0038", "0053", "0055", "0084", "0089", "0091", "0123"}
NO_AUTO_CREATE = {"0045-noauto", "0107", "0111"}

# The same test in another setting, as the lists name it.
VARIANT = re.compile(r"-(noauto|chaos-\d+)$")
CHAOS = "-chaos-"

RESTARTS = re.compile(r"/restart$")
AGAIN = re.compile(r"/proves_itself_again$")
SESSION = 5


def scenarios(jobs):
    """A suite of our own, with tests that restart the server and tests that want short sessions."""
    return Suite(together=True, mtls=True, parts=[
        Part("all", lambda test: not RESTARTS.search(test) and not AGAIN.search(test), environment={"JOBS": jobs}),
        Part("restarts", RESTARTS.search, restarts=True),
        Part("short sessions", AGAIN.search, config=f'\n[gateway.deadlines]\nsession_max = "{SESSION}s"\n',
             environment={"SESSION_MS": str(SESSION * 1000), "JOBS": "3"},
             kafka={"connections.max.reauth.ms": str(SESSION * 1000)}),
    ])


# A node with the broker's side of KIP-848, share groups and streams groups switched off.
WITHOUT = {"group.version": 0, "share.version": 0, "streams.version": 0}

# What is not named here is run as `Suite(together=True)`.
SUITES = {
    "librdkafka": Suite(parts=[
        Part("four partitions", lambda test: test not in ALONE | NO_AUTO_CREATE and not test.startswith("0081"),
             f"{KAFKA_DELAY}\nnum_partitions = 4", jobs=3, kafka=FOUR_DELAYED),
        Part("alone", ALONE.__contains__, f"{KAFKA_DELAY}\nnum_partitions = 4", kafka=FOUR_DELAYED),
        # It counts all rules that match a topic, so there may be none but its own.
        Part("admin", lambda test: test.startswith("0081"), f"{LOG}\nnum_partitions = 4", super_user=True, kafka=FOUR),
        Part("no auto-creation", NO_AUTO_CREATE.__contains__,
             f"{KAFKA_DELAY}\nnum_partitions = 4\nauto_create_topics = false",
             environment={"TEST_SCENARIO": "noautocreate"},
             kafka={**FOUR_DELAYED, "auto.create.topics.enable": "false"}),
    ]),
    "kgo": Suite(mtls=True, parts=[
        Part("all", lambda test: CHAOS not in test, jobs=2),
        # Connections live for half a second to one and a half. One at a time: logins that are broken off count as failed
        # ones, and all come from one address.
        Part("chaos", lambda test: CHAOS in test, environment={"KGO_TEST_CHAOS": "1"}),
    ]),
    "kafka-ports": Suite(mtls=True),
    "java-clients": Suite(together=True, mtls=True, parts=[Part("all", environment={"JOBS": "2"})]),
    "java-tools": Suite(together=True, mtls=True, by_certificate=frozenset({
        "topics", "topics/refused", "console", "console/refused", "acls/refused", "consumer_groups/refused"})),
    "python": Suite(together=True, mtls=True),
    "javascript": scenarios("2"),
    "go-clients": scenarios("2"),
    "unsupported": Suite(together=True, parts=[Part("all", features=WITHOUT)]),
}

# What needs a password, or takes long and is about groups.
NOT_BY_CERTIFICATE = re.compile(
    r"^(TestSCRAM.*|.*/(wrong_password|log_in_with_.*|proves_itself_again)|0135|.*-chaos-\d+)$")


def names():
    """Every folder that is a suite; the slow one first."""
    found = sorted(path.parent.name for path in PEERS.glob("*/pass.list"))
    return sorted(found, key=lambda suite: suite != "librdkafka")


def suite(name):
    return SUITES.get(name, Suite(together=True))


# Programs of our own that run beside them: each starts its own server, and tells a result for each rule that it checks.
OWN = {"frames": PEERS.parent / "frames/run", "history": PEERS.parent / "history/run"}


def everything():
    """What runs without arguments: all suites by SCRAM, the quick ones once more by certificate, then our own."""
    return [*names(), *(f"{name}@mtls" for name in names() if suite(name).mtls), *OWN]


def listed(name):
    """The tests that must pass, with the seconds they took once."""
    rows = {}
    for line in (PEERS / name / "pass.list").read_text().splitlines():
        if line and not line.startswith("#"):
            test, _, seconds = line.partition(" # ")
            rows[test.strip()] = float(seconds or 0)
    return rows


def by_certificate(name):
    """The listed tests that run with a client certificate too."""
    chosen = suite(name).by_certificate
    return [test for test in listed(name) if not NOT_BY_CERTIFICATE.match(test) and (not chosen or test in chosen)]


def findings(name):
    return (PEERS / name / "FINDINGS.md").read_text()


def title(name):
    return findings(name).splitlines()[0].removeprefix("# ")


def table(name, heading):
    """The rows `| test | reason |` under a heading of the findings."""
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", findings(name), re.M | re.S)
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", section[1], re.M) if section else []
    return [(test.strip("`"), reason) for test, reason in rows if test not in ("test", "---")]


def known(name):
    """The tests that run and do not pass, with the reason."""
    return dict(table(name, "Not passing"))


def not_run(name):
    return table(name, "Not run")


def kafka_rows(name):
    path = PEERS / name / "kafka.list"
    lines = path.read_text().splitlines() if path.exists() else []
    for line in lines:
        if line[:1] not in ("#", ""):
            verdict, rest = line.split(" ", 1)
            yield verdict, *rest.rsplit(" ", 1)


def with_kafka(name):
    """What became of each test straight against Apache Kafka: PASS, FAIL or SKIP. Empty where nobody ran it."""
    return {test: verdict for verdict, test, _ in kafka_rows(name)}


def seconds_with_kafka(name):
    return sum(float(seconds) for _, _, seconds in kafka_rows(name))
