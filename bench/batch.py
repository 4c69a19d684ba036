"""Record batches of Kafka's format 2, uncompressed. In: sizes. Out: bytes. Knows no request."""

import os
import struct

_TABLE = []
for _byte in range(256):
    for _ in range(8):
        _byte = _byte >> 1 ^ (0x82F63B78 if _byte & 1 else 0)
    _TABLE.append(_byte)


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def varint(value: int) -> bytes:
    """Zigzag, base 128."""
    coded = value << 1 if value >= 0 else (-value << 1) - 1
    out = bytearray()
    while coded >= 0x80:
        out.append(coded & 0x7F | 0x80)
        coded >>= 7
    out.append(coded)
    return bytes(out)


def build(records: int, value_size: int, timestamp: int) -> bytes:
    """One batch of records without keys, with values that no codec could make smaller."""
    body = bytearray()
    for delta in range(records):
        value = os.urandom(value_size)
        record = b"\0" + varint(0) + varint(delta) + varint(-1) + varint(value_size) + value + varint(0)
        body += varint(len(record)) + record
    covered = struct.pack(
        ">hiqqqhii", 0, records - 1, timestamp, timestamp, -1, -1, -1, records
    ) + bytes(body)
    behind_length = struct.pack(">ibI", -1, 2, crc32c(covered)) + covered
    return struct.pack(">qi", 0, len(behind_length)) + behind_length


def offset_behind(batches: memoryview) -> int | None:
    """The offset after the last whole batch; None: there is no whole batch."""
    at, behind = 0, None
    while len(batches) - at >= 61:
        base, length = struct.unpack_from(">qi", batches, at)
        if len(batches) - at < 12 + length:
            break
        (last_delta,) = struct.unpack_from(">i", batches, at + 23)
        behind = base + last_delta + 1
        at += 12 + length
    return behind
