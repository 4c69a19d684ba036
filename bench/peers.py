"""What Kastellan is measured beside: Apache Kafka itself, and socat as the floor of one more hop.

Kafka's jars are those of the whole-binary tests (`./test e2e` fetches them). Everything listens on loopback and ends with
the measure.
"""

import base64
import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from client import Connection, Refused, Target

JARS = Path(__file__).resolve().parent.parent / "e2e/peers/java/target/libs"
#: As Kafka's own start scripts set them (kafka-server-start.sh, kafka-run-class.sh).
JVM = (
    "-Xmx1G -Xms1G -server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 "
    "-XX:+ExplicitGCInvokesConcurrent -XX:MaxInlineLevel=15 -Djava.awt.headless=true"
).split()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


class Kafka:
    """One node of Apache Kafka: clear text, and TLS with SCRAM-SHA-512; its own authorizer with ACLs for `bench`."""

    def __init__(self):
        if not JARS.is_dir():
            raise SystemExit("Apache Kafka is not here yet: ./test e2e fetches it")
        self.home = tempfile.TemporaryDirectory(prefix="kastellan-bench-kafka-")
        self.dir = Path(self.home.name)
        self.password = secrets.token_urlsafe(18)
        self.plain, self.sasl, self.controller = free_port(), free_port(), free_port()
        self.process = None

    def __enter__(self):
        self._certificate()
        (self.dir / "server.properties").write_text(self._properties())
        identity = base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=").replace("-", "A")
        self._java(
            "kafka.tools.StorageTool", "format", "-t", identity, "-c", self.dir / "server.properties",
            "-S", f"SCRAM-SHA-512=[name=bench,password={self.password}]",
        )
        self._start()
        self._wait()
        self._allow()
        return self

    def __exit__(self, *_):
        self._stop()
        self.home.cleanup()

    def _start(self):
        with open(self.dir / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["java", *JVM, "-cp", f"{JARS}/*", "kafka.Kafka", self.dir / "server.properties"], stdout=log, stderr=log,
            )

    def _stop(self):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        self.process.kill()
        self.process.wait()

    def starts(self, rounds: int = 3) -> list[float]:
        """Milliseconds from exec to the first answer over TLS, again and again."""
        taken = []
        for _ in range(rounds):
            self._stop()
            began = time.monotonic()
            self._start()
            self._until_it_answers(Target("127.0.0.1", self.sasl, (), str(self.dir / "ca.pem")))
            taken.append((time.monotonic() - began) * 1_000)
        self._wait()
        return taken

    def _until_it_answers(self, anybody: Target):
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, Refused):
                with Connection(anybody) as connection:
                    return connection.api_versions()
            time.sleep(0.01)
        raise SystemExit("Apache Kafka does not answer over TLS")

    @staticmethod
    def version() -> str:
        java = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr.splitlines()
        found = [jar.stem.rsplit("-", 1)[1] for jar in JARS.glob("kafka_2.13-*.jar")]
        return f"Apache Kafka {found[0] if found else 'unknown'} on {java[0] if java else 'an unknown Java'}"

    @property
    def in_clear(self) -> Target:
        return Target("127.0.0.1", self.plain, (self.process.pid,))

    @property
    def secured(self) -> Target:
        return Target("127.0.0.1", self.sasl, (self.process.pid,), str(self.dir / "ca.pem"), "bench", self.password)

    def _java(self, main: str, *words, timeout=120):
        command = ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{JARS}/*", main, *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
        if done.returncode != 0:
            raise SystemExit(f"{main}: {done.stdout[-1000:]}{done.stderr[-1000:]}")

    def _certificate(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", self.dir / "key.pem", "-out", self.dir / "ca.pem"],
            check=True, capture_output=True,
        )
        store = self.dir / "broker.pem"
        store.touch(mode=0o600)
        store.write_text((self.dir / "key.pem").read_text() + (self.dir / "ca.pem").read_text())

    def _properties(self) -> str:
        scram = f'org.apache.kafka.common.security.scram.ScramLoginModule required username="bench" password="{self.password}";'
        return f"""
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{self.controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{self.plain},SASL_SSL://127.0.0.1:{self.sasl},CONTROLLER://127.0.0.1:{self.controller}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL
inter.broker.listener.name=PLAINTEXT
log.dirs={self.dir}/data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
ssl.keystore.type=PEM
ssl.keystore.location={self.dir}/broker.pem
ssl.enabled.protocols=TLSv1.3
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={scram}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=false
"""

    def _wait(self):
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise SystemExit((self.dir / "log").read_text()[-3000:])
            with contextlib.suppress(OSError, Exception):
                with Connection(self.in_clear) as connection:
                    connection.create_topic(f"bench.ready-{time.time_ns()}")
                return
            time.sleep(0.3)
        raise SystemExit("Apache Kafka does not answer")

    def _allow(self):
        """The same rights as the rules that `bench` has with Kastellan."""
        operations = [word for name in ("Create", "Delete", "Describe", "Read", "Write") for word in ("--operation", name)]
        self._java(
            "org.apache.kafka.tools.AclCommand" if self._has_tool() else "kafka.admin.AclCommand",
            "--bootstrap-server", f"127.0.0.1:{self.plain}", "--add", "--allow-principal", "User:bench", *operations,
            "--topic", "bench.", "--resource-pattern-type", "prefixed",
        )

    @staticmethod
    def _has_tool() -> bool:
        return any("kafka-tools" in jar.name for jar in JARS.iterdir())


class Socat:
    """Carries bytes to a target and looks at none of them."""

    def __init__(self, to: Target):
        self.to = to
        self.port = free_port()
        self.process = None

    def __enter__(self):
        if shutil.which("socat") is None:
            raise SystemExit("socat is not installed")
        self.process = subprocess.Popen(
            ["socat", "-b65536", f"TCP-LISTEN:{self.port},bind=127.0.0.1,fork,nodelay", f"TCP:{self.to.host}:{self.to.port},nodelay"]
        )
        time.sleep(0.3)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    @property
    def target(self) -> Target:
        return Target("127.0.0.1", self.port, (self.process.pid,))

    @staticmethod
    def version() -> str:
        done = subprocess.run(["socat", "-V"], capture_output=True, text=True)
        words = [line for line in done.stdout.splitlines() if line.startswith("socat version")]
        return words[0].split(" on ")[0] if words else "socat"
