"""Sparkplug B payloads: the part of protocol buffers that they need, written from the specification.

Field numbers are those of the `Payload` message (Sparkplug Specification 3.0.0, clause 6.4, "Google Protocol Buffer
Schema"): Payload 1 timestamp, 2 metrics, 3 seq, 4 uuid, 5 body; Metric 1 name, 2 alias, 3 timestamp, 4 datatype,
5 is_historical, 6 is_transient, 7 is_null, 10 int, 11 long, 12 float, 13 double, 14 boolean, 15 string, 16 bytes value.
Data sets, templates and property sets are passed over, as are fields of later editions. Whatever is malformed raises
`Malformed`; lengths are checked before anything is taken, so a hostile payload costs no more than its own size.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from zerofactory.errors import ZeroFactoryError

Value = int | float | bool | str | bytes | tuple[int | float | bool | str, ...] | None
_MASK = (1 << 64) - 1


class Malformed(ZeroFactoryError):
    """The bytes are no Sparkplug B payload."""


class Shape(StrEnum):
    """In which field of a metric a datatype travels, and how."""

    INT = "int"
    LONG = "long"
    FLOAT = "float"
    DOUBLE = "double"
    BOOLEAN = "boolean"
    STRING = "string"
    BYTES = "bytes"
    ARRAY = "array"
    OTHER = "other"


# datatype → (name, shape, bits of a signed whole number or 0, struct code of an array's element)
DATATYPES: dict[int, tuple[str, Shape, int, str]] = {
    1: ("Int8", Shape.INT, 8, ""), 2: ("Int16", Shape.INT, 16, ""), 3: ("Int32", Shape.INT, 32, ""),
    4: ("Int64", Shape.LONG, 64, ""), 5: ("UInt8", Shape.INT, 0, ""), 6: ("UInt16", Shape.INT, 0, ""),
    7: ("UInt32", Shape.INT, 0, ""), 8: ("UInt64", Shape.LONG, 0, ""), 9: ("Float", Shape.FLOAT, 0, ""),
    10: ("Double", Shape.DOUBLE, 0, ""), 11: ("Boolean", Shape.BOOLEAN, 0, ""), 12: ("String", Shape.STRING, 0, ""),
    13: ("DateTime", Shape.LONG, 0, ""), 14: ("Text", Shape.STRING, 0, ""), 15: ("UUID", Shape.STRING, 0, ""),
    16: ("DataSet", Shape.OTHER, 0, ""), 17: ("Bytes", Shape.BYTES, 0, ""), 18: ("File", Shape.BYTES, 0, ""),
    19: ("Template", Shape.OTHER, 0, ""), 20: ("PropertySet", Shape.OTHER, 0, ""),
    21: ("PropertySetList", Shape.OTHER, 0, ""), 22: ("Int8Array", Shape.ARRAY, 0, "b"),
    23: ("Int16Array", Shape.ARRAY, 0, "h"), 24: ("Int32Array", Shape.ARRAY, 0, "i"),
    25: ("Int64Array", Shape.ARRAY, 0, "q"), 26: ("UInt8Array", Shape.ARRAY, 0, "B"),
    27: ("UInt16Array", Shape.ARRAY, 0, "H"), 28: ("UInt32Array", Shape.ARRAY, 0, "I"),
    29: ("UInt64Array", Shape.ARRAY, 0, "Q"), 30: ("FloatArray", Shape.ARRAY, 0, "f"),
    31: ("DoubleArray", Shape.ARRAY, 0, "d"), 32: ("BooleanArray", Shape.ARRAY, 0, "?"),
    33: ("StringArray", Shape.ARRAY, 0, "s"), 34: ("DateTimeArray", Shape.ARRAY, 0, "Q"),
}  # fmt: skip
BOOLEAN, DOUBLE, INT64, STRING, UINT64 = 11, 10, 4, 12, 8
_FIELD = {Shape.INT: 10, Shape.LONG: 11, Shape.FLOAT: 12, Shape.DOUBLE: 13, Shape.BOOLEAN: 14, Shape.STRING: 15,
          Shape.BYTES: 16, Shape.ARRAY: 16}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. ``value`` is None when it is null or of a kind that is passed over (``datatype`` says which)."""

    name: str | None = None
    value: Value = None
    datatype: int = 0
    alias: int | None = None
    timestamp_ms: int | None = None
    historical: bool = False
    transient: bool = False
    null: bool = False


@dataclass(frozen=True, slots=True)
class Payload:
    """One message: its time, metrics and sequence number (0 … 255; a node's death has none)."""

    timestamp_ms: int | None = None
    metrics: tuple[Metric, ...] = ()
    seq: int | None = None
    uuid: str | None = None
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Untyped:
    """A value as it travelled, where the datatype is known only from the birth: resolve it with `typed`."""

    field: int
    raw: int | bytes


def encode(payload: Payload) -> bytes:
    """Return the bytes of a payload."""
    parts = [
        _number(1, payload.timestamp_ms),
        *(_bytes(2, _metric(one)) for one in payload.metrics),
        _number(3, payload.seq),
    ]
    parts += [_text(4, payload.uuid), b"" if payload.body is None else _bytes(5, payload.body)]
    return b"".join(parts)


def decode(data: bytes, types: dict[int | str, int] | None = None) -> Payload:
    """Return the payload that bytes mean.

    Parameters
    ----------
    types : mapping of alias or name to datatype, optional
        From the birth: data messages leave the datatype out, and signed numbers cannot be told without it.

    Raises
    ------
    Malformed
    """
    timestamp = seq = uuid = body = None
    metrics: list[Metric] = []
    for field, wire, value in _fields(data):
        if field == 2 and isinstance(value, bytes):
            metrics.append(_decode_metric(value, types or {}))
        elif field == 1 and wire == 0:
            timestamp = _whole(value)
        elif field == 3 and wire == 0:
            seq = _whole(value)
        elif field == 4 and isinstance(value, bytes):
            uuid = _string(value)
        elif field == 5 and isinstance(value, bytes):
            body = value
    return Payload(timestamp, tuple(metrics), seq, uuid, body)


def _metric(metric: Metric) -> bytes:
    parts = [_text(1, metric.name), _number(2, metric.alias), _number(3, metric.timestamp_ms)]
    parts += [_number(4, metric.datatype or None), _flag(5, metric.historical), _flag(6, metric.transient)]
    if metric.null or metric.value is None:
        return b"".join([*parts, _flag(7, metric.null)])
    return b"".join([*parts, _value(metric)])


def _value(metric: Metric) -> bytes:
    name, shape, bits, code = DATATYPES.get(metric.datatype, ("", Shape.OTHER, 0, ""))
    value, field = metric.value, _FIELD.get(shape, 0)
    if shape in (Shape.INT, Shape.LONG) and isinstance(value, int):
        width = 32 if shape is Shape.INT else 64
        return _key(field, 0) + _varint(value & ((1 << width) - 1) if bits else value)
    if shape is Shape.FLOAT and isinstance(value, int | float):
        return _key(field, 5) + struct.pack("<f", value)
    if shape is Shape.DOUBLE and isinstance(value, int | float):
        return _key(field, 1) + struct.pack("<d", value)
    if shape is Shape.BOOLEAN:
        return _key(field, 0) + _varint(int(bool(value)))
    if shape is Shape.STRING and isinstance(value, str):
        return _bytes(field, value.encode())
    if shape is Shape.BYTES and isinstance(value, bytes):
        return _bytes(field, value)
    if shape is Shape.ARRAY and isinstance(value, tuple):
        return _bytes(field, _pack_array(code, value))
    raise Malformed(f"a {name or metric.datatype} cannot hold {type(value).__name__}")


def _decode_metric(data: bytes, types: dict[int | str, int]) -> Metric:
    name: str | None = None
    alias = timestamp = None
    datatype, flags, travelled = 0, {5: False, 6: False, 7: False}, None
    for field, wire, value in _fields(data):
        if field == 1 and isinstance(value, bytes):
            name = _string(value)
        elif field == 2 and wire == 0:
            alias = _whole(value)
        elif field == 3 and wire == 0:
            timestamp = _whole(value)
        elif field == 4 and wire == 0:
            datatype = _whole(value)
        elif field in flags and wire == 0:
            flags[field] = bool(value)
        elif 10 <= field <= 16:
            travelled = Untyped(field, value)
    if not datatype:
        datatype = types.get(alias if alias is not None else name or "", 0)
    found = None if flags[7] or travelled is None else typed(travelled, datatype)
    return Metric(name, found, datatype, alias, timestamp, flags[5], flags[6], flags[7])


def typed(travelled: Untyped, datatype: int) -> Value:
    """Return what a travelled value means under a datatype (0: as its field alone tells); raise `Malformed`."""
    raw = travelled.raw
    _, shape, bits, code = DATATYPES.get(datatype, ("", Shape.OTHER, 0, ""))
    if isinstance(raw, int):
        if travelled.field == 14:
            return bool(raw)
        if travelled.field in (10, 11):
            number = raw & (0xFFFFFFFF if travelled.field == 10 else _MASK)
            if bits:
                width = 32 if travelled.field == 10 else 64
                number = (number & ((1 << min(bits, width)) - 1)) if bits < width else number
                number -= (1 << bits) if number >= 1 << (bits - 1) else 0
            return number
        raise Malformed(f"field {travelled.field} does not hold a whole number")
    if travelled.field in (12, 13):
        if len(raw) != (4 if travelled.field == 12 else 8):
            raise Malformed("a number of the wrong length")
        number_as_float: float = struct.unpack("<f" if travelled.field == 12 else "<d", raw)[0]
        return number_as_float
    if travelled.field == 15:
        return _string(raw)
    if travelled.field == 16:
        return _unpack_array(code, raw) if shape is Shape.ARRAY else raw
    raise Malformed(f"field {travelled.field} does not hold bytes")


def _pack_array(code: str, values: tuple[int | float | bool | str, ...]) -> bytes:
    if code == "s":
        return b"".join(str(value).encode() + b"\0" for value in values)
    if code == "?":
        bits = bytearray((len(values) + 7) // 8)
        for place, value in enumerate(values):
            bits[place // 8] |= bool(value) << (7 - place % 8)
        return struct.pack("<I", len(values)) + bytes(bits)
    return struct.pack(f"<{len(values)}{code}", *values)


def _unpack_array(code: str, raw: bytes) -> tuple[int | float | bool | str, ...]:
    if code == "s":
        if raw and not raw.endswith(b"\0"):
            raise Malformed("an array of texts that does not end")
        return tuple(_string(part) for part in raw.split(b"\0")[:-1])
    if code == "?":
        count = struct.unpack_from("<I", raw)[0] if len(raw) >= 4 else -1
        if count < 0 or len(raw) != 4 + (count + 7) // 8:
            raise Malformed("an array of flags of the wrong length")
        return tuple(bool(raw[4 + place // 8] >> (7 - place % 8) & 1) for place in range(count))
    size = struct.calcsize(f"<{code}")
    if len(raw) % size:
        raise Malformed("an array of the wrong length")
    return struct.unpack(f"<{len(raw) // size}{code}", raw)


def _fields(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Yield (field number, wire type, value) of a message; whole numbers as int, everything else as bytes."""
    place, size = 0, len(data)
    while place < size:
        key, place = _read_varint(data, place)
        field, wire = key >> 3, key & 7
        if field == 0:
            raise Malformed("field number 0")
        if wire == 0:
            value, place = _read_varint(data, place)
            yield field, wire, value
            continue
        if wire == 2:
            length, place = _read_varint(data, place)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise Malformed(f"wire type {wire}")
        if length > size - place:
            raise Malformed("cut off")
        yield field, wire, data[place : place + length]
        place += length


def _read_varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if place >= len(data) or shift > 63:
            raise Malformed("a number that does not end")
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & _MASK, place
        shift += 7


def _varint(value: int) -> bytes:
    if not 0 <= value <= _MASK:
        raise Malformed(f"{value} does not fit 64 bits")
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _key(field: int, wire: int) -> bytes:
    return _varint(field << 3 | wire)


def _number(field: int, value: int | None) -> bytes:
    return b"" if value is None else _key(field, 0) + _varint(value)


def _flag(field: int, value: bool) -> bytes:
    return _key(field, 0) + b"\x01" if value else b""


def _bytes(field: int, value: bytes) -> bytes:
    return _key(field, 2) + _varint(len(value)) + value


def _text(field: int, value: str | None) -> bytes:
    return b"" if value is None else _bytes(field, value.encode())


def _whole(value: int | bytes) -> int:
    if isinstance(value, bytes):
        raise Malformed("bytes where a number belongs")
    return value


def _string(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise Malformed("a text that is not UTF-8") from error
