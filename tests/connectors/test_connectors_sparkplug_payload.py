"""Sparkplug payloads: encode and decode are inverse; bytes made by another encoder; whatever comes in, no surprise."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zerofactory.connectors.sparkplug_payload import DATATYPES, Malformed, Metric, Payload, Shape, decode, encode

U64 = st.integers(0, 2**64 - 1)
FLOAT32 = st.floats(width=32, allow_nan=False)
ELEMENT = {
    "b": st.integers(-128, 127), "h": st.integers(-(2**15), 2**15 - 1), "i": st.integers(-(2**31), 2**31 - 1),
    "q": st.integers(-(2**63), 2**63 - 1), "B": st.integers(0, 255), "H": st.integers(0, 2**16 - 1),
    "I": st.integers(0, 2**32 - 1), "Q": U64, "f": FLOAT32, "d": st.floats(allow_nan=False), "?": st.booleans(),
    "s": st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5),
}  # fmt: skip
UNSIGNED = {"UInt8": 8, "UInt16": 16, "UInt32": 32, "UInt64": 64, "DateTime": 64}


def value_of(datatype: int) -> st.SearchStrategy[object]:
    name, shape, bits, code = DATATYPES[datatype]
    if bits:
        return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    simple: dict[Shape, st.SearchStrategy[object]] = {
        Shape.FLOAT: FLOAT32, Shape.DOUBLE: st.floats(allow_nan=False), Shape.BOOLEAN: st.booleans(),
        Shape.STRING: st.text(max_size=9), Shape.BYTES: st.binary(max_size=9), Shape.OTHER: st.none(),
    }  # fmt: skip
    if shape is Shape.ARRAY:
        return st.lists(ELEMENT[code], max_size=9).map(tuple)
    return simple[shape] if shape in simple else st.integers(0, 2 ** UNSIGNED[name] - 1)


@st.composite
def metrics(draw: st.DrawFn) -> Metric:
    datatype = draw(st.sampled_from(sorted(DATATYPES)))
    value = draw(st.none() | value_of(datatype))
    return Metric(
        draw(st.none() | st.text(max_size=9)), value, datatype, draw(st.none() | U64), draw(st.none() | U64),  # type: ignore[arg-type]
        draw(st.booleans()), draw(st.booleans()), value is None and draw(st.booleans()),
    )  # fmt: skip


PAYLOADS = st.builds(
    Payload, st.none() | U64, st.lists(metrics(), max_size=5).map(tuple), st.none() | st.integers(0, 255),
    st.none() | st.text(max_size=5), st.none() | st.binary(max_size=5),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(PAYLOADS)
def test_there_and_back(payload: Payload) -> None:
    assert decode(encode(payload)) == payload


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_decode_or_are_malformed(data: bytes) -> None:
    try:
        decode(data)
    except Malformed:
        return


@settings(max_examples=100, deadline=None)
@given(PAYLOADS, st.integers(0, 500))
def test_cut_off_never_hangs_or_crashes(payload: Payload, cut: int) -> None:
    data = encode(payload)
    try:
        decode(data[: max(0, len(data) - cut)])
    except Malformed:
        return


def test_bytes_laid_out_by_hand() -> None:
    """timestamp 1486144502122 (field 1), one metric {name "E", alias 3, datatype 10, double 1.5}, seq 2."""
    metric = b"\x0a\x01E\x10\x03\x20\x0a\x69" + struct.pack("<d", 1.5)
    data = b"\x08\xea\xf2\xf5\xa8\xa0\x2b" + b"\x12" + bytes([len(metric)]) + metric + b"\x18\x02"
    expected = Payload(1486144502122, (Metric("E", 1.5, 10, 3),), 2)
    assert decode(data) == expected
    assert encode(expected) == data


def test_signed_numbers_take_their_type_from_the_birth() -> None:
    birth = Metric("t", -5, 3, alias=7)
    data = encode(Payload(1, (Metric(None, -5, 3, alias=7),), 1))
    stripped = data.replace(b"\x20\x03", b"")
    stripped = stripped.replace(bytes([0x12, len(data) - 6]), bytes([0x12, len(data) - 8]))
    assert decode(stripped, {7: birth.datatype}).metrics[0].value == -5
    assert decode(stripped).metrics[0].value == 2**32 - 5


def test_nan_travels() -> None:
    value = decode(encode(Payload(None, (Metric("a", math.nan, 10),)))).metrics[0].value
    assert isinstance(value, float)
    assert math.isnan(value)


def test_too_large_or_of_the_wrong_type_is_refused() -> None:
    for metric in (Metric("a", 2**64, 8), Metric("a", "text", 3), Metric("a", -1, 8)):
        with pytest.raises(Malformed):
            encode(Payload(None, (metric,)))
