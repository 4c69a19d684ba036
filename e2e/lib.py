"""A server for tests, and its command line. Standard library only."""

import contextlib
import dataclasses
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = pathlib.Path(os.environ.get("KASTELLAN_BIN", ROOT / "target/release/kastellan"))
ADMIN_PASSWORD = "correct horse battery staple"

CONFIG = """
[[gateway.listener]]
name = "sasl"
bind = "127.0.0.1:0"
mechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]

[[gateway.listener]]
name = "mtls"
bind = "127.0.0.1:0"
protocol = "ssl"

[gateway.limits]
accept_rate_per_ip = 2000
accept_rate = 2000

[log]
initial_rebalance_delay = "0ms"
min_free = "1MiB"

[ops]
bind = "127.0.0.1:0"
"""


class Failed(AssertionError):
    """What a case expected did not happen."""


def check(condition, what):
    if not condition:
        raise Failed(what)


def until(seconds, what, probe):
    """Waits for `probe` to give something true, and gives it back."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = probe()
        if found:
            return found
        time.sleep(0.05)
    raise Failed(f"not within {seconds} s: {what}")


def free_ports(count):
    """Ports below the range that the system gives to connections, so that a server finds its own again."""
    found = []
    while len(found) < count:
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", random.randrange(20000, 32000)))
            found.append(one.getsockname()[1])
    return found


class Server:
    """A server in a directory of its own."""

    # Seconds that a start may take.
    patience = 20

    def __init__(self, config=CONFIG, pinned=False):
        """`pinned` keeps the ports over restarts, so that clients find the server again."""
        if pinned:
            for port in free_ports(config.count('"127.0.0.1:0"')):
                config = config.replace('"127.0.0.1:0"', f'"127.0.0.1:{port}"', 1)
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="kastellan-e2e-"))
        self.data = self.home / "data"
        self.config = self.home / "kastellan.toml"
        self.config.write_text(config)
        (self.home / "password").write_text(ADMIN_PASSWORD + "\n")
        self.process = None
        self.environment = None
        self.output = ""
        self.ready = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.home, ignore_errors=True)

    def command(self):
        return [
            BINARY, "up", "--data", self.data, "--config", self.config, "--ready-file", self.home / "ready.json",
            "--admin-password-file", self.home / "password",
        ]

    def begin(self):
        """Starts without waiting for anything."""
        (self.home / "ready.json").unlink(missing_ok=True)
        self.log = open(self.home / "server.log", "ab")
        self.process = subprocess.Popen(self.command(), stdout=self.log, stderr=self.log, cwd=self.home,
                                        env=self.environment)

    def start(self):
        self.begin()
        ready = self.home / "ready.json"
        end = time.monotonic() + self.patience
        while not ready.exists():
            if self.process.poll() is not None or time.monotonic() > end:
                raise Failed("the server did not start:\n" + self.log_text()[-3000:])
            time.sleep(0.01)
        self.ready = json.loads(ready.read_text())

    def log_text(self):
        return (self.home / "server.log").read_text(errors="replace")

    def stop(self):
        """Asks the server to stop, as an operator would."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=40)
        check(status == 0, f"stopped with status {status}:\n{self.log_text()[-2000:]}")

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def cli(self, *words, status=0, stdin=None):
        """Runs a command; gives its standard output."""
        done = subprocess.run(
            [BINARY, "--data", self.data, *map(str, words)], capture_output=True, text=True, timeout=60,
            input=stdin, cwd=self.home,
        )
        check(
            done.returncode == status,
            f"{words} ended with {done.returncode}, not {status}: {done.stdout} {done.stderr}",
        )
        return done.stdout if status in (0, 1) else done.stderr

    def json(self, *words):
        return json.loads(self.cli(*words, "--json"))

    def allow(self, user, *rules):
        """Adds rules written `Read,Write topic:t`."""
        for rule in rules:
            operations, resource = rule.split(" ", 1)
            self.cli("rule", "add", "allow", f"User:{user}", operations, resource)

    def client(self, name, *rules):
        """Adds a service; gives the folder of its files."""
        folder = self.home / name
        self.cli("client", "add", name, "--kafka", "--out", folder)
        self.allow(name, *rules)
        return folder

    @property
    def kafka(self):
        return self.ready["kafka"]

    @property
    def mtls(self):
        return self.ready["kafka_mtls"]


def properties(path):
    """A file of key=value lines."""
    lines = (line for line in pathlib.Path(path).read_text().splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


def librdkafka(folder, **changes):
    """The settings of a bundle for confluent-kafka."""
    settings = properties(folder / "librdkafka.conf")
    settings["ssl.ca.location"] = str(folder / "ca.pem")
    settings.update({name.replace("_", "."): value for name, value in changes.items()})
    return settings


def other_ca(home):
    """A CA that signed nothing here."""
    path = home / "other-ca.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=other", "-keyout", home / "other-key.pem", "-out", path],
        check=True, capture_output=True,
    )
    return path


@dataclasses.dataclass
class Doors:
    """A server, a service `app` with its files, and what is wrong at the door."""

    server: Server
    app: pathlib.Path
    other_ca: pathlib.Path
    elsewhere: str
    revoked: pathlib.Path


@contextlib.contextmanager
def doors(*rules):
    """What every client is refused with: another CA, an address that no certificate names, a revoked certificate."""
    with Server() as server:
        app = server.client("app", *rules)
        left = server.client("left", *rules)
        revoked = server.home / "revoked.pem"
        revoked.write_bytes((left / "client.pem").read_bytes())
        server.cli("client", "rotate", "left", "--out", left)
        with relay("127.0.0.2", server.kafka) as elsewhere:
            yield Doors(server, app, other_ca(server.home), elsewhere, revoked)


@contextlib.contextmanager
def relay(host, target):
    """Hands connections to `host` on to `target`: an address that the server's certificate does not name."""
    listener = socket.create_server((host, 0))
    ends = []

    def carry(source, sink):
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                sink.sendall(chunk)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                address, port = target.rsplit(":", 1)
                far = socket.create_connection((address, int(port)))
                ends.extend((near, far))
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=carry, args=pair, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"{host}:{listener.getsockname()[1]}"
    finally:
        for one in (listener, *ends):
            one.close()
