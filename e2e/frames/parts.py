"""As whom the cases are asked: who may do everything, nobody, who may do some of it, who is denied some of everything.

The rules go in as frames, the same ones to both peers; a part begins when both tell them back.
"""

from .access import (
    ALL,
    ALTER,
    ALTER_CONFIGS,
    CLUSTER,
    CREATE,
    DELETE,
    DENY,
    DESCRIBE,
    DESCRIBE_CONFIGS,
    GROUP,
    PREFIXED,
    READ,
    TOPIC,
    WRITE,
    rule,
    sought,
)
from .language import Ask, got
from .line import salted_password
from .peers import PASSWORD

SALT = b"salt of frames 16"


def nothing(world, caller):
    return []


def some(world, caller):
    """One of two topics, one of two groups, and nothing of the cluster."""
    name = world.name
    return [
        rule(caller, READ, TOPIC, name("read")),
        rule(caller, WRITE, TOPIC, name("write")),
        rule(caller, DELETE, TOPIC, name("cut")),
        rule(caller, DESCRIBE, TOPIC, name("none")),
        rule(caller, CREATE, TOPIC, name("made"), PREFIXED),
        rule(caller, DELETE, TOPIC, name("gone-1"), PREFIXED),
        rule(caller, DESCRIBE, TOPIC, name("gone-2")),
        rule(caller, ALTER, TOPIC, name("grow-"), PREFIXED),
        rule(caller, ALTER_CONFIGS, TOPIC, name("settings")),
        rule(caller, DESCRIBE_CONFIGS, TOPIC, name("read")),
        rule(caller, READ, GROUP, name("simple")),
        rule(caller, READ, GROUP, name("living"), PREFIXED),
        rule(caller, DELETE, GROUP, name("simple-1")),
        rule(caller, DESCRIBE, GROUP, "nowhere"),
        rule(caller, READ, GROUP, name("typical"), PREFIXED),
    ]


def all_but(world, caller):
    """Everything under the prefix and of the cluster, with denials beside it."""
    name = world.name
    return [
        rule(caller, ALL, TOPIC, world.prefix, PREFIXED),
        rule(caller, ALL, GROUP, world.prefix, PREFIXED),
        rule(caller, ALL, GROUP, "nowhere"),
        rule(caller, ALL, CLUSTER, "kafka-cluster"),
        rule(caller, READ, TOPIC, name("read"), effect=DENY),
        rule(caller, WRITE, TOPIC, name("writ"), PREFIXED, effect=DENY),
        rule(caller, DESCRIBE, TOPIC, name("empty"), effect=DENY),
        rule(caller, DESCRIBE_CONFIGS, TOPIC, name("made"), PREFIXED, effect=DENY),
        rule(caller, ALTER, TOPIC, name("grow-1"), effect=DENY),
        rule("*", DELETE, TOPIC, name("gone-2"), effect=DENY),
        rule(caller, READ, GROUP, name("living-3"), effect=DENY),
        rule(caller, DELETE, GROUP, name("simple-1"), effect=DENY),
        rule(caller, DESCRIBE, GROUP, name("joined"), effect=DENY),
    ]


# Part: (prefix of its names, its rules; None: who may do everything, in clear text).
PARTS = {"everything": ("e-", None), "nothing": ("n-", nothing), "some": ("s-", some), "all but": ("d-", all_but)}


def user(caller):
    """Makes a user who logs in by SCRAM, as frames."""
    salted = salted_password(PASSWORD, SALT, 4096)
    upsert = {"Name": caller, "Mechanism": 2, "Iterations": 4096, "Salt": SALT, "SaltedPassword": salted}
    answer = yield Ask("AlterUserScramCredentials", 0, "prepared", {"Upsertions": [upsert]}, line="admin", quiet=True)
    if got(answer, "Results", 0, "ErrorCode") != 0:
        raise AssertionError(f"{caller} was not made: {answer}")

    def known(found):
        return got(found, "Results", 0, "ErrorCode") == 0

    yield Ask(
        "DescribeUserScramCredentials",
        0,
        "prepared",
        {"Users": [{"Name": caller}]},
        line="admin",
        quiet=True,
        until=known,
    )


def ruled(rules, caller=None):
    """Rules put in, and told back."""
    if not rules:
        return
    answer = yield Ask("CreateAcls", 3, "prepared", {"Creations": rules}, line="admin", quiet=True)
    bad = [one for one in got(answer, "Results", default=[{}]) if one.get("ErrorCode") != 0]
    if bad:
        raise AssertionError(f"rules were not made: {answer}")
    for principal in {one["Principal"] for one in rules}:
        wanted = {tuple(sorted(one.items())) for one in rules if one["Principal"] == principal}

        def there(found, count=len(wanted)):
            return sum(len(one["Acls"]) for one in got(found, "Resources", default=())) >= count

        yield Ask("DescribeAcls", 3, "prepared", sought(principal=principal), line="admin", quiet=True, until=there)


def unruled(principal):
    """No rules of a principal any more."""
    yield Ask("DeleteAcls", 3, "prepared", {"Filters": [sought(principal=principal)]}, line="admin", quiet=True)
    yield Ask(
        "DescribeAcls",
        3,
        "prepared",
        sought(principal=principal),
        line="admin",
        quiet=True,
        until=lambda found: not got(found, "Resources", default=()),
    )
