"""What a case is written in.

A case is a generator: it yields an `Ask` and is given the answer, so that what one answer holds (a member id, a topic
id) goes into the next request. The same case runs against each peer; what it asks carries the same label there.
"""

import dataclasses
import uuid

from .line import CLOSED, SILENT
from .schema import message

NIL = uuid.UUID(int=0)
NOBODYS = uuid.UUID(int=77)
# What each version of each API is asked for at least.
TYPICAL, EMPTY, MAXIMAL, TWO, MALFORMED = KINDS = ("typical", "empty", "maximal", "two errors", "malformed")


@dataclasses.dataclass
class Ask:
    api: str
    version: int
    words: str
    fields: dict = dataclasses.field(default_factory=dict)
    kind: str = ""
    line: str = "main"
    unknown_tags: bool = False
    # Changes the body's bytes.
    mangle: object = None
    # "answer": send and receive; "send" or "receive": one of them; "perhaps": it may have no answer.
    mode: str = "answer"
    # Seconds to wait for an answer, where the line's own are too many.
    patience: float = 0
    # Asked again until this holds: Kafka's own view follows its controller with a delay.
    until: object = None
    # Not compared: only to get on.
    quiet: bool = False
    answer: object = None

    @property
    def label(self):
        return f"{self.api} v{self.version}: {self.words}"


@dataclasses.dataclass
class World:
    """What cases know of a peer: names and ids."""

    prefix: str
    peer: object
    ids: dict = dataclasses.field(default_factory=dict)
    # Of all leaders: each start of Kastellan's log is an epoch.
    epoch: int = 0

    def name(self, word):
        return f"{self.prefix}{word}"

    def id(self, word):
        return self.ids.get(self.name(word), NOBODYS)


@dataclasses.dataclass
class Api:
    """One API: a function of (world, version) for each kind of request; `rows` gives more by their words."""

    name: str
    typical: object
    maximal: object
    two: object = None
    rows: object = None
    # What even the emptiest request says: without it there would be no answer.
    least: dict = dataclasses.field(default_factory=dict)

    def asks(self, world, version):
        yield from self.generic(version)
        yield Ask(self.name, version, "typical", self.typical(world, version), TYPICAL)
        yield Ask(self.name, version, "maximal", self.maximal(world, version), MAXIMAL, unknown_tags=True)
        for kind, table in ((TWO, self.two), ("", self.rows)):
            for words, fields in (table(world, version) if table else {}).items():
                if isinstance(fields, Ask):
                    yield dataclasses.replace(fields, api=self.name, version=version, words=words, kind=kind)
                else:
                    yield Ask(self.name, version, words, fields, kind)

    def generic(self, version):
        """What needs no knowledge of the API: nothing, null, and bytes that are no such request."""
        schema = message(f"{self.name}Request")
        fields = [field for field in schema.fields if live(field, version) and not schema.tagged(field, version)]
        yield Ask(self.name, version, "empty", self.least, EMPTY)
        nullable = {field["name"]: None for field in fields if can_be_null(field, version)}
        if nullable:
            yield Ask(self.name, version, "null", self.least | nullable, EMPTY)
        if not fields:
            return
        yield Ask(self.name, version, "cut short", self.least, MALFORMED, mangle=lambda body: body[:-1])
        yield Ask(self.name, version, "with bytes behind", self.least, mangle=lambda body: body + b"\0\0\0")
        for field in fields:
            variable = field["type"].startswith("[]") or field["type"] in ("string", "bytes")
            if variable and not can_be_null(field, version):
                yield Ask(self.name, version, f"{field['name']} null", self.least | {field["name"]: None}, MALFORMED)
                break


def live(field, version):
    from .schema import within

    return within(field["versions"], version)


def can_be_null(field, version):
    from .schema import within

    return within(field.get("nullableVersions", "none"), version)


def failed(answer):
    return answer in (CLOSED, SILENT) or isinstance(answer, str)


def got(answer, *path, default=None):
    """What lies at a path in an answer, if the answer has it."""
    for step in path:
        try:
            answer = answer[step]
        except (TypeError, KeyError, IndexError):
            return default
    return default if answer is None else answer
