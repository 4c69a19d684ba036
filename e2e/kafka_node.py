"""One Apache Kafka node, in clear text on loopback, from the jars that the Java cases use."""

import base64
import os
import pathlib
import shutil
import subprocess
import tempfile

from confluent_kafka.admin import AdminClient

from lib import Failed, free_ports, until

LIBRARIES = pathlib.Path(__file__).resolve().parent / "peers/java/target/libs"
JAVA = ["java", "-Xms64m", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"]
SETTINGS = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={home}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=6000
num.network.threads=2
num.io.threads=4
auto.create.topics.enable=true
"""


class KafkaNode:
    process = None

    def __enter__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="kastellan-kafka-"))
        try:
            self.prepare()
        except BaseException:
            self.__exit__()
            raise
        return self

    def prepare(self):
        """Formats its folder and starts it."""
        port, controller = free_ports(2)
        self.address = f"127.0.0.1:{port}"
        self.settings = self.home / "server.properties"
        self.settings.write_text(self.text(port, controller))
        cluster = base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=").replace("-", "A")
        done = subprocess.run(self.java("kafka.tools.StorageTool", "format", "-t", cluster, "-c", self.settings,
                                        *self.format_words()), capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise Failed(f"Apache Kafka's format: {done.stdout} {done.stderr}")
        self.start()

    def text(self, port, controller):
        """The file of settings."""
        return SETTINGS.format(home=self.home, port=port, controller=controller)

    def format_words(self):
        """What more the format of its folder is told."""
        return ()

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.home, ignore_errors=True)

    def java(self, *words):
        return [*JAVA, f"-Djava.io.tmpdir={self.home}", "-cp", f"{LIBRARIES}/*", *map(str, words)]

    def start(self):
        log = open(self.home / "node.log", "ab")
        self.process = subprocess.Popen(self.java("kafka.Kafka", self.settings), stdout=log, stderr=log, cwd=self.home)
        admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})

        def answers():
            if self.process.poll() is not None:
                raise Failed("Apache Kafka ended: " + (self.home / "node.log").read_text(errors="replace")[-2000:])
            try:
                return admin.list_topics(timeout=2).brokers
            except Exception:
                return None

        until(60, "Apache Kafka answers", answers)

    def stop(self):
        self.process.terminate()
        self.process.wait(30)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
