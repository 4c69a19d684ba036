"""Requests and answers as bytes, by Kafka's message schemas.

In: a message's name, a version, its fields under their names in the schema. Out: bytes, and back. Nothing of the
product's own code generator is used, so that a mistake there shows. A field that a version does not have is left out;
a name that no version has is a mistake. What an answer says is kept whole: a tagged field is there only when its bytes
were, a tag that nobody knows stays as its bytes, and bytes behind the end are kept.
"""

import functools
import json
import pathlib
import struct
import uuid

FOLDER = pathlib.Path(__file__).resolve().parent.parent.parent / "crates/wire/schema"
NUMBERS = {"int8": ">b", "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "int64": ">q", "float64": ">d"}
UNKNOWN_TAG = "tag 99"
BEHIND = "behind the end"


class Malformed(ValueError):
    """An answer that the schema does not describe."""


def within(versions, version):
    if versions == "none":
        return False
    low, _, high = versions.partition("-")
    if low.endswith("+"):
        return version >= int(low[:-1])
    return int(low) <= version <= int(high or low)


@functools.cache
def keys():
    """Requests by their key: (name, lowest, highest version)."""
    found = {}
    for path in FOLDER.glob("*Request.json"):
        schema = json.loads(path.read_text())
        if schema["validVersions"] != "none":
            low, _, high = schema["validVersions"].partition("-")
            found[schema["apiKey"]] = (schema["name"].removesuffix("Request"), int(low), int(high or low))
    return found


@functools.cache
def message(name):
    return Message(json.loads((FOLDER / f"{name}.json").read_text()))


def uvarint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if count < 0 or self.at + count > len(self.data):
            raise Malformed(f"{count} bytes wanted at {self.at} of {len(self.data)}")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, kind):
        return struct.unpack(NUMBERS[kind], self.take(struct.calcsize(NUMBERS[kind])))[0]

    def uvarint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value


class Message:
    def __init__(self, schema):
        self.name, self.key = schema["name"], schema.get("apiKey")
        self.flexible_versions = schema["flexibleVersions"]
        self.fields = schema["fields"]
        self.structs = {one["name"]: one["fields"] for one in schema.get("commonStructs", ())}
        self.collect(self.fields)

    def collect(self, fields):
        for field in fields:
            if "fields" in field:
                self.structs[field["type"].removeprefix("[]")] = field["fields"]
                self.collect(field["fields"])

    def flexible(self, version):
        return within(self.flexible_versions, version)

    def encode(self, given, version, unknown_tags=False):
        """`unknown_tags` adds one to every struct."""
        return self.encode_struct(self.fields, given, version, unknown_tags)

    def decode(self, data, version):
        reader = Reader(data)
        found = self.decode_struct(self.fields, reader, version)
        if reader.at < len(data):
            found[BEHIND] = data[reader.at :]
        if self.encode({name: value for name, value in found.items() if name != BEHIND}, version) != data[: reader.at]:
            raise Malformed(f"{self.name} v{version} is written otherwise than the schema says: {data.hex()}")
        return found

    def tagged(self, field, version):
        return "tag" in field and within(field["taggedVersions"], version)

    def encode_struct(self, fields, given, version, unknown_tags):
        names = {field["name"] for field in fields}
        strange = [name for name in given if name not in names and not name.startswith("tag ")]
        if strange:
            raise KeyError(f"{self.name} has no {strange}")
        plain, tags = bytearray(), {}
        for field in fields:
            if not within(field["versions"], version):
                continue
            if self.tagged(field, version):
                if field["name"] in given:
                    tags[field["tag"]] = self.encode_value(field, given[field["name"]], version, unknown_tags)
                continue
            value = given[field["name"]] if field["name"] in given else self.default(field, version)
            plain += self.encode_value(field, value, version, unknown_tags)
        if self.flexible(version):
            if unknown_tags:
                tags[99] = b"\0\1\2"
            tags.update({int(name[4:]): value for name, value in given.items() if name.startswith("tag ")})
            plain += uvarint(len(tags))
            for tag, value in sorted(tags.items()):
                plain += uvarint(tag) + uvarint(len(value)) + value
        return bytes(plain)

    def default(self, field, version):
        kind, text = field["type"], field.get("default")
        if text == "null":
            return None if within(field.get("nullableVersions", "none"), version) else {}
        if kind.startswith("[]"):
            return []
        if kind in self.structs:
            return {}
        if kind in NUMBERS:
            return int(text or "0", 0)
        return {"bool": text == "true", "string": text or "", "bytes": b"", "records": None, "uuid": uuid.UUID(int=0)}[
            kind
        ]

    def encode_value(self, field, value, version, unknown_tags):
        kind = field["type"]
        flexible = self.flexible(version) and field.get("flexibleVersions") != "none"
        if kind.startswith("[]"):
            if value is None:
                return b"\0" if flexible else b"\xff\xff\xff\xff"
            inner = {**field, "type": kind[2:], "array_item": True}
            items = b"".join(self.encode_value(inner, one, version, unknown_tags) for one in value)
            return (uvarint(len(value) + 1) if flexible else struct.pack(">i", len(value))) + items
        if kind in self.structs:
            if within(field.get("nullableVersions", "none"), version) and not field.get("array_item"):
                if value is None:
                    return b"\xff"
                return b"\1" + self.encode_struct(self.structs[kind], value, version, unknown_tags)
            return self.encode_struct(self.structs[kind], value, version, unknown_tags)
        if kind in NUMBERS:
            return struct.pack(NUMBERS[kind], value)
        if kind == "bool":
            return b"\1" if value else b"\0"
        if kind == "uuid":
            return value.bytes
        if value is None:
            return b"\0" if flexible else b"\xff\xff" if kind == "string" else b"\xff\xff\xff\xff"
        data = value.encode() if isinstance(value, str) else value
        if flexible:
            return uvarint(len(data) + 1) + data
        return struct.pack(">h" if kind == "string" else ">i", len(data)) + data

    def decode_struct(self, fields, reader, version):
        found, tagged = {}, {}
        for field in fields:
            if not within(field["versions"], version):
                continue
            if self.tagged(field, version):
                tagged[field["tag"]] = field
            else:
                found[field["name"]] = self.decode_value(field, reader, version)
        if self.flexible(version):
            last = -1
            for _ in range(reader.uvarint()):
                tag = reader.uvarint()
                if tag <= last:
                    raise Malformed(f"tag {tag} behind tag {last}")
                last = tag
                data = reader.take(reader.uvarint())
                if tag in tagged:
                    inner = Reader(data)
                    found[tagged[tag]["name"]] = self.decode_value(tagged[tag], inner, version)
                    if inner.at != len(data):
                        raise Malformed(f"tag {tag} is longer than what it holds")
                else:
                    found[f"tag {tag}"] = data
        return found

    def length(self, kind, flexible, reader):
        if flexible:
            return reader.uvarint() - 1
        return reader.number("int16" if kind == "string" else "int32")

    def decode_value(self, field, reader, version):
        kind = field["type"]
        flexible = self.flexible(version) and field.get("flexibleVersions") != "none"
        if kind.startswith("[]"):
            count = self.length(kind, flexible, reader)
            if count < 0:
                return self.null(field, version)
            inner = {**field, "type": kind[2:], "array_item": True}
            return [self.decode_value(inner, reader, version) for _ in range(count)]
        if kind in self.structs:
            if within(field.get("nullableVersions", "none"), version) and not field.get("array_item"):
                if reader.number("int8") < 0:
                    return None
            return self.decode_struct(self.structs[kind], reader, version)
        if kind in NUMBERS:
            return reader.number(kind)
        if kind == "bool":
            return reader.take(1) != b"\0"
        if kind == "uuid":
            return uuid.UUID(bytes=reader.take(16))
        size = self.length(kind, flexible, reader)
        if size < 0:
            return self.null(field, version)
        data = reader.take(size)
        return data.decode() if kind == "string" else data

    def null(self, field, version):
        if field["type"] != "records" and not within(field.get("nullableVersions", "none"), version):
            raise Malformed(f"{self.name} v{version}: {field['name']} is null")
        return None
