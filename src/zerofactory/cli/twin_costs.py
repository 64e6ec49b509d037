"""Print what scenarios cost beside the plant as it is: by kind, by the good vehicle, labour, investment and payback, what is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from zerofactory.cli.language import language, read, say
from zerofactory.cli.output import print_line, print_table


def show(told: Mapping[str, Any]) -> None:
    """Print the costs of every scenario of a comparison; nothing of one that was kept before there were costs."""
    from zerofactory.runs.twin_cost_words import left_out, lines

    scenarios = [one for one in told["scenarios"] if one.get("costs")]
    gone = [left_out(one["costs"]) for one in scenarios]
    same = len(set(gone)) == 1
    for one, out in zip(scenarios, gone, strict=True):
        if one["costs"]["kinds"]:
            _table(one, told["base"]["days"])
        for line in (*lines(one["costs"]), *([out] if out and not same else [])):
            print_line(read(line))
    if same and gone[0]:
        print_line(say(f"费用{read(gone[0])}", f"Costs: {read(gone[0])}"))


def _table(one: Mapping[str, Any], days: int) -> None:
    title = one["title"][language()]
    print_table(
        say(f"{title}: {days} 天的费用, 与每辆好车的费用(元)", f"{title}: costs of {days} days, and of a good vehicle (CNY)"),
        [(say("费用", "cost"), "left"), (say("现状", "as it is"), "right"), (say("差", "difference"), "right"), (say("现状 每辆", "as it is, each"), "right"), (say("差 每辆", "diff., each"), "right"), (say("区间 每辆", "interval, each"), "right")],
        list(_rows(one)),
    )  # fmt: skip


def _rows(one: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for row in one["costs"]["kinds"]:
        cells = [row["title"][language()], _number(row["before_cny"], 0), _number(row["difference"]["mean"], 0, "+")]
        each = row["per_piece"]
        if each is None:
            yield (*cells, "–", "–", "–")
            continue
        value = each["difference"]
        ends = f"{_number(value['low'], 2, '+')} … {_number(value['high'], 2, '+')}"
        yield (*cells, _number(each["before_cny"], 2), _number(value["mean"], 2, "+"), ends)


def _number(value: float, digits: int, sign: str = "") -> str:
    return f"{value:{sign},.{digits}f}" if round(value, digits) else "0"
