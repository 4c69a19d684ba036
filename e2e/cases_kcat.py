"""kcat 1.7.1 on librdkafka 2.0.2, as Debian ships it."""

import concurrent.futures
import contextlib
import re
import struct
import subprocess
import time

from lib import CONFIG, Server, check, doors, librdkafka, until


def command(folder, *words, changes=None):
    settings = librdkafka(folder)
    settings.update(changes or {})
    options = [word for name, value in settings.items() if value is not None for word in ("-X", f"{name}={value}")]
    return ["kcat", *options, *words]


def kcat(folder, *words, stdin=None, changes=None, seconds=30):
    return subprocess.run(command(folder, *words, changes=changes), input=stdin, capture_output=True, text=True,
                          timeout=seconds)


@contextlib.contextmanager
def member(server, folder, name):
    """A member of group g; gives the file that it writes its partitions to."""
    path = server.home / f"{name}.err"
    words = ("-G", "g", "-X", "auto.offset.reset=earliest", "-X", "session.timeout.ms=6000", "-u", "t")
    with open(path, "w") as said, open(server.home / f"{name}.out", "w") as read:
        process = subprocess.Popen(command(folder, *words), stdout=read, stderr=said)
        try:
            yield path
        finally:
            process.terminate()
            process.wait(20)


def partitions(path):
    """What a member says it has."""
    assigned = re.findall(r"assigned: (.*)", path.read_text())
    return len(re.findall(r"t \[\d+\]", assigned[-1])) if assigned else 0


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


def case_idempotent_producer_keeps_order():
    with Server() as server:
        folder = server.client("app", "Create,Read,Write topic:t")
        lines = [f"{number:05}" for number in range(5000)]
        done = kcat(folder, "-P", "-t", "t", stdin="\n".join(lines), changes={"enable.idempotence": "true"})
        check(done.returncode == 0, done.stderr)
        done = kcat(folder, "-C", "-t", "t", "-o", "beginning", "-e", "-q")
        check(done.stdout.splitlines() == lines, "in order, once")


def case_group_of_two_shares_partitions():
    with Server(CONFIG.replace("[log]\n", "[log]\nnum_partitions = 4\n")) as server:
        folder = server.client("app", "Create,Read,Write topic:t", "Read group:g")
        check(kcat(folder, "-P", "-t", "t", stdin="x\n").returncode == 0, "produces")
        with member(server, folder, "first") as first:
            until(20, "four partitions", lambda: partitions(first) == 4)
            with member(server, folder, "second") as second:
                until(20, "two partitions each", lambda: partitions(first) == partitions(second) == 2)
                for partition in range(4):
                    kcat(folder, "-P", "-t", "t", "-p", str(partition), stdin=f"to {partition}\n")
                read = [server.home / f"{name}.out" for name in ("first", "second")]
                until(20, "all records", lambda: sum(len(path.read_text().splitlines()) for path in read) == 5)
            until(20, "all four again", lambda: partitions(first) == 4)


def case_offsets_by_time():
    with Server() as server:
        folder = server.client("app", "Create,Read,Write topic:t")
        times = []
        for number in range(3):
            times.append(int(time.time() * 1000))
            check(kcat(folder, "-P", "-t", "t", stdin=f"{number}\n").returncode == 0, "produces")
        for number, asked in enumerate(times):
            done = kcat(folder, "-Q", "-t", f"t:0:{asked}")
            check(done.returncode == 0 and f"t [0] offset {number}" in done.stdout, f"{number}: {done}")
        done = kcat(folder, "-C", "-t", "t", "-o", f"s@{times[1]}", "-e", "-q")
        check(done.stdout.split() == ["1", "2"], done)


def case_what_is_refused_is_said_in_its_own_words():
    with doors("Create,Read,Write topic:t") as at:
        kcat(at.app, "-P", "-t", "t", stdin="x")
        certificate = mtls(at.server, at.app)
        token = {"sasl.mechanisms": "OAUTHBEARER", "sasl.username": None, "sasl.password": None,
                 "enable.sasl.oauthbearer.unsecure.jwt": "true", "sasl.oauthbearer.config": "principal=app"}
        tls = [
            ("wrong CA", {"ssl.ca.location": at.other_ca}, "certificate verify failed"),
            ("wrong host name", {"bootstrap.servers": at.elsewhere}, "certificate verify failed"),
            ("no certificate", {**certificate, "ssl.certificate.location": None, "ssl.key.location": None},
             "alert certificate required"),
            ("revoked certificate",
             {**certificate, "ssl.certificate.location": at.revoked, "ssl.key.location": at.revoked},
             "alert certificate revoked"),
        ]
        sasl = [
            ("mechanism not offered", token, "OAUTHBEARER"),
            ("wrong password", {"sasl.password": "wrong"}, "SASL authentication error"),
            ("wrong password, PLAIN", {"sasl.password": "wrong", "sasl.mechanisms": "PLAIN"},
             "SASL authentication error"),
            ("unknown user", {"sasl.username": "nobody"}, "SASL authentication error"),
        ]

        def refused(row):
            name, changes, words = row
            done = kcat(at.app, "-L", "-t", "t", "-m", "2", changes={**changes, "reconnect.backoff.ms": 1000})
            check(done.returncode != 0 and words in done.stderr, f"{name}: {done}")

        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(refused, tls))
        # One after the other, with few tries: guessing slows everybody at this address down.
        for row in sasl:
            refused(row)


def case_missing_rule_is_an_authorization_error():
    with Server() as server:
        folder = server.client("app", "Create,Read,Write topic:t")
        check(kcat(folder, "-P", "-t", "t", stdin="x").returncode == 0, "produces")
        for words in (("-C", "-t", "secret", "-e"), ("-P", "-t", "secret")):
            done = kcat(folder, *words, stdin="x")
            check(done.returncode != 0 and "Topic authorization failed" in done.stderr, done)
        done = kcat(folder, "-G", "g", "-e", "t", seconds=40)
        check(done.returncode != 0 and "Group authorization failed" in done.stderr, done)


# The codec in the low bits of a batch's attributes.
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def batches(segment):
    """The codec and the number of records of each batch in an exported file."""
    found, at = [], 0
    while at < len(segment):
        length, = struct.unpack_from(">i", segment, at + 8)
        attributes, = struct.unpack_from(">h", segment, at + 21)
        count, = struct.unpack_from(">i", segment, at + 57)
        found.append((attributes & 7, count))
        at += 12 + length
    return found


def case_stored_batches_keep_the_codec():
    """librdkafka turns compression off in silence where it misses a version on offer: the stored bytes tell."""
    with Server() as server:
        folder = server.client("app", "Create,Read,Write topic:t")
        lines = "\n".join("compressible " * 20 for _ in range(50))
        for codec in CODECS:
            done = kcat(folder, "-P", "-t", "t", "-z", codec, stdin=lines)
            check(done.returncode == 0, done.stderr)
        out = server.home / "exported.log"
        server.cli("log", "export", "--plain", "--out", out, "t", "0")
        found = batches(out.read_bytes())
        check(sum(count for _, count in found) == 250, found)
        check({codec for codec, _ in found} == set(CODECS.values()), found)
        done = kcat(folder, "-C", "-t", "t", "-o", "-10", "-e", "-q")
        check(len(done.stdout.splitlines()) == 10, done)


def case_reading_starts_at_a_time():
    with Server() as server:
        folder = server.client("app", "Create,Read,Write topic:t")
        for line in ("early", "late"):
            between = int(time.time() * 1000)
            check(kcat(folder, "-P", "-t", "t", stdin=f"{line}\n").returncode == 0, "produces")
        for start, read in ((between, ["late"]), (between - 3_600_000, ["early", "late"]), (between + 3_600_000, [])):
            done = kcat(folder, "-C", "-t", "t", "-o", f"s@{start}", "-e", "-q")
            check(done.returncode == 0 and done.stdout.split() == read, f"{start}: {done}")
