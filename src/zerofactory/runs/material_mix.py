"""Mix a charge: the best charge under chemistry limits beside the present one, shadow prices or the smallest clash, and the book."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zerofactory.errors import Text
from zerofactory.optimisation.material import mix
from zerofactory.optimisation.material.mix import MixPlan, MixProblem
from zerofactory.runs import material_file as form
from zerofactory.runs import material_problem as problem
from zerofactory.runs.context import Context
from zerofactory.runs.material_file import Given
from zerofactory.runs.material_saving import Booked, booked
from zerofactory.runs.material_table import Row


@dataclass(frozen=True, slots=True)
class MixResult:
    """The charge found (or the clash), the present charge scaled to the same melt, and both in the book."""

    given: Given
    problem: MixProblem
    plan: MixPlan
    before: MixPlan | None
    before_findings: tuple[Text, ...]
    booked: Booked | None
    unbooked: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Whether there is a charge and it passed its check."""
        return self.plan.conflict is None and not self.plan.findings

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        found, title = self.plan, self.given.form.title
        return {
            "kind": "mix", "file": self.given.name, "title": {"zh": title.zh, "en": title.en}, "fictional": self.given.form.fictional,
            "checked": self.is_sound, "findings": [{"zh": one.zh, "en": one.en} for one in found.findings],
            "conflict": None if found.conflict is None else found.conflict.as_json(), "solve": found.report.as_json(),
            "melt_kg": self.problem.melt_kg, "objective": self.problem.objective,
            "limits": [{"element": one.element, "least_fraction": one.least_fraction, "most_fraction": one.most_fraction, "content_fraction": found.content_fraction.get(one.element)} for one in self.problem.limits],
            "plan": _charge(self.problem, found), "before": None if self.before is None else _charge(self.problem, self.before),
            "before_findings": [{"zh": one.zh, "en": one.en} for one in self.before_findings],
            "shadow_prices": [{"id": one.id, "title": {"zh": one.title.zh, "en": one.title.en}, "value": one.value, "unit": {"zh": one.unit.zh, "en": one.unit.en}} for one in found.shadow_prices],
            "book": None if self.booked is None else {"before_gco2e": self.booked.before_gco2e, "plan_gco2e": self.booked.plan_gco2e, "saved_gco2e": self.booked.saved_gco2e, "without_source": list(self.unbooked)},
        }  # fmt: skip


def _charge(asked: MixProblem, found: MixPlan) -> dict[str, object] | None:
    if not found.charged_kg:
        return None
    return {
        "charged_kg": {one.id: found.charged_kg[one.id] for one in asked.charges}, "cost_cny": found.cost_cny,
        "footprint_kgco2e": found.footprint_kgco2e, "recycled_fraction": found.recycled_fraction,
        "footprint_kgco2e_per_kg": found.footprint_kgco2e / asked.melt_kg,
    }  # fmt: skip


def run(context: Context, file: Path | None = None, objective: str | None = None) -> MixResult:
    """Return the best charge of mix.toml, or the smallest clash of its limits.

    Parameters
    ----------
    objective : cost or footprint instead of the file's.
    """
    given = form.read(context, form.MixFile, "mix.toml", file)
    if objective is not None:
        rules = given.form.rules.model_copy(update={"objective": objective})
        given = Given(given.form.model_copy(update={"rules": rules}), given.folder, given.name, given.content)
    asked, rows = problem.mix(given, context.workspace.factor_book)
    plan = mix.plan(asked)
    before = _scaled(asked)
    findings = () if before is None else tuple(one for one in mix.check(asked, before))
    found, without = None, tuple(row["id"] for row in rows if not row["source"])
    if given.form.book is not None and plan.conflict is None and before is not None:
        lines = [_lines(rows, one.charged_kg) for one in (plan, before)]
        found = booked(context, given.form.book, *lines)
    return MixResult(given, asked, plan, before, findings, found, without)


def _scaled(asked: MixProblem) -> MixPlan | None:
    """Return the present charge for the same melt, None where the table states none."""
    present = mix.baseline(asked)
    if present is None:
        return None
    melt = sum(one.yield_fraction * present.charged_kg[one.id] for one in asked.charges)
    scaled = {name: mass * asked.melt_kg / melt for name, mass in present.charged_kg.items()}
    return MixPlan(scaled, *mix.figures(asked, scaled), (), present.report)


def _lines(rows: list[Row], charged: Mapping[str, float]) -> list[dict[str, Any]]:
    return [
        {"source": row["source"], "quantity": charged[row["id"]], "route": row["route"], "recycled_fraction": row["recycled_fraction"]}
        for row in rows
        if row["source"] and charged[row["id"]] > 1e-6
    ]  # fmt: skip
