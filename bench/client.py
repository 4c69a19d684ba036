"""One connection to a Kafka listener: TLS, SCRAM-SHA-512, and the few requests that the measures send.

In: a Target. Out: answers. Requests that are sent often are made once and sent as they are.
"""

import base64
import functools
import hashlib
import hmac
import os
import socket
import ssl
import struct
import time
from dataclasses import dataclass, field

API_VERSIONS, CREATE_TOPICS, DELETE_TOPICS, FETCH, HANDSHAKE, METADATA, PRODUCE, AUTHENTICATE = 18, 19, 20, 1, 17, 3, 0, 36


class Refused(Exception):
    """The server answered with an error code, or not at all."""


class NotLeader(Refused):
    """NOT_LEADER_OR_FOLLOWER, or UNKNOWN_TOPIC_OR_PARTITION: the topic is new."""


@dataclass(frozen=True)
class Target:
    host: str
    port: int
    pids: tuple[int, ...] = ()
    ca: str | None = None
    user: str | None = None
    password: str = field(default="", repr=False)

    @property
    def named(self) -> str:
        leg = "TLS 1.3" if self.ca else "plaintext"
        return f"{leg}, SCRAM-SHA-512" if self.user else leg


@functools.cache
def _tls(ca: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def uvarint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_uvarint(data, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def compact(text: bytes) -> bytes:
    return uvarint(len(text) + 1) + text


def text(value: str) -> bytes:
    return struct.pack(">h", len(value)) + value.encode()


def frame(key: int, version: int, flexible: bool, body: bytes) -> bytes:
    """Length, header and body of a request."""
    header = struct.pack(">hhi", key, version, 1) + text("kastellan-bench") + (b"\0" if flexible else b"")
    return struct.pack(">i", len(header) + len(body)) + header + body


def produce_request(topic: str, records: bytes, acks: int) -> bytes:
    partition = struct.pack(">i", 0) + compact(records) + b"\0"
    topics = b"\x02" + compact(topic.encode()) + b"\x02" + partition + b"\0"
    return frame(PRODUCE, 9, True, b"\0" + struct.pack(">hi", acks, 30_000) + topics + b"\0")


def fetch_request(topic_id: bytes, offset: int, max_bytes: int) -> bytes:
    """Version 16: topics by id, no session, one partition."""
    partition = struct.pack(">iiqiqi", 0, -1, offset, -1, -1, max_bytes) + b"\0"
    topics = b"\x02" + topic_id + b"\x02" + partition + b"\0"
    head = struct.pack(">iiibii", 1_000, 1, max_bytes, 0, 0, -1)
    return frame(FETCH, 16, True, head + topics + b"\x01" + b"\x01" + b"\0")


@functools.cache
def _salted(password: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations)


class Connection:
    """A connection that is logged in."""

    def __init__(self, target: Target):
        plain = socket.create_connection((target.host, target.port), timeout=30)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = _tls(target.ca).wrap_socket(plain, server_hostname="localhost") if target.ca else plain
        self.buffer = bytearray(1 << 16)
        self.filled = 0
        if target.user:
            self._login(target)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, request: bytes):
        self.socket.sendall(request)

    def receive(self) -> memoryview:
        """The next answer, without its length; valid until the next call."""
        self._fill(4)
        (length,) = struct.unpack_from(">i", self.buffer)
        self._fill(4 + length)
        answer = memoryview(bytes(memoryview(self.buffer)[4 : 4 + length]))
        rest = self.filled - 4 - length
        self.buffer[:rest] = self.buffer[4 + length : self.filled]
        self.filled = rest
        return answer

    def _fill(self, wanted: int):
        if wanted > len(self.buffer):
            self.buffer.extend(bytes(wanted - len(self.buffer)))
        while self.filled < wanted:
            count = self.socket.recv_into(memoryview(self.buffer)[self.filled :])
            if count == 0:
                raise Refused("the server closed the connection")
            self.filled += count

    def ask(self, request: bytes) -> memoryview:
        self.send(request)
        return self.receive()

    def api_versions(self):
        answer = self.ask(frame(API_VERSIONS, 0, False, b""))
        _check(struct.unpack_from(">h", answer, 4)[0], "ApiVersions")

    def create_topic(self, name: str, settings=()):
        pairs = b"".join(compact(key.encode()) + compact(value.encode()) + b"\0" for key, value in settings)
        topic = compact(name.encode()) + struct.pack(">ih", 1, 1) + b"\x01" + uvarint(len(settings) + 1) + pairs + b"\0"
        answer = self.ask(frame(CREATE_TOPICS, 5, True, b"\x02" + topic + struct.pack(">ib", 30_000, 0) + b"\0"))
        length, at = read_uvarint(answer, 10)
        _check(struct.unpack_from(">h", answer, at + length - 1)[0], f"CreateTopics {name}")

    def delete_topic(self, name: str):
        answer = self.ask(frame(DELETE_TOPICS, 4, True, b"\x02" + compact(name.encode()) + struct.pack(">i", 30_000) + b"\0"))
        length, at = read_uvarint(answer, 10)
        _check(struct.unpack_from(">h", answer, at + length - 1)[0], f"DeleteTopics {name}")

    def topic_id(self, name: str) -> bytes:
        """Waits until the topic has a leader."""
        body = b"\x02" + bytes(16) + compact(name.encode()) + b"\0" + b"\0\0\0"
        for _ in range(100):
            answer = self.ask(frame(METADATA, 12, True, body))
            at = bytes(answer).find(compact(name.encode()))
            if at > 2 and struct.unpack_from(">h", answer, at - 2)[0] == 0:
                start = at + 1 + len(name)
                return bytes(answer[start : start + 16])
            time.sleep(0.05)
        raise Refused(f"{name} has no leader")

    def _login(self, target: Target):
        answer = self.ask(frame(HANDSHAKE, 1, False, text("SCRAM-SHA-512")))
        _check(struct.unpack_from(">h", answer, 4)[0], "SaslHandshake")
        nonce = base64.b64encode(os.urandom(18)).decode()
        first = f"n={target.user},r={nonce}"
        server_first = self._token(f"n,,{first}".encode()).decode()
        parts = dict(part.split("=", 1) for part in server_first.split(","))
        salted = _salted(target.password, base64.b64decode(parts["s"]), int(parts["i"]))
        bare = f"c=biws,r={parts['r']}"
        signed = f"{first},{server_first},{bare}".encode()
        client_key = hmac.digest(salted, b"Client Key", "sha512")
        signature = hmac.digest(hashlib.sha512(client_key).digest(), signed, "sha512")
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        final = self._token(f"{bare},p={base64.b64encode(proof).decode()}".encode())
        expected = hmac.digest(hmac.digest(salted, b"Server Key", "sha512"), signed, "sha512")
        if final.split(b",")[0] != b"v=" + base64.b64encode(expected):
            raise Refused("the server does not know the password")

    def _token(self, token: bytes) -> bytes:
        answer = self.ask(frame(AUTHENTICATE, 1, False, struct.pack(">i", len(token)) + token))
        code, message = struct.unpack_from(">hh", answer, 4)
        at = 8 + max(message, 0)
        _check(code, "SaslAuthenticate")
        (length,) = struct.unpack_from(">i", answer, at)
        return bytes(answer[at + 4 : at + 4 + length])


def _check(code: int, what: str):
    if code in (3, 6):
        raise NotLeader(f"{what}: error {code}")
    if code != 0:
        raise Refused(f"{what}: error {code}")


def produced(answer: memoryview, topic: str):
    """Raises unless a Produce answer (version 9) says that the one partition took its batch."""
    _check(struct.unpack_from(">h", answer, 4 + 1 + 1 + 1 + len(topic) + 1 + 4)[0], "Produce")


def fetched(answer: memoryview) -> memoryview:
    """The records of the one partition of a Fetch answer (version 16)."""
    code, = struct.unpack_from(">h", answer, 9)
    _check(code, "Fetch")
    count, at = read_uvarint(answer, 15)
    if count != 2:
        return answer[:0]
    at += 16 + 1 + 4
    _check(struct.unpack_from(">h", answer, at)[0], "Fetch")
    aborted, at = read_uvarint(answer, at + 2 + 24)
    if aborted > 1:
        raise Refused("Fetch: there are aborted transactions in a topic of ours")
    size, at = read_uvarint(answer, at + 4)
    return answer[at : at + max(size - 1, 0)]
