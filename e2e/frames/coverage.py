"""Whether every version that Kastellan offers was asked for everything.

In: its own ApiVersions answer, and what was asked. Out: what is missing. So a version that comes without a case fails.
"""

from .language import EMPTY, KINDS, MALFORMED, MAXIMAL, TWO, TYPICAL
from .schema import keys

# (API, kind): why there is no such request.
NOT_APPLICABLE = {
    ("ApiVersions", TWO): "it names nothing that could be wrong twice",
    ("ListGroups", TWO): "it names nothing that could be wrong twice",
    ("ListGroups", MALFORMED): "versions 0 to 2 have no field",
    ("ApiVersions", MALFORMED): "versions 0 to 2 have no field",
    ("SaslHandshake", TWO): "one field",
    ("SaslAuthenticate", TWO): "one field",
    ("DescribeCluster", TWO): "one field that can be wrong",
}
# Shown for old librdkafka's sake (KAFKA-18659), and not served by Kafka either.
NOT_SERVED = {("Produce", 0), ("Produce", 1), ("Produce", 2)}


def offered(line):
    """(API, version) of all that is offered."""
    answer = line.exchange("ApiVersions", 4, {"ClientSoftwareName": "frames", "ClientSoftwareVersion": "1"})
    for one in answer["ApiKeys"]:
        name = keys()[one["ApiKey"]][0]
        for version in range(one["MinVersion"], one["MaxVersion"] + 1):
            yield name, version


def missing(offers, asked):
    """(API, version, kind) that nobody asked for."""
    found = {(ask.api, ask.version, ask.kind) for ask in asked}
    for api, version in offers:
        for kind in (TYPICAL, EMPTY, MAXIMAL, TWO, MALFORMED):
            reason = (api, kind) in NOT_APPLICABLE or (api, version) in NOT_SERVED
            if (api, version, kind) not in found and not reason:
                yield api, version, kind


def counted(asked):
    pairs = {(ask.api, ask.version) for ask in asked}
    kinds = {kind: sum(1 for ask in asked if ask.kind == kind) for kind in KINDS}
    return (
        f"{len(asked)} frames, {len({api for api, _ in pairs})} keys, {len(pairs)} keys x versions ("
        + ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        + ")"
    )
