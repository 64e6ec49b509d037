"""A measure of the roadmap tested in the twin: its saving a year with its interval, beside the catalogue's, and back into the plan.

    saving = V · (e / n before − e / n after)       replication by replication, on the same random numbers

V is the output of the plan's base year, e the energy (or emissions) and n the pieces of a replication: a scenario that makes more in
the same time is compared by the piece. Ovens, booths and halls follow the weather, so the days are simulated in several seasons of
the year, and e and n are their sums. The roadmap then reckons with what was tested (`planning.tested`) until it is taken out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import cast

from zerofactory import units
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.notation import text_of
from zerofactory.optimisation.twin.statistics import Interval, interval
from zerofactory.planning.assemble import draw_up
from zerofactory.planning.commitment import PLAN_FILE, Plan, read_plan
from zerofactory.planning.end_use import end_use
from zerofactory.planning.measure import Measure, Status, measure
from zerofactory.planning.stream import streams_of
from zerofactory.planning.tested import CARRIERS, Trial, TrialSaving, as_tested, catalogue_savings, half_width
from zerofactory.runs.context import Context
from zerofactory.runs.plan import SetPlan, current, set_plan
from zerofactory.runs.plan_book import activities_of, metered_of
from zerofactory.runs.twin import Asked, next_monday
from zerofactory.runs.twin_compare import Compared, Paired, compare
from zerofactory.runs.twin_file import digest
from zerofactory.runs.twin_scenario import Scenario, listed, named
from zerofactory.site.edit import with_entries

TABLE = "tested"
YEAR_WEEKS, MOST_SEASONS = 52, 12
STATUSES = ("placeholder", "secondary", "verified")


@dataclass(frozen=True, slots=True)
class CarrierSaving:
    """What is saved of a carrier in a year: in the twin, and by the catalogue (None: it does not act on it)."""

    carrier: str
    unit: str
    tested: Interval
    catalogue: float | None

    @property
    def holds(self) -> bool | None:
        """Whether the catalogue's saving lies in the twin's interval."""
        return None if self.catalogue is None else self.tested.low <= self.catalogue <= self.tested.high

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "carrier": self.carrier, "unit": self.unit, "tested": self.tested.as_json(),
            "catalogue": self.catalogue, "catalogue_in_interval": self.holds,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Over:
    """Which scenario stands for a measure (None: the one of the workspace that names it), and in how many seasons it is run."""

    scenario: str | None = None
    seasons: int = 4


@dataclass(frozen=True)
class Tried:
    """A measure, the scenario that stood for it, and its savings in a year of the base year's output.

    ``amounts`` are what the measure's end uses take in the base year; ``pieces`` the output of that year.
    """

    measure: Measure
    scenario: Scenario
    pieces: float
    savings: tuple[CarrierSaving, ...]
    saved_tco2e: Interval
    amounts: Mapping[str, float]
    trial: Trial

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "measure": self.measure.id,
            "title": {"zh": self.measure.title.zh, "en": self.measure.title.en},
            **self.scenario.as_json(),
            "pieces_per_year": self.pieces,
            "savings": [one.as_json() for one in self.savings],
            "saved_tco2e": self.saved_tco2e.as_json(),
            "roadmap_half_width_fraction": half_width(self.trial),
            "origin": {
                "twin_sha256": self.trial.twin_sha256, "seed": self.trial.seed, "runs": self.trial.runs,
                "from": self.trial.first.isoformat(), "days": self.trial.days, "seasons": self.trial.seasons, "on": self.trial.on.isoformat(), "status": self.trial.status,
            },
        }  # fmt: skip


def try_out(
    context: Context,
    name: str,
    asked: Asked,
    over: Over | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Tried:
    """Return what a measure saves in the twin.

    Raises
    ------
    FaultyData
        No scenario for the measure or several, a measure that cannot be taken or tested here, an open base year.
    NotFound
        No such measure or scenario.
    """
    chosen, how = measure(name), over or Over()
    if not 1 <= how.seasons <= MOST_SEASONS:
        raise FaultyData([_fault("seasons", f"季数 {how.seasons} 应在 1 与 {MOST_SEASONS} 之间。", f"{how.seasons} seasons do not lie between 1 and {MOST_SEASONS}.", ("例如 4。", "Such as 4."))])  # fmt: skip
    standing = scenario_for(context, name, how.scenario)
    pieces, amounts = _base_year(context, chosen)
    compared = _compared(context, asked, standing, how.seasons, progress)
    before, after = _sums([one.before for one in compared]), _sums([one.after for one in compared])
    if not all((*before["output"], *after["output"])):
        raise FaultyData([_fault("no_output", "有一次重复没有完成一件。", "A replication finished no piece.", ("请多模拟几天。", "Simulate more days."))])  # fmt: skip

    def yearly(figure: str, each: float = 1.0) -> Interval:
        rows = zip(before[figure], before["output"], after[figure], after["output"], strict=True)
        return interval([pieces * each * (e / n - f / m) for e, n, f, m in rows], asked.confidence)

    told = catalogue_savings(chosen, amounts)
    savings = []
    for carrier, (_, _, unit) in CARRIERS.items():
        if carrier in before and carrier in after:
            net = None if carrier not in told else told[carrier][0] - told[carrier][1]
            saving = CarrierSaving(carrier, unit, yearly(carrier), net)
            savings += [saving] if saving.tested.low or saving.tested.high else []
    if not savings:
        raise FaultyData([_fault("no_effect", f"场景“{standing.id}”没有改变用能。", f"The scenario '{standing.id}' changes no energy.", ("请核对场景写的改动。", "Check what the scenario changes."))])  # fmt: skip
    trial = _trial(context, chosen, compared[0], savings, (asked.confidence, how.seasons))
    return Tried(chosen, standing, pieces, tuple(savings), yearly("kgco2e", 1e-3), amounts, trial)


def _compared(
    context: Context, asked: Asked, standing: Scenario, seasons: int, progress: Callable[[int, int], None] | None
) -> list[Compared]:
    """Return the comparison of each season: whole weeks apart, so that all begin on the same weekday."""
    first = asked.first or next_monday(context.today)
    apart = YEAR_WEEKS // seasons
    everything, done = 2 * asked.runs * seasons, 0

    def counted(_: int, __: int) -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, max(done, everything))

    begins = [first + timedelta(weeks=apart * number) for number in range(seasons)]
    return [compare(context, replace(asked, first=one), [standing], counted).scenarios[0] for one in begins]


def _sums(rows: Sequence[Paired]) -> dict[str, tuple[float, ...]]:
    """Return the figures of the seasons added up, replication by replication."""
    common = set.intersection(*(set(one) for one in rows))
    return {name: tuple(map(sum, zip(*(one[name] for one in rows), strict=True))) for name in common}


def scenario_for(context: Context, name: str, scenario: str | None) -> Scenario:
    """Return the scenario that tests a measure."""
    if scenario is not None:
        found = named(context, scenario)
        if found.measure not in (None, name):
            raise FaultyData([_fault("other", f"场景“{found.id}”检验的是“{found.measure}”。", f"The scenario '{found.id}' tests '{found.measure}'.", ("请换一个场景。", "Choose another."))])  # fmt: skip
        return found
    fitting = [one for one in listed(context) if one.measure == name]
    if len(fitting) == 1:
        return fitting[0]
    tested = ", ".join(sorted({one.measure for one in listed(context) if one.measure})) or "–"
    several = ", ".join(one.id for one in fitting)
    if several:
        raise FaultyData([_fault("several", f"有几个场景检验“{name}”: {several}。", f"Several scenarios test '{name}': {several}.", ("请用 --scenario 指明。", "Name one with --scenario."))])  # fmt: skip
    raise FaultyData([_fault("none", f"没有场景检验“{name}”。", f"No scenario tests '{name}'.", (f"请写 measure = \"{name}\" 的场景, 或用 --scenario 指明; 已有场景检验的措施: {tested}。", f"Write one with measure = \"{name}\", or name one with --scenario; measures with a scenario: {tested}."))])  # fmt: skip


def write(context: Context, found: Tried, reason: str = "") -> SetPlan:
    """Write a tested saving into plan.toml, where the roadmap takes it from; the plan is booked as a further version.

    Raises
    ------
    FaultyData
        The saving has no end use it could be taken from, is below zero or more than there is; or the plan file has changes
        that were never set. Nothing is written then.
    """
    as_tested(found.measure, found.trial, found.amounts)
    text = reason.strip() or f"措施 {found.measure.id} 已在孪生中检验 / tested in the twin: {found.scenario.id}"
    return _set(context, found.measure.id, found.trial, text)


def forget(context: Context, name: str, reason: str = "") -> SetPlan:
    """Take a tested saving out of plan.toml: the roadmap goes back to the catalogue's.

    Raises
    ------
    NotFound
        The plan has no tested saving of the measure.
    """
    plan = current(context).plan
    if plan.test_of(name) is None:
        raise NotFound(Text("已检验的措施", "tested measure"), name, [one.id for one in plan.tested])
    return _set(context, name, None, reason.strip() or f"措施 {name} 的孪生检验撤回 / test in the twin taken back")


def stale(context: Context, plan: Plan) -> tuple[str, ...]:
    """Return the measures of a plan whose twin or scenario is no longer the one they were tested with."""
    if not plan.tested:
        return ()
    now, scenarios = digest(context), {one.id: one.sha256 for one in listed(context)}
    return tuple(
        one.id
        for one in plan.tested
        if one.twin_sha256 != now or scenarios.get(one.scenario, one.scenario_sha256) != one.scenario_sha256
    )


def _set(context: Context, name: str, trial: Trial | None, reason: str) -> SetPlan:
    standing = current(context)
    place = context.workspace.folder / PLAN_FILE
    if place.is_file() and standing.version and text_of(place.read_bytes(), PLAN_FILE) != standing.content:
        raise FaultyData([_fault("not_set", "plan.toml 有未登记的修改。", "plan.toml has changes that were not set yet.", ("请先运行 zf plan set。", "Run zf plan set first."))])  # fmt: skip
    entries = {one.id: one.as_entry() for one in standing.plan.tested}
    if trial is None:
        entries.pop(name, None)
    else:
        entries[name] = trial.as_entry()
    text = with_entries(standing.content, TABLE, list(entries.values()))
    read_plan(text)
    place.write_text(text, encoding="utf-8", newline="\n")
    return set_plan(context, None, reason)


def _base_year(context: Context, chosen: Measure) -> tuple[float, dict[str, float]]:
    """Return the output of the plan's base year and what the measure's end uses take in it."""
    plan = current(context).plan
    uses = {saving.end_use for saving in chosen.savings}
    alone: Plan = replace(plan, tested=(), end_uses=tuple(one for one in plan.end_uses if one.id in uses))
    if not chosen.savings:
        raise FaultyData([_fault("no_savings", f"措施“{chosen.id}”不是按用能环节节约的措施。", f"'{chosen.id}' saves no share of an end use.", ("光伏、储能等请用 zf energy size; 合同与信用不在孪生内。", "PV and storage are sized by zf energy size; contracts and credits are not in the twin."))])  # fmt: skip
    streams = streams_of(activities_of(context, plan.plan.base_year))
    made = sum(amount for one, amount in streams.items() if (one.source_kind, one.unit) == ("production_output", "vehicle"))  # fmt: skip
    if not made:
        raise FaultyData([_fault("no_vehicles", f"{plan.plan.base_year} 年账上没有产量。", f"No output is booked in {plan.plan.base_year}.", ("请导入产量凭证并封存该年。", "Import the documents of output and close the year."))])  # fmt: skip
    drawn = draw_up(alone, context.workspace.plant, streams, metered_of(context, alone), [chosen])
    if drawn.not_applicable:
        why = drawn.not_applicable[0]
        raise FaultyData([_fault("not_here", f"措施“{chosen.id}”在本厂不适用: {why.reason_zh}。", f"'{chosen.id}' cannot be taken here: {why.reason}.", ("请换一项措施。", "Choose another."))])  # fmt: skip
    amounts = {
        name: sum(units.convert(part.amount, part.stream.unit, end_use(name).unit) for part in parts)
        for name, parts in drawn.uses.items()
    }
    return made, amounts


def _trial(
    context: Context, chosen: Measure, compared: Compared, savings: Sequence[CarrierSaving], how: tuple[float, int]
) -> Trial:
    base, scenario, around = compared.simulated.asked, compared.scenario, compared.simulated.around
    status = min(compared.simulated.twin.status, "verified" if around is None else around.status, key=STATUSES.index)
    return Trial(
        chosen.id,
        tuple(
            TrialSaving(one.carrier, one.unit, *(round(x, 3) for x in (one.tested.mean, one.tested.low, one.tested.high)))
            for one in savings
        ),
        how[0], scenario.id, scenario.sha256 or "", digest(context), base.seed, base.runs, compared.simulated.first,
        base.days, context.today, cast("Status", status), how[1],
    )  # fmt: skip


def _fault(code: str, zh: str, en: str, hint: tuple[str, str]) -> Problem:
    return Problem(f"twin.measure_{code}", Text(zh, en), Text(*hint))
