"""Bytes that lie: lengths that are promised, elements without end, records that become many, what is no Kafka at all."""

import gzip
import os
import struct
import subprocess
import time

from hostile import (
    API_VERSIONS, AUTHENTICATE, FETCH, HANDSHAKE, METADATA, PRODUCE, Target, array, at_once, batch, bytes32, configured,
    metadata, produce, produced_codes, promise, record, request, sources, text16, topic_code, varint,
)
from lib import Server, check, until

MIB = 1 << 20
MOST = 0x7FFFFFFF


def case_lengths_before_login_are_believed_no_further_than_they_came():
    with Server(configured("max_unauthenticated = 4000\n")) as server:
        target = Target(server)
        for door in ("sasl", "clear"):
            for length in (-1, -(1 << 31), 0, 1, 7, 64 * 1024 + 1, 100 * MIB, MOST):
                with target.peer(door) as peer:
                    peer.send(promise(length, AUTHENTICATE))
                    check(peer.is_closed(), f"{door}: {length} bytes were promised")
            for key in (API_VERSIONS, HANDSHAKE):
                with target.peer(door) as peer:
                    peer.send(promise(4097, key))
                    check(peer.is_closed(), f"{door}: a greeting of 4097 bytes")
                with target.peer(door) as peer:
                    peer.send(promise(4096, key))
                    check(peer.stays(), f"{door}: the rest of a greeting may come")
        with target.memory_within(20):
            waiting = [target.peer("clear", source) for source in sources(400)]
            for peer in waiting:
                peer.send(promise(64 * 1024, AUTHENTICATE))
            target.is_unharmed()
            for peer in waiting:
                peer.close()
        check(target.ended("malformed") >= 10 and target.ended("frame_too_large") >= 6, "counted by what they were")
        target.is_alive()


def case_lengths_after_login_are_believed_no_further_than_they_came():
    with Server(configured()) as server:
        target = Target(server)
        for length, key in ((-1, 3), (0, 3), (7, 3), (16 * MIB + 1, METADATA), (100 * MIB + 1, PRODUCE), (MOST, PRODUCE)):
            with target.logged_in() as peer:
                peer.send(promise(length, key))
                check(peer.is_closed(), f"{length} bytes were promised")
        for length, key in ((16 * MIB, METADATA), (100 * MIB, PRODUCE)):
            with target.logged_in() as peer:
                peer.send(promise(length, key))
                check(peer.stays(), f"{length} bytes may come")
        with target.memory_within(20):
            waiting = at_once(lambda source: target.logged_in("clear", source), sources(200))
            for peer in waiting:
                peer.send(promise(100 * MIB, PRODUCE))
            target.is_unharmed()
            for peer in waiting:
                peer.close()
        # What was lent for them is there again.
        with target.logged_in() as peer:
            codes = produced_codes(peer.ask(produce("t", batch(record(b"x" * 300_000)))))
            check(codes == [0], f"a large request of an honest client: {codes}")
        target.is_alive()


def case_elements_without_end_cost_no_memory():
    """Array counts, old and compact, at the top and inside; tags; texts that are longer than what is there."""
    nested = array([text16("t") + struct.pack(">i", MOST)])
    compact, huge = b"\xff\xff\xff\xff\x07", b"\xff\xff\xff\xff\x0f"
    bombs = [
        request(METADATA, 1, 1, struct.pack(">i", MOST)),
        request(METADATA, 1, 1, struct.pack(">i", -2)),
        request(METADATA, 1, 1, struct.pack(">i", 2_000_000) + b"\0\0" * 500_000),
        request(METADATA, 1, 1, struct.pack(">i", 1_000_001) + b"\0\0" * 1_000_001),
        request(METADATA, 9, 1, compact, flexible=True),
        request(METADATA, 9, 1, huge, flexible=True),
        request(METADATA, 9, 1, varint(1_000_002) + b"\1\0" * 1_000_001, flexible=True),
        request(METADATA, 9, 1, b"\xff" * 20, flexible=True),
        # Tags: as many as can be said, and one that is longer than the frame.
        request(METADATA, 9, 1, b"\0\0\0\0" + compact, flexible=True),
        request(METADATA, 9, 1, b"\0\0\0\0\1\x63" + compact, flexible=True),
        request(PRODUCE, 7, 1, text16(None) + struct.pack(">hi", -1, 1000) + nested),
        request(PRODUCE, 9, 1, b"\0" + struct.pack(">hi", -1, 1000) + b"\2\2t" + compact, flexible=True),
        request(PRODUCE, 7, 1, text16(None) + struct.pack(">hi", -1, 1000)
                + array([text16("t") + array([struct.pack(">ii", 0, MOST)])])),
        request(FETCH, 4, 1, struct.pack(">iiiib", -1, 0, 1, 1000, 0) + nested),
        request(FETCH, 12, 1, struct.pack(">iiiibii", -1, 0, 1, 1000, 0, 0, -1) + b"\2\2t" + compact, flexible=True),
        request(8, 2, 1, text16("g") + struct.pack(">i", 1) + text16("m") + struct.pack(">q", -1) + nested),
        request(9, 8, 1, b"\2\2g" + compact, flexible=True),
        request(11, 0, 1, text16("g") + struct.pack(">i", 6000) + text16("") + text16("consumer")
                + struct.pack(">i", MOST)),
        request(14, 0, 1, text16("g") + struct.pack(">i", 1) + text16("m") + array([text16("m") + struct.pack(">i", MOST)])),
        request(19, 2, 1, array([text16("n") + struct.pack(">ihi", 1, 1, MOST)]) + struct.pack(">ib", 0, 0)),
        request(METADATA, 1, 1, array([struct.pack(">h", 0x7FFF)])),
        # A client id above its cap, and one that is longer than the frame.
        request(METADATA, 1, 1, array([]), client="c" * 1025),
        struct.pack(">ihhih", 10, METADATA, 1, 1, 0x7FFF),
    ]
    with Server(configured()) as server:
        target = Target(server)
        with target.memory_within(60):
            for number, bomb in enumerate(bombs):
                with target.logged_in() as peer:
                    peer.send(bomb)
                    check(peer.is_closed(), f"bomb {number} ended the connection")
        early = [
            request(API_VERSIONS, 3, 1, compact, flexible=True),
            request(API_VERSIONS, 3, 1, b"\2a\2a" + compact, flexible=True),
            request(HANDSHAKE, 1, 1, struct.pack(">h", 0x7FFF)),
            struct.pack(">ihhih", 12, API_VERSIONS, 3, 1, -1) + compact[:2],
        ]
        with target.memory_within(20):
            for number, bomb in enumerate(early):
                with target.peer("clear", sources(1, 2)[0]) as peer:
                    peer.send(bomb)
                    check(peer.is_closed(), f"bomb {number} before login ended the connection")
        with target.logged_in() as peer:
            check(peer.ask(metadata(*[f"n{number}" for number in range(1000)])) is not None, "a thousand are answered")
        target.is_unharmed()
        target.is_alive()


def case_a_request_of_very_many_elements_is_bounded_in_what_it_costs():
    """As many elements as one request may hold, from several clients at once."""
    many = 900_000
    old = request(METADATA, 1, 1, struct.pack(">i", many) + b"\0\1a" * many)
    with Server(configured()) as server:
        target = Target(server)
        with target.memory_within(700):
            peers = [target.logged_in("clear", source) for source in sources(6)]
            at_once(lambda peer: peer.send(old), peers)
            target.is_unharmed()
            for peer in peers:
                peer.bytes_until_closed(1)
                peer.close()
        target.is_unharmed()
        target.is_alive()


def case_numbers_as_large_as_can_be_are_answered_and_cost_nothing():
    """Counts of partitions, offsets, times, sizes: each is a number that somebody may believe."""
    low, high = -(1 << 31), 1 << 62
    topic = lambda partitions, replicas: array([text16("n") + struct.pack(">ihii", partitions, replicas, 0, 0)])
    named = lambda inner: array([text16("t") + array([inner])])
    asked = [
        *(request(19, 2, 1, topic(count, 1) + struct.pack(">ib", 1000, 0)) for count in (MOST, 1_000_000, 0, low)),
        *(request(19, 2, 1, topic(1, count) + struct.pack(">ib", 1000, 0)) for count in (0x7FFF, -2)),
        *(request(37, 0, 1, array([text16("t") + struct.pack(">ii", count, -1)]) + struct.pack(">ib", 1000, 0))
          for count in (MOST, low)),
        *(request(FETCH, 4, 1, struct.pack(">iiiib", -1, 0, least, most, 0) + named(struct.pack(">iqi", part, offset, most)))
          for least, most, part, offset in ((MOST, MOST, 0, high), (low, low, 0, low), (0, MOST, MOST, 0), (0, MOST, -1, 0))),
        *(request(2, 1, 1, struct.pack(">i", -1) + named(struct.pack(">iq", part, time_ms)))
          for part, time_ms in ((0, high), (0, -high), (MOST, -1), (-1, -2))),
        *(request(21, 0, 1, named(struct.pack(">iq", 0, offset)) + struct.pack(">i", 1000)) for offset in (high, -high)),
        *(request(8, 2, 1, text16("g") + struct.pack(">i", -1) + text16("") + struct.pack(">q", kept)
                  + named(struct.pack(">iq", part, offset) + text16("m" * 32767)))
          for kept, part, offset in ((high, MOST, high), (-high, -1, -high))),
        *(request(11, 1, 1, text16("g") + struct.pack(">ii", session, rebalance) + text16("") + text16("consumer")
                  + array([text16("range") + bytes32(b"")]))
          for session, rebalance in ((MOST, MOST), (low, low), (0, MOST))),
        *(request(22, 0, 1, text16(None) + struct.pack(">i", length)) for length in (MOST, low)),
        request(PRODUCE, 7, 1, text16(None) + struct.pack(">hi", 7, low)
                + array([text16("t") + array([struct.pack(">i", MOST) + bytes32(batch(record(b"v")))])])),
    ]
    with Server(configured()) as server:
        target = Target(server)
        with target.memory_within(40):
            for number, frame in enumerate(asked):
                with target.logged_in() as peer:
                    check(peer.ask(frame) is not None, f"request {number} is answered")
                    check(topic_code(peer.ask(metadata("t"))) == 0, f"and the connection goes on after {number}")
        target.is_unharmed()
        target.is_alive()


def snappy_zeros(count):
    """One zero, and copies of what lies one byte before, 64 bytes each."""
    copies, rest = divmod(count - 1, 64)
    return varint(count) + b"\0\0" + b"\xfe\1\0" * copies + (bytes([(rest - 1) << 2 | 2, 1, 0]) if rest else b"")


def xerial(*chunks):
    framed = b"".join(struct.pack(">i", len(chunk)) + chunk for chunk in chunks)
    return b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01" + framed


def lz4_zeros(blocks):
    """A frame of blocks that each become 4 MiB: one literal, one match that goes on and on."""
    length = 4 * MIB - 1 - 5 - 4 - 15
    block = b"\x1f\0\1\0" + b"\xff" * (length // 255) + bytes([length % 255]) + b"\x50\0\0\0\0\0"
    framed = (struct.pack("<I", len(block)) + block) * blocks
    return b"\x04\x22\x4d\x18\x60\x70\x73" + framed + b"\0\0\0\0"


def zstd_zeros(blocks):
    """Blocks that say "one byte, 128 KiB times"."""
    out = b"\x28\xb5\x2f\xfd\0" + bytes([7 << 3])
    for number in range(1, blocks + 1):
        out += struct.pack("<I", (128 << 10) << 3 | 2 | (number == blocks))[:3] + b"\0"
    return out


GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4


def case_records_that_become_many_are_refused_for_each_codec():
    zeros = gzip.compress(bytes(64 * MIB), 9)
    bombs = {
        "gzip": (GZIP, zeros * 16),
        "gzip in gzip": (GZIP, gzip.compress(zeros * 16)),
        "snappy raw": (SNAPPY, snappy_zeros(96 * MIB)),
        "snappy that lies": (SNAPPY, varint(0xFFFFFFFF) + b"\0\0"),
        "snappy framed": (SNAPPY, xerial(*[snappy_zeros(MIB)] * 256)),
        "lz4": (LZ4, lz4_zeros(256)),
        "zstd": (ZSTD, zstd_zeros(8192)),
    }
    with Server(configured()) as server:
        target = Target(server)
        for name, (codec, section) in bombs.items():
            with target.memory_within(120), target.logged_in() as peer:
                codes = produced_codes(peer.ask(produce("t", batch(section, codec=codec))))
                check(codes and codes[0] in (2, 10, 87), f"{name}: {codes}")
        # The same from eight clients at once, and honest ones beside them.
        with target.memory_within(400):
            peers = at_once(lambda source: target.logged_in("clear", source), sources(8))
            frame = produce("t", batch(bombs["zstd"][1], codec=ZSTD))
            for peer in peers:
                for number in range(5):
                    peer.send(frame)
            target.is_unharmed()
            for peer in peers:
                for _ in range(5):
                    check(produced_codes(peer.answer())[0] in (2, 10, 87), "each is refused")
                peer.close()
        honest = record(b"value " * 100)
        for name, codec, section in (
            ("none", 0, honest), ("gzip", GZIP, gzip.compress(honest)),
            ("snappy", SNAPPY, literal(honest)), ("snappy framed", SNAPPY, xerial(literal(honest))),
        ):
            with target.logged_in() as peer:
                codes = produced_codes(peer.ask(produce("t", batch(section, codec=codec))))
                check(codes == [0], f"{name}: what is honest is taken, not {codes}")
        target.is_alive()


def literal(raw):
    """Snappy that compresses nothing."""
    return varint(len(raw)) + bytes([61 << 2]) + struct.pack("<H", len(raw) - 1) + raw


def case_batches_that_are_none_or_many_are_refused():
    whole = batch(record(b"v"))
    cases = {
        "two batches": whole * 2,
        "a thousand batches": whole * 1000,
        "a batch inside the section of another": batch(whole),
        "more records than there are": batch(record(b"v"), count=MOST),
        "fewer than none": batch(record(b"v"), count=-1),
        "nothing": b"",
        "a cut batch": whole[:-1],
        "a long one": whole + b"\0",
        "magic 1": whole[:16] + b"\1" + whole[17:],
        "a wrong checksum": whole[:17] + bytes(4) + whole[21:],
        "a control batch": batch(record(b"v"), codec=0x20),
        "a transactional batch": batch(record(b"v"), codec=0x10),
        "a codec that there is not": batch(record(b"v"), codec=7),
    }
    with Server(configured()) as server:
        target = Target(server)
        for name, records in cases.items():
            with target.logged_in() as peer:
                codes = produced_codes(peer.ask(produce("t", records)))
                check(codes and codes[0] != 0, f"{name}: {codes}")
                check(topic_code(peer.ask(metadata("t"))) == 0, f"{name}: the connection goes on")
        # A batch as the value of a record is bytes like any other.
        with target.logged_in() as peer:
            check(produced_codes(peer.ask(produce("t", batch(record(whole))))) == [0], "a value is a value")
        target.is_unharmed()
        target.is_alive()


def openssl(address, ca, *options, stdin=b""):
    """What openssl tells of a connection; it gets a moment to read what comes behind the handshake."""
    process = subprocess.Popen(
        ["openssl", "s_client", "-connect", address, "-servername", "localhost", "-CAfile", ca, *options],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    time.sleep(1)
    return process.communicate(stdin, timeout=60)[0].decode(errors="replace")


def case_what_is_no_tls_and_what_tls_should_not_do_is_refused():
    with Server(configured()) as server:
        target = Target(server)
        for door in ("bare", "clear"):
            strangers = {
                "plaintext_client": request(API_VERSIONS, 0) if door == "bare" else None,
                "http_client": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                "tls_client": None if door == "bare" else b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(32),
            }
            for reason, noise in strangers.items():
                if noise is None:
                    continue
                with target.peer(door, sources(1, 3)[0]) as peer:
                    peer.send(noise)
                    check(peer.bytes_until_closed() is not None, f"{door}: {reason} is closed")
                until(5, reason, lambda: target.counted("gateway_handshake_failures_total", reason=reason))
                target.told(reason)
        for noise in (
            b"\x16\x03\x01\xff\xff" + bytes(100), b"\x15\x03\x03\0\2\2\x28", b"\x17\x03\x03\0\5hello", b"\x80\x2e\1\3\1",
            b"\x16\x03\x01\0\4\1\xff\xff\xff", b"\x14\x03\x03\0\1\1", bytes([0x16, 3, 1, 0, 0]) * 50, b"\xff" * 4096,
        ):
            with target.peer("bare", sources(1, 3)[0]) as peer:
                peer.send(noise)
                peer.raw.shutdown(1)
                check(peer.bytes_until_closed() is not None, f"{noise[:8]} is closed")
        # Garbage behind a good handshake, and records broken on the way.
        with target.peer() as peer:
            os.write(peer.socket.fileno(), b"\x17\x03\x03\0\x20" + bytes(32))
            check(peer.bytes_until_closed() is not None, "a record that nobody sealed is closed")
        address = server.kafka
        for options in (["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"], ["-tls1_2", "-cipher", "AES128-SHA@SECLEVEL=0"]):
            told = openssl(address, target.ca, *options)
            check("Cipher is (NONE)" in told or "alert" in told, f"{options}: {told[-500:]}")
        for options in (["-tls1_2"], ["-tls1_3"]):
            told = openssl(address, target.ca, *options)
            check("Verify return code: 0 (ok)" in told, f"{options}: {told[-500:]}")
        told = openssl(address, target.ca, "-tls1_2", stdin=b"R\n")
        check("RENEGOTIATING" in told and "no renegotiation" in told, told[-800:])
        session = server.home / "session.pem"
        openssl(address, target.ca, "-tls1_3", "-sess_out", session)
        early = server.home / "early"
        early.write_bytes(request(API_VERSIONS, 0))
        told = openssl(address, target.ca, "-tls1_3", "-sess_in", session, "-early_data", early)
        check("Reused, TLSv1.3" in told and "Early data was not sent" in told, "tickets are for later bytes: " + told[-800:])
        target.is_unharmed()
        target.is_alive()
