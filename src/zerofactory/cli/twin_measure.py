"""Command of measures tested in the twin: twin measure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_table
from zerofactory.cli.twin_options import DaysOption, FirstOption, RunsOption, SeedOption

if TYPE_CHECKING:
    from zerofactory.runs.twin_measure import CarrierSaving, Tried


def register(group: typer.Typer) -> None:
    """Add this command to the group of the twin."""
    group.command("measure", help=say("在孪生里检验路线图的措施, 节约带区间, 可回写", "test a measure of the roadmap: its saving with its interval, fed back if wanted"))(measure)  # fmt: skip


@door
def measure(
    name: Annotated[str, typer.Argument(metavar="MEASURE", help=say("措施(见 zf plan measures)", "measure (see zf plan measures)"))],
    scenario: Annotated[
        str | None, typer.Option("--scenario", metavar="NAME|FILE", help=say("代表它的场景; 默认写明该措施的那个", "scenario that stands for it; default: the one that names it"))
    ] = None,
    seasons: Annotated[int, typer.Option("--seasons", min=1, max=12, help=say("一年里取几段, 相隔整周", "how many times in a year the days are taken, whole weeks apart"))] = 4,
    first: FirstOption = None,
    days: DaysOption = 7,
    runs: RunsOption = 8,
    seed: SeedOption = 1,
    write: Annotated[bool, typer.Option("--write", help=say("写入 plan.toml, 路线图采用", "write it into plan.toml, for the roadmap"))] = False,
    forget: Annotated[bool, typer.Option("--forget", help=say("从 plan.toml 撤回, 恢复目录值", "take it out of plan.toml again"))] = False,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=say("修改计划的原因", "why the plan changes"))] = "",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs import twin as run_twin
    from zerofactory.runs import twin_measure as use

    context = opened(workspace)
    if forget:
        plan = use.forget(context, name, reason)
        if as_json:
            print_json({"measure": name, "plan": plan.plan_id, "forgotten": True})
        else:
            print_line(say(f"{plan.plan_id}: {name} 恢复目录值。", f"{plan.plan_id}: {name} is the catalogue's again."))
        return
    asked = run_twin.Asked(run_twin.day_of(first), days, runs=runs, seed=seed)
    found = use.try_out(context, name, asked, use.Over(scenario, seasons))
    written = use.write(context, found, reason) if write else None
    if as_json:
        print_json({**found.as_json(), "plan": None if written is None else written.plan_id})
        return
    _print(found)
    if written is not None:
        print_line(say(f"{written.plan_id}: 路线图采用检验值; --forget 撤回。", f"{written.plan_id}: the roadmap takes what was tested; --forget takes it back."))  # fmt: skip


def _print(found: Tried) -> None:
    title, scenario = read(found.measure.title), read(found.scenario.title)
    print_table(
        say(f"{title}: 孪生检验({scenario}), 按每年 {found.pieces:,.0f} 件", f"{title}: tested in the twin ({scenario}), for {found.pieces:,.0f} pieces a year"),
        [(say("年节约", "saved a year"), "left"), (say("孪生", "twin"), "right"), (say("95 % 区间", "95 % interval"), "right"), (say("目录", "catalogue"), "right"), (say("目录值在区间内", "catalogue inside"), "left")],
        [*(_row(one) for one in found.savings), _tonnes(found)],
    )  # fmt: skip
    width = found.as_json()["roadmap_half_width_fraction"]
    print_line(say(
        f"路线图采用的半宽 ±{width:.0%}: 区间只含重复之间的偶然, 另计孪生数据的状态({found.trial.status})。",
        f"Half-width for the roadmap ±{width:.0%}: the interval holds chance only, the status of the twin's numbers ({found.trial.status}) is added.",
    ))  # fmt: skip


def _row(one: CarrierSaving) -> tuple[str, ...]:
    names = {"electricity": say("电", "electricity"), "natural_gas": say("天然气", "natural gas")}
    inside = {None: say("目录不作用于它", "does not act on it"), True: say("是", "yes"), False: say("否", "no")}
    catalogue = "–" if one.catalogue is None else f"{one.catalogue:,.0f}"
    interval = f"{one.tested.low:,.0f} … {one.tested.high:,.0f}"
    return (f"{names[one.carrier]} {one.unit}", f"{one.tested.mean:,.0f}", interval, catalogue, inside[one.holds])


def _tonnes(found: Tried) -> tuple[str, ...]:
    one = found.saved_tco2e
    return ("tCO2e", f"{one.mean:,.0f}", f"{one.low:,.0f} … {one.high:,.0f}", "", "")
