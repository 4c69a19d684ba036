"""Record batches as a client writes them, and broken ones.

In: what the batch shall hold. Out: bytes. Only uncompressed and gzip: the codecs have tests of their own.
"""

import struct
import time
import zlib

# Of today: retention leaves it alone.
TIME = int(time.time()) // 60 * 60_000 - 3_600_000
TRANSACTIONAL, CONTROL = 16, 32
GZIP, ZSTD = 1, 4
TABLE = []
for _byte in range(256):
    for _ in range(8):
        _byte = _byte >> 1 ^ (0x82F63B78 if _byte & 1 else 0)
    TABLE.append(_byte)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def varint(value):
    value = value << 1 ^ value >> 63
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def lengthed(data):
    return varint(-1) if data is None else varint(len(data)) + data


def record(number, key=b"k", value=b"v", headers=(), time=0, delta=None):
    body = b"\0" + varint(time) + varint(number if delta is None else delta) + lengthed(key) + lengthed(value)
    body += varint(len(headers)) + b"".join(lengthed(name) + lengthed(content) for name, content in headers)
    return varint(len(body)) + body


def batch(
    count=1,
    *,
    key=b"k",
    value=b"v",
    headers=(),
    time=TIME,
    attributes=0,
    producer=-1,
    epoch=-1,
    sequence=-1,
    base=0,
    magic=2,
    records=None,
    last_delta=None,
    declared=None,
    codec=0,
    crc=0,
    length=0,
    leader_epoch=-1,
):
    """A batch of equal records, a millisecond between them. `crc` and `length` are added to the right ones."""
    if records is None:
        records = b"".join(record(number, key, value, headers, number) for number in range(count))
    if codec == GZIP:
        packer = zlib.compressobj(wbits=31)
        records = packer.compress(records) + packer.flush()
    fixed = struct.pack(
        ">hiqqqhii",
        attributes | codec,
        count - 1 if last_delta is None else last_delta,
        time,
        time + max(count - 1, 0),
        producer,
        epoch,
        sequence,
        count if declared is None else declared,
    )
    checked = fixed + records
    check = (crc32c(checked) + crc) & 0xFFFFFFFF
    head = struct.pack(">ibI", leader_epoch, magic, check)
    return struct.pack(">qi", base, len(head) + len(checked) + length) + head + checked
