"""What if: scenarios of the twin beside the plant as it is, on the same random numbers, with the interval of every difference.

Every scenario is compared with the plant as it is. So that all k intervals of a figure hold together with the confidence γ, each is
told with 1 − (1 − γ) / k (Bonferroni; Law 2015, Simulation Modeling and Analysis, 5th ed., 10.3.1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from zerofactory.errors import Text
from zerofactory.optimisation.twin.statistics import Interval, difference
from zerofactory.runs.context import Context
from zerofactory.runs.twin import Asked, Simulated, next_monday, refuse_asked, run
from zerofactory.runs.twin_cost import Costs, Sides, costed
from zerofactory.runs.twin_scenario import Checked, Scenario, checked, read_scenario
from zerofactory.runs.twin_shifts import when_of
from zerofactory.runs.twin_supply import Flows, flows_of, supplied, unsupplied
from zerofactory.runs.twin_volume import Demand, met

__all__ = ["Compared", "Comparison", "Scenario", "compare", "read_scenario"]
CARRIERS: Mapping[str, tuple[Text, str]] = {
    "electricity": (Text("电", "electricity"), "kWh"),
    "natural_gas": (Text("天然气", "natural gas"), "Nm³"),
    "compressed_air": (Text("压缩空气", "compressed air"), "Nm³"),
    "water": (Text("水", "water"), "m³"),
    "heat": (Text("外购热", "bought heat"), "kWh"),
}
FIGURES: Mapping[str, tuple[Text, str]] = {
    "output": (Text("产出", "output"), ""),
    **CARRIERS,
    "electricity_pv": (Text("光伏发电", "PV yield"), "kWh"),
    "electricity_purchased": (Text("外购电", "bought power"), "kWh"),
    "electricity_exported": (Text("上网电", "sold power"), "kWh"),
    "energy_cny": (Text("能源费", "energy cost"), "CNY"),
    "kgco2e": (Text("排放", "emissions"), "kgCO2e"),
    **{f"{name}_per_piece": (Text(f"每件{title.zh}", f"{title.en} each"), unit) for name, (title, unit) in CARRIERS.items()},
    "energy_cny_per_piece": (Text("每件能源费", "energy cost each"), "CNY"),
    "kgco2e_per_piece": (Text("每件排放", "emissions each"), "kgCO2e"),
}  # fmt: skip
"""The figures that are compared, in the order in which they are shown: title and unit."""
Paired = Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class Compared:
    """A scenario: what it comes to, and the differences to the plant as it is, by figure.

    ``before`` and ``after`` hold the figures of each replication as they are compared; with a supply on the whole plant's load,
    what is bought is the whole plant's.
    """

    scenario: Scenario
    simulated: Simulated
    differences: Mapping[str, Interval]
    before: Paired = field(default_factory=dict)
    after: Paired = field(default_factory=dict)
    demand: Demand | None = None
    costs: Costs | None = None

    def figures_as_json(self) -> list[dict[str, object]]:
        """Return each figure: its title and unit, the means before and after, and the difference with its interval.

        A ``remark`` is told of the utilities beside energy: how warm a hall became, or (``alarming``) cold that was not served.
        """
        remarks = () if self.simulated.around is None else self.simulated.around.remarks
        alarming = {one.id for one in remarks if one.alarming}
        known = {**FIGURES, **{one.id: (one.title, one.unit) for one in remarks}}
        return [
            {
                "figure": name,
                "title": {"zh": title.zh, "en": title.en},
                "unit": unit,
                "remark": name not in FIGURES,
                "alarming": name in alarming,
                "before": sum(self.before[name]) / len(self.before[name]),
                "after": sum(self.after[name]) / len(self.after[name]),
                "difference": self.differences[name].as_json(),
            }
            for name, (title, unit) in known.items()
            if name in self.differences
        ]


@dataclass(frozen=True)
class Comparison:
    """The plant as it is, and every scenario beside it; ``confidence`` is that of all intervals of a figure together."""

    base: Simulated
    scenarios: tuple[Compared, ...]
    confidence: float = 0.95

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values; differences are scenario less base."""
        return {
            "base": self.base.as_json(),
            "confidence": self.confidence,
            "together": len(self.scenarios),
            "scenarios": [
                {
                    **one.scenario.as_json(),
                    **one.simulated.as_json(),
                    "figures": one.figures_as_json(),
                    "differences": {name: value.as_json() for name, value in one.differences.items()},
                    "demand": None if one.demand is None else one.demand.as_json(),
                    "costs": None if one.costs is None else one.costs.as_json(),
                }
                for one in self.scenarios
            ],
        }


def compare(
    context: Context,
    asked: Asked,
    scenarios: Sequence[Scenario],
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Return every scenario beside the plant as it is; raise `FaultyData` for faulty scenarios before anything is run."""
    refuse_asked(asked)
    first = asked.first or next_monday(context.today)
    fixed = replace(asked, first=first)
    ready = checked(context, scenarios, first, asked.days, asked.since_midnight_s)
    everything, done = asked.runs * (len(ready) + 1), 0

    def counted(_: int, __: int) -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, max(done, everything))

    base = run(context, fixed, counted)
    each = 1.0 - (1.0 - asked.confidence) / max(len(ready), 1)
    return Comparison(
        base, tuple(_compared(context, fixed, one, base, (each, counted)) for one in ready), asked.confidence
    )


def _compared(
    context: Context, asked: Asked, one: Checked, base: Simulated, how: tuple[float, Callable[[int, int], None]]
) -> Compared:
    confidence, counted = how

    def go(change: Mapping[str, Any]) -> Simulated:
        return run(context, asked, counted, change)

    demand: Demand | None = None
    if one.file.volume is None:
        simulated = go(one.scenario.change)
    else:
        simulated, demand = met(context, one, base, go)
    before, after = dict(base.paired), dict(simulated.paired)
    flows: tuple[Flows, ...] = ()
    if one.built is not None:
        flows = flows_of(context, simulated, one.built)
        before |= unsupplied(base, one.built)
        after |= supplied(context, simulated, one.built, flows)
    when = when_of(one.scenario.change)
    if demand is not None:
        when = when.model_copy(update={"overtime_h": demand.overtime_h_per_day})
    costs = costed(context, one.priced, Sides(base, simulated, before, after, when, (one.built, flows)), confidence)
    before, after = _each(before), _each(after)
    differences = {
        name: difference(values, before[name], confidence) for name, values in after.items() if name in before
    }
    return Compared(one.scenario, simulated, differences, before, after, demand, costs)


def _each(paired: Paired) -> dict[str, tuple[float, ...]]:
    """Return the figures with those of one finished piece; none where a replication finished nothing."""
    made, found = paired["output"], dict(paired)
    if not all(made):
        return found
    for name in (*CARRIERS, "energy_cny", "kgco2e"):
        if name in paired:
            found[f"{name}_per_piece"] = tuple(a / n for a, n in zip(paired[name], made, strict=True))
    return found
