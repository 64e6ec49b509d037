"""Electricity: one book of kWh, which of them a contract covers, and which contract may not be applied.

Location-based: all purchased kWh × average factor of the grid. Market-based (annual): kWh covered by a contract that meets
the quality criteria × the contract's factor, the others × the residual mix (GHG Protocol Scope 2 Guidance, ch. 6 and 7;
standards, 4). The split is made for the market view only: a certificate never changes the location-based figure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from zerofactory import units
from zerofactory.accounting.source import fault
from zerofactory.errors import NotFound, Problem, Text
from zerofactory.site.model import Plant

if TYPE_CHECKING:
    import polars as pl

Row = Mapping[str, object]
Part = tuple[str, str | None, int]
PURCHASED, CONTRACT = "purchased_electricity", "green_power_contract"
CRITERIA: Mapping[str, Text] = {
    "rate_attribute": Text("准则1: 传递发电的直接排放率属性", "criterion 1: conveys the direct emission rate"),
    "sole_claim": Text("准则2: 属性主张唯一", "criterion 2: the only claim to that quantity"),
    "retired": Text("准则3: 已由或代本企业注销", "criterion 3: retired by or for the reporter"),
    "vintage_year": Text("准则4: 年份与消费期相同", "criterion 4: vintage of the period of consumption"),
    "market": Text("准则5: 与消费地同一市场", "criterion 5: same market as the consumption"),
    "net_of_certificates": Text(
        "准则6: 供应商因子已含为客户注销的证书", "criterion 6: supplier rate includes retired certificates"
    ),
    "certificates_sold": Text("准则7: 证书未转让他人", "criterion 7: certificates are not sold to others"),
    "beneficiary": Text("准则3: 受益方为本企业", "criterion 3: the beneficiary is the reporter"),
    "serials": Text("证书编号未重复", "serial numbers not used twice"),
    "expired": Text("注销时仍在有效期内", "retired before it expired"),
    "instrument": Text("权益种类有规则可循", "a kind of instrument with a rule"),
}


@dataclass(frozen=True, slots=True)
class Split:
    """What contracts cover. ``parts`` has activity_id, instrument (null = not covered) and energy_wh, for covered activities.

    The parts of an activity add up to its energy exactly. ``surplus_wh`` is what contracts offered beyond the consumption.
    """

    parts: pl.DataFrame
    surplus_wh: int
    problems: tuple[Problem, ...]


def share_out(amount: int, weights: Sequence[int]) -> list[int]:
    """Return whole shares of ``amount`` in proportion to ``weights`` that add up to it (largest remainder).

    Ties go to the earlier entry.

    Examples
    --------
    >>> share_out(100, [1, 1, 1])
    [34, 33, 33]
    """
    total = sum(weights)
    if total == 0:
        return [0] * len(weights)
    shares = [amount * weight // total for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % total), i))
    for i in order[: amount - sum(shares)]:
        shares[i] += 1
    return shares


def failed_criteria(detail: Mapping[str, object], plant: Plant, year: int) -> tuple[str, ...]:
    """Return the quality criteria a contract does not meet (GHG Protocol Scope 2 Guidance, table 7.1).

    Nothing is taken for granted: what is not stated is not met. Criterion 6 asks only suppliers' rates and criterion 7
    only direct purchase and on-site generation. Criterion 8 (a residual mix) is a disclosure in the factor's reason.
    """
    kind = str(detail.get("instrument_kind", ""))
    wanted = ["rate_attribute", "sole_claim", "retired"]
    wanted += ["net_of_certificates"] if kind == "supplier_rate" else []
    failed = [name for name in wanted if detail.get(name) != "yes"]
    if kind == "direct_line" and detail.get("certificates_sold") != "no":
        failed.append("certificates_sold")
    if _year(detail.get("vintage_year")) != year:
        failed.append("vintage_year")
    if str(detail.get("market", "")) != plant.region.partition("-")[0]:
        failed.append("market")
    if str(detail.get("beneficiary", "")) not in names_of(plant):
        failed.append("beneficiary")
    return tuple(failed)


def split_by_contract(activities: pl.DataFrame, plant: Plant) -> Split:
    """Return which purchased kWh contracts cover, month by month, pro rata by largest remainder in whole Wh.

    ``activities`` is an ACTIVITIES frame. A contract covers consumption of its own month only. One that fails a quality
    criterion, or whose serial numbers were used before, is not applied; a warning says which and why. What contracts offer
    beyond the month's consumption is not applied either.
    """
    import polars as pl

    contracts = activities.filter(pl.col("source_kind") == CONTRACT).sort("activity_id")
    months = contracts["period"].unique()
    purchased = (pl.col("source_kind") == PURCHASED) & pl.col("period").is_in(months.implode())
    rows = activities.filter(purchased).sort("activity_id") if len(months) else activities.clear()
    problems: list[Problem] = []
    parts: list[Part] = []
    surplus = 0
    offers = _offers(contracts.to_dicts(), plant, problems)
    for period, offered in sorted(offers.items()):
        bought = rows.filter(pl.col("period") == period)
        covered, left = _cover(bought.to_dicts(), offered)
        parts += covered
        surplus += left
        if left:
            problems.append(_surplus(period, left))
    schema = {"activity_id": pl.String(), "instrument": pl.String(), "energy_wh": pl.Int64()}
    return Split(pl.DataFrame(parts, schema=schema, orient="row"), surplus, tuple(problems))


def energy_wh(quantity: float, unit: str) -> int:
    """Return an energy in whole watt-hours.

    Examples
    --------
    >>> energy_wh(1.5, "MWh")
    1500000
    """
    return round(units.convert(quantity, unit, "Wh"))


def _offers(contracts: Sequence[Row], plant: Plant, problems: list[Problem]) -> dict[str, list[tuple[str, int]]]:
    """Return by period what each contract that passes may cover, in order of activity id."""
    offers: dict[str, list[tuple[str, int]]] = {}
    used: dict[str, str] = {}
    details = {source.id: source.detail for source in plant.sources}
    for row in contracts:
        detail = {**details.get(str(row["source_id"]), {}), **json.loads(str(row["detail"]))}
        period = str(row["period"])
        failed = failed_criteria(detail, plant, int(period[:4]))
        serials, document = str(detail.get("serials") or ""), str(row["document"] or row["activity_id"])
        if serials and used.setdefault(serials, document) != document:
            failed = (*failed, "serials")
        if failed:
            problems.append(_not_applied(document, period, failed))
        else:
            offers.setdefault(period, []).append((str(detail.get("instrument_kind", "")), _booked_wh(row)))
    return offers


def _booked_wh(row: Row) -> int:
    """Return the energy of a row, 0 where its unit is none of energy (which is told when the row itself is quantified)."""
    try:
        return energy_wh(float(str(row["quantity"])), str(row["unit"]))
    except (NotFound, units.WrongDimension):
        return 0


def _cover(bought: Sequence[Row], offered: Sequence[tuple[str, int]]) -> tuple[list[Part], int]:
    """Return the covered and uncovered parts of each activity and what was offered in vain."""
    remaining = [_booked_wh(row) for row in bought]
    kinds = sorted({kind for kind, _ in offered})
    wanted = sum(amount for _, amount in offered)
    used = share_out(min(sum(remaining), wanted), [sum(a for k, a in offered if k == kind) for kind in kinds])
    parts: list[Part] = []
    for kind, amount in zip(kinds, used, strict=True):
        for i, share in enumerate(share_out(amount, remaining)):
            remaining[i] -= share
            if share:
                parts.append((str(bought[i]["activity_id"]), kind, share))
    touched = {name for name, _, _ in parts}
    names = [str(row["activity_id"]) for row in bought]
    parts += [(name, None, left) for name, left in zip(names, remaining, strict=True) if left and name in touched]
    return sorted(parts, key=lambda part: (part[0], part[1] or "")), wanted - sum(used)


def names_of(plant: Plant) -> set[str]:
    """Return the names under which the reporter may be the beneficiary of a contract or claim."""
    organisation = plant.organisation
    names = {organisation.name.zh, organisation.name.en, organisation.credit_code or ""}
    if organisation.legal_entity:
        names |= {organisation.legal_entity.zh, organisation.legal_entity.en}
    return names - {""}


def _year(value: object) -> int | None:
    try:
        return int(float(str(value)))
    except ValueError:
        return None


def _not_applied(document: str, period: str, failed: Sequence[str]) -> Problem:
    zh, en = "; ".join(CRITERIA[name].zh for name in failed), "; ".join(CRITERIA[name].en for name in failed)
    problem = fault(
        "instrument_not_applied",
        Text(
            f"合同“{document}”在 {period} 未被采用: 不满足 {zh}。",
            f"Contract '{document}' is not applied in {period}: {en}.",
        ),
        Text(
            "补齐证明后重新登记; 基于位置的结果不受影响。",
            "Book it again with evidence; the location-based figure is unaffected.",
        ),
    )
    return _warning(problem)


def _surplus(period: str, energy: int) -> Problem:
    problem = fault(
        "instrument_surplus",
        Text(
            f"{period} 的绿电合同比用电多 {energy / 1e6:.3f} MWh, 多出部分未被采用。",
            f"Contracts of {period} exceed the consumption by {energy / 1e6:.3f} MWh; the excess is not applied.",
        ),
        Text("多出部分不抵减其他月份。", "The excess does not cover other months."),
    )
    return _warning(problem)


def _warning(problem: Problem) -> Problem:
    return replace(problem, severity="warning")
