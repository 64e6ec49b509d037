"""What a scenario costs beside the plant as it is: energy, basic charge, labour, capital and carbon, in all and by the good vehicle.

    capital   = (investment · annuity(i, n) + maintenance) · w ÷ W
    saving    = n₀ · Σ y · (c₀ ÷ n₀ − c₁ ÷ n₁) − maintenance            a year, for as many vehicles as today

c is each of the running costs (energy, basic charge, labour, carbon) and n the pieces of a replication, 0 as the plant is, 1 in the
scenario: a scenario that makes more is compared by the piece. The days simulated stand for the year: w of them are worked, and W of
the year by the plant's calendar, so y = W ÷ w; the basic charge goes by the calendar, y = 365 ÷ days. Saving and payback are
monotone, so the payback of the ends of the saving's interval are the ends of the payback's. A kind that is not known is left out
of every sum and named with its reason; what was built before costs nothing here.

References
----------
建设项目经济评价方法与参数(第三版, 2006): 资金回收系数 (A/P, i, n); 静态与动态投资回收期 (`optimisation.energy.finance`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from zerofactory.assets.block import annuity_fraction
from zerofactory.assets.grid import Floats
from zerofactory.errors import Text
from zerofactory.optimisation.energy.finance import Purchase, cash_flows, npv_cny, payback_years
from zerofactory.optimisation.twin.statistics import Interval, difference, interval
from zerofactory.periods import Period
from zerofactory.runs.context import Context
from zerofactory.runs.twin import Simulated
from zerofactory.runs.twin_basic import Basic, basic, quarter_hours
from zerofactory.runs.twin_cost_file import InvestmentEntry
from zerofactory.runs.twin_labour import Days, Labour, People, labour
from zerofactory.runs.twin_priced import Priced
from zerofactory.runs.twin_shifts import When
from zerofactory.runs.twin_supply import Built, Flows
from zerofactory.site.calendar import is_workday, workdays

YEAR_DAYS = 365.0
KINDS: Mapping[str, Text] = {
    "energy": Text("能源", "energy"),
    "basic": Text("基本电费", "basic charge"),
    "labour": Text("人工", "labour"),
    "capital": Text("投资", "capital"),
    "carbon": Text("碳价", "carbon price"),
}
TOTAL = Text("合计", "total")
RUNNING = ("energy", "basic", "labour", "carbon")
Values = tuple[float, ...]
Both = tuple[Values, Values]
Three = tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class CostRow:
    """A kind of cost: means of all days before and after, the difference, and the same by the good vehicle (None: none was made)."""

    kind: str
    title: Text
    before_cny: float
    after_cny: float
    difference: Interval
    each: tuple[float, float, Interval] | None

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        each = None
        if self.each is not None:
            each = {"before_cny": self.each[0], "after_cny": self.each[1], "difference": self.each[2].as_json()}
        return {
            "kind": self.kind, "title": _both(self.title), "before_cny": self.before_cny, "after_cny": self.after_cny,
            "difference": self.difference.as_json(), "per_piece": each,
        }  # fmt: skip


@dataclass(frozen=True)
class Payback:
    """What an investment costs a year and when it comes back; None where it does not within its life."""

    entry: InvestmentEntry
    discount_fraction: float
    discount_source: Text
    annual_cny: float
    saving_cny: Interval | None
    simple_years: Three
    discounted_years: Three
    npv_cny: Three

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values; of three numbers the first is that of the mean, the others the ends of the interval."""
        names = ("mean", "low", "high")
        return {
            "investment_cny": self.entry.investment_cny, "life_years": self.entry.life_years,
            "maintenance_cny_per_year": self.entry.maintenance_cny_per_year, "source": self.entry.source, "status": self.entry.status,
            "discount_fraction": self.discount_fraction, "discount_source": _both(self.discount_source), "annual_cny": self.annual_cny,
            "saving_cny_per_year": None if self.saving_cny is None else self.saving_cny.as_json(),
            "payback_years": dict(zip(names, self.simple_years, strict=True)),
            "discounted_payback_years": dict(zip(names, self.discounted_years, strict=True)),
            "npv_cny": dict(zip(names, self.npv_cny, strict=True)),
        }  # fmt: skip


@dataclass(frozen=True)
class Costs:
    """The costs of a scenario beside those of the plant as it is; ``left_out`` says which kinds are not in the sums, and why."""

    rows: tuple[CostRow, ...]
    left_out: Mapping[str, Text]
    notes: tuple[Text, ...] = ()
    labour: tuple[Labour, Labour] | None = None
    wage: tuple[float, str, str] | None = None
    basic: Basic | None = None
    peak_kw: Interval | None = None
    payback: Payback | None = None
    carbon: tuple[float, Text] | None = field(default=None)

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "kinds": [one.as_json() for one in self.rows],
            "left_out": [{"kind": kind, "title": _both(KINDS[kind]), "reason": _both(why)} for kind, why in self.left_out.items()],
            "notes": [_both(one) for one in self.notes],
            "labour": None if self.labour is None or self.wage is None else {
                "cny_per_h": self.wage[0], "source": self.wage[1], "status": self.wage[2],
                "before": self.labour[0].as_json(), "after": self.labour[1].as_json(),
            },
            "peak_kw": None if self.basic is None or self.peak_kw is None else {
                "load": "plant" if self.basic.whole_plant else "line", "basis": self.basic.basis,
                "before": _mean(self.basic.peaks_kw[0]), "after": _mean(self.basic.peaks_kw[1]), "difference": self.peak_kw.as_json(),
            },
            "investment": None if self.payback is None else self.payback.as_json(),
            "carbon": None if self.carbon is None else {"cny_per_t": self.carbon[0], "title": _both(self.carbon[1])},
        }  # fmt: skip


@dataclass(frozen=True)
class Sides:
    """A scenario and the plant as it is: runs, figures of each replication as they are compared, and the time of work in both."""

    base: Simulated
    scenario: Simulated
    before: Mapping[str, Values]
    after: Mapping[str, Values]
    when: When
    supply: tuple[Built | None, Sequence[Flows]] = (None, ())

    @property
    def days(self) -> Days:
        """The days that are simulated."""
        asked = self.base.asked
        return Days(self.base.first, asked.days, asked.since_midnight_s)


def costed(context: Context, one: Priced, sides: Sides, confidence: float) -> Costs:
    """Return the costs of a scenario beside the plant as it is."""
    runs = len(sides.before["output"])
    kinds: dict[str, Both] = {}
    left_out: dict[str, Text] = {}
    if "energy_cny" in sides.before and "energy_cny" in sides.after:
        kinds["energy"] = sides.before["energy_cny"], sides.after["energy_cny"]
    else:
        left_out["energy"] = Text("没有电价, 或缺气价、热价", "no tariff, or no price of gas or heat")
    charged = None
    if one.connection is None:
        left_out["basic"] = one.grounds.missing["basic"]
    else:
        charged = basic(sides.base, sides.scenario, one.connection, quarter_hours(context, sides.base), sides.supply)
        kinds["basic"] = charged.cny
    worked = _worked(context, one, sides)
    if isinstance(worked, Text):
        left_out["labour"] = worked
    else:
        kinds["labour"] = (worked[0].cny,) * runs, (worked[1].cny,) * runs
    carbon = one.grounds.carbon
    if carbon is None:
        left_out["carbon"] = one.grounds.missing["carbon"]
    else:
        kinds["carbon"] = _times(sides.before["kgco2e"], carbon[0] / 1000.0), _times(sides.after["kgco2e"], carbon[0] / 1000.0)  # fmt: skip
    payback = None
    if one.investment is None:
        left_out["capital"] = Text("场景没有写投资", "the scenario states none")
    else:
        worked_days = _worked_days(context, sides.days)
        payback = _payback(one, kinds, sides, (confidence, worked_days))
        kinds["capital"] = (0.0,) * runs, (payback.annual_cny * worked_days[0] / worked_days[1],) * runs
    labours = None if isinstance(worked, Text) else worked
    return Costs(
        _rows(kinds, sides, confidence), left_out, (*_notes(labours, charged, one.after), *_stands(context, payback, sides)), labours,
        None if one.wage is None else (one.wage.cny_per_h, one.wage.source, one.wage.status), charged,
        None if charged is None else difference(charged.peaks_kw[1], charged.peaks_kw[0], confidence), payback, carbon,
    )  # fmt: skip


def _worked(context: Context, one: Priced, sides: Sides) -> tuple[Labour, Labour] | Text:
    """Return the labour of both sides, or why it is not known."""
    if one.wage is None:
        return Text("没有工资", "no wage")
    plant = context.workspace.plant
    lines = sides.base.twin.line, sides.scenario.twin.line
    found = (
        labour(plant, lines[0], When(), sides.days, (one.wage, one.before)),
        labour(plant, lines[1], sides.when, sides.days, (one.wage, one.after)),
    )
    if not found[0].crews:
        return Text("costs.toml 没有写现状各工位的人数", "costs.toml does not say who stands at the stations as the plant is")  # fmt: skip
    return found


def _rows(kinds: Mapping[str, Both], sides: Sides, confidence: float) -> tuple[CostRow, ...]:
    shown = {kind: (title, kinds[kind]) for kind, title in KINDS.items() if kind in kinds}
    if len(shown) > 1:
        shown["total"] = TOTAL, (_sum([one[0] for one in kinds.values()]), _sum([one[1] for one in kinds.values()]))
    return tuple(_row(kind, title, values, sides, confidence) for kind, (title, values) in shown.items())


def _row(kind: str, title: Text, values: Both, sides: Sides, confidence: float) -> CostRow:
    before, after = values
    made = sides.before["output"], sides.after["output"]
    each = None
    if all((*made[0], *made[1])):
        pieces = _over(before, made[0]), _over(after, made[1])
        each = _mean(pieces[0]), _mean(pieces[1]), difference(pieces[1], pieces[0], confidence)
    return CostRow(kind, title, _mean(before), _mean(after), difference(after, before, confidence), each)


def _worked_days(context: Context, over: Days) -> tuple[float, float]:
    """Return how many of the days simulated are worked, and how many of the year; all days where none of them is."""
    calendar, year = context.workspace.plant.calendar, Period.parse(str(over.first.year))
    worked = sum(is_workday(calendar, over.first + timedelta(days=number)) for number in range(over.number))
    of_year = len(workdays(calendar, year))
    return (float(worked), float(of_year)) if worked and of_year else (float(over.number), YEAR_DAYS)


def _payback(one: Priced, kinds: Mapping[str, Both], sides: Sides, how: tuple[float, tuple[float, float]]) -> Payback:
    confidence, (worked, of_year) = how
    entry = one.investment or InvestmentEntry(investment_cny=0.0, life_years=1)
    rate, source = one.grounds.discount
    if entry.discount_fraction is not None:
        rate, source = entry.discount_fraction, Text("场景", "the scenario")
    annual = entry.investment_cny * annuity_fraction(rate, entry.life_years) + entry.maintenance_cny_per_year
    made = sides.before["output"], sides.after["output"]
    running = [kind for kind in RUNNING if kind in kinds]
    nothing: Three = (None, None, None)
    if not running or not all((*made[0], *made[1])):
        return Payback(entry, rate, source, annual, None, nothing, nothing, nothing)
    yearly = dict.fromkeys(RUNNING, of_year / worked) | {"basic": YEAR_DAYS / sides.days.number}
    costs = [_sum([_times(kinds[kind][side], yearly[kind]) for kind in running]) for side in (0, 1)]
    rows = zip(*costs, *made, strict=True)
    saved = [n * (c / n - d / m) - entry.maintenance_cny_per_year for c, d, n, m in rows]
    saving = interval(saved, confidence)

    def ends(of: Callable[[float], float | None], *, falling: bool = True) -> Three:
        low, high = (saving.high, saving.low) if falling else (saving.low, saving.high)
        return of(saving.mean), of(low), of(high)

    return Payback(
        entry, rate, source, annual, saving,
        ends(lambda cny: paid_back_years(entry, cny, 0.0)), ends(lambda cny: paid_back_years(entry, cny, rate)),
        ends(lambda cny: npv_cny(_flows(entry, cny), rate), falling=False),
    )  # fmt: skip


def paid_back_years(entry: InvestmentEntry, saving_cny_per_year: float, discount_fraction: float) -> float | None:
    """Return after how many years an investment has come back, None when it does not within its life.

    >>> entry = InvestmentEntry(investment_cny=1000.0, life_years=4)
    >>> paid_back_years(entry, 400.0, 0.0), round(paid_back_years(entry, 400.0, 0.1), 3), paid_back_years(entry, 200.0, 0.0)
    (2.5, 3.019, None)
    """
    flows = _flows(entry, saving_cny_per_year)
    return payback_years(flows * (1.0 + discount_fraction) ** -np.arange(len(flows)))


def _flows(entry: InvestmentEntry, saving_cny: float) -> Floats:
    return cash_flows([Purchase(entry.investment_cny, float(entry.life_years))], saving_cny, entry.life_years)


def _notes(labours: tuple[Labour, Labour] | None, charged: Basic | None, after: People) -> tuple[Text, ...]:
    found: list[Text] = []
    if labours is not None:
        found += dict.fromkeys((*labours[0].notes, *labours[1].notes))
        unstated = dict.fromkeys((*labours[0].unstated, *labours[1].unstated))
        only_after = ", ".join(name for name in unstated if name in after)
        missing = ", ".join(name for name in unstated if name not in after)
        if only_after:
            found.append(Text(f"costs.toml 没有写现状的人数, 场景里的人全部算作增加: {only_after}。", f"costs.toml does not say who stands there as the plant is, so all people of the scenario count as more: {only_after}."))  # fmt: skip
        if missing:
            found.append(Text(f"没有写人数, 人工按零计的工位: {missing}。", f"Stations of which nobody says who stands there, without labour: {missing}."))  # fmt: skip
    if charged is not None and not charged.whole_plant and charged.basis != "maximum":
        found.append(Text("基本电费按全厂的合同或变压器容量计, 各场景相同, 除非场景写 connection。", "The basic charge is that of the plant's contract or transformers: the same in every scenario unless it states another connection."))  # fmt: skip
    return tuple(found)


def _stands(context: Context, payback: Payback | None, sides: Sides) -> Iterator[Text]:
    """Say how the days stand for the year, and what the interval of a year's saving does not hold."""
    if payback is None or payback.saving_cny is None:
        return
    worked, of_year = _worked_days(context, sides.days)
    yield Text(f"每年的数由模拟的 {worked:g} 个开工日推到全年 {of_year:g} 个; 括号内只是各次重复之间的差, 不含季节与工资、价格、投资的不准。", f"Numbers of a year take the {worked:g} days of work simulated for the {of_year:g} of the year; the interval in brackets is that of the replications, without seasons and the doubt of wage, prices and investment.")  # fmt: skip


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _mean(values: Values) -> float:
    return sum(values) / len(values)


def _times(values: Values, factor: float) -> Values:
    return tuple(factor * one for one in values)


def _over(values: Values, made: Values) -> Values:
    return tuple(a / n for a, n in zip(values, made, strict=True))


def _sum(rows: Sequence[Values]) -> Values:
    return tuple(sum(each) for each in zip(*rows, strict=True))
