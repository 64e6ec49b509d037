"""Change a plant file as a person would: what is not touched stays as it was written, comments included.

    with_entries(text, "meters", entries)     the entries of an array of tables, by id
    with_entries(text, "accounting.accept", entries)
    with_table(text, "organisation", values)  the keys of one table

The changed text is read again and compared with what was wanted; a file written in a way that cannot be changed by its lines is
refused, never guessed at.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.notation import toml_of

Entry = Mapping[str, Any]
_HEADER = re.compile(r"^\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""^(\s*)(["']?)([^\s"'=#\[]+)\2(\s*=\s*)""")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class _Block:
    """A header with the comments above it and the lines below it, up to the next header that is no part of it."""

    name: str
    lead: tuple[str, ...]
    body: tuple[str, ...]


def with_entries(text: str, table: str, entries: Sequence[Entry]) -> str:
    """Return the text with the entries of an array of tables as wanted, in the order wanted.

    Raises
    ------
    FaultyData
        The file is written in a way whose lines cannot be changed one by one.

    Examples
    --------
    >>> before = '[[shops]]\\nid = "paint"  # 二期\\nkind = "paint"\\n'
    >>> print(with_entries(before, "shops", [{"id": "paint", "kind": "other"}, {"id": "body", "kind": "body"}]), end="")
    [[shops]]
    id = "paint"  # 二期
    kind = "other"
    <BLANKLINE>
    [[shops]]
    id = "body"
    kind = "body"
    """
    wanted = [_plain(entry) for entry in entries]
    head, blocks = _cut(text)
    before = toml_of(text, None)
    given = _inside(before, table).get(table.rpartition(".")[2], [])
    own = [block for block in blocks if block.name == f"[[{table}]]"]
    if len(own) != len(given) or not all(isinstance(entry, dict) for entry in given):
        raise FaultyData([_not_by_lines(table)])
    kept = {_identity(entry): (block, entry) for block, entry in zip(own, given, strict=True)}
    made = [_entry(table, entry, kept.get(_identity(entry))) for entry in wanted]
    lost = [block for name, (block, _) in kept.items() if name not in {_identity(entry) for entry in wanted}]
    first = blocks.index(own[0]) if own else len(blocks)
    heading = tuple(line for block in lost if block is (own[0] if own else None) for line in block.lead)
    if heading and made:
        made[0] = _Block(made[0].name, (*heading, *made[0].lead), made[0].body)
    rest = [block for block in blocks[first:] if block.name != f"[[{table}]]"]
    changed = _joined(head, [*blocks[:first], *made, *rest])
    _inside(before, table)[table.rpartition(".")[2]] = wanted
    return _proved(changed, before, table)


def with_table(text: str, table: str, values: Entry) -> str:
    """Return the text with the keys of one table as wanted; sub-tables that are not named stay.

    Raises
    ------
    FaultyData
        As `with_entries`.

    Examples
    --------
    >>> with_table('[plant]\\nid = "a"  # short\\nregion = "CN"\\n', "plant", {"id": "b", "region": "CN"})
    '[plant]\\nid = "b"  # short\\nregion = "CN"\\n'
    """
    wanted = _plain(values)
    head, blocks = _cut(text)
    before = toml_of(text, None)
    given = before.get(table)
    own = next((block for block in blocks if block.name == f"[{table}]"), None)
    if (own is None) != (given is None) or not isinstance(given, dict | None):
        raise FaultyData([_not_by_lines(table)])
    if own is None:
        changed = _joined(head, [*blocks, _Block(f"[{table}]", ("",), (f"[{table}]", *_lines(wanted)))])
    else:
        changed = _joined(
            head,
            [_Block(b.name, b.lead, _changed_lines(b.body, given or {}, wanted)) if b is own else b for b in blocks],
        )
    return _proved(changed, {**before, table: wanted}, table)


def written_value(value: Any) -> str:
    """Return a value as TOML.

    Examples
    --------
    >>> written_value({"zh": "涂装", "en": "paint"}), written_value([1, 2.5, True]), written_value(date(2025, 1, 31))
    ('{ zh = "涂装", en = "paint" }', '[1, 2.5, true]', '2025-01-31')
    """
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case date() | time():
            return value.isoformat()
        case list() | tuple():
            return f"[{', '.join(written_value(entry) for entry in value)}]"
        case Mapping():
            return f"{{ {', '.join(f'{_key(name)} = {written_value(entry)}' for name, entry in value.items())} }}"
    raise TypeError(f"no TOML for {type(value).__name__}")


def _inside(document: dict[str, Any], table: str) -> dict[str, Any]:
    """Return the table that holds a table of a dotted name, made where it is missing."""
    for part in table.split(".")[:-1]:
        document = document.setdefault(part, {})
    return document


def _identity(entry: Entry) -> str:
    """Return what an entry is known by: its id, or all of it where it has none."""
    return str(entry["id"]) if "id" in entry else json.dumps(entry, sort_keys=True, default=str)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else written_value(name)


def _plain(values: Entry) -> dict[str, Any]:
    """Return the values that are given: None is not written; a tuple is a list."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if value is not None:
            found[name] = (
                _plain(value) if isinstance(value, Mapping) else list(value) if isinstance(value, tuple) else value
            )
    return found


def _cut(text: str) -> tuple[tuple[str, ...], list[_Block]]:
    """Cut a text into its head and the blocks of its headers; a sub-table belongs to the block it is a part of."""
    blocks: list[_Block] = []
    lines: list[str] = []
    name = ""
    lead: tuple[str, ...] = ()
    for line in text.splitlines():
        match = _HEADER.match(line)
        if match is None:
            lines.append(line)
            continue
        array = line.strip().startswith("[[")
        inner = match.group(1)
        if name and inner.startswith(f"{name.strip('[]')}.") and name.startswith("[["):
            lines.append(line)
            continue
        body, following = _comments_off(lines)
        blocks.append(_Block(name, lead, body))
        name, lead, lines = (f"[[{inner}]]" if array else f"[{inner}]"), following, [line]
    blocks.append(_Block(name, lead, tuple(lines)))
    return blocks[0].body, blocks[1:]


def _comments_off(lines: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Cut the blank lines and comments off the end of some lines: they belong to what follows."""
    end = len(lines)
    while end and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return tuple(lines[:end]), tuple(lines[end:])


def _joined(head: Sequence[str], blocks: Sequence[_Block]) -> str:
    lines = list(head)
    for block in blocks:
        if not block.lead and lines and lines[-1].strip():
            lines.append("")
        lines += [*block.lead, *block.body]
    return "\n".join(lines).rstrip("\n") + "\n"


def _entry(table: str, wanted: dict[str, Any], kept: tuple[_Block, Entry] | None) -> _Block:
    header = f"[[{table}]]"
    if kept is None:
        return _Block(header, (), (header, *_lines(wanted)))
    block, given = kept
    if given == wanted:
        return block
    body = _changed_lines(block.body, given, wanted)
    if _read(body, table) != wanted:
        body = (header, *_lines(wanted))
    return _Block(header, block.lead, body)


def _read(lines: Sequence[str], table: str) -> object:
    try:
        return tomllib.loads("\n".join(lines))[table][0]
    except (tomllib.TOMLDecodeError, KeyError):
        return None


def _lines(values: Entry) -> tuple[str, ...]:
    return tuple(f"{_key(name)} = {written_value(value)}" for name, value in values.items())


def _changed_lines(lines: Sequence[str], given: Entry, wanted: Entry) -> tuple[str, ...]:
    """Return the lines of a block with other values: a line whose value stays is kept, a comment behind a value too."""
    found: list[str] = []
    end = next((n for n, line in enumerate(lines[1:], start=1) if _HEADER.match(line)), len(lines))
    for line in lines[:end]:
        match = _KEY.match(line)
        name = match.group(3) if match else ""
        if match is None or name not in given or wanted.get(name) == given[name]:
            found.append(line)
        elif name in wanted:
            found.append(f"{match.group(0)}{written_value(wanted[name])}{_comment_behind(line, match.end())}")
    while found and not found[-1].strip():
        found.pop()
    found += _lines({name: value for name, value in wanted.items() if name not in given})
    return (*found, *lines[end:])


def _comment_behind(line: str, start: int) -> str:
    """Return the comment behind a value, found by cutting where the rest is still one value."""
    for position in range(start, len(line)):
        if line[position] == "#":
            try:
                tomllib.loads(f"x = {line[start:position]}")
            except tomllib.TOMLDecodeError:
                continue
            return line[len(line[:position].rstrip()) :]
    return ""


def _proved(changed: str, wanted: Entry, table: str) -> str:
    """Return a text that says what was wanted, and refuse one that does not."""
    expected = _without_empty(wanted)
    try:
        found = _without_empty(tomllib.loads(changed))
    except tomllib.TOMLDecodeError as error:
        raise FaultyData([_not_by_lines(table)]) from error
    if found != expected:
        raise FaultyData([_not_by_lines(table)])
    return changed


def _without_empty(document: Entry) -> dict[str, Any]:
    """Return the tables of a document without empty lists and tables: an array of no tables is not written."""
    cleaned = {name: _without_empty(value) if isinstance(value, dict) else value for name, value in document.items()}
    return {name: value for name, value in cleaned.items() if value not in ([], {})}


def _not_by_lines(table: str) -> Problem:
    return Problem(
        "site.not_by_lines",
        Text(f"“{table}”的写法不能逐行修改。", f"'{table}' is written in a way that cannot be changed line by line."),
        Text(f"请在 factory.toml 里把它写成 [[{table}]] 段。", f"Write it as [[{table}]] sections in factory.toml."),
        column=table,
    )
