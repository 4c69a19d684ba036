"""Rules, users, logins, versions, the cluster: DescribeAcls, CreateAcls, DeleteAcls, the two of SCRAM, DescribeClientQuotas, SaslHandshake, SaslAuthenticate, ApiVersions, DescribeCluster."""

from .language import Api
from .line import salted_password

(
    ANY,
    ALL,
    READ,
    WRITE,
    CREATE,
    DELETE,
    ALTER,
    DESCRIBE,
    CLUSTER_ACTION,
    DESCRIBE_CONFIGS,
    ALTER_CONFIGS,
    IDEMPOTENT_WRITE,
) = range(1, 13)
TOPIC, GROUP, CLUSTER = 2, 3, 4
MATCH, LITERAL, PREFIXED = 2, 3, 4
DENY, ALLOW = 2, 3


def rule(principal, operation, kind, name, pattern=LITERAL, effect=ALLOW, host="*"):
    return {
        "ResourceType": kind,
        "ResourceName": name,
        "ResourcePatternType": pattern,
        "Principal": f"User:{principal}" if ":" not in principal else principal,
        "Host": host,
        "Operation": operation,
        "PermissionType": effect,
    }


def sought(kind=1, name=None, pattern=1, principal=None, host=None, operation=1, effect=1):
    return {
        "ResourceTypeFilter": kind,
        "ResourceNameFilter": name,
        "PatternTypeFilter": pattern,
        "PrincipalFilter": principal,
        "HostFilter": host,
        "Operation": operation,
        "PermissionType": effect,
    }


def good(world, version, word="ruled", **changes):
    return rule(f"{world.prefix}someone", READ, TOPIC, world.name(word), **changes)


def create_rows(world, version):
    def beside(**changes):
        return {"Creations": [good(world, version, "beside"), {**good(world, version, "beside"), **changes}]}

    return {
        "twice": {"Creations": [good(world, version), good(world, version)]},
        "unknown operation": beside(Operation=99),
        "any operation": beside(Operation=1),
        "operation 0": beside(Operation=0),
        "unknown kind": beside(ResourceType=99),
        "any kind": beside(ResourceType=1),
        "kind 0": beside(ResourceType=0),
        "unknown effect": beside(PermissionType=99),
        "any effect": beside(PermissionType=1),
        "effect 0": beside(PermissionType=0),
        "cluster by another name": beside(ResourceType=CLUSTER, ResourceName="x"),
        "cluster": beside(ResourceType=CLUSTER, ResourceName="kafka-cluster"),
        "no name": beside(ResourceName=""),
        "principal without a kind": beside(Principal="x"),
        "empty principal": beside(Principal=""),
        "no user's name": beside(Principal="User:"),
        "another kind of principal": beside(Principal="Robot:x"),
        "no host": beside(Host="", Principal="User:odd"),
        "host that is no address": beside(Host="x y"),
        "block": beside(Host="10.0.0.0/99", Principal="User:odd"),
        "operation of no topic": beside(Operation=IDEMPOTENT_WRITE),
        "nothing": {"Creations": []},
        **(
            {
                "match": beside(ResourcePatternType=MATCH),
                "pattern 0": beside(ResourcePatternType=0),
                "unknown pattern": beside(ResourcePatternType=99),
                "any pattern": beside(ResourcePatternType=1),
                "prefix": beside(ResourcePatternType=PREFIXED),
            }
            if version >= 1
            else {}
        ),
    }


def describe_rows(world, version):
    mine = f"User:{world.prefix}someone"
    return {
        "by principal": sought(principal=mine),
        "by name": sought(TOPIC, world.name("ruled"), LITERAL),
        "match": sought(TOPIC, world.name("ruled"), MATCH, mine),
        "other host": sought(principal=mine, host="10.1.1.1"),
        "host": sought(principal=mine, host="*"),
        "operation": sought(principal=mine, operation=READ),
        "other operation": sought(principal=mine, operation=WRITE),
        "deny": sought(principal=mine, effect=DENY),
        "unknown operation": sought(principal=mine, operation=99),
        "unknown kind": sought(99, principal=mine),
        "kind 0": sought(0, principal=mine),
        "operation 0": sought(principal=mine, operation=0),
        "effect 0": sought(principal=mine, effect=0),
        "unknown effect": sought(principal=mine, effect=99),
        "unknown pattern": sought(principal=mine, pattern=99),
        "pattern 0": sought(principal=mine, pattern=0),
        "name *": sought(TOPIC, "*", LITERAL, mine),
        "prefixes": sought(pattern=PREFIXED, principal=mine),
    }


def delete_rows(world, version):
    mine = f"User:{world.prefix}someone"
    rows = {
        words: {"Filters": [fields]}
        for words, fields in describe_rows(world, version).items()
        if words not in ("by principal", "match")
    }
    rows.update(
        {
            "two find the same": {
                "Filters": [sought(TOPIC, world.name("beside"), LITERAL, mine), sought(principal=mine, operation=READ)]
            },
            "nothing": {"Filters": []},
            "good and unknown": {"Filters": [sought(principal=mine), sought(principal=mine, operation=99)]},
        }
    )
    return rows


def upsert(world, word, mechanism=2, iterations=4096, salt=b"0123456789abcdef", password="pencil"):
    return {
        "Name": world.name(word),
        "Mechanism": mechanism,
        "Iterations": iterations,
        "Salt": salt,
        "SaltedPassword": salted_password(password, salt, max(iterations, 1), "sha256" if mechanism == 1 else "sha512"),
    }


def users(upserts=(), deletes=()):
    return {
        "Upsertions": list(upserts),
        "Deletions": [{"Name": name, "Mechanism": mechanism} for name, mechanism in deletes],
    }


def user_rows(world, version):
    name = world.name("user")
    return {
        "new": users([upsert(world, "user")]),
        "changed": users([upsert(world, "user", iterations=8192)]),
        "other mechanism": users([upsert(world, "user", mechanism=1)]),
        "two mechanisms": users([upsert(world, "user", 1), upsert(world, "user", 2)]),
        "two at once": users([upsert(world, "user")], [(name, 2)]),
        "few iterations": users([upsert(world, "user", iterations=4095)]),
        "many iterations": users([upsert(world, "user", iterations=16385)]),
        "iterations -1": users([upsert(world, "user", iterations=-1)]),
        "another length": users([{**upsert(world, "user"), "Name": "odd", "SaltedPassword": b"short"}]),
        "no mechanism": users([upsert(world, "user", mechanism=0)]),
        "unknown mechanism": users([upsert(world, "user", mechanism=9)]),
        "no name": users([{**upsert(world, "user"), "Name": ""}]),
        "deleted": users(deletes=[(name, 1)]),
        "deleted again": users(deletes=[(name, 1)]),
        "missing": users(deletes=[(world.name("nobody"), 2)]),
        "unknown mechanism deleted": users(deletes=[(name, 9)]),
        "good and bad": users([upsert(world, "other")], [(world.name("nobody"), 2)]),
        "nothing": users(),
    }


def user_two(world, version):
    return {
        "unknown mechanism, few iterations": users([upsert(world, "user", mechanism=9, iterations=1)]),
        "no name, few iterations": users([{**upsert(world, "user", iterations=1), "Name": ""}]),
        "twice, unknown mechanism": users([upsert(world, "user", mechanism=9), upsert(world, "user", mechanism=9)]),
    }


def asked_users(world, *words):
    return {"Users": [{"Name": world.name(word)} for word in words]}


def component(kind, match=2, name=None):
    return {"EntityType": kind, "MatchType": match, "Match": name}


def quotas(*components, strict=False):
    return {"Components": list(components), "Strict": strict}


def quota_rows(world, version):
    return {
        "user": quotas(component("user")),
        "exact": quotas(component("user", 0, "x")),
        "default": quotas(component("client-id", 1)),
        "both": quotas(component("user"), component("client-id")),
        "address": quotas(component("ip", 0, "10.0.0.1")),
        "address and user": quotas(component("ip"), component("user")),
        "no kind": quotas(component("")),
        "unknown kind": quotas(component("x")),
        "twice": quotas(component("user"), component("user")),
        "match 9": quotas(component("user", 9)),
        "exact, no name": quotas(component("user", 0)),
        "any, a name": quotas(component("user", 2, "x")),
        "strict": quotas(component("user"), strict=True),
    }


APIS = [
    Api(
        "ApiVersions",
        lambda w, v: {"ClientSoftwareName": "frames", "ClientSoftwareVersion": "1.0"},
        lambda w, v: {"ClientSoftwareName": "a" * 200, "ClientSoftwareVersion": "1.0-rc.1"},
        None,
        lambda w, v: (
            {
                "bad name": {"ClientSoftwareName": "a b", "ClientSoftwareVersion": "1"},
                "bad version": {"ClientSoftwareName": "a", "ClientSoftwareVersion": "-"},
            }
            if v >= 3
            else {}
        ),
    ),
    Api("SaslHandshake", lambda w, v: {"Mechanism": "SCRAM-SHA-512"}, lambda w, v: {"Mechanism": "x" * 1000}),
    Api("SaslAuthenticate", lambda w, v: {"AuthBytes": b"n,,n=x,r=abc"}, lambda w, v: {"AuthBytes": b"x" * 5000}),
    Api(
        "DescribeCluster",
        lambda w, v: {},
        lambda w, v: {"IncludeClusterAuthorizedOperations": True, "EndpointType": 1, "IncludeFencedBrokers": True},
        None,
        lambda w, v: {f"endpoint {kind}": {"EndpointType": kind} for kind in (0, 2, 9)} if v >= 1 else {},
    ),
    Api(
        "CreateAcls",
        lambda w, v: {"Creations": [good(w, v)]},
        lambda w, v: {
            "Creations": [
                good(w, v, "beside"),
                good(w, v, "two", effect=DENY, host="10.1.1.1"),
                good(w, v, "three", pattern=PREFIXED),
            ]
        },
        lambda w, v: {
            "no name, no principal": {"Creations": [{**good(w, v), "ResourceName": "", "Principal": ""}]},
            "unknown kind, unknown operation": {"Creations": [{**good(w, v), "ResourceType": 99, "Operation": 99}]},
            "any operation, kind 0": {"Creations": [{**good(w, v), "Operation": 1}, {**good(w, v), "ResourceType": 0}]},
            "unknown and any": {"Creations": [{**good(w, v), "Operation": 99}, {**good(w, v), "Operation": 1}]},
        },
        create_rows,
    ),
    Api(
        "DescribeAcls",
        lambda w, v: sought(TOPIC, w.name("ruled"), LITERAL),
        lambda w, v: sought(TOPIC, w.name("ruled"), MATCH, f"User:{w.prefix}someone", "*", READ, ALLOW),
        lambda w, v: {"unknown kind and operation": sought(99, w.name("ruled"), operation=99)},
        describe_rows,
    ),
    Api(
        "DeleteAcls",
        lambda w, v: {"Filters": [sought(TOPIC, w.name("nothing-here"), LITERAL)]},
        lambda w, v: {
            "Filters": [
                sought(TOPIC, w.name("three"), PREFIXED, f"User:{w.prefix}someone", "*", READ, ALLOW),
                sought(TOPIC, w.name("two"), LITERAL),
            ]
        },
        lambda w, v: {"unknown kind and operation": {"Filters": [sought(99, w.name("ruled"), operation=99)]}},
        delete_rows,
    ),
    Api(
        "AlterUserScramCredentials",
        lambda w, v: users([upsert(w, "typical")]),
        lambda w, v: users([upsert(w, "one", 1), upsert(w, "two", 2)], [(w.name("typical"), 2), (w.name("nobody"), 1)]),
        user_two,
        user_rows,
    ),
    Api(
        "DescribeUserScramCredentials",
        lambda w, v: asked_users(w, "other"),
        lambda w, v: asked_users(w, "other", "one", "nobody"),
        lambda w, v: {"missing twice": asked_users(w, "nobody", "nobody")},
        lambda w, v: {"twice": asked_users(w, "other", "other"), "empty name": {"Users": [{"Name": ""}]}},
    ),
    Api(
        "DescribeClientQuotas",
        lambda w, v: quotas(component("user")),
        lambda w, v: quotas(component("user", 0, "x"), component("client-id", 1), strict=True),
        lambda w, v: {
            "unknown kind, match 9": quotas(component("x", 9)),
            "twice, match 9": quotas(component("user", 9), component("user", 9)),
            "address and user, match 9": quotas(component("ip", 9), component("user")),
        },
        quota_rows,
    ),
]
