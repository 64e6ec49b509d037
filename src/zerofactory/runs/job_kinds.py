"""What may be done as long work: each kind with its title, its right, whether it writes, and what does it.

A kind that writes is stopped only where the book is whole: before the first row is written. One that only reads may be stopped anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.periods import Period
from zerofactory.runs.context import Context

Parameters = Mapping[str, Any]


class Step(Protocol):
    """Told at the beginning of each step: its name and how many there are; raises when the work is to stop."""

    def __call__(self, name: str, total: int = 0) -> None: ...


def as_it_is(result: Any) -> Any:
    """Return a result that is plain JSON values already."""
    return result


def as_json(result: Any) -> Any:
    """Return a result that knows its JSON form in that form."""
    return result.as_json()


def footprint_json(result: Any) -> Any:
    """Return a footprint as plain JSON values."""
    from zerofactory.runs import footprint as footprints

    return footprints.as_json(result)


@dataclass(frozen=True, slots=True)
class JobKind:
    """One kind of long work; ``parameters`` names what it takes, ``told`` gives its result as plain JSON values."""

    id: str
    title: Text
    permission: Literal["read", "record", "manage", "verify"]
    writes: bool
    parameters: tuple[str, ...]
    run: Callable[[Context, Parameters, Step], Any]
    told: Callable[[Any], Any] = as_it_is


def import_(context: Context, asked: Parameters, step: Step) -> Any:
    """Import the files of a folder (or only check them)."""
    from zerofactory.runs import import_data
    from zerofactory.runs.uploads import untypical

    paths = [Path(asked["folder"]) / name for name in asked["files"]]
    faults = [fault for path in paths for fault in untypical(path)]
    if faults:
        raise FaultyData(faults)
    found = import_data.run(
        context,
        paths,
        None,
        bool(asked.get("dry_run")),
        bool(asked.get("into_closed")),
        lambda name: step(name, len(paths)),
    )
    warnings = [problem.as_json() for one in found for problem in one.warnings]
    return {"files": [one.as_json() for one in found], "problems": warnings}


def close(context: Context, asked: Parameters, step: Step) -> Any:
    """Close the months of a period, or revise closed ones."""
    from zerofactory.runs import close as closing

    period = Period.parse(str(asked["period"]))
    known_at = date.fromisoformat(asked["known_at"]) if asked.get("known_at") else None
    total = len(list(period.months()))
    found = closing.run(
        context,
        period,
        known_at,
        bool(asked.get("revise")),
        str(asked.get("reason") or ""),
        lambda name: step(name, total),
    )
    warnings = dict.fromkeys(problem for month in found for problem in month.warnings)
    return {"months": [month.as_json() for month in found], "problems": [one.as_json() for one in warnings]}


def verify(context: Context, _asked: Parameters, _step: Step) -> Any:
    """Recompute the whole book."""
    from zerofactory.runs import verify as verification

    return verification.run(context).as_json()


def footprint(context: Context, asked: Parameters, _step: Step) -> Any:
    """Work out the footprint of a product."""
    from zerofactory.runs import footprint as footprints

    period, boundary = Period.parse(str(asked["period"])), asked.get("boundary") or "cradle_to_gate"
    return footprints.show(context, asked["product"], period, boundary)


def roadmap(context: Context, _asked: Parameters, _step: Step) -> Any:
    """Solve the roadmap of the plan in force."""
    from zerofactory.runs import plan_roadmap

    return plan_roadmap.as_json(plan_roadmap.run(context))


def sizing(context: Context, asked: Parameters, _step: Step) -> Any:
    """Size what to build."""
    from zerofactory.optimisation.energy.problem import Goals
    from zerofactory.runs import energy_size

    period = Period.parse(str(asked["period"])) if asked.get("period") else None
    wanted = energy_size.Asked(period, Goals(**asked.get("goals", {})), asked.get("cap"), int(asked.get("step_minutes", 60)), int(asked.get("pareto", 0)))  # fmt: skip
    return energy_size.run(context, wanted)


def backtest(context: Context, asked: Parameters, step: Step) -> Any:
    """Run the dispatcher over measured days, beside no store, the rule and perfect foresight."""
    from zerofactory.runs import energy_dispatch
    from zerofactory.runs.forecast import moment_of

    first, days, minutes = str(asked["first"]), int(asked.get("days", 7)), int(asked.get("step_minutes", 60))
    moment: datetime = moment_of(f"{first}T00:00", context.workspace.plant.time_zone)
    wanted = energy_dispatch.Asked(moment, int(asked.get("horizon_hours", 24)), minutes, asked.get("build"))
    steps = days * 1440 // minutes
    return energy_dispatch.backtest(context, wanted, moment, days, lambda _: step(first, steps))


def twin_comparison(context: Context, asked: Parameters, step: Step) -> Any:
    """Run scenarios of the twin beside the plant as it is; ``first`` is a day, or ``now`` for the state the line is in."""
    from zerofactory.runs import twin_compare, twin_start
    from zerofactory.runs.twin import Asked
    from zerofactory.runs.twin_scenario import listed

    over = Asked(None, int(asked.get("days", 7)), runs=int(asked.get("runs", 8)))
    wanted = twin_start.begun(context, str(asked.get("first") or "") or None, over).asked
    chosen = [str(one) for one in asked.get("scenarios", ())]
    there = {one.id: one for one in listed(context)}
    for name in chosen:
        if name not in there:
            raise NotFound(Text("场景", "scenario"), name, tuple(there))
    return twin_compare.compare(context, wanted, [there[name] for name in chosen], lambda _, total: step("", total))


KINDS: Mapping[str, JobKind] = {
    kind.id: kind
    for kind in (
        JobKind("import", Text("导入", "import"), "record", True, ("folder", "files", "dry_run", "into_closed"), import_),
        JobKind("close", Text("封存", "close"), "manage", True, ("period", "known_at", "revise", "reason"), close),
        JobKind("verify", Text("核验整本账", "verify the book"), "read", False, (), verify),
        JobKind("footprint", Text("产品碳足迹", "product footprint"), "read", False, ("product", "period", "boundary"), footprint, footprint_json),
        JobKind("roadmap", Text("路线图", "roadmap"), "read", False, (), roadmap),
        JobKind("sizing", Text("选型", "sizing"), "read", False, ("period", "goals", "cap", "step_minutes", "pareto"), sizing, as_json),
        JobKind("backtest", Text("调度回测", "back-test of dispatch"), "read", False, ("first", "days", "step_minutes", "horizon_hours", "build"), backtest, as_json),
        JobKind("twin_comparison", Text("场景比较", "comparison of scenarios"), "read", False, ("scenarios", "first", "days", "runs"), twin_comparison, as_json),
    )
}  # fmt: skip


def kind_of(name: str) -> JobKind:
    """Return a kind of work; raise `NotFound` with the choices."""
    found = KINDS.get(name)
    if found is None:
        raise NotFound(Text("工作", "kind of work"), name, tuple(KINDS))
    return found


def check_parameters(kind: JobKind, asked: Parameters) -> None:
    """Raise `FaultyData` when work is asked for with words it does not take."""
    problems = [
        Problem(
            "jobs.parameter",
            Text(f"“{kind.title.zh}”没有参数“{name}”。", f"'{kind.title.en}' takes no '{name}'."),
            Text(
                f"可用: {', '.join(kind.parameters) or '无'}。", f"It takes: {', '.join(kind.parameters) or 'nothing'}."
            ),
            column=name,
        )
        for name in asked
        if name not in kind.parameters
    ]
    if problems:
        raise FaultyData(problems)
