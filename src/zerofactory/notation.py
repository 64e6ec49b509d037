"""TOML, JSON and YAML that people and other machines write → plain data, or a fault that says where it cannot be read.

Whatever stands in a file, it is told as a `Problem` with its line, never as an exception of a library: wrong syntax, brackets
nested without end, keys written twice, numbers that no computer holds, half characters, files beyond all size. The words stand in
`notation.csv`: what the library said (a regular expression), in Chinese, in English.
"""

from __future__ import annotations

import csv
import io
import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from math import isfinite
from typing import Any

from zerofactory.errors import FaultyData, Problem, Text

MOST_DEPTH = 64
"""Tables and lists in each other. The deepest file we describe nests 8; whatever walks data may then call itself."""
MOST_TOML_BYTES = 16 * 2**20
"""A factory.toml of 20 000 meters has 4 MB; the standard library reads some 5 MB a second."""
MOST_YAML_BYTES = 2 * 2**20
"""A device template has 10 kB."""
MOST_JSON_BYTES = 256 * 2**20
"""What a server takes in one request unless told otherwise; outlines of a hundred thousand pictures have 60 MB."""
MOST_DIGITS = 400
"""Of one number: the largest float has 309; Python makes a number of 4300 at most."""
LEAST, LARGEST = -(2**63), 2**64 - 1
"""Whole numbers have 64 bits, signed (TOML 1.0.0, Integer) or unsigned (counters of devices)."""

HINTS = {
    "TOML": Text("请检查引号、括号和等号。", "Check quotes, brackets and equal signs."),
    "JSON": Text("请检查引号、括号和逗号。", "Check quotes, brackets and commas."),
    "YAML": Text("请检查缩进、冒号和引号。", "Check indents, colons and quotes."),
}
_ABSURD = Text("请改正或删去这一处。", "Mend or remove it.")
_SMALLER = Text("请确认是不是放错了文件; 否则请拆小。", "See whether it is the right file; if so, make it smaller.")
_STRING_ENDS = {
    '"""': re.compile(r'[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""', re.S),
    "'''": re.compile(r".*?'''", re.S),
    '"': re.compile(r'[^"\\\n]*(?:\\.[^"\\\n]*)*"'),
    "'": re.compile(r"[^'\n]*'"),
    "#": re.compile(r"[^\n]*"),
}
_SIGN = re.compile(rf"\"\"\"|'''|[\"'#\[\]{{}}=,.\n]|[0-9_]{{{MOST_DIGITS + 1},}}")
_NUL = re.compile(r"\\(?:u0000|U00000000|x00|0)")
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_SUSPECT = re.compile(rf"(?:\.[^.=\[\]{{}},\n]*){{{MOST_DEPTH + 1}}}|[0-9_]{{{MOST_DIGITS + 1},}}")
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def text_of(content: bytes, file: str | None, code: str = "notation.not_utf8") -> str:
    """Return the text of a file that a person wrote, in UTF-8 with or without a byte-order mark, lines ended by ``\\n``.

    Raises
    ------
    FaultyData
        The bytes are not UTF-8: some editors still save Chinese text as GBK.

    Examples
    --------
    >>> text_of("\\ufeffa = 1\\r\\n".encode(), "factory.toml")
    'a = 1\\n'
    """
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        message = Text("文件不是 UTF-8 编码。", "The file is not UTF-8.")
        hint = Text("请在编辑器中另存为 UTF-8(记事本: 另存为 → 编码 → UTF-8)。", "Save it as UTF-8 in your editor.")
        row = content[: error.start].count(b"\n") + 1
        raise FaultyData([Problem(code, message, hint, file, row)]) from None


def toml_of(text: str, file: str | None, code: str = "notation.toml") -> dict[str, Any]:
    """Return the tables of a TOML text; ``code`` is the one under which its fault is told, where a room has its own.

    Raises
    ------
    FaultyData
        It cannot be read; ``row`` is the line.

    Examples
    --------
    >>> toml_of("[plant]\\nid = 'sh1'", "factory.toml")
    {'plant': {'id': 'sh1'}}
    >>> try:
    ...     toml_of("[plant]\\nid = sh1", "factory.toml")
    ... except FaultyData as fault:
    ...     print(fault.problems[0].sentence("zh"))
    factory.toml 第2行: 不是有效的 TOML: 等号后没有能读懂的值(文字要加引号)。 请检查引号、括号和等号。
    """
    door = _Door("TOML", file, code)
    door.check_text(text, MOST_TOML_BYTES)
    if _SUSPECT.search(text):
        door.check_lines(text)
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        place = _PLACE.search(said)
        row = int(place[1]) if place and place[1] else len(text.splitlines()) or 1
        raise door.syntax(_PLACE.sub("", said), row) from None
    except RecursionError:
        door.check_lines(text)  # says in which line
        raise door.absurd("too_deep", None, MOST_DEPTH) from None
    door.check_data(found, text)
    return found


def json_of(content: str | bytes, file: str | None, code: str = "notation.json", *, as_is: bool = False) -> Any:
    """Return the data of a JSON text (RFC 8259); a key stands once in its object, and numbers are finite.

    ``as_is``: wide whole numbers and NUL characters stay as they are, in what another program says in its own terms and gets back.

    Raises
    ------
    FaultyData
        It cannot be read; ``row`` is the line.

    Examples
    --------
    >>> json_of('{"a": [1, 2]}', "a.json")
    {'a': [1, 2]}
    >>> try:
    ...     json_of("[1, 2", "a.json")
    ... except FaultyData as fault:
    ...     print(fault.problems[0].message.zh)
    不是有效的 JSON: 缺少逗号或右括号。
    """
    door = _Door("JSON", file, code)
    text = (content if isinstance(content, str) else text_of(content, file, code)).removeprefix("\ufeff")
    door.check_text(text, MOST_JSON_BYTES)
    try:
        found = json.loads(text, object_pairs_hook=door.object_of, parse_constant=door.no_number)
    except json.JSONDecodeError as error:
        raise door.syntax(error.msg, error.lineno) from None
    except RecursionError:
        raise door.absurd("too_deep", None, MOST_DEPTH) from None
    except ValueError:  # more digits than Python makes a number of
        raise door.absurd("too_long", None) from None
    door.check_data(found, text, finite=True, as_is=as_is)
    if _HALF.search(text) and not _writable(found):
        raise door.absurd("half", None)
    return found


def yaml_of(text: str, file: str | None, code: str = "notation.yaml") -> Any:
    """Return the data of a YAML text, read by the safe loader; parts are not named (``&``) and used again (``*``).

    Raises
    ------
    FaultyData
        It cannot be read; ``row`` is the line.

    Examples
    --------
    >>> yaml_of("maker: Eastron\\nlines: [1, 2]", "sdm630.yaml")
    {'maker': 'Eastron', 'lines': [1, 2]}
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    door = _Door("YAML", file, code)
    door.check_text(text, MOST_YAML_BYTES)
    try:
        _walked(yaml.parse(text, Loader=loader), door)
        found = yaml.load(text, Loader=loader)  # noqa: S506
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        said = getattr(error, "problem", None) or getattr(error, "reason", None) or getattr(error, "context", None)
        raise door.syntax(str(said), None if mark is None else mark.line + 1) from None
    except (ValueError, AttributeError, OverflowError, TypeError):  # a date or number of the loader's that cannot be
        raise door.absurd("value", None) from None
    except RecursionError:
        raise door.absurd("too_deep", None, MOST_DEPTH) from None
    door.check_data(found, text)
    return found


def _writable(data: object) -> bool:
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _walked(events: Iterable[Any], door: _Door) -> None:
    """Refuse what is nested too deep (the loader in C would end the whole process), names for parts, and keys that stand twice."""
    import yaml

    open_: list[tuple[set[str] | None, list[bool]]] = []  # keys of a mapping (None: a list), and whether a key is next
    for event in events:
        row = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise door.absurd("alias", row)
        if isinstance(event, yaml.CollectionEndEvent):
            open_.pop()
        if open_ and isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            keys, key_next = open_[-1]
            if keys is not None and key_next[0] and isinstance(event, yaml.ScalarEvent):
                if event.value in keys:
                    raise door.absurd("twice", row, event.value)
                keys.add(event.value)
            key_next[0] = not key_next[0]
        if isinstance(event, yaml.CollectionStartEvent):
            open_.append((set() if isinstance(event, yaml.MappingStartEvent) else None, [True]))
            if len(open_) > MOST_DEPTH:
                raise door.absurd("too_deep", row, MOST_DEPTH)


def endless(data: object) -> tuple[str, ...]:
    """Return the paths of the numbers in plain data that are nan or infinite.

    Examples
    --------
    >>> endless({"a": [1.0, float("nan")], "b": {"c": float("inf")}})
    ('a.1', 'b.c')
    """
    return tuple(path for path, value in _leaves(data) if isinstance(value, float) and not isfinite(value))


def _leaves(data: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Yield every value that is neither table nor list, with its path; depth is bounded before."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else None
    if inner is None:
        yield path, data
        return
    for key, value in inner:
        yield from _leaves(value, f"{path}.{key}" if path else str(key))


@lru_cache(maxsize=1)
def _words() -> tuple[tuple[str, re.Pattern[str], Text], ...]:
    content = files("zerofactory").joinpath("notation.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(io.StringIO(content))
    return tuple((row["format"], re.compile(row["said"], re.S), Text(row["zh"], row["en"])) for row in rows)


def _said(notation: str, said: str) -> Text:
    """Return our words for what a library said; where it said something new, that the text is written wrongly."""
    for format_, pattern, words in _words():
        match = pattern.fullmatch(said) if format_ == notation else None
        if match is not None:
            return _filled(words, match.groups())
    return _filled(next(words for _, pattern, words in _words() if pattern.pattern == "other"), ())


def _filled(words: Text, values: Iterable[object]) -> Text:
    shown = [str(value).strip(",")[:60] for value in values]
    return Text(words.zh.format(*shown), words.en.format(*shown))


@dataclass(frozen=True, slots=True)
class _Door:
    """What is read, for the faults to say."""

    notation: str
    file: str | None
    code: str

    def fault(self, why: Text, row: int | None, hint: Text, column: str | None = None) -> FaultyData:
        message = Text(f"不是有效的 {self.notation}: {why.zh}。", f"Not valid {self.notation}: {why.en}.")
        return FaultyData([Problem(self.code, message, hint, self.file, row, column)])

    def syntax(self, said: str, row: int | None) -> FaultyData:
        return self.fault(_said(self.notation, said), row, HINTS[self.notation])

    def absurd(self, kind: str, row: int | None, *values: object, column: str | None = None) -> FaultyData:
        words = next(words for format_, pattern, words in _words() if format_ == "any" and pattern.pattern == kind)
        return self.fault(_filled(words, values), row, _SMALLER if kind == "too_large" else _ABSURD, column)

    def check_text(self, text: str, most_bytes: int) -> None:
        """Refuse a text beyond its size, with NUL characters, or that cannot be written in UTF-8."""
        if len(text) > most_bytes:
            raise self.absurd("too_large", None, most_bytes // 2**20)
        if "\0" in text:
            raise self.absurd("nul", text[: text.index("\0")].count("\n") + 1)
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise self.absurd("half", text[: error.start].count("\n") + 1) from None

    def check_lines(self, text: str) -> None:
        """Refuse brackets, dotted keys and digits without end, with their line.

        The reader of the standard library takes the number of parts of a dotted key squared in time and memory.
        """
        row, depth, dots, place = 1, 0, 0, 0
        while match := _SIGN.search(text, place):
            sign, place = match[0], match.end()
            if sign in _STRING_ENDS:
                end = _STRING_ENDS[sign].match(text, place)
                if end is None:
                    return  # the quote is not closed: the reader says so
                row += text.count("\n", place, end.end())
                place = end.end()
                continue
            if len(sign) > 1:
                raise self.absurd("too_long", row)
            dots = dots + 1 if sign == "." else 0
            depth += (sign in "[{") - (sign in "]}")
            row += sign == "\n"
            if max(depth, dots) > MOST_DEPTH:
                raise self.absurd("too_deep", row, MOST_DEPTH)

    def check_data(self, data: object, text: str, *, finite: bool = False, as_is: bool = False) -> None:
        """Refuse what is nested too deep, whole numbers beyond 64 bits, NUL written as an escape, and numbers without end."""
        nul = not as_is and _NUL.search(text) is not None
        level, depth = [data], 0
        while level:
            depth += 1
            if depth > MOST_DEPTH + 1:
                raise self.absurd("too_deep", None, MOST_DEPTH)
            tables = [one for one in level if isinstance(one, dict)]
            lists = [one for one in level if isinstance(one, list)]
            level = [inner for one in tables for inner in one.values()] + [inner for one in lists for inner in one]
        for path, one in _leaves(data):
            if nul and ("\0" in path or (isinstance(one, str) and "\0" in one)):
                raise self.absurd("nul", None)
            if isinstance(one, int) and not as_is and not LEAST <= one <= LARGEST:
                raise self.absurd("too_wide", None, column=path or None)
            if finite and isinstance(one, float) and not isfinite(one):
                raise self.absurd("endless", None, one, column=path or None)

    def object_of(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Return a JSON object; refuse a key that stands twice."""
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise self.absurd("twice", None, twice, column=twice)
        return found

    def no_number(self, name: str) -> float:
        """Refuse NaN and Infinity, which JSON does not know."""
        raise self.absurd("endless", None, name)
