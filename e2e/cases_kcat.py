"""kcat 1.7.1 on librdkafka 2.0.2, as Debian ships it."""

import subprocess

from lib import Server, check, librdkafka, other_ca, relay


def kcat(folder, *words, stdin=None, changes=None, seconds=30):
    settings = librdkafka(folder)
    settings.update(changes or {})
    options = [word for name, value in settings.items() if value is not None for word in ("-X", f"{name}={value}")]
    return subprocess.run(["kcat", *options, *words], input=stdin, capture_output=True, text=True, timeout=seconds)


def mtls(server, folder):
    return {"bootstrap.servers": server.mtls, "security.protocol": "SSL", "sasl.mechanisms": None,
            "sasl.username": None, "sasl.password": None,
            "ssl.certificate.location": folder / "client.pem", "ssl.key.location": folder / "client.pem"}


def case_produces_and_consumes_with_each_codec():
    with Server() as server:
        folder = server.client("app", "Create,Read,Write topic:t", "Read group:g")
        for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
            done = kcat(folder, "-P", "-t", "t", "-z", codec, stdin=f"value {codec}\n")
            check(done.returncode == 0, done.stderr)
        done = kcat(folder, "-C", "-t", "t", "-o", "beginning", "-e", "-q")
        check(done.stdout.splitlines() == [f"value {codec}" for codec in ("none", "gzip", "snappy", "lz4", "zstd")], done)
        listed = kcat(folder, "-L")
        check('topic "t" with 1 partitions' in listed.stdout and server.kafka in listed.stdout, listed)
        group = kcat(folder, "-G", "g", "-X", "auto.offset.reset=earliest", "-e", "-q", "t")
        check(len(group.stdout.splitlines()) == 5, group)


def case_each_mechanism_and_a_certificate_log_in():
    with Server() as server:
        folder = server.client("app", "Create,Read,Write topic:t")
        for mechanism in ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"):
            done = kcat(folder, "-P", "-t", "t", stdin=mechanism, changes={"sasl.mechanisms": mechanism})
            check(done.returncode == 0, f"{mechanism}: {done.stderr}")
        done = kcat(folder, "-P", "-t", "t", stdin="certificate", changes=mtls(server, folder))
        check(done.returncode == 0, done.stderr)
        done = kcat(folder, "-C", "-t", "t", "-o", "beginning", "-e", "-q")
        check(len(done.stdout.splitlines()) == 4, done)


def case_what_is_refused_is_said_in_its_own_words():
    with Server() as server:
        folder = server.client("app", "Create,Read,Write topic:t")
        kcat(folder, "-P", "-t", "t", stdin="x")
        certificate = mtls(server, folder)
        token = {"sasl.mechanisms": "OAUTHBEARER", "sasl.username": None, "sasl.password": None,
                 "enable.sasl.oauthbearer.unsecure.jwt": "true", "sasl.oauthbearer.config": "principal=app"}
        refusals = [
            ("wrong password", {"sasl.password": "wrong"}, "SASL authentication error"),
            ("unknown user", {"sasl.username": "nobody"}, "SASL authentication error"),
            ("mechanism not offered", token, "OAUTHBEARER"),
            ("wrong CA", {"ssl.ca.location": other_ca(server.home)}, "certificate verify failed"),
            ("no certificate", {**certificate, "ssl.certificate.location": None, "ssl.key.location": None}, "SSL"),
        ]
        for name, changes, words in refusals:
            done = kcat(folder, "-L", "-t", "t", changes=changes)
            check(done.returncode != 0 and words in done.stderr, f"{name}: {done}")
        with relay("127.0.0.2", server.kafka) as elsewhere:
            done = kcat(folder, "-L", changes={"bootstrap.servers": elsewhere})
            check(done.returncode != 0 and "certificate verify failed" in done.stderr, f"wrong host name: {done}")
        done = kcat(folder, "-C", "-t", "secret", "-e")
        check(done.returncode != 0 and "Topic authorization failed" in done.stderr, done)
        done = kcat(folder, "-G", "g", "-e", "t", seconds=40)
        check(done.returncode != 0 and "Group authorization failed" in done.stderr, done)
