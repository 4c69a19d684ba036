"""What may differ between two answers, and what differs.

Masked values become a word that keeps what can be compared: nil or an id, null or a text, zero or a size. Differences
that are meant stand in `frames.accepted`, one a line:

    label | path | reason

`label` and `path` may hold `*`; `v3-9` stands for each of these versions, and each of them has to differ. A line that
no longer differs is an error.
"""

import collections
import fnmatch
import re
import uuid

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<=-)[A-Za-z0-9_-]{22}$")
INTERNAL = {"__consumer_offsets", "__transaction_state", "__share_group_state"}
VERSIONS = re.compile(r"^(\S+ v)(\d+)-(\d+)(:.*)$")


def at_least_zero(word):
    return lambda masks, value: word if value >= 0 else value


def not_zero(word):
    return lambda masks, value: word if value else value


def text(masks, value):
    return "a text" if value else value


# Field: (what becomes of it, why).
MASKED = {
    "TopicId": (lambda masks, value: masks.topic(value), "made by chance"),
    "MemberId": (lambda masks, value: masks.member(value), "made by chance"),
    "Leader": (lambda masks, value: masks.member(value), "made by chance"),
    "ProducerId": (at_least_zero("a producer id"), "counted by each peer for itself"),
    "ClusterId": (text, "made by chance"),
    "LeaderEpoch": (lambda masks, value: masks.epoch(value), "each start of the log is an epoch"),
    "Records": (lambda masks, value: masks.records(value), "each start of the log is an epoch"),
    "SessionId": (not_zero("a session"), "made by chance"),
    "FinalizedFeaturesEpoch": (at_least_zero("an epoch"), "counted by each peer for itself"),
    "Host": (lambda masks, value: masks.host(value), "each peer has its address"),
    "Port": (lambda masks, value: masks.port(value), "each peer has its address"),
    "ErrorMessage": (text, "words for people"),
    "BatchIndexErrorMessage": (text, "words for people"),
    "LogAppendTimeMs": (at_least_zero("a time"), "the clock"),
    "PartitionSize": (not_zero("a size"), "sealed frames are longer"),
    "TotalBytes": (at_least_zero("a size"), "the disk of the machine"),
    "UsableBytes": (at_least_zero("a size"), "the disk of the machine"),
    "LogDir": (text, "each peer has its place"),
    "SessionLifetimeMs": (not_zero("a life"), "the clock"),
    "AuthBytes": (lambda masks, value: "bytes" if value else value, "a server's nonce and proof"),
}
# Arrays whose entries for one topic stand apart or together: they are compared together.
TOGETHER = {"FetchResponse.Responses": "Partitions", "ProduceResponse.Responses": "PartitionResponses"}
# Arrays without an order of their own in Kafka, and where it comes from.
UNORDERED = {
    "MetadataResponse.Topics": "a set of names",
    "DescribeGroupsResponse.Members": "a hash map of members",
    "JoinGroupResponse.Members": "a hash map of members",
    "ListGroupsResponse.Groups": "a hash map of groups",
    "DeleteTopicsResponse.Responses": "shuffled on purpose",
    "DescribeAclsResponse.Resources": "a hash map of resources",
    "DescribeAclsResponse.Acls": "a set of rules",
    "DeleteAclsResponse.MatchingAcls": "a set of rules",
    "DescribeConfigsResponse.Configs": "a hash map of settings",
    "CreateTopicsResponse.Configs": "a hash map of settings",
    "ApiVersionsResponse.ApiKeys": "looked up by key",
    "DescribeLogDirsResponse.Topics": "a hash map of topics",
    "DescribeLogDirsResponse.Partitions": "a hash map of partitions",
    "DeleteRecordsResponse.Topics": "a hash map of topics",
    "DeleteRecordsResponse.Partitions": "a hash map of partitions",
    "CreatePartitionsResponse.Results": "a hash map of topics",
    "DescribeGroupsResponse.Groups": "as the shards of __consumer_offsets answer",
    "DeleteGroupsResponse.Results": "as the shards of __consumer_offsets answer",
    "OffsetCommitResponse.Topics": "what the broker refuses comes before what the group answers",
    "OffsetDeleteResponse.Topics": "what the broker refuses comes before what the group answers",
    "OffsetDeleteResponse.Partitions": "what the broker refuses comes before what the group answers",
    "OffsetFetchResponse.Topics": "a hash map of topics",
    "ListOffsetsResponse.Topics": "a hash map of topics",
    "ListOffsetsResponse.Partitions": "a hash map of partitions",
    "FetchResponse.Responses": "what is refused comes first",
    "FetchResponse.Partitions": "what is refused comes first",
    "ProduceResponse.Responses": "a hash map of topics",
    "ProduceResponse.PartitionResponses": "a hash map of partitions",
    "DescribeConfigsResponse.Results": "what is refused comes last",
    "AlterConfigsResponse.Responses": "a hash map of resources",
    "IncrementalAlterConfigsResponse.Responses": "a hash map of resources",
    "AlterUserScramCredentialsResponse.Results": "a hash map of users",
    "DescribeUserScramCredentialsResponse.Results": "a hash map of users",
    "CreateTopicsResponse.Topics": "what is refused comes first",
}


class Masks:
    """The words of one case: ids that chance made are numbered as they come."""

    def __init__(self, peer, world):
        self.peer, self.world, self.made = peer, world, {}

    def apply(self, api, answer):
        if not isinstance(answer, dict):
            return answer
        return self.value(f"{api}Response", answer)

    def value(self, response, value, name=""):
        if name == "Topics" and response == "MetadataResponse":
            value = [one for one in value if one["Name"] not in INTERNAL and self.mine(one)]
        if name == "Topics" and response == "DescribeLogDirsResponse":
            value = [one for one in value if one["Name"].startswith(self.world.prefix)]
        if name == "Groups" and response == "ListGroupsResponse":
            value = [one for one in value if one["GroupId"].startswith(self.world.prefix)]
        if name == "Results" and response == "DescribeUserScramCredentialsResponse":
            value = [one for one in value if one["User"].startswith(self.world.prefix) or not one["User"]]
        if name == "ApiKeys" and self.peer.offered:
            value = [one for one in value if one["ApiKey"] in self.peer.offered]
        if f"{response}.{name}" in TOGETHER:
            value = together(value, TOGETHER[f"{response}.{name}"])
        if isinstance(value, list):
            items = [self.value(response, one) for one in value]
            return sorted(items, key=repr) if f"{response}.{name}" in UNORDERED else items
        if isinstance(value, dict):
            return {inner: self.value(response, one, inner) for inner, one in value.items()}
        if name in MASKED:
            return MASKED[name][0](self, value)
        if isinstance(value, bytes):
            return self.chance(value.hex())
        return self.chance(value) if isinstance(value, str) else value

    def mine(self, topic):
        """Topics of other parts come and go meanwhile."""
        return topic["Name"] is None or topic["Name"].startswith(self.world.prefix) or topic["ErrorCode"]

    def epoch(self, value):
        return value if value < 0 else f"the epoch {value - self.world.epoch:+d}"

    def records(self, value):
        """Batches, without their leader's epoch."""
        if value is None:
            return None
        found, at = [], 0
        while len(value) - at > 16:
            size = 12 + int.from_bytes(value[at + 8 : at + 12], "big")
            found.append((value[at : at + 12] + value[at + 16 : at + size]).hex())
            at += size
        return found + ([value[at:].hex()] if at < len(value) else [])

    def topic(self, value):
        if value == uuid.UUID(int=0):
            return "no id"
        names = {known: name for name, known in self.world.ids.items()}
        return (
            f"the id of {names[value]}"
            if value in names
            else "an id that was asked for" if value.int == 77 else "an id"
        )

    def member(self, value):
        return self.chance(value) if isinstance(value, str) else value

    def chance(self, value):
        return UUID.sub(lambda found: self.made.setdefault(found[0], f"<{len(self.made) + 1}>"), value)

    def host(self, value):
        return "its own" if value in ("127.0.0.1", "localhost") else value

    def port(self, value):
        return "its own" if value in self.peer.ports else value


def together(entries, inner):
    """Entries of the same topic as one."""
    merged = {}
    for entry in entries:
        key = (entry.get("Name"), entry.get("Topic"), entry.get("TopicId"))
        if key in merged:
            merged[key] = {**merged[key], inner: merged[key][inner] + entry[inner]}
        else:
            merged[key] = entry
    return list(merged.values())


def differences(theirs, ours, path=""):
    """(path, theirs, ours) of what differs; an array's items share its path."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in dict.fromkeys((*theirs, *ours)):
            yield from differences(theirs.get(name, "absent"), ours.get(name, "absent"), f"{path}.{name}".lstrip("."))
    elif isinstance(theirs, list) and isinstance(ours, list):
        if len(theirs) != len(ours):
            only_theirs = [one for one in theirs if one not in ours]
            only_ours = [one for one in ours if one not in theirs]
            yield f"{path}.length", f"{len(theirs)}, alone: {only_theirs}", f"{len(ours)}, alone: {only_ours}"
        else:
            for one, other in zip(theirs, ours):
                yield from differences(one, other, path)
    elif theirs != ours:
        yield path or "answer", theirs, ours


class Accepted:
    """The file of differences that are meant."""

    def __init__(self, path):
        self.lines = []
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if line and not line.startswith("#"):
                label, where, reason = line.split(" | ", 2)
                for one in versions_of(label):
                    self.lines.append((one, where, reason, number))
        self.used = collections.Counter()

    def takes(self, label, path):
        matching = [line for line in self.lines if matches(label, line[0]) and matches(path, line[1])]
        self.used.update(matching)
        return matching[0][2] if matching else None

    def unused(self, labels):
        """Lines that no difference needed, of those whose label was asked."""
        for line in self.lines:
            asked = any(matches(label, line[0]) for label in labels)
            if not self.used[line] and (asked or not labels):
                yield line


def matches(value, pattern):
    return value == pattern or fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))


def versions_of(label):
    found = VERSIONS.match(label)
    if not found:
        return [label]
    return [f"{found[1]}{version}{found[4]}" for version in range(int(found[2]), int(found[3]) + 1)]
