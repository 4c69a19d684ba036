"""confluent-kafka (librdkafka)."""

import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AclBinding, AclBindingFilter, AclOperation, AclPermissionType, AdminClient, ConfigResource, NewPartitions, NewTopic,
    OffsetSpec, ResourcePatternType, ResourceType,
)

from cases_server import ALL, consumed, produced
from lib import Server, check, librdkafka, until


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
