"""What a process of the history saw, one line an event. Each process writes its own file and reads no other.

In: events as keywords. Out: `NAME.jsonl`; `t` is the system's monotonic clock in ns, which all processes share. `check.py`
says what the events mean.
"""

import json
import threading
import time


def now():
    return time.monotonic_ns()


class Journal:
    def __init__(self, folder, name):
        self.file = open(folder / f"{name}.jsonl", "w", buffering=1 << 16)
        self.lock = threading.Lock()
        self.flushed = now()

    def note(self, event, **fields):
        line = json.dumps({"e": event, "t": now(), **fields}, separators=(",", ":"))
        with self.lock:
            self.file.write(line + "\n")
            if now() - self.flushed > 1_000_000_000:
                self.flush()

    def flush(self):
        self.file.flush()
        self.flushed = now()

    def close(self):
        with self.lock:
            self.file.close()
