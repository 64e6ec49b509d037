"""What is told beside the costs of a scenario, in two languages, from its plain values: hours, peak, payback, what is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from zerofactory.errors import Text

KINDS_OF_HOURS = (
    ("overtime_h", Text("加班", "overtime")),
    ("rest_day_h", Text("休息日", "rest days")),
    ("holiday_h", Text("法定假日", "holidays")),
)
STATUSES = {"verified": "核实", "secondary": "二手", "placeholder": "占位"}
LOADS = {"plant": Text("全厂", "whole plant"), "line": Text("只算孪生内各线", "the lines of the twin alone")}


def lines(costs: Mapping[str, Any]) -> Iterator[Text]:
    """Yield the sentences that go with the costs of a scenario (`twin_cost.Costs.as_json`)."""
    if costs["labour"] is not None:
        yield _hours(costs["labour"])
    peak = costs["peak_kw"]
    if peak is not None:
        moved, load = f"{peak['before']:,.0f} → {peak['after']:,.0f} kW", LOADS[peak["load"]]
        yield Text(f"最高一刻钟 {moved}({load.zh})。", f"Highest quarter hour {moved} ({load.en}).")
    if costs["investment"] is not None:
        yield _investment(costs["investment"])
    yield from (Text(**one) for one in costs["notes"])


def left_out(costs: Mapping[str, Any]) -> Text | None:
    """Return which kinds are in no sum, and why; None where all are."""
    gone = costs["left_out"]
    if not gone:
        return None
    zh, en = (", ".join(f"{one['title'][say]} ({one['reason'][say]})" for one in gone) for say in ("zh", "en"))
    return Text(f"未计入: {zh}。", f"Left out: {en}.")


def _hours(labour: Mapping[str, Any]) -> Text:
    before, after = labour["before"], labour["after"]
    moved = f"{_total(before):,.0f} → {_total(after):,.0f}"
    kinds = [(title, f"{before[name]:,.0f} → {after[name]:,.0f}") for name, title in KINDS_OF_HOURS if before[name] or after[name]]  # fmt: skip
    zh, en = (", ".join(f"{title.in_language(say)} {told}" for title, told in kinds) for say in ("zh", "en"))
    more = (f", 其中{zh}", f", of them {en}") if kinds else ("", "")
    wage = f"{labour['cny_per_h']:g} CNY/h"
    return Text(
        f"人·时 {moved}{more[0]}; 工资 {wage}: {labour['source']}, {STATUSES[labour['status']]}。",
        f"Person-hours {moved}{more[1]}; wage {wage}: {labour['source']}, {labour['status']}.",
    )


def _investment(one: Mapping[str, Any]) -> Text:
    rate, source = f"{100 * one['discount_fraction']:g} %", one["discount_source"]
    paid, annual, years = f"{one['investment_cny']:,.0f}", f"{one['annual_cny']:,.0f}", one["life_years"]
    status = Text(STATUSES[one["status"]], one["status"])
    first = Text(
        f"投资 {paid} 元({status.zh}), {years} 年, 折现率 {rate}({source['zh']}), 每年 {annual} 元",
        f"{paid} CNY ({status.en}) over {years} year{'s' * (years > 1)} at {rate} ({source['en']}) are {annual} CNY a year",
    )
    saving = one["saving_cny_per_year"]
    if saving is None:
        return Text(f"{first.zh}; 算不出每年节约。", f"{first.en}; what it saves a year cannot be told.")
    if saving["mean"] < 0.0:
        more = f"{-saving['mean']:,.0f} ({-saving['high']:,.0f} … {-saving['low']:,.0f})"
        open_zh, open_en = (", 但区间含零", ", though zero lies in the interval") if saving["high"] > 0.0 else ("", "")
        return Text(
            f"{first.zh}; 按今天的产量运行每年反而多花 {more} 元, 收不回{open_zh}。",
            f"{first.en}; at today's output running it costs {more} CNY a year more, so it does not pay back{open_en}.",
        )
    saved = f"{saving['mean']:,.0f} ({saving['low']:,.0f} … {saving['high']:,.0f})"
    simple, discounted = payback(one["payback_years"]), payback(one["discounted_payback_years"])
    return Text(
        f"{first.zh}; 按今天的产量每年省 {saved} 元, 静态回收期 {simple.zh}, 动态 {discounted.zh}。",
        f"{first.en}; at today's output it saves {saved} CNY a year, payback {simple.en}, discounted {discounted.en}.",
    )


def payback(years: Mapping[str, float | None]) -> Text:
    """Return a payback with the ends of its interval.

    >>> payback({"mean": 3.25, "low": 2.9, "high": None}).en
    '3.2 years (2.9 – never)'
    """
    if years["mean"] is None:
        return Text("寿命内收不回", "not within its life")
    ends = years["low"], years["high"]
    zh, en = (" – ".join(never if one is None else f"{one:.1f}" for one in ends) for never in ("收不回", "never"))
    return Text(f"{years['mean']:.1f} 年 ({zh})", f"{years['mean']:.1f} years ({en})")


def _total(hours: Mapping[str, float]) -> float:
    return hours["ordinary_h"] + hours["overtime_h"] + hours["rest_day_h"] + hours["holiday_h"]
