"""The same frames to Kastellan and to an Apache Kafka node, compared field by field: `frames/` has the cases."""

from frames import suite
from lib import check


def case_frames_are_answered_as_apache_kafka_answers_them():
    _, wrong, counted = suite.run(whole=False)
    print(counted)
    check(not wrong, f"{len(wrong)} differences: " + "\n".join(wrong[:60]))


# Some five thousand requests to each of two servers.
case_frames_are_answered_as_apache_kafka_answers_them.limit = 300
