"""Who is asked: Kastellan, an Apache Kafka node, librdkafka's mock cluster.

Each gives lines: `main` is whom the cases speak as, `admin` who may do everything; other names are further connections of
the same principal as `main`.
"""

import pathlib
import subprocess
import sys

from kafka_node import KafkaNode
from lib import CONFIG, Server, free_ports

from .line import Line

PASSWORD = "a quick brown fox"
EVERYTHING = ("All topic:*", "All group:*", "All txn:*", "All cluster")
LISTENER = '[[gateway.listener]]\nname = "{}"\nbind = "{}"\nprotocol = "insecure_{}"\n{}\n'
SETTINGS = """
listeners=PLAINTEXT://127.0.0.1:{port},SASL://127.0.0.1:{sasl},SIX://[::1]:{six},AGING://127.0.0.1:{aging},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL://127.0.0.1:{sasl},SIX://[::1]:{six},AGING://127.0.0.1:{aging}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,SIX:SASL_PLAINTEXT,AGING:SASL_PLAINTEXT
inter.broker.listener.name=PLAINTEXT
auto.create.topics.enable=false
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
sasl.enabled.mechanisms=SCRAM-SHA-512,SCRAM-SHA-256
listener.name.aging.connections.max.reauth.ms=2500
"""
JAAS = "listener.name.{}.{}.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;\n"


class Peer:
    """Addresses, and the user that `main` is, if it is one."""

    def __init__(self, name, plain, sasl=None, seconds=12, **others):
        self.name, self.plain, self.sasl, self.seconds, self.others = name, plain, sasl, seconds, others
        self.user = None
        # Where whoever may do everything reaches the server of `aging`.
        self.door = plain
        # Keys that are compared where all are told: those that Kastellan offers.
        self.offered = set()
        addresses = [plain, *([sasl] if sasl else []), *others.values()]
        self.ports = {int(address.rsplit(":", 1)[1]) for address in addresses}

    def line(self, name):
        if self.user is None or name == "admin":
            return Line(self.plain, seconds=self.seconds)
        return Line(self.sasl, (self.user, PASSWORD), seconds=self.seconds)


class Node(KafkaNode):
    """An Apache Kafka node with its own authorizer; ANONYMOUS, on the plain listener, may do everything."""

    def text(self, port, controller):
        self.sasl, self.six, self.aging = free_ports(3)
        more = SETTINGS.format(port=port, controller=controller, sasl=self.sasl, six=self.six, aging=self.aging)
        logins = [
            JAAS.format(listener, f"scram-sha-{size}") for listener in ("sasl", "six", "aging") for size in (256, 512)
        ]
        return super().text(port, controller) + more + "".join(logins)


class Kafka:
    def __enter__(self):
        self.node = Node()
        node = self.node.__enter__()
        self.peer = Peer(
            "Kafka", node.address, f"127.0.0.1:{node.sasl}", six=f"[::1]:{node.six}", aging=f"127.0.0.1:{node.aging}"
        )
        return self.peer

    def __exit__(self, *_):
        self.node.__exit__()


class Kastellan:
    """The embedded log behind the gateway, with listeners as the node has them."""

    def __enter__(self):
        plain, sasl, six, aging, door = free_ports(5)
        scram = 'mechanisms = ["SCRAM-SHA-256", "SCRAM-SHA-512"]'
        listeners = [
            LISTENER.format("plain", f"127.0.0.1:{plain}", "plaintext", ""),
            LISTENER.format("scram", f"127.0.0.1:{sasl}", "sasl_plaintext", scram),
            LISTENER.format("six", f"[::1]:{six}", "sasl_plaintext", scram),
        ]
        config = ("".join(listeners) + CONFIG).replace("[log]\n", "[log]\nauto_create_topics = false\n")
        self.server = Server(config).__enter__()
        # How long a session lives is a setting of the whole gateway, so that this is another server.
        life = f'[gateway.deadlines]\nsession_max = "2500ms"\n\n{CONFIG[CONFIG.index("[gateway.limits]"):]}'
        listener = LISTENER.format("aging", f"127.0.0.1:{aging}", "sasl_plaintext", scram)
        listener += LISTENER.format("plain", f"127.0.0.1:{door}", "plaintext", "")
        self.aging = Server(listener + life).__enter__()
        for server in (self.server, self.aging):
            server.allow("ANONYMOUS", *EVERYTHING)
        self.peer = Peer(
            "ours", f"127.0.0.1:{plain}", f"127.0.0.1:{sasl}", six=f"[::1]:{six}", aging=f"127.0.0.1:{aging}"
        )
        self.peer.door = f"127.0.0.1:{door}"
        return self.peer

    def __exit__(self, *_):
        self.server.__exit__()
        self.aging.__exit__()


class Mock:
    """librdkafka's mock cluster, in a process of its own: it ends at bytes that it does not expect."""

    def __enter__(self):
        program = pathlib.Path(__file__).with_name("mock.py")
        self.process = subprocess.Popen(
            [sys.executable, program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.peer = Peer("mock", self.process.stdout.readline().strip(), seconds=2)
        self.peer.cluster = self
        return self.peer

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def make(self, topic, partitions):
        self.process.stdin.write(f"{topic} {partitions}\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def is_there(self):
        return self.process.poll() is None
