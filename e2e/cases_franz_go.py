"""franz-go."""

import json
import pathlib
import subprocess

from lib import Server, check, doors, properties

PROGRAM = pathlib.Path(__file__).resolve().parent / "peers/franz-go/target/franz-go"


def franz(scenario, settings):
    return subprocess.run([PROGRAM, scenario], input=json.dumps(settings), capture_output=True, text=True, timeout=60)


def scram(folder, **changes):
    settings = properties(folder / "librdkafka.conf")
    return {"bootstrap": settings["bootstrap.servers"], "ca": str(folder / "ca.pem"), "topic": "t", "group": "g",
            "mechanism": settings["sasl.mechanisms"], "user": settings["sasl.username"],
            "password": settings["sasl.password"], **changes}


def certificate(server, folder, **changes):
    return {"bootstrap": server.mtls, "ca": str(folder / "ca.pem"), "topic": "t", "group": "g",
            "certificate": str(folder / "client.pem"), **changes}


def went_well(scenario, settings):
    done = franz(scenario, settings)
    check(done.returncode == 0, f"{scenario}: {done.stdout} {done.stderr}")


def case_produces_and_consumes_with_each_codec():
    with Server() as server:
        went_well("round_trip", scram(server.client("app", "Create,Read,Write topic:t")))


def case_idempotent_producer_keeps_order():
    with Server() as server:
        went_well("idempotent", scram(server.client("app", "Create,Read,Write topic:t")))


def case_each_mechanism_and_a_certificate_log_in():
    with Server() as server:
        folder = server.client("app", "Create,Read,Write topic:t")
        for mechanism in ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"):
            went_well("produce", scram(folder, mechanism=mechanism))
        went_well("produce", certificate(server, folder))
        went_well("round_trip", certificate(server, server.client("other", "Create,Read,Write topic:u"), topic="u"))


def case_group_of_two_shares_partitions_and_resumes():
    with Server() as server:
        went_well("group", scram(server.client("app", "Create,Read,Write topic:t", "Read group:g")))


def case_admin_makes_grows_configures_and_deletes_topics():
    with Server() as server:
        went_well("admin", scram(server.client("app", "All topic:t")))


def case_offsets_by_time():
    with Server() as server:
        went_well("times", scram(server.client("app", "Create,Read,Write topic:t")))


def case_what_is_refused_has_its_own_error():
    with doors("Create,Read,Write topic:t") as at:
        rows = [
            ("wrong host name", scram(at.app, bootstrap=at.elsewhere), "x509.HostnameError"),
            ("wrong CA", scram(at.app, ca=str(at.other_ca)), "x509.UnknownAuthorityError"),
            ("no certificate", certificate(at.server, at.app, certificate=""),
             "remote error: tls: certificate required"),
            ("revoked certificate", certificate(at.server, at.app, certificate=str(at.revoked)),
             "remote error: tls: revoked certificate"),
            ("wrong password", scram(at.app, password="wrong"), "SASL_AUTHENTICATION_FAILED"),
            ("wrong password, PLAIN", scram(at.app, password="wrong", mechanism="PLAIN"),
             "SASL_AUTHENTICATION_FAILED"),
            ("unknown user", scram(at.app, user="nobody"), "SASL_AUTHENTICATION_FAILED"),
        ]
        for name, settings, wanted in rows:
            done = franz("refused", settings)
            check(done.returncode == 0 and done.stdout.strip() == wanted, f"{name}: {done.stdout} {done.stderr}")


def case_missing_rule_is_an_authorization_error():
    with Server() as server:
        folder = server.client("app", "Create,Read,Write topic:t")
        went_well("produce", scram(folder))
        went_well("no_rule", scram(folder, topic="secret"))
        went_well("create_rule", scram(folder, topic="secret"))
        went_well("group_rule", scram(folder, group="secret"))
