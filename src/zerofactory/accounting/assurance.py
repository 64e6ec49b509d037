"""Assurance: which activities a verifier should test, by risk, and how the statement reads (terms of ISO 14064-3:2019).

Sampling by monetary units, grams of CO2e in the place of money: every activity as large as the materiality threshold is
tested; from the others of a stratum (a source and a tier) n are drawn with a chance in proportion to their emissions.

    detection risk = audit risk / (inherent risk × control risk)
    n = ceil(−ln(detection risk) × emissions of the stratum / materiality threshold)
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
import polars as pl

from zerofactory.errors import Text

Level = Literal["limited", "reasonable"]
LEVELS: dict[Level, Text] = {
    "limited": Text("有限保证", "limited assurance"),
    "reasonable": Text("合理保证", "reasonable assurance"),
}


@lru_cache(maxsize=1)
def data() -> dict[str, Any]:
    """Return the risks, thresholds and texts with their sources."""
    return tomllib.loads((files("zerofactory.accounting") / "assurance.toml").read_text(encoding="utf-8"))


def default_materiality() -> float:
    """Return the materiality threshold as a share of the total."""
    return float(data()["materiality_fraction"]["value"])


@dataclass(frozen=True, slots=True)
class Sample:
    """One activity to be tested, with its emissions, risks and the reason it was drawn."""

    activity_id: str
    source_id: str
    emissions_gco2e: int
    inherent_risk_fraction: float
    control_risk_fraction: float
    reason: Text


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of an engagement: level, materiality threshold as a share of the total, seed of the draw."""

    level: Level
    materiality_fraction: float
    seed: int


def confidence_factor(audit_risk: float, inherent: float, control: float) -> float:
    """Return −ln(detection risk), 0 where the risks alone are within the audit risk.

    Audit risk = inherent × control × detection, the audit risk model that ISO 14064-3:2019 takes over for its risk assessment.

    Examples
    --------
    >>> round(confidence_factor(0.05, 1.0, 1.0), 3)
    2.996
    >>> confidence_factor(0.2, 0.5, 0.4)
    0.0
    """
    return max(0.0, -math.log(audit_risk / (inherent * control))) + 0.0


def plan(activities: pl.DataFrame, terms: Terms) -> list[Sample]:
    """Return the samples, largest first; the same activities and seed give the same samples in whatever order they come.

    Parameters
    ----------
    activities : one row an activity: activity_id, source_id, tier, confidence (of its weakest factor) and
        emissions_gco2e, under one claim regime.
    """
    total = int(activities["emissions_gco2e"].abs().sum())
    threshold = max(1, round(total * terms.materiality_fraction))
    samples: list[Sample] = []
    strata = activities.sort("activity_id").partition_by("source_id", "tier", as_dict=True)
    for (source_id, tier), stratum in sorted(strata.items(), key=lambda pair: str(pair[0])):
        samples += _stratum(stratum, str(tier), (terms, threshold, total), f"{source_id}/{tier}")
    return sorted(samples, key=lambda sample: (-abs(sample.emissions_gco2e), sample.activity_id))


def _stratum(rows: pl.DataFrame, tier: str, frame: tuple[Terms, int, int], name: str) -> list[Sample]:
    terms, threshold, total = frame
    inherent, control = risks_of(tier, rows["confidence"].to_list())
    audit_risk = float(data()["audit_risk_fraction"][terms.level]["value"])
    factor = confidence_factor(audit_risk, inherent, control)
    size = rows["emissions_gco2e"].abs()
    key = rows.filter(size >= threshold)
    rest = rows.filter((size < threshold) & (size > 0))
    value = int(rest["emissions_gco2e"].abs().sum())
    count = min(rest.height, math.ceil(factor * value / threshold)) if value else 0
    share = 100 * int(size.sum()) / total if total else 0.0
    said = (
        f"层“{name}”占 {share:.1f} %, 固有风险 {inherent:g}, 控制风险 {control:g}",
        f"stratum '{name}' is {share:.1f} % of the total, inherent risk {inherent:g}, control risk {control:g}",
    )
    made = [
        _sample(
            row,
            (inherent, control),
            Text(f"达到重要性阈值, 全部检查; {said[0]}", f"as large as the threshold; {said[1]}"),
        )
        for row in key.to_dicts()
    ]
    drawn = _drawn(rest["emissions_gco2e"].abs().to_numpy(), count, f"{terms.seed}:{name}")
    for place in drawn:
        reason = Text(
            f"按排放量抽取 {count}/{rest.height}; {said[0]}", f"drawn by emissions, {count} of {rest.height}; {said[1]}"
        )
        made.append(_sample(rest.row(place, named=True), (inherent, control), reason))
    return made


def _sample(row: dict[str, Any], risks: tuple[float, float], reason: Text) -> Sample:
    return Sample(row["activity_id"], row["source_id"], row["emissions_gco2e"], *risks, reason)


def risks_of(tier: str, confidences: Sequence[str]) -> tuple[float, float]:
    """Return inherent and control risk of a stratum: by tier, raised to that of its weakest factor.

    Examples
    --------
    >>> risks_of("metered", ["high", "medium"])
    (0.7, 0.4)
    """
    found = data()
    inherent = float(found["inherent_risk_fraction"][tier]["value"])
    weakest = max((float(found["factor_risk_fraction"][name]["value"]) for name in confidences), default=0.0)
    return max(inherent, weakest), float(found["control_risk_fraction"][tier]["value"])


def _drawn(sizes: Any, count: int, seed: str) -> list[int]:
    """Return ``count`` distinct places, drawn one after another with a chance in proportion to size."""
    if not count:
        return []
    import hashlib

    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big")
    random = np.random.Generator(np.random.PCG64(number))
    keys = random.exponential(size=len(sizes)) / sizes
    return sorted(int(place) for place in np.argsort(keys, kind="stable")[:count])


def statement_text(level: Level, facts: dict[str, Text]) -> Text:
    """Return the text of the statement in both languages; ``facts`` fills the names in braces of the data file."""
    found = data()["statement"][level]
    return Text(
        found["zh"].format(**{name: text.zh for name, text in facts.items()}),
        found["en"].format(**{name: text.en for name, text in facts.items()}),
    )
