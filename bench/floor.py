"""What the machine itself takes: the least that anybody pays who keeps records in files here.

In: a folder. Out: facts for a person; they are no measure of a server.
"""

import os
import tempfile
import time

from measures import median_and_late

WRITTEN = 512 << 20
AT_ONCE = 1 << 20
SYNCS = 300
SMALL = 1_100


def copied() -> float:
    """CPU-s for a GB that write(2) alone takes into the kernel's memory, from where it reaches the disk later."""
    with tempfile.TemporaryFile(prefix="kastellan-bench-") as file:
        piece = os.urandom(AT_ONCE)
        before = os.times()
        for at in range(0, WRITTEN, AT_ONCE):
            os.pwrite(file.fileno(), piece, at)
        after = os.times()
    return (after.user + after.system - before.user - before.system) / WRITTEN * 1e9


def synced() -> tuple[float, float]:
    """Milliseconds of fdatasync(2) after 1,100 bytes were added to a file: median and 99th percentile."""
    taken = []
    with tempfile.TemporaryFile(prefix="kastellan-bench-") as file:
        for number in range(SYNCS):
            os.pwrite(file.fileno(), os.urandom(SMALL), number * SMALL)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - began) * 1_000)
    return median_and_late(taken)


def sentence() -> str:
    middle, late = synced()
    return (
        f"The machine itself, in the same run: write(2) of a GB into the kernel's memory takes {copied():.2f} CPU-s, whoever "
        f"does it; fdatasync(2) after 1,100 bytes added to a file takes {middle:.2f} ms (99 %: {late:.2f} ms)."
    )
