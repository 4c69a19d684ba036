"""confluent-kafka (librdkafka)."""

import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AclBinding, AclBindingFilter, AclOperation, AclPermissionType, AdminClient, ConfigResource, NewPartitions, NewTopic,
    OffsetSpec, ResourcePatternType, ResourceType,
)

from cases_server import ALL, consumed, produced
from lib import Server, check, doors, librdkafka, until


def certificate(server, folder, pem):
    """The settings of a bundle for the listener that wants certificates."""
    settings = {"bootstrap.servers": server.mtls, "security.protocol": "SSL", "ssl.ca.location": str(folder / "ca.pem")}
    return {**settings, "ssl.certificate.location": str(pem), "ssl.key.location": str(pem)} if pem else settings


def case_produces_and_consumes_with_each_codec():
    with Server() as server:
        settings = librdkafka(server.client("app", *ALL))
        codecs = ("none", "gzip", "snappy", "lz4", "zstd")
        wanted = []
        for codec in codecs:
            values = [f"{codec} {number} {'x' * 500}".encode() for number in range(50)]
            errors, _ = produced(settings, "t", values, **{"compression.type": codec, "linger.ms": 20})
            check(not errors, f"{codec}: {errors[:1]}")
            wanted += values
        check(consumed(settings, "t") == wanted, "each codec comes back")


def case_each_mechanism_and_a_certificate_log_in():
    with Server() as server:
        folder = server.client("app", *ALL)
        for mechanism in ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"):
            errors, _ = produced(librdkafka(folder, sasl_mechanisms=mechanism), "t", [mechanism.encode()])
            check(not errors, f"{mechanism}: {errors}")
        settings = certificate(server, folder, folder / "client.pem")
        check(not produced(settings, "t", [b"certificate"])[0], "a certificate")
        check(len(consumed(settings, "t")) == 4, "and reads")


def first_errors(settings):
    """The code and words that the client's error callback is told first."""
    errors = []
    client = Producer({**settings, "error_cb": errors.append, "reconnect.backoff.ms": 500, "log_level": 0})
    until(10, "an error", lambda: client.poll(0.1) or errors)
    return errors[0].code(), errors[0].str()


def case_what_is_refused_has_its_own_error():
    with doors("Create,Read,Write topic:t") as at:
        mtls = lambda pem: certificate(at.server, at.app, pem)
        rows = [
            ("wrong host name", librdkafka(at.app, bootstrap_servers=at.elsewhere), KafkaError._SSL,
             "certificate verify failed"),
            ("wrong CA", librdkafka(at.app, ssl_ca_location=str(at.other_ca)), KafkaError._SSL,
             "certificate verify failed"),
            ("no certificate", mtls(None), KafkaError._TRANSPORT, "certificate required"),
            ("revoked certificate", mtls(at.revoked), KafkaError._TRANSPORT, "certificate revoked"),
            ("wrong password", librdkafka(at.app, sasl_password="wrong"), KafkaError._AUTHENTICATION,
             "Authentication failed"),
            ("wrong password, PLAIN", librdkafka(at.app, sasl_password="wrong", sasl_mechanisms="PLAIN"),
             KafkaError._AUTHENTICATION, "Authentication failed"),
            ("unknown user", librdkafka(at.app, sasl_username="nobody"), KafkaError._AUTHENTICATION,
             "Authentication failed"),
        ]
        for name, settings, code, words in rows:
            found, said = first_errors(settings)
            # librdkafka reports a failed verification as either, by where in the handshake it sees it.
            codes = (code, KafkaError._TRANSPORT) if code == KafkaError._SSL else (code,)
            check(found in codes and words in said, f"{name}: {found} {said}")


def case_idempotent_producer_keeps_order():
    with Server() as server:
        settings = librdkafka(server.client("app", *ALL))
        values = [f"{number:05}".encode() for number in range(5000)]
        errors, acknowledged = produced(settings, "t", values, **{"enable.idempotence": True, "linger.ms": 5})
        check(not errors and len(acknowledged) == 5000, errors[:3])
        check(consumed(settings, "t") == values, "in order, once")


def case_group_of_two_shares_partitions_and_resumes():
    with Server() as server:
        settings = librdkafka(server.client("app", *ALL))
        admin = AdminClient(settings)
        admin.create_topics([NewTopic("t", 4, 1)])["t"].result(15)
        group = {**settings, "group.id": "g", "auto.offset.reset": "earliest", "session.timeout.ms": 6000}
        members = [Consumer(group), Consumer(group)]
        for member in members:
            member.subscribe(["t"])
        sizes = lambda: [member.poll(0.1) is None and len(member.assignment()) or len(member.assignment()) for member in members]
        until(40, "two partitions each", lambda: sizes() == [2, 2])
        members[1].close()
        until(40, "all four", lambda: (members[0].poll(0.1), len(members[0].assignment()))[1] == 4)
        members[0].close()


def case_offsets_by_time():
    with Server() as server:
        settings = librdkafka(server.client("app", *ALL))
        producer = Producer(settings)
        now = int(time.time() * 1000)
        for number in range(10):
            producer.produce("t", str(number), timestamp=now - 10_000 + number * 1_000)
        producer.flush(15)
        consumer = Consumer({**settings, "group.id": "g"})
        offset = consumer.offsets_for_times([TopicPartition("t", 0, now - 5_500)], 10)[0].offset
        check(offset == 5, offset)
        check(consumer.get_watermark_offsets(TopicPartition("t", 0), 10) == (0, 10), "watermarks")
        consumer.close()


def case_admin_makes_grows_configures_and_deletes_topics():
    with Server() as server:
        admin = AdminClient(librdkafka(server.client("app", *ALL)))
        admin.create_topics([NewTopic("t", 2, 1, config={"retention.ms": "60000"})])["t"].result(15)
        admin.create_partitions([NewPartitions("t", 3)])["t"].result(15)
        check(len(admin.list_topics("t", 10).topics["t"].partitions) == 3, "three partitions")
        resource = ConfigResource(ConfigResource.Type.TOPIC, "t")
        values = admin.describe_configs([resource])[resource].result(15)
        check(values["retention.ms"].value == "60000", values["retention.ms"])
        again = admin.create_topics([NewTopic("t", 1, 1)])["t"]
        try:
            again.result(15)
            check(False, "a topic twice")
        except KafkaException as error:
            check(error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS, error)
        admin.delete_topics(["t"])["t"].result(15)
        until(10, "no topic", lambda: "t" not in admin.list_topics(timeout=10).topics)


def case_acls_manage_the_rules():
    with Server() as server:
        admin = AdminClient(librdkafka(server.client("boss", "All cluster")))
        binding = AclBinding(ResourceType.TOPIC, "orders", ResourcePatternType.LITERAL, "User:app", "*",
                             AclOperation.READ, AclPermissionType.ALLOW)
        admin.create_acls([binding])[binding].result(15)
        check("ALLOWED" in server.cli("explain", "User:app", "Read", "topic:orders"), "in force")
        everything = AclBindingFilter(ResourceType.TOPIC, "orders", ResourcePatternType.ANY, None, None,
                                      AclOperation.ANY, AclPermissionType.ANY)
        check(admin.describe_acls(everything).result(15) == [binding], "described")
        check(admin.delete_acls([everything])[everything].result(15) == [binding], "deleted")
        check("REFUSED" in server.cli("explain", "User:app", "Read", "topic:orders", status=1), "gone")
        app = AdminClient(librdkafka(server.client("app")))
        try:
            app.create_acls([binding])[binding].result(15)
            check(False, "somebody without Alter on the cluster")
        except KafkaException as error:
            check(error.args[0].code() == KafkaError.CLUSTER_AUTHORIZATION_FAILED, error)


def case_names_that_may_not_be_seen_are_not_shown():
    with Server() as server:
        boss = librdkafka(server.client("boss", *ALL))
        check(not produced(boss, "secret", [b"x"])[0], "produces")
        app = AdminClient(librdkafka(server.client("app", "Create,Write topic:own")))
        check(not produced(librdkafka(server.home / "app"), "own", [b"x"])[0], "produces its own")
        check(set(app.list_topics(timeout=10).topics) == {"own"}, "only its own")
        metadata = app.list_topics("secret", timeout=10).topics["secret"]
        check(metadata.error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED, metadata.error)
        missing = app.list_topics("missing", timeout=10).topics["missing"]
        check(missing.error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED, "missing looks the same")


def case_transactions_are_refused_at_once():
    with Server() as server:
        settings = librdkafka(server.client("app", *ALL, "All txn:*"))
        producer = Producer({**settings, "transactional.id": "tx"})
        started = time.monotonic()
        try:
            producer.init_transactions(30)
            check(False, "transactions are not offered")
        except KafkaException as error:
            check(error.args[0].fatal(), error)
        check(time.monotonic() - started < 5, "not by a time-out")


def case_missing_rule_for_a_group_is_an_authorization_error():
    with Server() as server:
        settings = librdkafka(server.client("app", "Create,Read,Write topic:t"))
        check(not produced(settings, "t", [b"x"])[0], "produces")
        consumer = Consumer({**settings, "group.id": "secret"})
        consumer.subscribe(["t"])
        message = until(20, "an error", lambda: consumer.poll(0.5))
        check(message.error() and message.error().code() == KafkaError.GROUP_AUTHORIZATION_FAILED, message.error())
        consumer.close()
