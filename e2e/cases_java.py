"""Apache Kafka's own command line tools, with the Java client they ship with."""

import pathlib
import subprocess

from lib import Server, check, other_ca, properties, relay

FOLDER = pathlib.Path(__file__).resolve().parent / "peers/java"
TOOLS = {
    "acls": "org.apache.kafka.tools.AclCommand",
    "configs": "kafka.admin.ConfigCommand",
    "console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "topics": "org.apache.kafka.tools.TopicCommand",
}


def tool(name, config, *words, stdin="", bootstrap=None):
    """Runs a tool with the settings in `config`."""
    address = bootstrap or properties(config)["bootstrap.servers"]
    return subprocess.run(
        ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto",
         f"-Dlog4j2.configurationFile={FOLDER / 'log4j2.properties'}", "-cp", f"{FOLDER}/target/libs/*", TOOLS[name],
         "--bootstrap-server", address, "--command-config", str(config), *words],
        input=stdin, capture_output=True, text=True, timeout=60,
    )


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


def case_what_is_refused_is_said_with_its_own_exception():
    with Server() as server:
        config = server.client("app", "Create,Read,Write topic:t") / "client.properties"
        done(tool("console-producer", config, "--topic", "t", stdin="x\n"))
        jaas = properties(config)["sasl.jaas.config"]
        secret = jaas.split('password="')[1].split('"')[0]
        other = other_ca(server.home).read_text().strip().replace("\n", "\\n")
        with relay("127.0.0.2", server.kafka) as elsewhere:
            refusals = [
                ("wrong password", "SaslAuthenticationException", None, {"sasl_jaas_config": jaas.replace(secret, "no")}),
                ("unknown user", "SaslAuthenticationException", None,
                 {"sasl_jaas_config": jaas.replace('"app"', '"nobody"')}),
                ("wrong CA", "SslAuthenticationException", None, {"ssl_truststore_certificates": other}),
                ("wrong host name", "SslAuthenticationException", elsewhere, {}),
            ]
            for name, exception, bootstrap, changes in refusals:
                ended = tool("topics", changed(config, "refused.properties", **changes), "--list", bootstrap=bootstrap)
                check(ended.returncode != 0 and exception in ended.stderr + ended.stdout, f"{name}: {ended}")
        consume = ("--from-beginning", "--max-messages", "1", "--timeout-ms", "20000", "--group", "g", "--topic")
        for topic, exception in (("secret", "TopicAuthorizationException"), ("t", "GroupAuthorizationException")):
            ended = tool("console-consumer", config, *consume, topic)
            check(exception in ended.stderr + ended.stdout, f"{topic}: {ended}")
