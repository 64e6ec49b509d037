"""Plans: what each distinct question of a set of activities comes to — one row per flow, resolved once.

A question is (source, item, unit, detail, month, tier). A month of a plant holds some hundreds of them, however many
activities ask them; `quantify` joins the answers to the activities.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from zerofactory import units
from zerofactory.accounting.measure import measure_of
from zerofactory.accounting.pedigree import half_width as pedigree_half_width
from zerofactory.accounting.source import (
    ISO,
    Ask,
    Detail,
    Flow,
    Source,
    fault,
    missing_detail,
    not_a_choice,
    sources,
    unknown_detail,
)
from zerofactory.accounting.spread import factor_half_width
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.factors.model import FactorBook, Resolution, Unresolved
from zerofactory.factors.resolve import Scope, gwp, is_kyoto, uncertainty
from zerofactory.periods import Period
from zerofactory.site.model import Plant, SourceUse

KEY = ("source_id", "source_kind", "item", "unit", "detail", "period", "tier")
INSTRUMENT = "instrument"
LOT = ("instrument", "view")


@dataclass(frozen=True, slots=True)
class Choice:
    """Who asks and as of when: the plant, its factors, whether the period is being closed, what is known by then."""

    plant: Plant
    book: FactorBook
    closing: bool = False
    known_at: date | None = None


@dataclass
class Answers:
    """The rows of all flows, every fault met, and every resolution used by its key."""

    rows: list[dict[str, object]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    resolutions: dict[str, Resolution] = field(default_factory=dict)


def resolution_key(factor_id: str, factor_unit: str) -> str:
    """Return the name of one resolution: the ids of its terms and its unit."""
    return f"{factor_id} [{factor_unit}]"


def answer(questions: Sequence[Mapping[str, object]], choice: Choice) -> Answers:
    """Return the flows of every question (a mapping with `KEY` and `LOT` and its number ``question``).

    Sources that ask the same thing (fifteen ovens on natural gas) are answered once.
    """
    answers = Answers()
    known: dict[str, list[dict[str, object]]] = {}
    for question in questions:
        try:
            _answer(question, choice, answers, known)
        except FaultyData as error:
            answers.problems += [_placed(problem, question) for problem in error.problems]
        except Unresolved as error:
            answers.problems.append(_placed(error.problem, question))
        except (NotFound, units.WrongDimension) as error:
            answers.problems.append(_placed(error.as_problem(), question))
    answers.problems = list(dict.fromkeys(answers.problems))
    return answers


def _answer(
    question: Mapping[str, object], choice: Choice, answers: Answers, known: dict[str, list[dict[str, object]]]
) -> None:
    kind = _kind(str(question["source_kind"]))
    use = choice.plant.source(str(question["source_id"]))
    ask = question_of(question, use, choice)
    same = (
        kind.id,
        ask.item,
        ask.unit,
        ask.detail,
        question["period"],
        question["tier"],
        question["view"],
        ask.scope.pins,
        amount_half_width(use, str(question["tier"]), choice),
        sorted(use.pedigree.items()),
    )
    name = json.dumps(same, sort_keys=True)
    if name not in known:
        known[name] = _rows(kind, ask, question, choice, answers)
    own = {key: question[key] for key in KEY if key != "detail"} | {"item": ask.item}
    answers.rows += [{"question": question["question"], **own, **row} for row in known[name]]


def _rows(
    kind: Source, ask: Ask, question: Mapping[str, object], choice: Choice, answers: Answers
) -> list[dict[str, object]]:
    """Return the flows of one question as rows; raise with every fault it has."""
    faults = faults_of(kind, ask)
    if faults:
        raise FaultyData(faults)
    use = choice.plant.source(str(question["source_id"]))
    rows: list[dict[str, object]] = []
    labels: dict[str, int] = {}
    part = "" if question["view"] != "market_annual" else f"-{question['instrument'] or 'uncovered'}"
    for flow in kind.flows(ask):
        if question["view"] is not None and question["view"] != flow.regime:
            continue
        answers.resolutions[resolution_key(flow.factor.id, flow.factor.unit)] = flow.factor
        label = flow_label(flow)
        labels[label] = labels.get(label, 0) + 1
        suffix = f".{labels[label]}" if labels[label] > 1 else ""
        half_width = uncertainty_of(kind, flow, str(question["tier"]), choice, use)
        rows.append({**_row(kind, flow, label + suffix + part, choice), "uncertainty_fraction": half_width})
    return rows


def _kind(kind_id: str) -> Source:
    found = sources().get(kind_id)
    if found is None:
        raise NotFound(Text("排放源类型", "kind of source"), kind_id, tuple(sources()))
    return found


def question_of(row: Mapping[str, object], use: SourceUse, choice: Choice) -> Ask:
    """Return the question that an activity (or a row of `KEY` and perhaps ``instrument``) puts to its source."""
    accounting = choice.plant.accounting
    scope = Scope(
        region=choice.plant.region,
        on=Period.parse(str(row["period"])).first_day,
        known_at=choice.known_at,
        grid_level=accounting.grid_level,
        fuel_sets=accounting.fuel_sets,
        accepted=accounting.accepted,
        pins=accounting.pins_of(use.id),
        closing=choice.closing,
    )
    own: dict[str, Detail] = json.loads(str(row["detail"]))
    detail = {**use.detail, **own}
    detail.pop(INSTRUMENT, None)
    if row.get("instrument"):
        detail[INSTRUMENT] = str(row["instrument"])
    item = row["item"] or use.item
    return Ask(choice.book, scope, str(item) if item else None, str(row["unit"]), detail, accounting.gas_meter_celsius)


def faults_of(kind: Source, ask: Ask) -> list[Problem]:
    """Return every fault of a question that shows before any factor is looked for."""
    problems: list[Problem] = []
    dimension = units.parse(ask.unit).dimension
    if dimension not in kind.units:
        allowed = ", ".join(symbol for name in kind.units for symbol in units.symbols_of(name))
        problems.append(
            fault(
                "wrong_unit",
                Text(f"“{kind.title.zh}”不能用单位“{ask.unit}”。", f"'{kind.title.en}' cannot take unit '{ask.unit}'."),
                Text(f"可用: {allowed}。", f"Use one of: {allowed}."),
                column="unit",
            )
        )
    if kind.item_required and not ask.item:
        problems.append(missing_detail("item", kind.items))
    elif ask.item and kind.items and ask.item not in kind.items:
        problems.append(not_a_choice("item", ask.item, kind.items))
    known = [column.name for column in kind.details] + [name for name, _ in kind.balance]
    problems += [unknown_detail(name, known) for name in sorted(ask.detail) if name not in (*known, INSTRUMENT)]
    for column in kind.details:
        if not ask.has(column.name):
            problems += [] if column.nullable else [missing_detail(column.name, column.choices)]
        elif column.choices and ask.text(column.name) not in column.choices:
            problems.append(not_a_choice(column.name, ask.text(column.name), column.choices))
    return problems


def flow_label(flow: Flow) -> str:
    """Return the short name of a flow within its activity, e.g. ``CO2``, ``CO2-biogenic``, ``CO2-location``."""
    return flow.gas + ("-biogenic" if flow.biogenic else "") + ("" if flow.regime == "any" else f"-{flow.regime}")


def _row(kind: Source, flow: Flow, label: str, choice: Choice) -> dict[str, object]:
    potential = gwp(choice.book, flow.gas, choice.plant.accounting.gwp_set, flow.origin)
    return {
        "label": f".{label}.{_digest(flow, potential.value, choice)}",
        "method": flow.method,
        "regime": flow.regime,
        "factor_id": flow.factor.id,
        "factor_value": flow.factor.value,
        "factor_unit": flow.factor.unit,
        "gas": flow.gas,
        "biogenic": flow.biogenic,
        "kyoto": is_kyoto(choice.book, flow.gas),
        "gwp_set": choice.plant.accounting.gwp_set,
        "gwp": potential.value,
        "scope": kind.scope,
        "category": kind.categories.get(ISO),
        "reason": _reason(flow.factor.reason),
    }


def uncertainty_of(kind: Source, flow: Flow, tier: str, choice: Choice, use: SourceUse) -> float:
    """Return the half-width of a record: sqrt(U_AD² + U_EF²) (IPCC 2006 Vol. 1 eq. 3.1; standards, 7).

    U_AD is that of the source's own meters where their class is known, otherwise of its kind and tier, and includes a stated pedigree.
    U_EF is the one the flow names, otherwise that of the printed ranges of its terms. The GWP is left out, as usual for
    inventories; it is stated in the report.
    """
    own = amount_half_width(use, tier, choice)
    named = kind.activity_uncertainty.get(tier)
    amount = own if own is not None else uncertainty(choice.book, named) if named else 0.0
    pedigree = pedigree_half_width(use.pedigree, choice.book) if use.pedigree else 0.0
    factor = uncertainty(choice.book, flow.uncertainty) if flow.uncertainty else factor_half_width(flow.factor)
    return math.hypot(amount, pedigree, factor)


def amount_half_width(use: SourceUse, tier: str, choice: Choice) -> float | None:
    """Return the half-width of a metered amount from the class of the source's own meters, None when it is not known."""
    measure = measure_of(choice.plant, use, choice.book) if tier == "metered" else None
    return measure.half_width_fraction if measure else None


def _digest(flow: Flow, potential: float, choice: Choice) -> str:
    """Return eight hex digits of what decides the figure, so that a restated record has an id of its own."""
    parts = (flow.factor.id, repr(flow.factor.value), flow.factor.unit, flow.method, repr(potential))
    return hashlib.sha256("|".join((*parts, choice.plant.accounting.gwp_set)).encode()).hexdigest()[:8]


def _reason(reason: Text) -> str:
    return json.dumps({"zh": reason.zh, "en": reason.en}, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _placed(problem: Problem, question: Mapping[str, object]) -> Problem:
    """Return a problem that names the source and the month it is about."""
    source_id, period = question["source_id"], question["period"]
    return replace(
        problem,
        message=Text(f"[{source_id} {period}] {problem.message.zh}", f"[{source_id} {period}] {problem.message.en}"),
    )
