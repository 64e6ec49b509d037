"""Judge: one criterion, its verdict and points, with the draws behind them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from zerofactory.accounting.spread import Floats
from zerofactory.errors import Text
from zerofactory.evaluation.amount import title_of
from zerofactory.evaluation.attestation import Attestation
from zerofactory.evaluation.confidence import keeps, probability
from zerofactory.evaluation.finding import Finding, Verdict
from zerofactory.evaluation.indicator import Measured, measure
from zerofactory.evaluation.quotient import convert, ratio
from zerofactory.evaluation.rules import Rules
from zerofactory.standards.criterion import Criterion, Threshold

if TYPE_CHECKING:
    from zerofactory.evaluation.assess import Case

NOTHING = np.zeros(1)
FLAG = "book_holds"
HELD = {
    True: Text("账本或工厂文件具备", "the book or the plant file holds it"),
    False: Text("账本或工厂文件没有", "neither the book nor the plant file holds it"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """A criterion with its finding. ``kept`` is 1 in the draws in which it is met; ``drawn_points`` the points in each draw.

    ``draws`` is None where the verdict does not rest on uncertain numbers.
    """

    criterion: Criterion
    finding: Finding
    kept: Floats
    drawn_points: Floats
    draws: Floats | None = None


def judge(rules: Rules, criterion: Criterion, case: Case) -> Judgement:
    """Return the judgement of one criterion."""
    start = Finding(
        rules.book.id, case.facts.period, criterion.id, criterion.clause, criterion.kind, None, None, None,
        criterion.base.value if criterion.base else None, criterion.lead.value if criterion.lead else None,
        "unknown", None, None, criterion.weight if criterion.kind == "scored" else None, None, None, Text("", ""),
    )  # fmt: skip
    said = case.attestations.get(f"{rules.book.id}/{criterion.id}")
    left_out = _left_out(criterion, case)
    if left_out is not None:
        return _plain(criterion, replace(start, verdict=left_out[0], reason=left_out[1]))
    if said is not None and said.state == "not_applicable" and said.holds(case.on) and criterion.kind != "mandatory":
        reason = Text(f"证明不适用: {said.text}", f"attested as not applicable: {said.text}")
        return _plain(criterion, replace(start, verdict="not_applicable", evidence=said.shown, reason=reason))
    if criterion.forms and criterion.proof == "book":
        return _measured(rules, criterion, case, start, said)
    return _shown(criterion, case, start, said)


def _left_out(criterion: Criterion, case: Case) -> tuple[Verdict, Text] | None:
    """Return why a criterion does not apply, or cannot be told to; None where it applies."""
    condition = criterion.applies
    if condition.shop and condition.shop not in case.facts.shops:
        return "not_applicable", Text(f"本厂没有该类车间({condition.shop})", f"the plant has no {condition.shop} shop")
    if not condition.amount:
        return None
    value, title = case.facts.value(condition.amount), title_of(condition.amount)
    if value is None:
        return "unknown", Text(
            f"是否适用取决于“{title.zh}”, 尚无数据", f"whether it applies depends on {title.en}, which is not known"
        )
    if condition.at_least <= value < condition.below:
        return None
    return "not_applicable", Text(
        f"{title.zh}为 {value:,.6g}, 不在适用范围内", f"{title.en} is {value:,.6g}, outside the range it applies to"
    )


def _measured(rules: Rules, criterion: Criterion, case: Case, start: Finding, said: Attestation | None) -> Judgement:
    """Judge a criterion by its indicator; an attested value stands in where the book cannot compute it."""
    form = criterion.forms[0]
    indicator = rules.indicators[form.indicator]
    found = measure(indicator, form.parameters, case.facts)
    scale = ratio(found.unit, form.unit) or 1.0
    start = replace(
        start, indicator=indicator.id, unit=form.unit, link=_link(found, case), evidence=_evidence(found, case)
    )
    draws: Floats | None = None
    half = 0.0
    if found.value is not None:
        value = found.value * scale
        if case.draws is not None and any(name in case.draws.drawn for name in found.amounts):
            draws = case.draws.values(indicator, form.parameters) * scale
    elif said is not None and said.state == "amount" and said.value is not None and said.holds(case.on):
        value = convert(said.value, said.unit or form.unit, form.unit)
        half = abs(value) * said.half_width_fraction
        start = replace(start, evidence=said.shown, link=None)
    else:
        return _plain(criterion, replace(start, reason=_no_value(found)))
    return _compared(criterion, replace(start, value=value), draws, half)


def _no_value(found: Measured) -> Text:
    if not found.missing:
        return Text("无法计算: 分母为零", "cannot be computed: divided by zero")
    titles = [(name, title_of(name)) for name in found.missing]
    zh = "、".join(f"{title.zh}({name})" for name, title in titles)
    en = ", ".join(f"{title.en} ({name})" for name, title in titles)
    return Text(f"缺少数据: {zh}", f"no data: {en}")


def _compared(criterion: Criterion, start: Finding, draws: Floats | None, half: float = 0.0) -> Judgement:
    """Return the verdict and points of a value; ``half`` is the half-width of one that was attested as a whole."""
    value, direction = start.value or 0.0, criterion.direction or "positive"
    limit = criterion.base or criterion.lead
    if limit is None:
        words = f"({criterion.base_text or criterion.lead_text})" if criterion.base_text or criterion.lead_text else ""
        said = Text(
            f"限值空白{words}, 请连同出处填入 thresholds.toml",
            f"the threshold is blank{words}: enter it with its source in thresholds.toml",
        )
        return _plain(criterion, replace(start, reason=said))
    met = bool(keeps(np.array([value]), limit.value, direction, criterion.strict)[0])
    gained = points(criterion, np.array([value]))
    reason = HELD[met] if start.indicator == FLAG else _reason(criterion, value, limit, met)
    one = replace(start, verdict="met" if met else "not_met", reason=reason)
    if criterion.kind == "scored" and criterion.weight is not None:
        one = replace(one, points=None if gained is None else float(gained[0]))
        if gained is None:
            one = _half_scored(criterion, one, met)
    if draws is None:
        chance = probability(value, half, limit.value, direction) if half else float(met)
        sure = None if one.verdict == "unknown" else chance if met else 1.0 - chance
        gained_here = np.array([one.points or 0.0])
        return Judgement(criterion, replace(one, confidence_fraction=sure), np.array([chance]), gained_here)
    kept = keeps(draws, limit.value, direction, criterion.strict)
    share = float(kept.mean())
    sure = None if one.verdict == "unknown" else share if met else 1.0 - share
    drawn = points(criterion, draws)
    return Judgement(
        criterion, replace(one, confidence_fraction=sure), kept, NOTHING if drawn is None else drawn, draws
    )


def points(criterion: Criterion, values: Floats) -> Floats | None:
    """Return weight × (x − base)/(lead − base) between 0 and 1; None where a threshold is blank or nothing is weighed.

    One formula serves both directions (GB/T 36132-2025, 5); where both thresholds are equal, keeping them gives full points.
    """
    if criterion.weight is None or criterion.base is None or criterion.lead is None:
        return None
    base, lead = criterion.base.value, criterion.lead.value
    if base == lead:
        return criterion.weight * keeps(values, lead, criterion.direction or "positive")
    shares = np.clip((values - base) / (lead - base), 0.0, 1.0)
    return np.asarray(criterion.weight * np.where(np.isfinite(shares), shares, 0.0))


def _half_scored(criterion: Criterion, one: Finding, met: bool) -> Finding:
    """Return the finding where one of the two thresholds is blank: only the ends of the line are then certain."""
    if criterion.base is None and met:
        return replace(one, points=criterion.weight)
    if criterion.base is not None and not met:
        return replace(one, points=0.0)
    said = Text(
        f"{one.reason.zh}; 基准值或引领值空白, 不能计分", f"{one.reason.en}; base or lead value is blank, so no points"
    )
    return replace(one, verdict="unknown", points=None, reason=said)


def _reason(criterion: Criterion, value: float, limit: Threshold, met: bool) -> Text:
    sign = {True: "≥", False: "≤"}[criterion.direction == "positive"]
    sign = {"≥": ">", "≤": "<"}[sign] if criterion.strict else sign
    status = "" if limit.status == "verified" else f" [{limit.status}]"
    text = f"{value:.6g} {'满足' if met else '不满足'} {sign} {limit.value:g} {limit.unit} ({limit.source}, {limit.date}){status}"
    english = f"{value:.6g} {'keeps' if met else 'breaks'} {sign} {limit.value:g} {limit.unit} ({limit.source}, {limit.date}){status}"
    return Text(text, english)


def _shown(criterion: Criterion, case: Case, start: Finding, said: Attestation | None) -> Judgement:
    """Judge a criterion by documents: what nobody has shown is not met."""
    one = replace(start, verdict="not_met", points=0.0 if start.weight is not None else None)
    if said is None:
        asked = f": {criterion.evidence}" if criterion.evidence else ""
        return _plain(criterion, replace(one, reason=Text(f"没有证据{asked}", f"no evidence{asked}")))
    one = replace(one, evidence=said.shown)
    if not said.kept:
        return _plain(
            criterion, replace(one, reason=Text("证据文件不在或已改动", "the file of evidence is gone or was changed"))
        )
    if not said.holds(case.on):
        day = said.valid_until
        return _plain(criterion, replace(one, reason=Text(f"证据已于 {day} 到期", f"the evidence ran out on {day}")))
    if said.state != "met":
        return _plain(
            criterion, replace(one, reason=Text(said.text or "证明为不满足", said.text or "attested as not met"))
        )
    mark = 1.0 if said.value is None else min(max(said.value, 0.0), 1.0)
    gained = None if one.weight is None else one.weight * mark
    text = said.text or "–"
    met: Verdict = "met" if mark > 0.0 else "not_met"
    found = replace(
        one, verdict=met, points=gained, value=said.value, reason=Text(f"证明: {text}", f"attested: {text}")
    )
    return Judgement(criterion, found, np.array([float(met == "met")]), np.array([gained or 0.0]))


def _plain(criterion: Criterion, finding: Finding) -> Judgement:
    """Return a judgement that rests on no draws: not met, unknown or not applicable (which stops nothing)."""
    passes = float(finding.verdict == "not_applicable")
    return Judgement(criterion, finding, np.array([passes]), np.array([finding.points or 0.0]))


def _link(found: Measured, case: Case) -> str | None:
    """Return what `zf explain` opens for the amounts behind a value, three at most."""
    links = [link for name in found.amounts if name in case.facts.amounts for link in case.facts.amounts[name].links]
    return "; ".join(list(dict.fromkeys(links))[:3]) or None


def _evidence(found: Measured, case: Case) -> str | None:
    """Return the evidence of a computed value: the sealed book, and files where an amount was attested."""
    attested = [
        name for name in found.amounts if name in case.facts.amounts and case.facts.amounts[name].origin == "attested"
    ]
    shown = [case.attestations[name].shown for name in attested if name in case.attestations]
    return "; ".join(["book", *shown]) if len(attested) < len(found.amounts) else "; ".join(shown) or None
