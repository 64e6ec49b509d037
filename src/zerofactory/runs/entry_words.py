"""What is wrong with an entry of a file, in two languages, from what the schema found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zerofactory.errors import Text

PLAIN = {
    "extra_forbidden": Text("不认识的键。", "Unknown key."),
    "missing": Text("缺少这个键。", "This key is missing."),
    "finite_number": Text("应为有限的数。", "It must be a finite number."),
}
BOUNDS = {
    "greater_than": ("gt", "应大于", "above"),
    "greater_than_equal": ("ge", "不能小于", "at least"),
    "less_than": ("lt", "应小于", "below"),
    "less_than_equal": ("le", "不能大于", "at most"),
}
KINDS = {
    "float": "应为数",
    "int": "应为整数",
    "string": "应为文字",
    "bool": "应为 true 或 false",
    "tuple": "应为列表",
    "list": "应为列表",
    "dict": "应为表",
    "mapping": "应为表",
    "model": "应为表",
    "date": "应为日期, 如 2025-03-10",
    "time": "应为时刻, 如 07:00",
    "datetime": "应为日期和时刻, 如 2025-03-10T07:00",
}


def worded(entry: Mapping[str, Any]) -> Text:
    """Return what is wrong with an entry: one of the errors of a pydantic `ValidationError`.

    Examples
    --------
    >>> worded({"type": "greater_than", "msg": "Input should be greater than 0", "ctx": {"gt": 0.0}}).zh
    '值不对: 应大于 0。'
    """
    kind, said = str(entry["type"]), entry.get("ctx") or {}
    if kind in PLAIN:
        return PLAIN[kind]
    english = f"Wrong value: {entry['msg']}."
    if kind in BOUNDS:
        key, zh, en = BOUNDS[kind]
        limit = said[key]
        shown = f"{limit:g}" if isinstance(limit, int | float) else str(limit)
        return Text(f"值不对: {zh} {shown}。", f"Wrong value: it must be {en} {shown}.")
    if kind == "literal_error":
        return Text(f"值不对: 只能是 {said.get('expected', '')}。".replace(" or ", " 或 "), english)
    if kind in ("too_short", "too_long"):
        words = ("至少", "min_length") if kind == "too_short" else ("至多", "max_length")
        return Text(f"值不对: {words[0]}要有 {said.get(words[1])} 项。", english)
    named = KINDS.get(kind.rsplit("_", 1)[0]) or KINDS.get(kind.split("_", 1)[0]) or str(entry["msg"])
    return Text(f"值不对: {named}。", english)
