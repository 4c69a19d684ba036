"""Who is let in: guesses by the hundred, requests before a login, other people's names, proxies that are none, crowds."""

import contextlib
import socket
import struct
import threading
import time

from hostile import (
    API_VERSIONS, AUTHENTICATE, CLEAR, HANDSHAKE, HONEST, PRODUCE, Peer, Target, at_once, batch, bytes32,
    configured, end_of, ends, heartbeat, metadata, produce, record, request, scram_first, sources,
    text16,
)
from lib import Server, check, properties, until


def refused(target, source, user, password="wrong-password", door="clear", mechanism="PLAIN"):
    """The code of a login, or None when the door was closed."""
    try:
        with target.peer(door, source) as peer:
            return peer.log_in(user, password, mechanism)
    except OSError:
        return None


def case_source_that_guesses_is_shut_out_and_nobody_else():
    with Server(configured()) as server:
        target = Target(server)
        other = server.client("other", "All topic:*")
        attacker, neighbour = "127.66.0.1", "127.66.0.2"
        inside = target.logged_in("clear", attacker)
        codes, over = [], threading.Event()

        def attack():
            while not over.is_set():
                codes.append(refused(target, attacker, "somebody"))

        threads = [threading.Thread(target=attack, daemon=True) for _ in range(5)]
        for thread in threads:
            thread.start()
        took = [target.is_unharmed() for _ in range(5)]
        until(20, "the door is closed", lambda: codes.count(None) > 20)
        took.append(target.is_unharmed(neighbour))
        over.set()
        for thread in threads:
            thread.join()
        guesses = len(codes) - codes.count(None)
        # Ten at once, and whatever was on its way when the tenth was told.
        check(set(codes) <= {58, None} and guesses <= 20, f"{guesses} guesses were answered")
        check(refused(target, attacker, target.user, target.password) is None, "the door is closed for the right one too")
        check(inside.ask(metadata("t")) is not None, "who is in stays in")
        inside.close()
        check(target.counted("gateway_connections_refused_total", reason="failed_logins") > 20, "counted")
        check(target.counted("gateway_login_throttled_total", scope="source") > 20, "counted")
        check(target.counted("gateway_logins_total", outcome="refused") >= 10, "counted")
        target.told("bad_proof")
        target.is_alive()


def case_account_that_is_guessed_at_lets_in_whom_it_knows():
    """Guesses from everywhere at one name: its owner, where he always was, notices nothing."""
    with Server(configured("max_unauthenticated = 4000\n")) as server:
        target = Target(server)
        server.client("other", "All topic:*")
        crowd = sources(80)
        guess = lambda source: refused(target, source, target.user, mechanism="SCRAM-SHA-256")
        codes = at_once(guess, crowd, 80)
        check(codes.count(58) > 40, f"{codes}")
        target.is_unharmed(HONEST)
        stranger = "127.88.0.1"
        check(refused(target, stranger, target.user, target.password) == 58, "from elsewhere nobody gets in meanwhile")
        check(refused(target, stranger, target.user, target.password, mechanism="SCRAM-SHA-256") == 58, "by no mechanism")
        check(target.counted("gateway_login_throttled_total", scope="account") >= 2, "counted")
        target.told("guarded_account")
        check(refused(target, "127.88.0.2", "nobody-at-all") == 58, "somebody else is told the same")
        target.is_alive()


def case_flood_of_guesses_shuts_out_strangers_for_a_while():
    """Hundreds of proofs at the same moment, each from an address of its own."""
    with Server(configured("max_unauthenticated = 9000\nmax_connections = 9000\n")) as server:
        target = Target(server)

        def prepared(source):
            peer = target.peer("clear", source)
            check(peer.greet("SCRAM-SHA-256") == 0, "the mechanism is there")
            challenge = peer.prove(scram_first(f"user-{source}"))
            nonce = challenge[1].decode().split(",")[0]
            return peer, request(AUTHENTICATE, 1, 3, bytes32(f"c=biws,{nonce},p=AAAA".encode()))

        def wave(number):
            ready = at_once(prepared, sources(700, 10 + number), 20)
            for peer, proof in ready:
                peer.send(proof)
            for peer, _ in ready:
                peer.close()
            return "auth.flood" in target.trail() or None

        # A machine that takes seconds for seven hundred checks sees no flood in the first wave.
        for number in range(3):
            if wave(number):
                break
            time.sleep(0.5)
        target.told("auth.flood")
        target.is_unharmed(HONEST)
        check(refused(target, "127.99.0.1", target.user, target.password) is None, "strangers find the door closed")
        until(30, "and open again", lambda: refused(target, "127.99.0.1", target.user, target.password) == 0)
        target.is_alive()


def case_guesses_at_people_do_not_hold_up_services():
    """Checking a person's password is slow on purpose, and so is checking one of nobody; a service's secret is not."""
    with Server(configured("max_unauthenticated = 4000\n")) as server:
        target = Target(server)
        codes = []
        guess = lambda source: codes.append(refused(target, source, "nobody-at-all"))
        flood = threading.Thread(target=at_once, args=(guess, sources(120), 120))
        flood.start()
        until(20, "the flood", lambda: codes)
        rounds = 0
        while flood.is_alive() or rounds < 3:
            check(refused(target, HONEST, target.user, target.password) == 0, "a service logs in by PLAIN")
            target.is_unharmed()
            rounds += 1
        flood.join()
        check(set(codes) <= {58, None} and 58 in codes, f"{codes}")
        target.is_alive()


def case_requests_before_a_login_wait_or_are_never_looked_at():
    with Server(configured()) as server:
        target = Target(server)
        early = produce("t", batch(record(b"early")), 9)
        greeting, end = request(HANDSHAKE, 1, 1, text16("PLAIN")), lambda: end_of(inside.ask(ends("t")))
        token = lambda password: request(AUTHENTICATE, 1, 2, bytes32(f"\0{target.user}\0{password}".encode()))
        with target.logged_in("clear", HONEST) as inside:
            before = end()
            for door in ("clear", "sasl"):
                for what, sent in (
                    ("nothing before it", early),
                    ("behind a greeting", greeting + early),
                    ("behind a wrong proof", greeting + token("wrong-password") + early),
                    ("behind ApiVersions", request(API_VERSIONS, 0) + early),
                    ("a right proof behind a wrong one", greeting + token("wrong-password") + token(target.password) + early),
                    ("a token without a greeting", token(target.password) + early),
                    ("another login behind ApiVersions twice", request(API_VERSIONS, 0) * 2 + greeting + token(target.password)),
                ):
                    with target.peer(door, "127.55.0.1") as peer:
                        peer.send(sent)
                        check(peer.bytes_until_closed() is not None, f"{door}, {what}: is closed")
                    check(end() == before, f"{door}, {what}: nothing was written")
                with target.peer(door, HONEST) as peer:
                    peer.send(request(API_VERSIONS, 0) + greeting + token(target.password) + early)
                    numbers = [struct.unpack(">i", peer.answer()[:4])[0] for _ in range(4)]
                    check(numbers == [1, 1, 2, 9], f"{door}: what came early is answered behind the login: {numbers}")
                before += 1
                check(end() == before, f"{door}: and was written once")
        target.is_unharmed()
        target.is_alive()


def case_messages_of_a_login_have_a_length_and_an_order():
    with Server(configured()) as server:
        target = Target(server)
        with target.peer("clear", "127.55.0.1") as peer:
            check(peer.greet("GSSAPI") == 33 and peer.is_closed(), "a mechanism that there is not")
        with target.peer("clear", "127.55.0.1") as peer:
            check(peer.ask(request(HANDSHAKE, 0, 1, text16("PLAIN"))) is None, "no tokens without frames")
        broken = (b"", b"\0", b"\0a\0", b"\0\0b", b"a\0b", b"\0a\0b\0c", b"x" * 4097, b"\0" + b"u" * 300 + b"\0p")
        for number, token in enumerate(broken):
            with target.peer("clear", sources(10, 55)[number]) as peer:
                peer.greet()
                check(peer.prove(token)[0] == 58 and peer.is_closed(), f"{token[:20]}")
        broken = (b"y,,n=a,r=b", b"p=x,,n=a,r=b", b"n,,r=b", b"n,,n=a,r=", b"n,,n==,r=b", b"n,,m=x,n=a,r=b")
        for number, token in enumerate(broken):
            with target.peer("clear", sources(10, 56)[number]) as peer:
                peer.greet("SCRAM-SHA-256")
                check(peer.prove(token)[0] == 58 and peer.is_closed(), f"{token}")
        # A conversation goes on for two messages, and nothing makes it longer.
        with target.peer("clear", "127.57.0.1") as peer:
            peer.greet("SCRAM-SHA-256")
            check(peer.prove(scram_first(target.user))[0] == 0, "the challenge")
            check(peer.prove(scram_first(target.user))[0] == 58 and peer.is_closed(), "another beginning is no proof")
        with target.peer("clear", "127.57.0.2") as peer:
            peer.greet("SCRAM-SHA-256")
            peer.prove(scram_first(target.user))
            answer = peer.ask(metadata("t"))
            check(answer is not None and peer.is_closed(), "another request in the middle: its own words, and the end")
        target.is_unharmed()
        target.is_alive()


def advertised(peer):
    """Key to range, from ApiVersions version 0."""
    answer = peer.ask(request(API_VERSIONS, 0))
    count = struct.unpack(">i", answer[6:10])[0]
    rows = (struct.unpack(">hhh", answer[10 + 6 * n:16 + 6 * n]) for n in range(count))
    return {key: (low, high) for key, low, high in rows}


def case_keys_and_versions_that_are_not_offered_close_the_connection():
    with Server(configured("max_connections_per_ip = 9000\n")) as server:
        target = Target(server)
        with target.logged_in() as peer:
            offered = advertised(peer)
        check({0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 17, 18, 19, 36} <= set(offered), f"{offered}")
        between_servers = {4, 5, 6, 7, 27, 52, 53, 54, 56, 58, 59, 62, 63, 67, 70, 73, 82, 83, 84, 85, 86, 87}
        check(not between_servers & set(offered), "nothing that servers say to each other")
        check(not {71, 72, 38, 39, 40, 41} & set(offered), "neither telemetry nor tokens")
        hidden = [(key, 0) for key in (-1, -32768, *range(100), 999, 32767) if key not in offered]
        beyond = [(key, high + 1) for key, (_, high) in offered.items() if key != API_VERSIONS]
        beyond += [(key, -1) for key in offered if key != API_VERSIONS]
        # Shown from 0 for old clients, and served from later on.
        beyond += [(key, low - 1) for key, (low, _) in offered.items() if low > 0]
        beyond += [(PRODUCE, version) for version in range(3)]

        def use(asked):
            key, version = asked
            with target.logged_in("clear", HONEST) as peer:
                peer.send(request(key, version, 1, bytes(40)))
                return None if peer.is_closed() else asked

        answered = [asked for asked in at_once(use, hidden + beyond, 8) if asked]
        check(not answered, f"answered although not offered: {answered}")
        with target.logged_in() as peer:
            answer = peer.ask(request(API_VERSIONS, 99))
            check(struct.unpack(">ih", answer[:6]) == (1, 35), "only ApiVersions has words for every version")
            check(peer.ask(metadata("t")) is not None, "and goes on")
        counted = target.ended("hidden_api") + target.ended("unsupported_version")
        check(counted >= len(hidden) + len(beyond), f"{counted} were counted")
        check(target.counted("gateway_hidden_api_total") > 20, "by their keys")
        target.is_unharmed()
        target.is_alive()


def case_answers_keep_the_order_and_the_ids_of_requests():
    numbers = [5, 5, 5, -1, 0, 0x7FFFFFFF, -0x80000000, 3, 2, 1, 5]
    with Server(configured()) as server:
        target = Target(server)
        for door in ("clear", "sasl"):
            with target.logged_in(door) as peer:
                kinds = (lambda n: metadata("t", number=n), lambda n: heartbeat(number=n), lambda n: ends("t", n))
                frames = [kinds[at % 3](number) for at, number in enumerate(numbers)]
                peer.send(b"".join(frames))
                got = [struct.unpack(">i", peer.answer()[:4])[0] for _ in numbers]
                check(got == numbers, f"{got}")
                # Without an answer there is no place in the order.
                peer.send(produce("t", batch(record(b"silent")), 1, acks=0) + metadata("t", number=2))
                check(struct.unpack(">i", peer.answer()[:4])[0] == 2, "acks=0")
                peer.send(b"".join(metadata("t", number=7) for _ in range(500)))
                check([peer.answer()[:4] for _ in range(500)] == [struct.pack(">i", 7)] * 500, "500 of one number")
        target.is_alive()


def case_crowd_of_one_address_leaves_room_for_others():
    with Server(configured("max_unauthenticated = 200\n")) as server:
        target = Target(server)
        target.is_unharmed()
        at_rest = target.descriptors()
        crowd = "127.66.0.1"
        with target.memory_within(60):
            silent = []
            for _ in range(1500):
                one = socket.socket()
                one.bind((crowd, 0))
                host, port = target.doors["clear"].split(":")
                one.connect((host, int(port)))
                silent.append(one)
            turned_away = lambda: target.counted("gateway_connections_refused_total", reason="max_unauthenticated")
            until(20, "they are counted", lambda: turned_away() >= 1400)
            check(target.counted("gateway_connections") <= 21, "a tenth of the places is theirs")
            for _ in range(3):
                target.is_unharmed()
            for one in silent:
                one.close()
        target.is_empty(at_rest)
        check(refused(target, crowd, target.user, target.password) == 0, "the address may come again")
        target.is_alive()


def case_connections_that_break_off_anywhere_leave_nothing_behind():
    with Server(configured("max_unauthenticated = 4000\nmax_connections_per_ip = 4000\n")) as server:
        target = Target(server)
        target.is_unharmed()
        at_rest = target.descriptors()
        half = produce("t", batch(record(b"x" * 200_000)))[:100_000]

        def break_off(number):
            door = "bare" if number % 4 == 0 else "sasl" if number % 4 == 1 else "clear"
            peer = target.peer(door, sources(400)[number % 400])
            if door == "bare":
                peer.send(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03")
            elif number % 3 == 0:
                peer.send(request(API_VERSIONS, 0) + request(HANDSHAKE, 1, 1, text16("PLAIN"))[:9])
            elif number % 3 == 1 and door == "clear":
                peer.log_in(target.user, target.password)
                peer.send(metadata("t") + half)
            peer.reset()

        with target.memory_within(120):
            at_once(break_off, range(1500), 12)
            target.is_unharmed()
        target.is_empty(at_rest)
        check(target.counted("gateway_request_memory_bytes") == 0, "and what was lent for large requests")
        check(target.counted("gateway_in_flight") == 0, "and nothing is in flight")
        target.is_unharmed()
        target.is_alive()


def case_session_stays_who_it_was():
    """Another login on an open connection (KIP-368) may not change who is at its end."""
    with Server(configured(deadlines='session_max = "1h"\n')) as server:
        target = Target(server)
        folder = server.client("other")
        settings = properties(folder / "librdkafka.conf")
        other = settings["sasl.username"], settings["sasl.password"]
        with target.logged_in() as peer:
            check(peer.log_in(target.user, target.password) == 0, "the same again")
            check(peer.ask(metadata("t")) is not None, "goes on")
        for what, (user, password), code in (
            ("somebody else with the right password", other, 58),
            ("somebody else with a wrong one", (other[0], "wrong-password"), 58),
            ("the same with a wrong one", (target.user, "wrong-password"), 58),
        ):
            with target.logged_in() as peer:
                check(peer.log_in(user, password) == code and peer.is_closed(), what)
        with target.logged_in() as peer:
            check(peer.greet("SCRAM-SHA-256") == 33 and peer.is_closed(), "another mechanism")
        with target.logged_in() as peer:
            check(peer.greet() == 0, "begins")
            peer.send(metadata("t"))
            check(peer.is_closed(), "anything but a token ends it")
        target.told("other_principal")
        target.is_unharmed()
        target.is_alive()


PROXIED = CLEAR + """
[[gateway.listener]]
name = "proxied"
bind = "127.0.0.1:0"
protocol = "insecure_sasl_plaintext"
mechanisms = ["PLAIN"]
insecure_bearer_secrets_without_tls = true
proxy_protocol = "required"
trusted_proxies = ["127.44.0.0/16"]
"""


def case_proxy_header_counts_from_a_trusted_peer_only():
    with Server(configured(listeners=PROXIED)) as server:
        target = Target(server)
        binary = b"\r\n\r\n\0\r\nQUIT\n"
        good = [
            b"PROXY TCP4 203.0.113.7 127.0.0.1 40000 9094\r\n",
            binary + b"\x21\x11\0\x0c" + bytes([203, 0, 113, 7, 127, 0, 0, 1]) + struct.pack(">HH", 40000, 9094),
        ]

        def through(source, header, door="proxied"):
            peer = Peer(target.doors[door], source=source)
            peer.send(header)
            return peer

        for header in good:
            with through("127.44.0.1", header) as peer:
                check(peer.log_in(target.user, target.password) == 0, "a proxy that is trusted")
            with through("127.45.0.1", header) as peer:
                peer.send(request(API_VERSIONS, 0))
                check(peer.is_closed(), "a proxy that is not")
            with through(HONEST, header, "clear") as peer:
                check(peer.is_closed(), "a listener without proxies")
        target.told("203.0.113.7")
        for wrong in (
            request(API_VERSIONS, 0), b"PROXY TCP4 203.0.113.7\r\n", b"PROXY TCP4 " + b"1" * 600, b"PROXY TCP9 1 1 1 1\r\n",
            binary + b"\x21\x11\xff\xff" + bytes(600), binary + b"\x31\x11\0\x0c" + bytes(12), binary + b"\x21\x11\0\x01\0",
            b"PROXY TCP4 203.0.113.7 127.0.0.1 40000 9094\n\n",
        ):
            with through("127.44.0.1", wrong) as peer:
                with contextlib.suppress(OSError):
                    peer.raw.shutdown(socket.SHUT_WR)
                check(peer.is_closed(), f"{wrong[:30]}")
        with through("127.44.0.1", b"") as peer:
            check(peer.is_closed(within=10), "a proxy that says nothing")
        # Guesses count for the client that the proxy names, and for nobody else behind it.
        guesser = b"PROXY TCP4 203.0.113.66 127.0.0.1 40000 9094\r\n"

        def guess(_):
            with through("127.44.0.1", guesser) as peer:
                return peer.log_in("somebody", "wrong-password")

        at_once(guess, range(30), 30)
        with through("127.44.0.1", guesser) as peer:
            check(peer.log_in(target.user, target.password) is None, "the door is closed for it")
        with through("127.44.0.1", good[0]) as peer:
            check(peer.log_in(target.user, target.password) == 0, "and for no other client of this proxy")
        check(target.counted("gateway_connections_refused_total", reason="untrusted_proxy") >= 2, "counted")
        check(target.counted("gateway_connections_refused_total", reason="proxy_header") >= 8, "counted")
        target.is_alive()
