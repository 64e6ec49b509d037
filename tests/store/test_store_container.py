"""The container: what goes in comes out, any zip program opens it, and nothing dangerous or changed gets through."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerofactory.errors import FaultyData
from zerofactory.store import container
from zerofactory.store.container import MANIFEST, SIGNATURE, layout, ordered, packed, read

BODY = {
    MANIFEST: b'{"format":"x"}',
    SIGNATURE: b"{}",
    "facts/a.jsonl": b"a" * 5000,
    "plants/ab.toml": "厂".encode() * 99,
}


def made(body: dict[str, bytes]) -> bytes:
    return layout(ordered([packed(name, content) for name, content in body.items()]))


def contents(file: bytes) -> list[bytes]:
    return [member.content() for member in read(file).values()]


def codes(file: bytes) -> list[str]:
    with pytest.raises(FaultyData) as caught:
        contents(file)
    return [problem.code for problem in caught.value.problems]


@given(st.dictionaries(st.from_regex(r"\A[a-z][a-z0-9]{0,8}\Z"), st.binary(max_size=400), max_size=6))
def test_members_come_out_as_they_went_in_and_zipfile_agrees(extra: dict[str, bytes]) -> None:
    body = {**BODY, **extra}
    file = made(body)
    assert {name: member.content() for name, member in read(file).items()} == body
    with zipfile.ZipFile(io.BytesIO(file)) as peer:
        assert peer.testzip() is None
        assert {name: peer.read(name) for name in peer.namelist()} == body


def test_same_members_give_the_same_bytes_in_any_order() -> None:
    assert made(BODY) == made(dict(reversed(BODY.items())))


def test_every_flipped_byte_of_the_structure_or_content_is_seen() -> None:
    """Members are protected by their CRC here; a package adds SHA-256 of the packed bytes on top."""
    file = made(BODY)
    plain = {name: member.packed for name, member in read(file).items()}
    for place in range(len(file)):
        flipped = file[:place] + bytes([file[place] ^ 0x01]) + file[place + 1 :]
        try:
            found = read(flipped)
            assert {name: member.packed for name, member in found.items()} != plain, place
        except FaultyData:
            pass


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/passwd", "a/../../b", "C:\\x", "facts\\a", "a//b", "facts/", ".hidden", "厂"]
)
def test_dangerous_names_are_refused(name: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as peer:
        peer.writestr(MANIFEST, b"{}", zipfile.ZIP_STORED)
        peer.writestr(zipfile.ZipInfo(name), b"evil")
    assert codes(buffer.getvalue()) == ["package.structure"]


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    file = made({**BODY, "facts/bomb.jsonl": b"\0" * 3_000_000})
    monkeypatch.setattr(container, "MAX_MEMBER_BYTES", 1_000_000)
    assert codes(file) == ["package.too_large"]
    monkeypatch.setattr(container, "MAX_MEMBER_BYTES", 1 << 30)
    lying = file.replace((3_000_000).to_bytes(4, "little"), (30_000).to_bytes(4, "little"))
    assert lying != file
    assert codes(lying) == ["package.structure"]


@pytest.mark.parametrize("file", [b"", b"PK", b"hello" * 50, b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_package_is_said(file: bytes) -> None:
    assert codes(file) == ["package.structure"]


def test_bytes_added_before_between_or_behind_are_seen() -> None:
    file = made(BODY)
    assert codes(file + b"\0") == ["package.structure"]
    assert codes(b"\0" + file) == ["package.structure"]


def test_repeated_members_are_refused() -> None:
    twice = [packed("facts/a", b"1"), packed("facts/a", b"2")]
    assert codes(layout([packed(MANIFEST, b"{}"), *twice])) == ["package.structure"]
