"""One process of the history: workload.py FOLDER NAME. A producer, a member of a group, or an observer.

In: FOLDER/workload.json, which says what NAME is, and the file FOLDER/stop-KIND, which ends it. Out: FOLDER/NAME.jsonl,
what it did and what it was told. It judges nothing.
"""

import importlib
import json
import os
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from history.journal import Journal  # noqa: E402
from history.journal import now  # noqa: E402
from lib import properties  # noqa: E402

PADDING = "." * 300


class Task:
    """What this process is to do, and whether it is over."""

    def __init__(self, folder, name):
        self.folder, self.name = pathlib.Path(folder), name
        told = json.loads((self.folder / "workload.json").read_text())
        self.partitions = [(topic, number) for topic, count in told["topics"].items() for number in range(count)]
        self.topics, self.ca = list(told["topics"]), told["ca"]
        self.kafka, self.mtls, self.pace = told["kafka"], told["mtls"], told["pace"]
        self.groups = told["groups"]
        self.role = told["processes"][name]
        self.bundle = pathlib.Path(told["bundles"]) / name
        self.is_mtls = self.role["door"] == "mtls"
        self.rng = random.Random(f"{told['seed']} {name}")
        self.journal = Journal(self.folder, name)
        self.stop = self.folder / f"stop-{self.role['kind']}"
        self.certified = self.certificate()
        self.journal.note("role", **self.role)

    def is_over(self):
        return self.stop.exists()

    def certificate(self):
        return (self.bundle / "client.pem").read_bytes() if self.is_mtls else None

    def has_new_certificate(self):
        """Whether the certificate was reissued since this was last asked."""
        before, self.certified = self.certified, self.certificate()
        return before != self.certified

    def user_and_password(self):
        settings = properties(self.bundle / "librdkafka.conf")
        return settings["sasl.username"], settings["sasl.password"]


class Producer:
    """Values of one producer: a name for each session with the cluster, numbers that rise."""

    def __init__(self, task):
        self.task, self.session, self.number = task, 0, 0

    def next_session(self):
        self.session += 1
        self.number = 0

    def burst(self):
        """A partition, and values for it, which are noted as produced."""
        rng = self.task.rng
        topic, partition = rng.choice(self.task.partitions)
        values = []
        for _ in range(rng.choice((1, 1, 5, 20, 40))):
            self.number += 1
            values.append(f"{self.task.name}/{self.session}:{self.number}")
        self.task.journal.note("produce", tp=f"{topic}/{partition}", v=values)
        return topic, partition, values


class Seen:
    """What a reader was handed: noted as read, then ready to be committed."""

    def __init__(self, task):
        self.task, self.next = task, {}

    def assigned(self, partitions):
        self.task.journal.note("assign", tps=[f"{topic}/{number}" for topic, number in partitions])

    def rows(self, rows):
        by = {}
        for topic, partition, offset, value in rows:
            by.setdefault((topic, partition), []).append([offset, value.decode().split(" ", 1)[0]])
        for (topic, partition), found in by.items():
            self.task.journal.note("read", tp=f"{topic}/{partition}", rows=found)
            self.next[topic, partition] = found[-1][0] + 1

    def committing(self):
        at = dict(self.next)
        self.next.clear()
        return at, now()

    def committed(self, at, started, error=None):
        places = {f"{topic}/{number}": offset for (topic, number), offset in at.items()}
        outcome = {} if error is None else {"why": str(error)}
        self.task.journal.note("commit", g=self.task.role["group"], at=places, ok=error is None, **{"from": started},
                               **outcome)


def main():
    task = Task(*sys.argv[1:3])
    importlib.import_module(f"history.with_{task.role['client']}").run(task)
    task.journal.note("end")
    task.journal.close()
    # Threads of a client that still waits for the server need not.
    os._exit(0)


if __name__ == "__main__":
    main()
