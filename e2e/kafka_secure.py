"""An Apache Kafka node with TLS, SCRAM, certificates and its own authorizer: what a suite meets without Kastellan.

Out: an address and property files of a client that may do everything and of one that may do nothing, as
`e2e/foreign` makes them for Kastellan. The clear-text listener of `kafka_node` stays, for the tests to look behind.
"""

import secrets
import subprocess

from confluent_kafka.admin import (AclBinding, AclOperation, AclPermissionType, AdminClient, ResourcePatternType,
                                   ResourceType)

from kafka_node import KafkaNode
from lib import Failed, free_ports

SECURE = """
listeners=PLAINTEXT://127.0.0.1:{port},SASL_SSL://127.0.0.1:{sasl},SSL://127.0.0.1:{ssl},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL_SSL://127.0.0.1:{sasl},SSL://127.0.0.1:{ssl}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512,SCRAM-SHA-256,PLAIN
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required {plain};
ssl.keystore.type=PEM
ssl.keystore.location={home}/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location={home}/ca.pem
listener.name.ssl.ssl.client.auth=required
ssl.principal.mapping.rules=RULE:^CN=([^,]*).*$/$1/,DEFAULT
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS{super_users}
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
transaction.state.log.num.partitions=4
group.share.enable=true
"""
EVERYTHING = ((ResourceType.TOPIC, "*"), (ResourceType.GROUP, "*"), (ResourceType.BROKER, "kafka-cluster"),
              (ResourceType.TRANSACTIONAL_ID, "*"))


class SecureKafkaNode(KafkaNode):
    def __init__(self, changes=None, features=None, super_user=False):
        self.changes, self.features, self.super_user = changes or {}, features or {}, super_user
        self.passwords = {name: secrets.token_hex(12) for name in ("suite", "denied")}

    def prepare(self):
        super().prepare()
        if not self.super_user:
            self.allow("suite")

    def text(self, port, controller):
        self.certificates()
        sasl, ssl = free_ports(2)
        self.sasl, self.mtls = f"127.0.0.1:{sasl}", f"127.0.0.1:{ssl}"
        more = SECURE.format(home=self.home, port=port, controller=controller, sasl=sasl, ssl=ssl,
                             super_users=";User:suite" if self.super_user else "",
                             plain=" ".join(f'user_{name}="{word}"' for name, word in self.passwords.items()))
        changes = "".join(f"{key}={value}\n" for key, value in self.changes.items())
        return super().text(port, controller) + more + changes

    def format_words(self):
        words = []
        for name, password in self.passwords.items():
            for mechanism in ("SCRAM-SHA-512", "SCRAM-SHA-256"):
                words += ["-S", f"{mechanism}=[name={name},password={password}]"]
        for feature, level in self.features.items():
            words += ["--feature", f"{feature}={level}"]
        return words

    def certificates(self):
        """One CA, a certificate of the node, one of each client."""
        def openssl(*words):
            done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, cwd=self.home)
            if done.returncode:
                raise Failed(f"openssl: {done.stderr}")

        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        openssl("req", "-x509", *curve, "-days", "2", "-subj", "/CN=e2e CA", "-keyout", "ca.key", "-out", "ca.pem")
        for name in ("broker", *self.passwords):
            (self.home / "extensions").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
            openssl("req", "-new", *curve, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", "request")
            openssl("x509", "-req", "-in", "request", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                    "-days", "2", "-extfile", "extensions", "-out", "certificate")
            parts = (f"{name}.key", "certificate", "ca.pem")
            (self.home / f"{name}.pem").write_text("".join((self.home / part).read_text() for part in parts))

    def allow(self, user):
        admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        rules = [AclBinding(kind, name, ResourcePatternType.LITERAL, f"User:{user}", "*", AclOperation.ALL,
                            AclPermissionType.ALLOW) for kind, name in EVERYTHING]
        for done in admin.create_acls(rules).values():
            done.result(20)

    def client_files(self):
        """Property files as Java reads them."""
        paths = []
        for name, password in self.passwords.items():
            module = "org.apache.kafka.common.security.scram.ScramLoginModule"
            path = self.home / f"{name}.properties"
            path.write_text("".join(f"{line}\n" for line in (
                f"bootstrap.servers={self.sasl}", "security.protocol=SASL_SSL", "sasl.mechanism=SCRAM-SHA-512",
                f'sasl.jaas.config={module} required username="{name}" password="{password}";',
                "ssl.truststore.type=PEM", f"ssl.truststore.location={self.home}/ca.pem")))
            paths.append(path)
        return paths
