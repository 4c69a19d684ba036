"""Starting Kastellan in a directory of its own, and reading what a process has used."""

import json
import os
import secrets
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from client import Connection, Target

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids) -> float:
    """User and system time of the processes and of the children they have now, all threads."""
    total = 0
    children = (Path(f"/proc/{pid}/task/{pid}/children").read_text().split() for pid in pids)
    for pid in (*pids, *(child for those in children for child in those)):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def resident(pids) -> int:
    """Resident memory in bytes."""
    return _memory(pids, "VmRSS:")


def peak(pids) -> int:
    """Resident memory at its highest, in bytes."""
    return _memory(pids, "VmHWM:")


def _memory(pids, kind: str) -> int:
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(kind):
                total += int(line.split()[1]) * 1024
    return total


#: The load comes from one address: what protects a server from that is out of the way.
CONFIG = """
[gateway.limits]
max_connections_per_ip = 10000
max_connections_per_principal = 10000
accept_rate_per_ip = 100000
accept_rate = 100000
"""


#: In front of another server; a connection then takes two descriptors.
UPSTREAM = """max_connections = 2000

[gateway.upstream]
bootstrap = "{at}"
insecure_upstream_plaintext = true
"""


class Kastellan:
    """A server with one user, `bench`, who may do what the measures need and nothing else."""

    def __init__(self, binary: Path, upstream: Target | None = None):
        """With an upstream, the gateway stands in front of it; else of its own log."""
        self.binary = binary
        self.home = tempfile.TemporaryDirectory(prefix="kastellan-bench-")
        self.data = Path(self.home.name) / "data"
        self.ready = Path(self.home.name) / "ready.json"
        self.password = secrets.token_urlsafe(18)
        self.password_file = Path(self.home.name) / "password"
        self.password_file.touch(mode=0o600)
        self.password_file.write_text(self.password + "\n")
        self.config = Path(self.home.name) / "kastellan.toml"
        self.config.write_text(CONFIG if upstream is None else CONFIG + UPSTREAM.format(at=f"{upstream.host}:{upstream.port}"))
        self.process = None
        self.facts = {}

    def __enter__(self):
        self.start()
        self._cli("user", "add", "bench", "--password-file", str(self.password_file))
        for operation in ("Create", "Delete", "Describe", "Read", "Write"):
            self._cli("rule", "add", "allow", "User:bench", operation, "topic:bench.*")
        return self

    def __exit__(self, *_):
        self.stop()
        self.home.cleanup()

    def start(self):
        """Starts the server and waits until it says that it is ready."""
        self.ready.unlink(missing_ok=True)
        command = [self.binary, "up", "--data", self.data, "--ready-file", self.ready]
        for listener in ("--bind-kafka", "--bind-kafka-mtls", "--bind-ops"):
            command += [listener, "127.0.0.1:0"]
        command += ["--admin-password-file", self.password_file, "--config", self.config]
        log = open(Path(self.home.name) / "log", "ab")
        self.process = subprocess.Popen(command, stdout=log, stderr=log)
        log.close()
        deadline = time.monotonic() + 20
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the server did not start:\n{(Path(self.home.name) / 'log').read_text()}")
            time.sleep(0.0005)

    def _is_ready(self) -> bool:
        try:
            self.facts = json.loads(self.ready.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return False
        return True

    def starts(self, rounds: int = 20) -> list[float]:
        """Milliseconds from exec to the first answer over TLS, again and again."""
        taken = []
        for _ in range(rounds):
            self.stop()
            began = time.monotonic()
            self.start()
            with Connection(Target(self.target().host, self.target().port, (), self.facts["ca"])) as connection:
                connection.api_versions()
            taken.append((time.monotonic() - began) * 1_000)
        return taken

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
            self.process = None

    def target(self) -> Target:
        host, port = self.facts["kafka"].rsplit(":", 1)
        return Target(host, int(port), (self.process.pid,), self.facts["ca"], "bench", self.password)

    def version(self) -> str:
        done = subprocess.run([self.binary, "--version"], capture_output=True, text=True)
        return done.stdout.strip()

    def _cli(self, *arguments: str):
        done = subprocess.run([self.binary, "--data", self.data, *arguments], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"kastellan {' '.join(arguments)}: {done.stderr}")
