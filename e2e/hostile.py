"""A client that sends bytes as it likes: frames that lie, logins that stop half-way, readers that never read.

Standard library only. What a server does about it is looked at from outside: answers, closed connections, memory, metrics,
trail and log. A client may come from any address of 127.0.0.0/8, so that one machine is many sources.
"""

import base64
import contextlib
import hashlib
import hmac
import itertools
import os
import pathlib
import re
import socket
import ssl
import struct
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from lib import CONFIG, Failed, check, free_ports, properties, until

PRODUCE, FETCH, LIST_OFFSETS, METADATA, HEARTBEAT = 0, 1, 2, 3, 12
HANDSHAKE, API_VERSIONS, AUTHENTICATE = 17, 18, 36
HONEST = "127.77.0.1"
# Generous: the machine is shared. What is meant is "not held up by the attack", whose own deadlines are longer.
HONEST_WITHIN = 15

CLEAR = """
[[gateway.listener]]
name = "clear"
bind = "127.0.0.1:0"
protocol = "insecure_sasl_plaintext"
mechanisms = ["PLAIN", "SCRAM-SHA-256"]
insecure_bearer_secrets_without_tls = true
"""


def configured(limits="", deadlines="", listeners=CLEAR):
    """The usual configuration with a clear-text listener, and with other limits and deadlines."""
    for port in free_ports(listeners.count('"127.0.0.1:0"')):
        listeners = listeners.replace('"127.0.0.1:0"', f'"127.0.0.1:{port}"', 1)
    text = CONFIG + listeners
    text = text.replace("[gateway.limits]\n", "[gateway.limits]\n" + limits)
    return text + ("\n[gateway.deadlines]\n" + deadlines if deadlines else "")


# What goes on the wire.

def text16(value):
    if value is None:
        return b"\xff\xff"
    raw = value.encode()
    return struct.pack(">h", len(raw)) + raw


def bytes32(value):
    return struct.pack(">i", len(value)) + value


def varint(number):
    """Unsigned, as compact lengths are."""
    out = b""
    while True:
        number, low = number >> 7, number & 0x7F
        out += bytes([low | (0x80 if number else 0)])
        if not number:
            return out


def zigzag(number):
    return varint((number << 1) ^ (number >> 63))


def array(items):
    return struct.pack(">i", len(items)) + b"".join(items)


def request(key, version, number=1, body=b"", client="hostile", flexible=False):
    """Header and body, with the length in front."""
    frame = struct.pack(">hhi", key, version, number) + text16(client) + (b"\0" if flexible else b"") + body
    return struct.pack(">i", len(frame)) + frame


def promise(length, key, version=1):
    """A length and a header's first four bytes, and nothing behind them."""
    return struct.pack(">ihh", length, key, version)


def metadata(*topics, number=1):
    return request(METADATA, 1, number, array([text16(topic) for topic in topics]))


def heartbeat(group="g", number=1):
    return request(HEARTBEAT, 0, number, text16(group) + struct.pack(">i", 1) + text16("m"))


def produce(topic, records, number=1, acks=-1, partitions=(0,), version=7):
    data = [struct.pack(">i", partition) + bytes32(records) for partition in partitions]
    body = text16(None) + struct.pack(">hi", acks, 5000) + array([text16(topic) + array(data)])
    return request(PRODUCE, version, number, body)


def fetch(topic, offset=0, number=1, most=1 << 20, wait=10):
    one = struct.pack(">iqi", 0, offset, most)
    body = struct.pack(">iiiib", -1, wait, 1, most, 0) + array([text16(topic) + array([one])])
    return request(FETCH, 4, number, body)


def ends(topic, number=1):
    """Asks for the end of a partition."""
    one = struct.pack(">iq", 0, -1)
    return request(LIST_OFFSETS, 1, number, struct.pack(">i", -1) + array([text16(topic) + array([one])]))


def crc32c(data, table=[]):
    if not table:
        for number in range(256):
            for _ in range(8):
                number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)
            table.append(number)
    state = 0xFFFFFFFF
    for byte in data:
        state = state >> 8 ^ table[(state ^ byte) & 0xFF]
    return state ^ 0xFFFFFFFF


def record(value, key=b"k"):
    body = b"\0" + zigzag(0) + zigzag(0) + zigzag(len(key)) + key + zigzag(len(value)) + value + zigzag(0)
    return zigzag(len(body)) + body


def batch(section, count=1, codec=0):
    """A record batch around a section of records that may be compressed."""
    tail = struct.pack(">hiqqqhii", codec, count - 1, 1_700_000_000_000, 1_700_000_000_000, -1, -1, -1, count) + section
    head = struct.pack(">iBI", 0, 2, crc32c(tail))
    return struct.pack(">qi", 0, len(head) + len(tail)) + head + tail


class Peer:
    """One connection."""

    def __init__(self, address, source=None, ca=None, timeout=20, buffer=None, options=None):
        host, port = address.rsplit(":", 1)
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source:
            self.socket.bind((source, 0))
        self.raw = self.socket
        try:
            self.socket.connect((host, int(port)))
            if ca:
                self.socket = tls(ca, options).wrap_socket(self.socket, server_hostname="localhost")
        except BaseException:
            self.close()
            raise
        self.number = 100

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.close()

    def reset(self):
        """Goes away without a word: what is on its way is lost."""
        with contextlib.suppress(OSError):
            self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def send(self, data):
        """Whoever was closed already is told by the next read."""
        with contextlib.suppress(OSError):
            self.socket.sendall(data)

    def take(self, count):
        read = b""
        while len(read) < count:
            more = self.socket.recv(count - len(read))
            if not more:
                raise EOFError
            read += more
        return read

    def answer(self):
        """Header and body of the next answer; None: the connection was closed instead."""
        try:
            return self.take(struct.unpack(">i", self.take(4))[0])
        except socket.timeout:
            raise Failed("neither an answer nor a closed connection") from None
        except (OSError, EOFError):
            return None

    def ask(self, frame):
        self.send(frame)
        return self.answer()

    def is_closed(self, within=20):
        """Whether the server closes within this time, without an answer before."""
        return self.bytes_until_closed(within) == 0

    def bytes_until_closed(self, within=20):
        """How much still came; None: it was not closed in time."""
        end, count = time.monotonic() + within, 0
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                more = self.socket.recv(65536)
            except socket.timeout:
                return None
            except OSError:
                return count
            if not more:
                return count
            count += len(more)
        return None

    def stays(self, seconds=0.3):
        """Whether nothing comes and nobody closes for this long."""
        self.socket.settimeout(seconds)
        try:
            self.socket.recv(1)
            return False
        except (socket.timeout, ssl.SSLWantReadError):
            return True
        except OSError:
            return False

    def greet(self, mechanism="PLAIN"):
        answer = self.ask(request(HANDSHAKE, 1, 1, text16(mechanism)))
        return None if answer is None else struct.unpack(">h", answer[4:6])[0]

    def prove(self, token):
        """One SASL message; gives code and bytes, or None."""
        answer = self.ask(request(AUTHENTICATE, 1, 2, bytes32(token)))
        if answer is None:
            return None
        code, length = struct.unpack(">hh", answer[4:8])
        rest = answer[8 + max(length, 0):]
        size = struct.unpack(">i", rest[:4])[0]
        return code, rest[4:4 + max(size, 0)]

    def log_in(self, user, password, mechanism="PLAIN"):
        """The whole login; gives the last code, None when the server closed."""
        if self.greet(mechanism) != 0:
            return None
        if mechanism == "PLAIN":
            proven = self.prove(f"\0{user}\0{password}".encode())
            return proven and proven[0]
        proven = self.prove(scram_first(user))
        if not proven or proven[0]:
            return proven and proven[0]
        last = self.prove(scram_last(user, password, proven[1].decode(), mechanism))
        return last and last[0]


NONCE = "rOprNGfwEbeRWgbNEkqO"


def scram_first(user):
    return f"n,,n={user},r={NONCE}".encode()


def scram_last(user, password, challenge, mechanism="SCRAM-SHA-256"):
    name = mechanism.removeprefix("SCRAM-").replace("-", "").lower()
    parts = dict(part.split("=", 1) for part in challenge.split(","))
    salted = hashlib.pbkdf2_hmac(name, password.encode(), base64.b64decode(parts["s"]), int(parts["i"]))
    sign = lambda key, message: hmac.new(key, message, name).digest()
    client_key = sign(salted, b"Client Key")
    without_proof = f"c=biws,r={parts['r']}"
    signed = f"n={user},r={NONCE},{challenge},{without_proof}".encode()
    signature = sign(hashlib.new(name, client_key).digest(), signed)
    proof = bytes(left ^ right for left, right in zip(client_key, signature))
    return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()


def tls(ca, options=None):
    context = ssl.create_default_context(cafile=str(ca))
    if options:
        options(context)
    return context


# Who is attacked, and who is not to be harmed.

class Target:
    """A server, its doors, and an honest service that is known to it."""

    def __init__(self, server):
        self.server = server
        bound = re.findall(r'name = "(\w+)"\nbind = "(127.0.0.1:[1-9]\d*)"', server.config.read_text())
        self.doors = {**dict(bound), "sasl": server.kafka, "mtls": server.mtls, "bare": server.kafka}
        folder = server.client("honest", "All topic:*", "All group:*", "All cluster")
        settings = properties(folder / "librdkafka.conf")
        self.user, self.password = settings["sasl.username"], settings["sasl.password"]
        self.ca = folder / "ca.pem"
        self.folder = folder
        self.counter = itertools.count(1)
        with self.peer(source=HONEST) as peer:
            check(peer.log_in(self.user, self.password) == 0, "logs in")
            peer.ask(request(METADATA, 4, 1, array([text16("t")]) + b"\1"))
            until(10, "the topic", lambda: topic_code(peer.ask(metadata("t"))) == 0)

    def peer(self, door="sasl", source=None, **options):
        encrypted = door not in ("clear", "bare")
        return Peer(self.doors[door], source=source, ca=self.ca if encrypted else None, **options)

    def logged_in(self, door="clear", source=None, **options):
        peer = self.peer(door, source, **options)
        code = peer.log_in(self.user, self.password)
        check(code == 0, f"an honest login was refused: {code}")
        return peer

    def is_unharmed(self, source=HONEST):
        """An honest client logs in over TLS by SCRAM, writes and reads; gives how long it took."""
        began, value = time.monotonic(), b"honest-%d" % next(self.counter)
        with self.peer(source=source) as peer:
            code = peer.log_in(self.user, self.password, "SCRAM-SHA-256")
            check(code == 0, f"an honest login was refused: {code}")
            answer = peer.ask(produce("t", batch(record(value)), 7))
            check(produced_codes(answer) == [0], f"an honest write was refused: {answer}")
            end = end_of(peer.ask(ends("t", 8)))
            check(value in (peer.ask(fetch("t", end - 1, 9)) or b""), "what was written is read")
        took = time.monotonic() - began
        check(took < HONEST_WITHIN, f"an honest client waited {took:.1f} s")
        return took

    def counted(self, name, **labels):
        page = urllib.request.urlopen(f"http://{self.server.ready['ops']}/metrics", timeout=20).read().decode()
        total = 0
        for series, value in re.findall(rf"^{name}(\{{.*\}})? (\S+)$", page, re.MULTILINE):
            if all(f'{label}="{wanted}"' in series for label, wanted in labels.items()):
                total += float(value)
        return total

    def ended(self, cause):
        return self.counted("gateway_disconnects_total", cause=cause)

    def resident(self, field="VmRSS"):
        """Memory of the server's process, in bytes."""
        check(self.server.process.poll() is None, "the server died: " + self.server.log_text()[-2000:])
        status = pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)[1]) << 10

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.server.process.pid}/fd"))

    def is_empty(self, descriptors):
        """Waits until nobody is connected and the process holds no more than before, but for a file or two of its own."""
        gone = lambda: self.descriptors() <= descriptors + 3 and self.counted("gateway_connections") == 0
        until(30, "everything is given back", gone)

    def trail(self):
        files = sorted((self.server.data / "trail").glob("*.seg"))
        return b"".join(path.read_bytes() for path in files).decode("latin-1")

    def told(self, word):
        """Waits until a word is on the trail."""
        until(10, f"{word} on the trail", lambda: word in self.trail())

    def is_alive(self):
        """It runs, nothing in it panicked, and no secret was written anywhere."""
        check(self.server.process.poll() is None, "the server lives")
        text = self.server.log_text()
        check("panicked" not in text and "ended in a panic" not in text, text[-2000:])
        for place, written in (("log", text), ("trail", self.trail())):
            for secret in (self.password, "wrong-password"):
                check(secret not in written, f"a password stands in the {place}")

    @contextlib.contextmanager
    def memory_within(self, mebibytes):
        """The server needs no more than so much more memory, not even for a moment."""
        before, peak, ended = self.resident(), [0], threading.Event()

        def watch():
            while not ended.wait(0.005):
                peak[0] = max(peak[0], self.resident())

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()
        grown = max(peak[0], self.resident()) - before
        check(grown < mebibytes << 20, f"{grown >> 20} MiB more")


def topic_code(answer):
    """The code of the only topic in an answer to Metadata version 1."""
    at, brokers = 8, struct.unpack(">i", answer[4:8])[0]
    for _ in range(brokers):
        at += 4
        at += 2 + struct.unpack(">h", answer[at:at + 2])[0] + 4
        at += 2 + max(struct.unpack(">h", answer[at:at + 2])[0], 0)
    return struct.unpack(">h", answer[at + 8:at + 10])[0]


def produced_codes(answer):
    """The codes of the partitions of the first topic in an answer to Produce version 7."""
    if answer is None:
        return None
    at = 8
    at += 2 + struct.unpack(">h", answer[at:at + 2])[0]
    count = struct.unpack(">i", answer[at:at + 4])[0]
    each = 4 + 2 + 8 + 8 + 8
    return [struct.unpack(">h", answer[at + 8 + each * n:at + 10 + each * n])[0] for n in range(count)]


def end_of(answer):
    """The offset in an answer to ListOffsets version 1 about one partition."""
    return struct.unpack(">q", answer[-8:])[0]


def sources(count, block=1):
    """Addresses that are nobody's neighbours."""
    return [f"127.{block}.{number // 250}.{number % 250 + 1}" for number in range(count)]


def at_once(work, items, most=50):
    """Does something with each, many at a time; gives the results, and the first problem as it is."""
    with ThreadPoolExecutor(most) as pool:
        return list(pool.map(work, items))
