"""Reload: what changes without a restart, what does not, and that nobody is disconnected by it."""

import json
import re
import threading
import time

from confluent_kafka import Producer

from cases_reauthentication import counted
from cases_server import ALL, produced
from lib import CONFIG, Server, check, free_ports, librdkafka, until

EXTRA = """
[[gateway.listener]]
name = "extra"
bind = "127.0.0.1:0"
"""


def rewritten(server, old, new):
    text = server.config.read_text()
    check(old in text, f"{old!r} is in the configuration")
    server.config.write_text(text.replace(old, new, 1))


def reload(server, status=0):
    return server.cli("reload", status=status)


def case_listeners_come_and_go_while_others_serve():
    with Server() as server:
        settings = librdkafka(server.client("app", *ALL))
        check(not produced(settings, "t", [b"1"])[0], "produces")
        address = f"127.0.0.1:{free_ports(1)[0]}"
        server.config.write_text(CONFIG + EXTRA.replace("127.0.0.1:0", address))
        check("listener extra: opened" in reload(server), "opened")
        extra = {**settings, "bootstrap.servers": address}
        check(not produced(extra, "t", [b"2"])[0], "produces through the new one")
        server.config.write_text(CONFIG)
        check("listener extra: closed" in reload(server), "closed")
        errors, _ = produced(extra, "t", [b"3"], **{"message.timeout.ms": 3000})
        check(errors, "nobody is there any more")
        check(not produced(settings, "t", [b"4"])[0], "the others serve")
        opened = [event for event in trail(server) if event["type"] == "system.listener"]
        check([event["why"] for event in opened] == ["opened", "closed"], opened)


def trail(server):
    """The events that are on the trail so far."""
    decoder, events = json.JSONDecoder(), []
    for path in sorted((server.data / "trail").glob("*.seg")):
        text = path.read_bytes().decode("latin-1")
        events += [decoder.raw_decode(text, start.start())[0] for start in re.finditer(r'\{"v":1', text)]
    return events


def case_changed_file_is_noticed_once_also_right_after_the_start():
    with Server() as server:
        reloads = lambda: server.log_text().count("Reloaded")
        rewritten(server, "accept_rate = 2000", "accept_rate = 1999")
        until(12, "the change is noticed", reloads)
        server.cli("client", "add", "app", "--kafka", "--out", server.home / "app")
        server.cli("client", "rotate", "app", "--out", server.home / "app")
        time.sleep(11)
        check(reloads() == 1, "what the server writes itself is no change")


def case_wrong_configuration_leaves_the_old_in_force():
    with Server() as server:
        settings = librdkafka(server.client("app", *ALL))
        good = server.config.read_text()
        for wrong, words in (
            ("[gateway]\nsuper_user = []\n", "did you mean"),
            (good + EXTRA.replace("127.0.0.1:0", server.kafka), "another program listens there"),
            (good.replace('name = "sasl"', 'name = "sasl"\nadvertised = "127.0.0.1:1"\ntls.certificate = "/none"\n'
                                           'tls.key = "/none"'), "/none"),
        ):
            server.config.write_text(wrong)
            check(words in reload(server, status=2), words)
            check(not produced(settings, "t", [b"x"])[0], "the old configuration serves")
        check(counted(server, "gateway_reloads_total", outcome="refused") >= 3, "counted")
        server.config.write_text(good)
        reload(server)


def case_bind_of_a_live_listener_waits_for_the_next_start_and_says_so():
    with Server() as server:
        settings = librdkafka(server.client("app", *ALL))
        port = free_ports(1)[0]
        rewritten(server, 'bind = "127.0.0.1:0"', f'bind = "127.0.0.1:{port}"')
        told = reload(server)
        check("listener sasl: bind: from the next start on" in told, told)
        check(not produced(settings, "t", [b"x"])[0], "still where it was")
        server.stop()
        server.start()
        check(server.kafka.endswith(f":{port}"), server.kafka)


def case_super_users_limits_and_mechanisms_follow_the_file():
    with Server() as server:
        settings = librdkafka(server.client("app"))
        short = {"message.timeout.ms": 4000}
        check(produced(settings, "t", [b"x"], **short)[0], "nothing is allowed")
        server.config.write_text('[gateway]\nsuper_users = ["User:app"]\n' + CONFIG)
        reload(server)
        check(not produced(settings, "t", [b"x"])[0], "no rule binds a super user")
        server.config.write_text(CONFIG)
        reload(server)
        check(produced(settings, "t", [b"x"], **short)[0], "and not any more")
        server.allow("app", *ALL)
        plain = {**settings, "sasl.mechanism": "PLAIN"}
        check(not produced(plain, "t", [b"x"])[0], "PLAIN is offered")
        rewritten(server, '"PLAIN", ', "")
        reload(server)
        check(produced(plain, "t", [b"x"], **short)[0], "and not any more")
        check(not produced(settings, "t", [b"x"])[0], "SCRAM is")


def case_reloads_under_load_disconnect_nobody():
    with Server() as server:
        settings = librdkafka(server.client("app", *ALL))
        errors, acknowledged, ended = [], [], threading.Event()
        report = lambda error, message: (errors if error else acknowledged).append(error or message.value())
        producers = [Producer({**settings, "acks": "all", "linger.ms": 0, "error_cb": errors.append})
                     for _ in range(4)]

        def load(producer):
            while not ended.is_set():
                producer.produce("t", b"x", on_delivery=report)
                producer.flush(20)

        threads = [threading.Thread(target=load, args=(producer,)) for producer in producers]
        for thread in threads:
            thread.start()
        until(20, "records", lambda: len(acknowledged) > 100)
        connections = counted(server, "gateway_connections_total", listener="sasl")
        for number in range(20):
            text = CONFIG if number % 2 else CONFIG.replace('"PLAIN", ', "") + EXTRA
            server.config.write_text(text + f'\n[gateway.deadlines]\nidle = "{100 + number}s"\n')
            so_far = len(acknowledged)
            reload(server)
            until(20, "more records", lambda: len(acknowledged) > so_far + 20)
        ended.set()
        for thread in threads:
            thread.join()
        check(not errors, errors[:3])
        after = counted(server, "gateway_connections_total", listener="sasl")
        check(after == connections, f"{after - connections} connections were opened anew")
        check(counted(server, "gateway_reloads_total", outcome="ok") >= 20, "reloaded")
