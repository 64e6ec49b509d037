"""A small plant and its activities, handed to the tests of this room as fixtures."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from zerofactory.metering.activity_table import ACTIVITIES
from zerofactory.site.load import plant as read_plant
from zerofactory.site.model import Plant

KNOWN = date(2026, 1, 15)
NAME = "示例汽车有限公司"


def make_plant(kinds: Mapping[str, str], accounting: str = "", region: str = "CN-上海") -> Plant:
    """Return a plant in which source ``id`` is of the given kind."""
    sources = "".join(
        f'[[sources]]\nid = "{name}"\nkind = "{kind}"\nname = {{zh = "源{name}", en = "source {name}"}}\nshop = "paint"\n'
        for name, kind in kinds.items()
    )
    made, problems = read_plant(
        f"""
[plant]
id = "example"
name = {{zh = "示例", en = "example"}}
time_zone = "Asia/Shanghai"
region = "{region}"
currency = "CNY"
[organisation]
name = {{zh = "{NAME}", en = "Example Motor"}}
[accounting]
{accounting}
[[shops]]
id = "paint"
kind = "paint"
name = {{zh = "涂装车间", en = "paint shop"}}
[[shops]]
id = "body"
kind = "body"
name = {{zh = "焊装车间", en = "body shop"}}
{sources}
"""
    )
    assert made is not None, [problem.sentence("en") for problem in problems]
    return made


def make_activity(number: int, source: str, kind: str, quantity: float, unit: str, **more: Any) -> dict[str, object]:
    """Return one ACTIVITIES row; ``item``, ``detail``, ``period``, ``shop``, ``tier`` may be given."""
    period = str(more.get("period", "2025-06"))
    year, month = int(period[:4]), int(period[5:])
    return {
        "activity_id": f"{number:016x}",
        "source_id": source,
        "source_kind": kind,
        "shop": more.get("shop", "paint"),
        "period": period,
        "started_at": datetime(year, month, 1, tzinfo=UTC),
        "ended_at": datetime(year, month, 28, tzinfo=UTC),
        "item": more.get("item"),
        "quantity": quantity,
        "unit": unit,
        "tier": more.get("tier", "invoiced"),
        "estimated_fraction": more.get("estimated_fraction", 0.0),
        "evidence": None,
        "detail": json.dumps(more.get("detail", {}), ensure_ascii=False, sort_keys=True),
        "document": more.get("document"),
        "note": None,
    }


def make_frame(*rows: dict[str, object]) -> pl.DataFrame:
    """Return rows as an ACTIVITIES frame."""
    return ACTIVITIES.frame(list(rows))


@pytest.fixture
def plant_with() -> Callable[..., Plant]:
    return make_plant


@pytest.fixture
def activity() -> Callable[..., dict[str, object]]:
    return make_activity


@pytest.fixture
def frame() -> Callable[..., pl.DataFrame]:
    return make_frame


@pytest.fixture
def known() -> date:
    """The day of knowing: after announcement 2025 No. 47."""
    return KNOWN
