"""kafkajs, in Node.js."""

import pathlib
import subprocess

from lib import Server, check

FOLDER = pathlib.Path(__file__).resolve().parent / "peers/kafkajs"


def node(folder, scenario):
    return subprocess.run(["node", "cases.js", scenario, str(folder / "kafkajs.js")], cwd=FOLDER, capture_output=True,
                          text=True, timeout=60)


def case_produces_and_consumes_in_a_group():
    with Server() as server:
        done = node(server.client("app", "Create,Read,Write topic:t", "Read group:g"), "round_trip")
        check(done.returncode == 0, done.stdout + done.stderr)


def case_wrong_password_and_missing_rule_have_their_own_errors():
    with Server() as server:
        folder = server.client("app", "Create,Write topic:t")
        for scenario in ("wrong_password", "no_rule"):
            done = node(folder, scenario)
            check(done.returncode == 0, f"{scenario}: {done.stdout} {done.stderr}")
