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
    "synced-1k": ("Produce of one record of 1 KiB, acks=all, four connections", None),
    "synced-64k": ("Produce of batches of 64 KiB, acks=all, four connections", None),
    "flushed-1k": ("Produce of one record of 1 KiB, acks=all, four connections, flush.messages=1", None),
    "flushed-64k": ("Produce of batches of 64 KiB, acks=all, four connections, flush.messages=1", None),
    "acked-1k": ("time until a record of 1 KiB is acknowledged, acks=all, flush.messages=1", None),
    "fetch-1k": ("Fetch of one record of 1 KiB", None),
    "fetch-64k": ("Fetch of batches of 64 KiB", None),
    "fetch-1m": ("Fetch of batches of 1 MB", None),
    "loaded": ("memory at its highest, after all of this", None),
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
        if last.second is not None:
            middle += f" / {number(statistics.median([figure.second for figure in figures]))}"
        lines.append(f"| {what} | {middle} | {between} | {last.unit} | {target or '-'} | {last.beside} |")
    return "\n".join(lines)


#: Ways to the same work, in the order of the page.
OURS = "Kastellan with its own log"
KAFKA = "Apache Kafka"
IN_CLEAR = "Apache Kafka in clear text"
BOTH = "Kastellan and Apache Kafka behind it"
FRONT = "of these two, Kastellan"
SOCAT = "socat"


def comparison(columns: dict[str, list[Figure]]) -> str:
    """A row a measure, a column a way; in brackets the ratio to Apache Kafka."""
    known = {column: {figure.measure: figure for figure in figures} for column, figures in columns.items()}
    lines = ["| measure | unit | " + " | ".join(columns) + " |", "|---|---|" + "---|" * len(columns)]
    for name, base in known[KAFKA].items():
        cells = []
        for column in columns:
            figure = known[column].get(name)
            cells.append("-" if figure is None else f"{value(figure)} ({figure.value / base.value:.2f})")
        lines.append(f"| {ROWS[name][0]} | {base.unit} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def value(figure: Figure) -> str:
    return number(figure.value) + (f" / {number(figure.second)}" if figure.second is not None else "")


PEERS = """
## Beside others

The same load in the same run, one after the other. Apache Kafka with TLS 1.3, SCRAM-SHA-512 and its own authorizer, with the
JVM settings of its own start scripts; the same in clear text, without logins; Kastellan (TLS 1.3, SCRAM-SHA-512, rules) in
front of the same Kafka in clear text, the time of both and its own part; socat carrying clear text to Kafka without looking
at it, only its own time: the floor of one more hop. In brackets: times the figure of Apache Kafka with TLS.

{table}

Kastellan's own log seals every record and syncs every write to the disk, and answers acks=all only then. Apache Kafka does
neither by default: its rows of acks=all are answered from memory, except those of topics with `flush.messages=1`, where it
syncs each batch. Memory of a JVM is mostly its heap of 1 GB: an idle connection hardly shows in it.
"""


def page(
    rounds: list[list[Figure]], beside: dict[str, list[Figure]], how: str, seconds: float, versions: list[str], floor: str
) -> str:
    return f"""# Performance

Measured by `bench/run --peers --write`; do not edit. The headline is processor time of the server per unit of work (user and
system, all threads): other programs on the machine and the load generator move it little. The rates beside it are what
one connection of the generator reached, not what the server can do. What stands between a figure and its target is told in
[the design of cost](../design/0002-cost.md).

{table(rounds)}

Conditions: {how}; embedded log, sealed, records not compressed; five Produce requests in flight, one Fetch; everything
on one machine over loopback; {len(rounds)} round(s) of {seconds:g} s a measure. {machine()}. {"; ".join(versions)}; commit
{commit()}. {floor}

A target is what the design asks for on two such cores with the server alone on one of them. "-": none set for the
gateway with the embedded log behind it.
{PEERS.format(table=comparison(beside)) if beside else ""}"""


def machine() -> str:
    model, cores = "unknown processor", 0
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model, cores = line.split(":", 1)[1].strip(), cores + 1
    return f"{cores} x {model}, Linux {platform.release().split('-')[0]}"


def commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=Path(__file__).parent)
    return done.stdout.strip() or "unknown"
