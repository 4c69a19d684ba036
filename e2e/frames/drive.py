"""Runs cases against one peer.

In: a peer and cases. Out: each answer under its label, with what differs from one run to the next replaced by a word
for it; and what was asked, for the coverage.
"""

import time

from .compare import Masks
from .line import CLOSED, SILENT
from .schema import message

PATIENCE = 15


class Steps:
    """A case's requests; the answer to each goes back into the case."""

    def __init__(self, case):
        self.case, self.last, self.value = case, None, None

    def __iter__(self):
        return self

    def __next__(self):
        try:
            self.last = self.case.send(self.last.answer if self.last else None)
        except StopIteration as end:
            self.value = end.value
            raise StopIteration from None
        return self.last


class Driver:
    def __init__(self, peer, only=None, wanted=None):
        """`only` says of (API, version) whether the peer knows it, `wanted` of a request that stands alone whether it is asked."""
        self.peer, self.only, self.wanted = peer, only, wanted
        self.lines, self.found, self.asked = {}, {}, []
        self.pending = {}

    def line(self, name):
        if name not in self.lines:
            self.lines[name] = self.peer.line(name)
        return self.lines[name]

    def close(self):
        for line in self.lines.values():
            line.close()

    def run(self, case, world):
        """One case; gives whether it came to its end."""
        masks = Masks(self.peer, world)
        for ask in Steps(case):
            if not self.knows(ask):
                # What comes next may need the answer.
                return False
            ask.answer = self.ask(ask)
            self.note(ask, masks)
        return True

    def each(self, asks, world):
        """Requests that do not need each other's answers."""
        masks = Masks(self.peer, world)
        for ask in asks:
            if self.knows(ask) and not (self.wanted and not self.wanted(ask)):
                ask.answer = self.ask(ask)
                self.note(ask, masks)

    def value(self, case, world):
        """What a case comes to."""
        steps = Steps(case)
        for ask in steps:
            ask.answer = self.ask(ask)
        return steps.value

    def knows(self, ask):
        return not self.only or self.only(ask.api, ask.version)

    def note(self, ask, masks):
        if ask.quiet or ask.mode == "send":
            return
        if ask.label in self.found:
            raise KeyError(f"{ask.label} is there twice")
        self.found[ask.label] = masks.apply(ask.api, ask.answer)
        self.asked.append((ask.label, ask))

    def ask(self, ask):
        end = time.monotonic() + PATIENCE
        while True:
            answer = self.once(ask)
            if not ask.until or answer in (CLOSED, SILENT) or ask.until(answer):
                return answer
            if time.monotonic() > end:
                if ask.quiet:
                    raise TimeoutError(f"{ask.label} of {self.peer.name}: {answer}")
                return answer
            time.sleep(0.05)

    def once(self, ask):
        line = self.line(ask.line)
        if ask.mode == "receive":
            return line.receive(ask.api, ask.version, self.pending.pop(ask.line))
        body = message(f"{ask.api}Request").encode(ask.fields, ask.version, ask.unknown_tags)
        if ask.mangle:
            body = ask.mangle(body)
        tags = b"\1\x63\3\0\1\2" if ask.unknown_tags else b"\0"
        line.send(ask.api, ask.version, body, tags)
        if ask.mode == "send":
            self.pending[ask.line] = line.number
            return None
        if ask.mode == "perhaps":
            return self.perhaps(line, ask)
        if ask.patience:
            line.stream.settimeout(ask.patience)
        answer = line.receive(ask.api, ask.version)
        if ask.patience and line.stream:
            line.stream.settimeout(line.seconds)
        return answer

    def perhaps(self, line, ask):
        """A request behind it tells a request without an answer from one whose answer is late."""
        number = line.number
        line.send("Metadata", 1, b"\0\0\0\0")
        answer = line.receive("Metadata", 1)
        if answer == CLOSED:
            return CLOSED
        return "no answer" if isinstance(answer, dict) else f"answered, {line.number - number} before"
