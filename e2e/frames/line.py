"""One connection of raw frames, with SCRAM over frames where the listener wants it.

In: an address, and a user where there is a login. Out: the answers' bytes, decoded by schema; "closed" where the other
side ended the connection. It is opened anew at the next request then.
"""

import base64
import hashlib
import hmac
import os
import socket
import ssl
import struct

from .schema import Malformed, message

CLOSED = "closed"
SILENT = "no answer"


class Line:
    def __init__(self, address, user=None, seconds=30, client_id="frames", tls=None):
        host, port = address.rsplit(":", 1)
        self.address = (host.strip("[]"), int(port))
        self.user, self.seconds, self.client_id, self.tls = user, seconds, client_id, tls
        self.stream, self.number = None, 0

    def close(self):
        if self.stream:
            self.stream.close()
        self.stream = None

    def open(self):
        self.stream = socket.create_connection(self.address, timeout=self.seconds)
        if self.tls:
            context = ssl.create_default_context(cafile=self.tls)
            self.stream = context.wrap_socket(self.stream, server_hostname="localhost")
        if self.user:
            self.log_in(*self.user)

    def log_in(self, name, password, mechanism="SCRAM-SHA-512"):
        greeted = self.exchange("SaslHandshake", 1, {"Mechanism": mechanism})
        if greeted == CLOSED or greeted["ErrorCode"]:
            raise ConnectionError(f"SaslHandshake for {name}: {greeted}")
        scram = Scram(name, password, mechanism)
        first = self.exchange("SaslAuthenticate", 2, {"AuthBytes": scram.first()})
        final = (
            first
            if first == CLOSED or first["ErrorCode"]
            else self.exchange("SaslAuthenticate", 2, {"AuthBytes": scram.final(first["AuthBytes"])})
        )
        if final == CLOSED or final["ErrorCode"]:
            raise ConnectionError(f"login of {name}: {final}")

    def exchange(self, api, version, fields):
        self.send(api, version, message(f"{api}Request").encode(fields, version))
        return self.receive(api, version)

    def frame(self, api, version, body, header_tags=b"\0"):
        request = message(f"{api}Request")
        self.number += 1
        name = self.client_id.encode()
        head = struct.pack(">hhih", request.key, version, self.number, len(name)) + name
        if request.flexible(version):
            head += header_tags
        return struct.pack(">i", len(head) + len(body)) + head + body

    def send(self, api, version, body, header_tags=b"\0"):
        if self.stream is None:
            self.open()
        frame = self.frame(api, version, body, header_tags)
        try:
            self.stream.sendall(frame)
        except (BrokenPipeError, ConnectionResetError):
            pass  # Told by the next receive.

    def receive(self, api, version, number=None):
        """The answer to the last request, or to the one with that number."""
        answer = self.receive_bytes()
        if answer in (CLOSED, SILENT):
            return answer
        response = message(f"{api}Response")
        expected = self.number if number is None else number
        (found,) = struct.unpack_from(">i", answer)
        if found != expected:
            return f"an answer to request {found - expected:+d}"
        at = 4
        if response.flexible(version) and api != "ApiVersions":
            if answer[4] != 0:
                return f"tags in the answer's header: {answer[4:].hex()}"
            at = 5
        try:
            return response.decode(answer[at:], version)
        except Malformed as error:
            return f"malformed: {error}"

    def receive_bytes(self):
        try:
            return self.read(struct.unpack(">i", self.read(4))[0])
        except TimeoutError:
            self.close()
            return SILENT
        except (EOFError, ConnectionError):
            self.close()
            return CLOSED

    def read(self, count):
        read = bytearray()
        while len(read) < count:
            more = self.stream.recv(count - len(read))
            if not more:
                raise EOFError
            read += more
        return bytes(read)


class Scram:
    """A client's half of RFC 5802."""

    def __init__(self, name, password, mechanism):
        self.digest = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}[mechanism]
        self.password = password.encode()
        self.nonce = base64.b64encode(os.urandom(18)).decode()
        self.bare = f"n={name.replace('=', '=3D').replace(',', '=2C')},r={self.nonce}"

    def first(self):
        return f"n,,{self.bare}".encode()

    def final(self, server, nonce=None):
        """`nonce` is sent in place of the one agreed on."""
        said = dict(one.split("=", 1) for one in server.decode().split(","))
        salted = hashlib.pbkdf2_hmac(self.digest, self.password, base64.b64decode(said["s"]), int(said["i"]))
        without_proof = f"c=biws,r={nonce or said['r']}"
        signed = f"{self.bare},{server.decode()},{without_proof}".encode()
        key = hmac.digest(salted, b"Client Key", self.digest)
        signature = hmac.digest(hashlib.new(self.digest, key).digest(), signed, self.digest)
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature))).decode()
        return f"{without_proof},p={proof}".encode()


def salted_password(password, salt, iterations, digest="sha512"):
    return hashlib.pbkdf2_hmac(digest, password.encode(), salt, iterations)
