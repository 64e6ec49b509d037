"""The circularity of a closed period: materials, water, waste and metals, by shop, against their targets."""

from __future__ import annotations

from zerofactory.accounting.circularity import Indicator, circularity
from zerofactory.periods import Period
from zerofactory.runs.context import Context
from zerofactory.runs.inventory import booked
from zerofactory.store.schema import ACTIVITIES


def read(context: Context, period: Period) -> tuple[Indicator, ...]:
    """Return every indicator; raise `FaultyData` when a month of the period is not closed."""
    booked(context, period)
    labels = [month.label for month in period.months()]
    return circularity(context.workspace.journal.active(ACTIVITIES, {"period": labels}))


def as_json(period: str, found: tuple[Indicator, ...]) -> dict[str, object]:
    """Return indicators as plain JSON values."""
    return {"period": period, "indicators": [_indicator(one) for one in found]}


def _indicator(one: Indicator) -> dict[str, object]:
    said = one.target_source
    return {
        "key": one.key,
        "title": {"zh": one.title.zh, "en": one.title.en},
        "shop": one.shop or None,
        "item": one.item or None,
        "part": one.part,
        "whole": one.whole,
        "unit": one.unit,
        "value_fraction": one.value_fraction,
        "target_fraction": one.target_fraction,
        "met": one.met,
        "plausible": one.plausible,
        "formula": {"zh": one.formula.zh, "en": one.formula.en},
        "source": one.source,
        "target_source": {"zh": said.zh, "en": said.en} if said else None,
    }
