"""What a schema found wrong, said in two languages: one sentence for every kind of fault that pydantic knows.

The words stand in `wording.csv`: one row a kind, and one for each pattern of text that has a plainer name than its signs. What
pydantic says itself, in English, stands in no fault.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from zerofactory.errors import Problem, Text

if TYPE_CHECKING:
    from pydantic_core import PydanticCustomError, ValidationError

SENTENCES = ("missing", "missing_argument", "extra_forbidden", "unexpected_keyword_argument")
UNKNOWN_KIND = "value_error"
_OR = re.compile(r"('[^']*')| or ")  # a quoted choice, or what stands between two
NAMED_BY = ("id", "line", "station", "utility", "stations", "meter", "asset", "source", "of")
"""Keys that tell an entry of a list from the others, the surest first."""
LONGEST_NAME, MOST_ROWS = 60, 1000
"""Beyond these a name does not help a reader, and looking whether it stands twice takes long."""


@lru_cache(maxsize=1)
def kinds() -> Mapping[tuple[str, str], Text]:
    """Return the words of every kind of fault, by kind and pattern (empty: any)."""
    content = files("zerofactory").joinpath("wording.csv").read_text(encoding="utf-8")
    return {(row["type"], row["pattern"]): Text(row["zh"], row["en"]) for row in csv.DictReader(io.StringIO(content))}


def reason(entry: Mapping[str, Any]) -> Text:
    """Return what is wrong with an entry as a phrase, to follow a key or a colon.

    Parameters
    ----------
    entry : Mapping
        One of the ``errors()`` of a pydantic ``ValidationError``.

    Examples
    --------
    >>> reason({"type": "too_short", "ctx": {"min_length": 2}}).zh
    '至少要有 2 项'
    """
    kind, said = str(entry["type"]), entry.get("ctx") or {}
    if "zh" in said and "en" in said:
        return Text(str(said["zh"]), str(said["en"]))
    known = kinds()
    found = known.get((kind, str(said.get("pattern", "")))) or known.get((kind, "")) or known[UNKNOWN_KIND, ""]
    return Text(_filled(found.zh, said, " 或 "), _filled(found.en, said, " or "))


def worded(entry: Mapping[str, Any]) -> Text:
    """Return what is wrong with an entry as a sentence of its own, to stand beside its place.

    Examples
    --------
    >>> worded({"type": "greater_than", "ctx": {"gt": 0.0}}).zh
    '值不对: 应大于 0。'
    >>> worded({"type": "extra_forbidden"})
    Text(zh='不认识的键。', en='Unknown key.')
    """
    why = reason(entry)
    if entry["type"] in SENTENCES:
        return Text(f"{why.zh}。", f"{why.en[0].upper()}{why.en[1:]}.")
    return Text(f"值不对: {why.zh}。", f"Wrong value: {why.en}.")


def place_of(entry: Mapping[str, Any], data: object = None) -> str:
    """Return where in a file an entry stands: its keys, joined by dots.

    Parameters
    ----------
    data : what was read; where it is given, an entry of a list is told by its id (`row_name`), and what the schema put between
        the keys (which of several kinds was tried) is left out.

    Examples
    --------
    >>> place_of({"loc": ("stations", 0, "machines")}, {"stations": [{"id": "booth", "machines": "two"}]})
    'stations.booth.machines'
    >>> place_of({"loc": ("stations", 0, "machines")})
    'stations.0.machines'
    """
    if data is None:
        return ".".join(str(part) for part in entry["loc"])
    loc, here, place = tuple(entry["loc"]), data, ""
    for number, part in enumerate(loc):
        if isinstance(here, Mapping):
            if part not in here and number < len(loc) - 1:
                continue
            place, here = f"{place}.{part}", here.get(part)
        elif isinstance(here, list | tuple):
            if not isinstance(part, int):
                continue
            row = here[part] if part < len(here) else None
            place, here = f"{place}{row_name(row, part, here)}", row
        else:
            break
    return place.removeprefix(".")


def row_name(row: object, number: int, rows: Sequence[object] = ()) -> str:
    """Return how an entry of a list is told behind the name of the list: by its id, or what it is of, else by its number from 1.

    A name that is long or cannot be printed is none; one that stands twice in ``rows``, the list, has the number too.

    Examples
    --------
    >>> row_name({"id": "booth"}, 3), row_name({"stations": ["a", "b"]}, 3), row_name({"hours": 2}, 3)
    ('.booth', '.a+b', '#4')
    >>> row_name({"station": "a"}, 1, [{"station": "a"}, {"station": "a"}])
    '.a#2'
    """
    name = _name(row)
    twice = name and (len(rows) > MOST_ROWS or sum(_name(one) == name for one in rows) > 1)
    return (f".{name}" if name else "") + (f"#{number + 1}" if twice or not name else "")


def _name(row: object) -> str:
    for key in NAMED_BY if isinstance(row, Mapping) else ():
        found = row.get(key)  # type: ignore[attr-defined]
        if isinstance(found, list | tuple) and all(isinstance(one, str) for one in found):
            found = "+".join(found)
        if isinstance(found, str) and found and len(found) <= LONGEST_NAME and found.isprintable():
            return found
    return ""


def problems_of(error: ValidationError, code: str, hint: Text, file: str | None, data: object = None) -> list[Problem]:
    """Return every fault that a schema found in a file, each at its key; ``code`` is put before the kind of fault.

    ``data`` is what was read: with it a fault in a list names the entry by its id (`place_of`).

    Examples
    --------
    >>> from pydantic import BaseModel, ConfigDict, ValidationError
    >>> class Line(BaseModel):
    ...     model_config = ConfigDict(extra="forbid")
    ...     hours: int
    >>> try:
    ...     Line.model_validate({"hour": 8, "hours": "many"})
    ... except ValidationError as error:
    ...     for one in problems_of(error, "line_file", Text("请改正。", "Mend it."), "line.toml"):
    ...         print(one.code, one.sentence("zh"))
    line_file.int_parsing line.toml “hours”列: 值不对: 应为整数。 请改正。
    line_file.extra_forbidden line.toml “hour”列: 不认识的键。 请改正。
    """
    return [
        Problem(f"{code}.{entry['type']}", worded(entry), hint, file, column=place_of(entry, data) or None)
        for entry in error.errors(include_url=False, include_input=False)
    ]


def complaint(code: str, zh: str, en: str) -> PydanticCustomError:
    """Return the error that a validator of ours raises: both languages travel with it to `reason`.

    Examples
    --------
    >>> from typing import Annotated
    >>> from pydantic import AfterValidator, TypeAdapter, ValidationError
    >>> def even(value: int) -> int:
    ...     if value % 2:
    ...         raise complaint("odd", "应为偶数", "it must be even")
    ...     return value
    >>> try:
    ...     TypeAdapter(Annotated[int, AfterValidator(even)]).validate_python(3)
    ... except ValidationError as error:
    ...     reason(error.errors()[0])
    Text(zh='应为偶数', en='it must be even')
    """
    from pydantic_core import PydanticCustomError

    return PydanticCustomError(code, "{en}", {"zh": zh, "en": en})


def _filled(words: str, said: Mapping[str, Any], between: str) -> str:
    """Return words with what the fault says put into them; a list of choices is joined in their language."""
    for name, value in said.items():
        if f"{{{name}}}" in words:
            words = words.replace(f"{{{name}}}", _shown(value, between))
    return words


def _shown(value: object, between: str) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    return _OR.sub(lambda match: match[0] if match[1] else between, str(value))
