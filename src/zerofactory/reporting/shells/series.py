"""Time Series Data (IDTA 02008, version 1.1.1): each day of the last closed month inside, and where more is to be had.

Semantic ids: admin-shell-io/submodel-templates @ 290e242f (CC BY 4.0); the time is UTC (`UtcTime` of the specification, 02008-1-1,
Table 10), the beginning of each day on the plant's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from basyx.aas import model

from zerofactory.errors import Text
from zerofactory.reporting.shells.concepts import quantity
from zerofactory.reporting.shells.elements import decimal, group, prop, submodel, text
from zerofactory.reporting.shells.facts import Facts, Flow, Place, id_short, word

ROOT = "https://admin-shell.io/idta/TimeSeries"
SEMANTIC, TITLE = f"{ROOT}/1/1", Text("时间序列", "time series")
NAME = Text("每日流入的能源", "energy that flows in, by day")
WHAT = Text(
    "最近封存月份每天的量, 单位见各变量的概念; 时间为工厂时钟上每日开始的时刻(UTC)。",
    "Amounts of each day of the last closed month, units by the concept of each variable; the time is the beginning of the day on the plant's clock, in UTC.",
)
MORE = Text("接口: 任一月份, 直到一刻钟", "by the API: any month, down to a quarter hour")


def series(facts: Facts, place: Place) -> Any:
    """Return the time series of a place; None where no meter counts its own."""
    flows = [flow for flow in place.flows if flow.days]
    if not flows:
        return None
    record = group("Record", f"{ROOT}/Record/1/1", [*_times(None, None), *(_variable(flow, None) for flow in flows)])
    about = [text("Name", f"{ROOT}/Metadata/Name/1/1", NAME), text("Description", f"{ROOT}/Metadata/Description/1/1", WHAT), record]  # fmt: skip
    elements = [
        group("Metadata", f"{ROOT}/Metadata/1/1", about),
        group("Segments", f"{ROOT}/Segments/1/1", [_internal(flows), *_linked(facts, flows)]),
    ]
    identity = (facts.submodel_id(place.key, "time-series"), "TimeSeries", SEMANTIC)
    return submodel(identity, elements, ("1", "1", None), TITLE)


def _internal(flows: Sequence[Flow]) -> Any:
    begins = [start for _, start, _ in flows[0].days]
    amounts = [{day: amount for day, _, amount in flow.days} for flow in flows]
    records = [
        group(
            f"Record{place}",
            f"{ROOT}/Record/1/1",
            [
                *_times(start, begins[0]),
                *(_variable(flow, own[day]) for flow, own in zip(flows, amounts, strict=True) if day in own),
            ],
        )
        for place, (day, start, _) in enumerate(flows[0].days)
    ]
    month = flows[0].months[-1][0]
    told = [
        text("Name", f"{ROOT}/Segment/Name/1/1", Text(f"{month} 每日", f"{month} by day")),
        prop("RecordCount", f"{ROOT}/Segment/RecordCount/1/1", len(records), model.datatypes.Long),
        prop("StartTime", f"{ROOT}/Segment/StartTime/1/1", _iso(begins[0])),
        prop("EndTime", f"{ROOT}/Segment/EndTime/1/1", _iso(begins[-1])),
        prop("Duration", f"{ROOT}/Segment/Duration/1/1", f"P{len(records)}D"),
        prop("State", f"{ROOT}/Segment/State/1/1", "completed"),
        group("Records", f"{ROOT}/Records/1/1", records),
    ]
    return group("InternalSegment", f"{ROOT}/Segments/InternalSegment/1/1", told)


def _linked(facts: Facts, flows: Sequence[Flow]) -> list[Any]:
    month = flows[0].months[-1][0]
    made = []
    for meter in sorted({one for flow in flows for one in flow.meters}):
        told = [
            text("Name", f"{ROOT}/Segment/Name/1/1", Text(f"表计 {meter}", f"meter {meter}")),
            text("Description", f"{ROOT}/Segment/Description/1/1", MORE),
            prop("Endpoint", f"{ROOT}/Endpoint/1/1", f"{facts.address}/v1/meters/{quote(meter, safe='')}/view"),
            prop("Query", f"{ROOT}/Query/1/1", f"period={month}"),
        ]
        made.append(group(f"LinkedSegment_{id_short(meter)}", f"{ROOT}/Segments/LinkedSegment/1/1", told))
    return made


def _times(start: datetime | None, first: datetime | None) -> list[Any]:
    """Return when a record begins: in UTC, and in seconds after the first one, the time that the template itself has."""
    after = None if start is None or first is None else int((start - first).total_seconds())
    return [
        prop("Time", f"{ROOT}/UtcTime/1/1", start, model.datatypes.DateTime),
        prop("RelativeTime", f"{ROOT}/RelativePointInTime/1/1", after, model.datatypes.Long),
    ]


def _variable(flow: Flow, amount: Any) -> Any:
    return decimal(word(flow.id), quantity(flow.carrier, flow.unit), amount)


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
