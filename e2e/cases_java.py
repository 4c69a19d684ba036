"""Apache Kafka's own command line tools, with the Java client they ship with."""

import concurrent.futures
import contextlib
import pathlib
import re
import subprocess
import time

from cases_kcat import kcat
from lib import Server, check, doors, properties, until

FOLDER = pathlib.Path(__file__).resolve().parent / "peers/java"
TOOLS = {
    "acls": "org.apache.kafka.tools.AclCommand",
    "configs": "kafka.admin.ConfigCommand",
    "console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "topics": "org.apache.kafka.tools.TopicCommand",
}

JAVA = ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto",
        f"-Dlog4j2.configurationFile={FOLDER / 'log4j2.properties'}", "-cp", f"{FOLDER}/target/libs/*"]


def command(name, config, *words, bootstrap=None):
    """A tool with the settings in `config`."""
    address = bootstrap or properties(config)["bootstrap.servers"]
    return [*JAVA, TOOLS[name], "--bootstrap-server", address, "--command-config", str(config), *words]


def tool(name, config, *words, stdin="", bootstrap=None):
    return subprocess.run(command(name, config, *words, bootstrap=bootstrap), input=stdin, capture_output=True,
                          text=True, timeout=60)


def done(ended):
    """What a tool said, when it went well."""
    check(ended.returncode == 0, f"{ended.args[-6:]}: {ended.stdout[-2000:]} {ended.stderr[-2000:]}")
    return ended.stdout


def changed(config, name, **changes):
    """A copy of a properties file with other values, beside it."""
    settings = {**properties(config), **{key.replace("_", "."): value for key, value in changes.items()}}
    path = config.with_name(name)
    path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    return path


def case_console_tools_produce_and_consume_with_each_codec():
    with Server() as server:
        config = server.client("app", "Create,Read,Write topic:t", "Read group:g") / "client.properties"
        codecs = ("none", "gzip", "snappy", "lz4", "zstd")
        for codec in codecs:
            done(tool("console-producer", config, "--topic", "t", "--compression-codec", codec, stdin=f"{codec}\n"))
        read = done(tool("console-consumer", config, "--topic", "t", "--group", "g", "--from-beginning",
                         "--max-messages", "5", "--timeout-ms", "30000"))
        check(read.split() == list(codecs), read)


def case_topics_are_managed_with_a_certificate():
    with Server() as server:
        config = server.client("app", "All topic:t", "All cluster") / "client-mtls.properties"
        done(tool("topics", config, "--create", "--topic", "t", "--partitions", "3"))
        described = done(tool("topics", config, "--describe", "--topic", "t"))
        check("PartitionCount: 3" in described, described)
        done(tool("topics", config, "--delete", "--topic", "t"))
        check("t" not in done(tool("topics", config, "--list")).split(), "deleted")


def case_acls_manage_the_rules():
    with Server() as server:
        config = server.client("boss", "All cluster") / "client.properties"
        rule = ("--allow-principal", "User:app", "--operation", "Read", "--topic", "orders")
        done(tool("acls", config, "--add", *rule))
        check("ALLOWED" in server.cli("explain", "User:app", "Read", "topic:orders"), "in force")
        listed = done(tool("acls", config, "--list", "--topic", "orders"))
        check("principal=User:app" in listed and "operation=READ" in listed, listed)
        done(tool("acls", config, "--remove", "--force", *rule))
        check("REFUSED" in server.cli("explain", "User:app", "Read", "topic:orders", status=1), "gone")


def case_configs_set_and_describe_a_password():
    with Server() as server:
        config = server.client("boss", "All cluster") / "client.properties"
        (server.home / "first").write_text("first password of bob\n")
        server.cli("user", "add", "bob", "--password-file", server.home / "first")
        done(tool("configs", config, "--alter", "--entity-type", "users", "--entity-name", "bob",
                  "--add-config", "SCRAM-SHA-512=[iterations=8192,password=second-password]"))
        described = done(tool("configs", config, "--describe", "--entity-type", "users", "--entity-name", "bob"))
        check("SCRAM-SHA-512=iterations=8192" in described, described)
        login = 'org.apache.kafka.common.security.scram.ScramLoginModule required username="bob" password="{}";'
        for password, succeeds in (("second-password", True), ("first password of bob", False)):
            bob = changed(config, "bob.properties", sasl_jaas_config=login.format(password))
            ended = tool("topics", bob, "--list")
            check((ended.returncode == 0) == succeeds, f"{password}: {ended}")


def case_groups_are_described_and_reset():
    with Server() as server:
        config = server.client("app", "Create,Read,Write topic:t", "All group:g") / "client.properties"
        done(tool("console-producer", config, "--topic", "t", stdin="1\n2\n3\n"))
        read = ("--topic", "t", "--group", "g", "--from-beginning", "--max-messages", "3", "--timeout-ms", "30000")
        check(done(tool("console-consumer", config, *read)).split() == ["1", "2", "3"], "read once")
        described = done(tool("consumer-groups", config, "--describe", "--group", "g"))
        row = next(line.split() for line in described.splitlines() if line.startswith("g "))
        check(row[1:6] == ["t", "0", "3", "3", "0"], described)
        done(tool("consumer-groups", config, "--reset-offsets", "--to-earliest", "--execute", "--group", "g",
                  "--topic", "t"))
        check(done(tool("console-consumer", config, *read)).split() == ["1", "2", "3"], "read again")


def plain(config):
    """The same user by PLAIN."""
    jaas = properties(config)["sasl.jaas.config"].replace("scram.ScramLoginModule", "plain.PlainLoginModule")
    return changed(config, "plain.properties", sasl_mechanism="PLAIN", sasl_jaas_config=jaas)


def case_plain_and_a_certificate_log_in():
    with Server() as server:
        config = server.client("app", "Create,Read,Write topic:t", "Read group:g") / "client.properties"
        ways = {"plain": plain(config), "certificate": config.with_name("client-mtls.properties")}
        for name, way in ways.items():
            done(tool("console-producer", way, "--topic", "t", stdin=f"{name}\n"))
        read = done(tool("console-consumer", ways["certificate"], "--topic", "t", "--group", "g", "--from-beginning",
                         "--max-messages", "2", "--timeout-ms", "30000"))
        check(read.split() == list(ways), read)


@contextlib.contextmanager
def member(config, path):
    """A console consumer in group g that writes to `path`."""
    with open(path, "w") as out:
        words = ("--topic", "t", "--group", "g", "--from-beginning")
        process = subprocess.Popen(command("console-consumer", config, *words), stdout=out, stderr=subprocess.DEVNULL)
        try:
            yield path
        finally:
            process.terminate()
            process.wait(20)


def case_group_of_two_shares_partitions():
    with Server() as server:
        config = server.client("app", "All topic:t", "All group:g") / "client.properties"
        done(tool("topics", config, "--create", "--topic", "t", "--partitions", "4"))

        def shares():
            said = done(tool("consumer-groups", config, "--describe", "--group", "g", "--members"))
            return [int(line.split()[-1]) for line in said.splitlines() if line.startswith("g ")]

        with member(config, server.home / "first") as first:
            until(40, "four partitions", lambda: shares() == [4])
            with member(config, server.home / "second") as second:
                until(40, "two partitions each", lambda: shares() == [2, 2])
                lines = [str(number) for number in range(40)]
                done(tool("console-producer", config, "--topic", "t", "--reader-property", "parse.key=true",
                          "--reader-property", "key.separator=:", stdin="".join(f"{one}:{one}\n" for one in lines)))
                read = lambda: [path.read_text().split() for path in (first, second)]
                until(20, "all records", lambda: sorted(sum(read(), [])) == sorted(lines))
                check(all(read()), "each member reads")
            until(40, "all four again", lambda: shares() == [4])


def case_offsets_by_time():
    with Server() as server:
        config = server.client("app", "Create,Read,Write topic:t") / "client.properties"
        times = []
        for number in range(2):
            times.append(int(time.time() * 1000))
            done(tool("console-producer", config, "--topic", "t", stdin=f"{number}\n"))
        for asked, offset in ((times[0], 0), (times[1], 1), (-1, 2), (-2, 0)):
            said = done(tool("get-offsets", config, "--topic", "t", "--time", str(asked)))
            check(said.strip() == f"t:0:{offset}", f"{asked}: {said}")


def case_what_is_refused_is_said_with_its_own_exception():
    with doors("Create,Read,Write topic:t") as at:
        config, mtls = at.app / "client.properties", at.app / "client-mtls.properties"
        done(tool("console-producer", config, "--topic", "t", stdin="x\n"))
        jaas = properties(config)["sasl.jaas.config"]
        secret = jaas.split('password="')[1].split('"')[0]
        other = at.other_ca.read_text().strip().replace("\n", "\\n")
        key, chain = at.revoked.read_text().split("-----BEGIN CERTIFICATE", 1)
        line = lambda pem: pem.strip().replace("\n", "\\n")
        login, tls = "SaslAuthenticationException", "SslAuthenticationException"
        without = {name: value for name, value in properties(mtls).items() if not name.startswith("ssl.keystore")}
        (at.app / "without.properties").write_text("".join(f"{name}={value}\n" for name, value in without.items()))
        rows = [
            ("wrong host name", tls, config, at.elsewhere, {}),
            ("wrong CA", tls, config, None, {"ssl_truststore_certificates": other}),
            ("no certificate", tls, at.app / "without.properties", None, {}),
            ("revoked certificate", tls, mtls, None,
             {"ssl_keystore_key": line(key), "ssl_keystore_certificate_chain": line(f"-----BEGIN CERTIFICATE{chain}")}),
            ("wrong password", login, config, None, {"sasl_jaas_config": jaas.replace(secret, "no")}),
            ("wrong password, PLAIN", login, plain(config), None,
             {"sasl_jaas_config": properties(plain(config))["sasl.jaas.config"].replace(secret, "no")}),
            ("unknown user", login, config, None, {"sasl_jaas_config": jaas.replace('"app"', '"nobody"')}),
        ]

        def refused(row):
            name, exception, base, bootstrap, changes = row
            path = changed(base, f"{name.replace(' ', '-')}.properties", **changes)
            ended = tool("topics", path, "--list", bootstrap=bootstrap)
            check(ended.returncode != 0 and exception in ended.stderr + ended.stdout, f"{name}: {ended}")

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(refused, rows))


def case_missing_rule_is_an_authorization_exception():
    with Server() as server:
        config = server.client("app", "Create,Read,Write topic:t") / "client.properties"
        done(tool("console-producer", config, "--topic", "t", stdin="x\n"))
        consume = ("--from-beginning", "--max-messages", "1", "--timeout-ms", "20000", "--group", "g", "--topic")
        for topic, exception in (("secret", "TopicAuthorizationException"), ("t", "GroupAuthorizationException")):
            ended = tool("console-consumer", config, *consume, topic)
            check(exception in ended.stderr + ended.stdout, f"{topic}: {ended}")
        ended = tool("console-producer", config, "--topic", "secret", stdin="x\n")
        check("TopicAuthorizationException" in ended.stderr + ended.stdout, ended)
        ended = tool("topics", config, "--create", "--topic", "secret")
        check(ended.returncode != 0 and "TopicAuthorizationException" in ended.stderr + ended.stdout, ended)


def case_exported_log_is_read_by_dump_log_segments():
    with Server() as server:
        folder = server.client("app", "Create,Read,Write topic:t")
        codecs = ("none", "gzip", "snappy", "lz4", "zstd")
        for codec in codecs:
            # Long enough to be worth it: librdkafka sends what does not shrink as it is.
            lines = "\n".join(f"key:{codec}-{number}{'-' * 500}" for number in (1, 2))
            # One batch of both, however slow the machine is: the end of the input ends the wait.
            sent = kcat(folder, "-P", "-t", "t", "-z", codec, "-K:", "-X", "linger.ms=10000", stdin=lines)
            check(sent.returncode == 0, codec)
        out = server.home / "00000000000000000000.log"
        server.cli("log", "export", "--plain", "--out", out, "t", "0")

        def dumped():
            words = [*JAVA, "org.apache.kafka.tools.DumpLogSegments", "--deep-iteration", "--print-data-log", "--files", out]
            return subprocess.run(words, capture_output=True, text=True, timeout=60).stdout

        told = dumped()
        check("Log starting offset: 0" in told, told)
        check(re.findall(r"compresscodec: (\w+) .*isvalid: (\w+)", told) == [(codec, "true") for codec in codecs], told)
        values = re.findall(r"offset: (\d+) .*key: key payload: (\S+?)-{500}", told)
        check(values == [(str(number), f"{codecs[number // 2]}-{number % 2 + 1}") for number in range(10)], values)
        content = bytearray(out.read_bytes())
        content[-1] ^= 1
        out.write_bytes(content)
        check("isvalid: false" in dumped() or "zstd-2" not in dumped(), "a changed byte is seen")
