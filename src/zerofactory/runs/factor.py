"""Factors: find them by name, and say which one a source takes on a day and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from zerofactory import units
from zerofactory.accounting.plan import Choice, question_of
from zerofactory.accounting.source import source as source_kind
from zerofactory.errors import FaultyData, Text
from zerofactory.factors.load import factor_book
from zerofactory.factors.model import Factor, Unresolved
from zerofactory.factors.resolve import search
from zerofactory.runs.context import Context, refuse_future
from zerofactory.site.model import SourceUse
from zerofactory.store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class TermShown:
    """One factor of a product, as it is shown."""

    id: str
    title: Text
    value: str
    unit: str
    source: str
    source_ref: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The factor of one gas of a source on a day, and the reason."""

    gas: str
    value: float
    unit: str
    regime: str
    method: str
    factor_id: str
    reason: Text
    terms: tuple[TermShown, ...]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return asdict(self)


def find(text: str, folder: Path, limit: int) -> list[Factor]:
    """Return factors whose id, name or item matches, the best first; with the plant's own when in a workspace."""
    book = Workspace.open(folder).factor_book if (folder / "factory.toml").is_file() else factor_book()
    return search(book, text)[:limit]


def factor_json(factor: Factor) -> dict[str, object]:
    """Return a factor as plain JSON values."""
    return {
        "id": factor.id, "role": factor.role, "item": factor.item, "title": asdict(factor.title), "value": factor.value,
        "unit": factor.unit, "gas": factor.gas, "region": factor.region, "valid_from": _iso(factor.valid_from),
        "valid_to": _iso(factor.valid_to), "published_on": _iso(factor.published_on), "best_before": _iso(factor.best_before),
        "set": factor.set_id, "source": factor.source, "source_ref": factor.source_ref, "provenance": factor.provenance,
        "confidence": factor.confidence, "note": factor.note,
    }  # fmt: skip


def resolve(context: Context, source_id: str, on: date, known_at: date | None = None) -> list[Answer]:
    """Return the factor of every gas of a source of the plant on a day.

    Raises
    ------
    NotFound
        Unknown source.
    FaultyData
        No factor may be chosen without a decision of the plant; the problem lists the choices.
    """
    refuse_future(context, known_at)
    return resolve_use(context, context.workspace.plant.source(source_id), on, known_at)


def resolve_use(
    context: Context, use: SourceUse, on: date, known_at: date | None = None, closing: bool = False
) -> list[Answer]:
    """Return the same for a source as it is described, which the plant need not have yet; ``closing`` is stricter."""
    plant = context.workspace.plant
    choice = Choice(plant, context.workspace.factor_book, closing, known_at or context.today)
    row = {"period": f"{on:%Y-%m}", "detail": "{}", "item": use.item, "unit": _unit(context, use)}
    ask = question_of(row, use, choice)
    try:
        flows = source_kind(use.kind).flows(ask)
    except Unresolved as fault:
        raise FaultyData([fault.problem]) from fault
    return [
        Answer(
            flow.gas,
            flow.factor.value,
            flow.factor.unit,
            flow.regime,
            flow.method,
            flow.factor.id,
            flow.factor.reason,
            tuple(shown(factor) for factor in flow.factor.factors),
        )
        for flow in flows
    ]


def _unit(context: Context, use: SourceUse) -> str:
    """Return the unit in which a source is booked, else its meter's, else the first its kind takes."""
    if use.unit:
        return use.unit
    if use.meters:
        return context.workspace.plant.meter(use.meters[0]).amount_unit
    return units.symbols_of(source_kind(use.kind).units[0])[0]


def shown(factor: Factor) -> TermShown:
    """Return a factor as it is shown in an explanation."""
    value = factor.value_text or repr(factor.value)
    return TermShown(factor.id, factor.title, value, factor.unit, factor.source, factor.source_ref, factor.confidence)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
