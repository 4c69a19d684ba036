"""Peers that take their time, or are gone and have not said so: they end at a deadline, and nobody waits for them."""

import contextlib
import os
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from hostile import (
    AUTHENTICATE, HANDSHAKE, PRODUCE, Target, at_once, batch, bytes32, configured, fetch,
    heartbeat, metadata, produce, produced_codes, promise, record, request, sources, text16,
)
from lib import Server, check, properties, until

SHORT = """tls_handshake = "4s"
first_byte = "4s"
sasl_round = "4s"
login = "8s"
frame = "5s"
write = "5s"
idle = "6s"
"""
# Longer than every deadline above, and shorter than every one that holds if nobody says otherwise.
BORNE = 18


def dribbled(peer, data, pause=0.25, raw=False):
    """Sends byte by byte until the server closes; gives how long it bore with that."""
    began = time.monotonic()
    write = (lambda byte: os.write(peer.raw.fileno(), byte)) if raw else peer.socket.sendall
    with contextlib.suppress(OSError):
        for at in range(len(data)):
            if time.monotonic() - began > BORNE:
                return None
            write(data[at:at + 1])
            if not peer.stays(pause):
                break
    left = BORNE - (time.monotonic() - began)
    return None if peer.bytes_until_closed(max(left, 0.1)) is None else time.monotonic() - began


def case_clients_that_dribble_are_closed_and_nobody_waits_for_them():
    """In the TLS handshake, in the length, in the header, in the body, in each message of a login, with TLS and without."""
    hello = b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(500)
    login = request(HANDSHAKE, 1, 1, text16("PLAIN"))
    token = request(AUTHENTICATE, 1, 2, bytes32(b"\0somebody\0wrong-password"))
    large = promise(1 << 20, PRODUCE, 7) + bytes(200)

    def in_handshake(target, source):
        peer = target.peer("bare", source)
        return peer, hello

    def in_greeting(door):
        return lambda target, source: (target.peer(door, source), login)

    def in_token(door):
        def begin(target, source):
            peer = target.peer(door, source)
            check(peer.greet() == 0, "the mechanism is there")
            return peer, token
        return begin

    def behind_login(door, frame):
        return lambda target, source: (target.logged_in(door, source), frame)

    ways = {
        "TLS handshake": in_handshake,
        "greeting": in_greeting("clear"), "greeting in TLS": in_greeting("sasl"),
        "token": in_token("clear"), "token in TLS": in_token("sasl"),
        "header": behind_login("clear", metadata("t")), "header in TLS": behind_login("sasl", metadata("t")),
        "body": behind_login("clear", large), "body in TLS": behind_login("sasl", large),
    }
    with Server(configured(deadlines=SHORT)) as server:
        target = Target(server)
        started = [(name, *begin(target, source)) for name, begin in ways.items() for source in sources(4)]
        ended, over = [], threading.Event()

        def attack(one):
            name, peer, data = one
            with peer:
                ended.append((name, dribbled(peer, data, raw=name == "TLS handshake")))

        threads = [threading.Thread(target=attack, args=(one,), daemon=True) for one in started]
        for thread in threads:
            thread.start()
        rounds = 0
        while any(thread.is_alive() for thread in threads):
            target.is_unharmed()
            rounds += 1
        check(rounds >= 2, "honest clients were served meanwhile")
        late = [name for name, borne in ended if borne is None]
        check(len(ended) == len(started) and not late, f"still open: {late}")
        check(target.ended("login_deadline") >= 12, "those that did not get in")
        check(target.ended("frame_deadline") >= 12, "those that did")
        target.is_alive()


def case_silent_clients_are_closed_in_every_state():
    """Peers whose machine is gone say nothing: no byte, no end. So do these."""
    with Server(configured(deadlines=SHORT)) as server:
        target = Target(server)
        target.is_unharmed()
        at_rest = target.descriptors()

        def greeted(door):
            peer = target.peer(door)
            peer.greet()
            return peer

        def asked(door, frame):
            peer = target.logged_in(door)
            peer.send(frame)
            return peer

        half = produce("t", batch(record(b"x" * 1000)))[:500]
        silent = {
            "before the handshake": target.peer("bare"),
            "before the first byte": target.peer("clear"),
            "behind the handshake": target.peer("sasl"),
            "in a login": greeted("clear"),
            "in a login in TLS": greeted("sasl"),
            "logged in": target.logged_in("clear"),
            "logged in in TLS": target.logged_in("sasl"),
            "in a frame": asked("clear", half),
            "in a frame in TLS": asked("sasl", half),
        }
        # Somebody who waits for an answer is not silent: the answer comes after the idle time.
        waiting = target.logged_in("clear")
        waiting.send(fetch("t", offset=10, wait=9000, number=77))
        target.is_unharmed()
        open_still = at_once(lambda one: one[1].bytes_until_closed(BORNE + 6) is None and one[0], silent.items())
        check(not any(open_still), f"still open: {open_still}")
        answer = waiting.answer()
        check(answer and answer[:4] == struct.pack(">i", 77), "a long poll outlasts the idle time")
        for peer in (*silent.values(), waiting):
            peer.close()
        target.is_empty(at_rest)
        target.is_unharmed()
        target.is_alive()


def case_client_that_never_reads_is_closed_and_keeps_no_memory():
    with Server(configured(deadlines=SHORT)) as server:
        target = Target(server)
        with target.logged_in() as peer:
            for _ in range(16):
                noise = os.urandom(900_000)
                check(produced_codes(peer.ask(produce("t", batch(record(noise), codec=0)))) == [0], "is written")
        # 40 clients that ask for 16 MB sixty times each: 38 GB in all. The room for answers is 128 MiB, and they lie there
        # as the log gave them and as the client gets them.
        with target.memory_within(450):
            where = [(door, source) for door in ("clear", "sasl") for source in sources(20)]
            greedy = at_once(lambda one: target.logged_in(*one, buffer=4096), where)
            for peer in greedy:
                peer.socket.settimeout(1)
                peer.send(b"".join(fetch("t", number=number, most=64 << 20) for number in range(60)))
            began = time.monotonic()
            while time.monotonic() - began < 5:
                target.is_unharmed()
            until(40, "they are closed", lambda: target.ended("slow_reader") >= len(greedy))
        for peer in greedy:
            peer.close()
        # Refusals are made by the gateway itself: ten thousand names in each, sixty of them, from who may do nothing.
        folder = server.client("nobody")
        settings = properties(folder / "librdkafka.conf")
        names = [f"name-{number}" for number in range(10_000)]
        # Made once, and before anybody logs in: who takes his time over it is idle meanwhile.
        asked = b"".join(metadata(*names, number=number) for number in range(60))
        before = target.ended("slow_reader")
        with target.memory_within(120), ThreadPoolExecutor(20) as pool:

            def flood(source):
                peer = target.peer("clear", source, buffer=4096)
                check(peer.log_in(settings["sasl.username"], settings["sasl.password"]) == 0, "logs in")
                # It goes on sending until it is closed.
                peer.socket.settimeout(60)
                peer.send(asked)
                return peer

            sending = [pool.submit(flood, source) for source in sources(20, 3)]
            target.is_unharmed()
            until(40, "they are closed", lambda: target.ended("slow_reader") >= before + len(sending))
            floods = [one.result() for one in sending]
        for peer in floods:
            peer.close()
        with target.logged_in() as peer:
            answer = peer.ask(fetch("t", most=64 << 20))
            check(len(answer) > 10_000_000, "who reads gets it all")
        target.is_unharmed()
        target.is_alive()


def case_slow_but_honest_clients_are_borne():
    """What the deadlines do not forbid: a pause between messages, a request in pieces, an answer read in pieces."""
    with Server(configured(deadlines=SHORT)) as server:
        target = Target(server)
        with target.peer() as peer:
            time.sleep(0.7)
            check(peer.greet() == 0, "the mechanism is there")
            time.sleep(0.7)
            check(peer.prove(f"\0{target.user}\0{target.password}".encode())[0] == 0, "logs in")
            frame = produce("t", batch(record(b"slow" * 100)))
            for at in range(0, len(frame), 100):
                peer.send(frame[at:at + 100])
                time.sleep(0.1)
            check(produced_codes(peer.answer()) == [0], "is written")
            for number in range(4):
                time.sleep(1.5)
                check(peer.ask(heartbeat(number=number)) is not None, "is not idle")
        target.is_alive()
