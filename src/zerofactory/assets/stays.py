"""Stays of vehicles as a table: when each arrives and leaves, what it needs, at what power.

    vehicle,arrives_at,departs_at,need_kwh,power_kw,room_kwh,spare_kwh
    truck-1,2025-06-09 18:00,2025-06-10 06:00,160,120,220,0

Times without an offset are on the plant's clock. ``room_kwh`` left out is the need; ``spare_kwh`` left out is 0.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite

from zerofactory.assets.kinds.ev_charger import Session
from zerofactory.errors import Problem, Text
from zerofactory.periods import zone

COLUMNS = ("arrives_at", "departs_at", "need_kwh", "power_kw")
OPTIONAL = ("vehicle", "room_kwh", "spare_kwh")


def read_stays(text: str, time_zone: str) -> tuple[tuple[Session, ...], list[Problem]]:
    """Return the stays of a table and every fault of its rows.

    Examples
    --------
    >>> table = "arrives_at,departs_at,need_kwh,power_kw\\n2025-06-09 18:00,2025-06-10 06:00,160,120\\n"
    >>> stays, problems = read_stays(table, "Asia/Shanghai")
    >>> stays[0].arrives_at.isoformat(), stays[0].room_kwh, problems
    ('2025-06-09T10:00:00+00:00', 160.0, [])
    """
    reader = csv.DictReader(text.lstrip("\ufeff").splitlines())
    given = tuple(reader.fieldnames or ())
    lacking = [name for name in COLUMNS if name not in given]
    unknown = [name for name in given if name not in (*COLUMNS, *OPTIONAL)]
    if lacking or unknown:
        return (), [_header(lacking, unknown)]
    stays, problems = [], []
    for number, row in enumerate(reader, 2):
        stay, faults = _stay(row, time_zone)
        problems += [problem.at(row=number) for problem in faults]
        stays += [stay] if stay is not None else []
    return tuple(stays), problems


def _stay(row: Mapping[str, str | None], time_zone: str) -> tuple[Session | None, list[Problem]]:
    problems: list[Problem] = []
    moments = [_moment(row, name, time_zone, problems) for name in ("arrives_at", "departs_at")]
    need, power = _number(row, "need_kwh", problems), _number(row, "power_kw", problems)
    room = _number(row, "room_kwh", problems) if row.get("room_kwh") else need
    spare = _number(row, "spare_kwh", problems) if row.get("spare_kwh") else 0.0
    arrives, departs = moments
    if problems or arrives is None or departs is None:
        return None, problems
    if departs <= arrives:
        problems.append(_fault("order", "离开不晚于到达。", "It leaves no later than it arrives.", "departs_at"))
    if room < need:
        problems.append(_fault("room", "电池容得下的电量小于所需。", "The room is smaller than the need.", "room_kwh"))
    return (None if problems else Session(arrives, departs, need, power, room, spare)), problems


def _moment(row: Mapping[str, str | None], name: str, time_zone: str, problems: list[Problem]) -> datetime | None:
    text = row.get(name) or ""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        problems.append(_fault("moment", f"“{text}”不是时间。", f"'{text}' is not a time.", name))
        return None
    local = moment if moment.tzinfo else moment.replace(tzinfo=zone(time_zone))
    return local.astimezone(UTC)


def _number(row: Mapping[str, str | None], name: str, problems: list[Problem]) -> float:
    text = row.get(name) or ""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value) or value < 0:
        problems.append(
            _fault("number", f"“{text}”不是不小于零的数。", f"'{text}' is not a number of 0 or more.", name)
        )
        return 0.0
    return value


def _header(lacking: list[str], unknown: list[str]) -> Problem:
    zh = "; ".join(
        filter(
            None,
            (f"缺少列 {', '.join(lacking)}" if lacking else "", f"不认识列 {', '.join(unknown)}" if unknown else ""),
        )
    )
    en = "; ".join(
        filter(
            None,
            (f"missing {', '.join(lacking)}" if lacking else "", f"unknown {', '.join(unknown)}" if unknown else ""),
        )
    )
    hint = Text(f"列: {', '.join((*COLUMNS, *OPTIONAL))}。", f"Columns: {', '.join((*COLUMNS, *OPTIONAL))}.")
    return Problem("assets.stays_columns", Text(f"停靠表{zh}。", f"Table of stays: {en}."), hint)


def _fault(code: str, zh: str, en: str, column: str) -> Problem:
    return Problem(f"assets.stay_{code}", Text(zh, en), Text("请改正该行。", "Mend the row."), column=column)
