"""Container: members in one zip file whose every byte is determined by its members, so that no flipped byte goes unseen.

The zip is plain and opens in any program. Its layout is fixed: manifest.json and signature.json first (stored), then the
other members sorted by name (deflated), all dated 1980-01-01, no extra fields, no comments. Reading builds the layout again
from what was read and compares it with the file byte by byte; names and sizes are checked before anything is unpacked, and
nothing is ever written to disk.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zerofactory.errors import FaultyData, Problem, Text

MANIFEST, SIGNATURE = "manifest.json", "signature.json"
HEADS = (MANIFEST, SIGNATURE)
MAX_FILE_BYTES = 2 << 30
MAX_TOTAL_BYTES = 4 << 30
MAX_MEMBER_BYTES = 1 << 30
MAX_HEAD_BYTES = 64 << 20
MAX_MEMBERS = 60_000
_NAME = re.compile(r"^[a-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*){0,4}$")
_LOCAL, _CENTRAL, _END = "<4sHHHHHIIIHH", "<4sHHHHHHIIIHHHHHII", "<4sHHHHIIH"
_STORED, _DEFLATED = 0, 8
_VERSION, _DATE = 20, 0x0021
_MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Member:
    """One member: its name, how it is packed, the packed bytes, size and CRC-32 of the content."""

    name: str
    method: int
    packed: bytes
    size: int
    crc: int

    def content(self) -> bytes:
        """Return the content; raise `FaultyData` when it does not unpack to exactly its size."""
        if self.method == _STORED:
            content = self.packed
        else:
            unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
            try:
                content = unpacker.decompress(self.packed, self.size + 1)
            except zlib.error as error:
                raise FaultyData([_unsound(f"member {self.name} does not unpack", self.name)]) from error
            if not unpacker.eof or unpacker.unused_data:
                raise FaultyData([_unsound(f"member {self.name} does not unpack to its size", self.name)])
        if len(content) != self.size or zlib.crc32(content) != self.crc:
            raise FaultyData([_unsound(f"member {self.name} is not what its checksum says", self.name)])
        return content


def packed(name: str, content: bytes) -> Member:
    """Return a member: the heads stored as they are, everything else deflated."""
    crc = zlib.crc32(content)
    if name in HEADS:
        return Member(name, _STORED, content, len(content), crc)
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return Member(name, _DEFLATED, packer.compress(content) + packer.flush(), len(content), crc)


def ordered(members: Sequence[Member]) -> list[Member]:
    """Return members in the order of the file: heads first, then by name."""
    rank = {name: place for place, name in enumerate(HEADS)}
    return sorted(members, key=lambda member: (rank.get(member.name, len(rank)), member.name))


def layout(members: Sequence[Member]) -> bytes:
    """Return the zip file of members in the order given; raise `FaultyData` when it would be too large to be read again."""
    _refuse_large([(member.name, member.size) for member in members])
    parts: list[bytes] = []
    directory: list[bytes] = []
    offset = 0
    for member in members:
        name = member.name.encode("ascii")
        sizes = (member.crc, len(member.packed), member.size, len(name), 0)
        local = struct.pack(_LOCAL, b"PK\x03\x04", _VERSION, 0, member.method, 0, _DATE, *sizes) + name
        directory.append(
            struct.pack(
                _CENTRAL, b"PK\x01\x02", _VERSION, _VERSION, 0, member.method, 0, _DATE, *sizes, 0, 0, 0, 0, offset
            )
            + name
        )
        parts += [local, member.packed]
        offset += len(local) + len(member.packed)
    central = b"".join(directory)
    end = struct.pack(_END, b"PK\x05\x06", 0, 0, len(members), len(members), len(central), offset, 0)
    made = b"".join([*parts, central, end])
    if len(made) > MAX_FILE_BYTES:
        raise FaultyData([_too_large()])
    return made


def read(file: bytes) -> dict[str, Member]:
    """Return the members of a file; raise `FaultyData` when any byte of its structure is not as `layout` writes it."""
    if len(file) > MAX_FILE_BYTES:
        raise FaultyData([_too_large()])
    try:
        members = _members(file)
    except (struct.error, UnicodeDecodeError, ValueError) as error:
        raise FaultyData([_unsound(str(error) or "the directory cannot be read")]) from error
    if ordered(members) != members or len({member.name for member in members}) != len(members):
        raise FaultyData([_unsound("members are out of order or repeated")])
    if layout(members) != file:
        raise FaultyData([_unsound("bytes outside the members were changed")])
    return {member.name: member for member in members}


def head_of(file: bytes) -> bytes | None:
    """Return the content of the manifest of a file whose further structure may be unknown, or None."""
    length = struct.calcsize(_LOCAL)
    if len(file) < length:
        return None
    found = struct.unpack(_LOCAL, file[:length])
    signature, method, size, name_length, extra = found[0], found[3], found[8], found[9], found[10]
    start = length + name_length + extra
    named = file[length : length + name_length] == MANIFEST.encode()
    if signature != b"PK\x03\x04" or method != _STORED or not named or size > MAX_HEAD_BYTES:
        return None
    return file[start : start + size]


def _members(file: bytes) -> list[Member]:
    """Read the directory and cut the members out; every name and size is checked before a byte is unpacked."""
    end = struct.unpack(_END, file[-struct.calcsize(_END) :])
    if end[0] != b"PK\x05\x06" or not 0 < end[4] <= MAX_MEMBERS:
        raise ValueError("not a package: the end of the zip directory is not where it should be")
    rows = list(_directory(file[end[6] : end[6] + end[5]], end[4]))
    _refuse_large([(name, size) for name, _, _, size, _, _ in rows])
    members = []
    for name, method, packed_size, size, crc, offset in rows:
        start = offset + struct.calcsize(_LOCAL) + len(name)
        members.append(Member(name, method, file[start : start + packed_size], size, crc))
    return members


def _directory(content: bytes, count: int) -> list[tuple[str, int, int, int, int, int]]:
    rows, place, length = [], 0, struct.calcsize(_CENTRAL)
    for _ in range(count):
        found = struct.unpack(_CENTRAL, content[place : place + length])
        method, crc, packed_size, size, name_length, offset = found[4], *found[7:11], found[16]
        name = content[place + length : place + length + name_length].decode("ascii")
        if not _NAME.match(name) or len(name) > _MAX_NAME:
            raise ValueError(f"a member has the name {name[:60]!r}, which a package never has")
        if method != (_STORED if name in HEADS else _DEFLATED):
            raise ValueError(f"member {name} is packed in an unknown way")
        rows.append((name, method, packed_size, size, crc, offset))
        place += length + name_length
    return rows


def _refuse_large(sizes: Sequence[tuple[str, int]]) -> None:
    total = sum(size for _, size in sizes)
    large = [name for name, size in sizes if size > (MAX_HEAD_BYTES if name in HEADS else MAX_MEMBER_BYTES)]
    if total > MAX_TOTAL_BYTES or large or len(sizes) > MAX_MEMBERS:
        raise FaultyData([_too_large(large[0] if large else None)])


def describe(members: Mapping[str, Member], digests: Mapping[str, str]) -> list[dict[str, object]]:
    """Return what the manifest says of every member but the heads: sizes and SHA-256 of the content and as packed."""
    import hashlib

    return [
        {
            "name": name,
            "bytes": member.size,
            "sha256": digests[name],
            "packed_sha256": hashlib.sha256(member.packed).hexdigest(),
        }
        for name, member in sorted(members.items())
        if name not in HEADS
    ]


def _unsound(what: str, member: str | None = None) -> Problem:
    return Problem(
        code="package.structure",
        message=Text(f"核查包的结构被改动或损坏({what})。", f"The package was changed or damaged: {what}."),
        hint=Text("请向出具方重新索取, 不要解压后再压缩。", "Ask for it again; do not unpack and pack it anew."),
        column=member,
    )


def _too_large(member: str | None = None) -> Problem:
    limit = f"{MAX_FILE_BYTES >> 30} GiB / {MAX_TOTAL_BYTES >> 30} GiB / {MAX_MEMBER_BYTES >> 30} GiB"
    return Problem(
        code="package.too_large",
        message=Text(
            f"核查包过大(上限: 文件 / 解开 / 单个成员 {limit})。",
            f"The package is too large (limits: file / unpacked / one member {limit}).",
        ),
        hint=Text("请按月份出包, 或不带凭证文件。", "Package single months, or leave the evidence files out."),
        column=member,
    )
