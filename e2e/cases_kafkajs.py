"""kafkajs, in Node.js."""

import json
import pathlib
import subprocess

from lib import Server, check, doors

FOLDER = pathlib.Path(__file__).resolve().parent / "peers/kafkajs"


def node(folder, scenario, **changes):
    return subprocess.run(["node", "cases.js", scenario, str(folder / "kafkajs.js"), json.dumps(changes, default=str)],
                          cwd=FOLDER, capture_output=True, text=True, timeout=60)


def went_well(folder, scenario, **changes):
    done = node(folder, scenario, **changes)
    check(done.returncode == 0, f"{scenario}: {done.stdout} {done.stderr}")


def case_idempotent_producer_keeps_order():
    with Server() as server:
        went_well(server.client("app", "Create,Read,Write topic:t", "Read group:g"), "round_trip")


def case_produces_and_consumes_with_each_codec():
    with Server() as server:
        went_well(server.client("app", "Create,Read,Write topic:t", "Read group:g"), "codecs")


def case_each_mechanism_and_a_certificate_log_in():
    with Server() as server:
        folder = server.client("app", "Create,Read,Write topic:t", "Read group:g")
        for mechanism in ("scram-sha-256", "plain"):
            went_well(folder, "produce", mechanism=mechanism)
        went_well(folder, "produce", brokers=server.mtls, certificate=folder / "client.pem")


def case_group_of_two_shares_partitions_and_resumes():
    with Server() as server:
        went_well(server.client("app", "Create,Read,Write topic:t", "Read group:g"), "group")


def case_admin_makes_grows_and_deletes_topics():
    with Server() as server:
        went_well(server.client("app", "All topic:t"), "admin")


def case_offsets_by_time():
    with Server() as server:
        went_well(server.client("app", "Create,Read,Write topic:t"), "times")


def case_what_is_refused_has_its_own_error():
    with doors("Create,Read,Write topic:t") as at:
        mtls = {"brokers": at.server.mtls}
        rows = [
            ("wrong host name", {"brokers": at.elsewhere}, "KafkaJSConnectionError", "does not match certificate"),
            ("wrong CA", {"ca": at.other_ca}, "KafkaJSConnectionError", "certificate"),
            ("no certificate", {**mtls, "certificate": ""}, "KafkaJSConnectionError", "certificate required"),
            ("revoked certificate", {**mtls, "certificate": at.revoked}, "KafkaJSConnectionError",
             "certificate revoked"),
            ("wrong password", {"password": "wrong"}, "KafkaJSSASLAuthenticationError", "SCRAM-SHA-512"),
            ("wrong password, PLAIN", {"password": "wrong", "mechanism": "plain"}, "KafkaJSSASLAuthenticationError",
             "PLAIN"),
            ("unknown user", {"username": "nobody"}, "KafkaJSSASLAuthenticationError", "SCRAM-SHA-512"),
        ]
        for name, changes, error, words in rows:
            done = node(at.app, "refused", **changes)
            check(done.returncode == 0 and error in done.stdout and words in done.stdout,
                  f"{name}: {done.stdout} {done.stderr}")


def case_missing_rule_is_an_authorization_error():
    with Server() as server:
        folder = server.client("app", "Create,Read,Write topic:t")
        went_well(folder, "produce")
        # kafkajs keeps the reason to itself when it looks for a group's coordinator.
        for scenario, changes, error in (("refused", {"topic": "secret"}, "TOPIC_AUTHORIZATION_FAILED"),
                                         ("refused_group", {}, "KafkaJSGroupCoordinatorNotFound")):
            done = node(folder, scenario, **changes)
            check(done.returncode == 0 and error in done.stdout, f"{error}: {done.stdout} {done.stderr}")
