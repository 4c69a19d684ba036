"""Tables of figures, and the page of the reference that is made from them."""

import platform
import statistics
import subprocess
from pathlib import Path

from measures import Figure

#: What is measured, and what it should not exceed; None: no target.
ROWS = {
    "start": ("exec to the first answer over TLS", "<= 50"),
    "memory": ("memory, ready, no clients", "<= 15"),
    "idle": ("memory of an idle connection that is logged in", "<= 25"),
    "logins": ("TLS 1.3 and SCRAM-SHA-512 logins", ">= 1 000"),
    "produce-1k": ("Produce of one record of 1 KiB, acks=1", "<= 27"),
    "produce-64k": ("Produce of batches of 64 KiB, acks=1", None),
    "produce-1m": ("Produce of batches of 1 MB, acks=1", None),
    "fetch-1k": ("Fetch of one record of 1 KiB", None),
    "fetch-64k": ("Fetch of batches of 64 KiB", None),
    "fetch-1m": ("Fetch of batches of 1 MB", None),
}


def table(rounds: list[list[Figure]]) -> str:
    """One row a measure: the median of the rounds, the range, and what was seen in the last one."""
    lines = ["| measure | median | range | unit | target | beside |", "|---|---|---|---|---|---|"]
    for figures in zip(*rounds):
        last = figures[-1]
        values = [figure.value for figure in figures]
        what, target = ROWS[last.measure]
        between = f"{number(min(values))} to {number(max(values))}" if len(values) > 1 else "-"
        middle = number(statistics.median(values))
        lines.append(f"| {what} | {middle} | {between} | {last.unit} | {target or '-'} | {last.beside} |")
    return "\n".join(lines)


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def page(rounds: list[list[Figure]], how: str, seconds: float) -> str:
    return f"""# Performance

Measured by `bench/run --write`; do not edit. The headline is processor time of the server per unit of work (user and
system, all threads): other programs on the machine and the load generator move it little. The rates beside it are what
one connection of the generator reached, not what the server can do.

{table(rounds)}

Conditions: {how}; embedded log, sealed, records not compressed; five Produce requests in flight, one Fetch; everything
on one machine over loopback; {len(rounds)} round(s) of {seconds:g} s a measure. {machine()}. Commit {commit()}.

A target is what the design asks for on two such cores with the server alone on one of them. "-": none set for the
gateway with the embedded log behind it.
"""


def machine() -> str:
    model, cores = "unknown processor", 0
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model, cores = line.split(":", 1)[1].strip(), cores + 1
    return f"{cores} x {model}, Linux {platform.release().split('-')[0]}"


def commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=Path(__file__).parent)
    return done.stdout.strip() or "unknown"
