"""Commands of process routes: route compare, route list, route show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_table

if TYPE_CHECKING:
    from zerofactory.runs.route_compare import Compared, Comparison


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(
        help=say("工艺路线: 冲压焊接、热成形、铝板、一体化压铸", "process routes: stamping, press hardening, aluminium, casting"),
        no_args_is_help=True,
    )  # fmt: skip
    group.command("compare", help=say("各路线并列: 材料、能耗、碳、占地、节拍、费用", "routes side by side: metal, energy, carbon, floor, takt, cost"))(compare)  # fmt: skip
    group.command("list", help=say("列出工艺路线", "list the routes"))(list_)
    group.command("show", help=say("一条路线的每个数及其出处", "every number of a route with its source"))(show)
    app.add_typer(group, name="route")


@door
def compare(
    part: Annotated[str, typer.Option("--part", metavar="ID", help=say("零件", "part"))] = "rear_floor",
    volume: Annotated[
        int | None,
        typer.Option("--volume", min=1, help=say("年产量(默认账本的产量)", "bodies a year (default: the book's output)")),
    ] = None,
    route: Annotated[
        list[str] | None, typer.Option("--route", metavar="ID", help=say("只比这些(可重复)", "only these (repeatable)"))
    ] = None,
    base: Annotated[str, typer.Option("--base", metavar="ID", help=say("对照的路线", "route to hold against"))] = "stamped_steel",
    recycled: Annotated[
        float | None,
        typer.Option("--recycled", min=0.0, max=1.0, help=say("铝的再生比例", "recycled share of aluminium")),
    ] = None,
    year: Annotated[int | None, typer.Option("--year", help=say("因子与产量的年份", "year of factors and output"))] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs import route_compare as run

    asked = run.Asked(part, volume, tuple(route or ()), base, recycled, year)
    found = run.run(opened(workspace), asked)
    if as_json:
        print_json(found.as_json())
        return
    _print_routes(found)
    _print_money(found)
    _print_table(found)
    _print_swings(found)


@door
def list_(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.runs import route_compare as run

    rows = run.listed(opened(workspace))
    if as_json:
        print_json(rows)
        return
    print_table(
        say("工艺路线", "process routes"),
        [("id", "left"), (say("零件", "part"), "left"), (say("名称", "title"), "left"), (say("数", "numbers"), "right"), (say("其中假设", "assumed"), "right")],
        [(str(r["route"]), str(r["part"]), say(r["title"]["zh"], r["title"]["en"]), str(r["numbers"]), str(r["assumed"])) for r in rows],  # type: ignore[index]
    )  # fmt: skip


@door
def show(
    route: Annotated[str, typer.Argument(metavar="ID")], workspace: WorkspaceOption = None, as_json: JsonOption = False
) -> None:
    from zerofactory.optimisation.routes.load import STATUS
    from zerofactory.runs import route_compare as run

    rows = run.cited(opened(workspace), route)
    if as_json:
        print_json(rows)
        return
    print_table(
        route,
        [(say("数", "number"), "left"), (say("值", "value"), "right"), (say("单位", "unit"), "left"), (say("状态", "status"), "left"), (say("出处", "source"), "left")],
        [(str(r["number"]), f"{r['value']:g}", str(r["unit"]), read(STATUS[str(r["status"])]), str(r["source"])) for r in rows],
    )  # fmt: skip


def _print_routes(found: Comparison) -> None:
    print_table(
        say(f"{found.asked.part}: 每车一件, 年产 {found.volume:,} 件, {found.year} 年因子", f"{found.asked.part}: one a body, {found.volume:,} a year, factors of {found.year}"),
        [(say("路线", "route"), "left"), (say("零件/接头", "parts/joints"), "right"), (say("净kg", "net kg"), "right"),
         (say("购入kg", "bought"), "right"), ("kWh", "right"), ("Nm³", "right"), ("kgCO2e", "right"), (say("扣废料", "netted"), "right"),
         ("m²", "right"), (say("节拍s", "takt s"), "right")],
        [_row(one) for one in found.routes.values()],
    )  # fmt: skip


def _row(one: Compared) -> tuple[str, ...]:
    route = one.body.route
    return (
        read(route.title.text),
        f"{sum(branch.parts.value for branch in route.branches):g}/{sum(step.joints.value for step in route.joining if step.joints):g}",
        f"{one.body.net_kg:.1f}",
        f"{one.body.new_kg:.1f}",
        f"{one.electricity_kwh:.1f}",
        f"{one.body.quantity('stationary_combustion', 'natural_gas'):.2f}",
        f"{one.kgco2e_per_body:.1f}",
        f"{one.netted_kgco2e:.1f}",
        f"{one.costed.area_m2:,.0f}",
        f"{one.costed.takt_s:.0f}",
    )


def _print_money(found: Comparison) -> None:
    base = found.base
    rows = []
    for name, one in found.routes.items():
        saved = base.kgco2e_per_body - one.kgco2e_per_body
        more = one.costed.cny_per_body - base.costed.cny_per_body
        rows.append(
            (
                read(one.body.route.title.text),
                f"{one.costed.cny_per_body:,.0f}",
                f"{one.costed.investment_cny / 1e6:,.0f}",
                f"{one.costed.tooling_cny / 1e6:,.0f}",
                "–" if name == found.asked.base else f"{-saved:+.1f}",
                f"{more / saved * 1000:,.0f}" if saved > 1e-9 else "–",
                "; ".join(f"{c.volume:,} {c.cheaper}" for c in found.crossings.get(name, ())) or "–",
            )
        )
    print_table(
        "",
        [(say("路线", "route"), "left"), (say("元/件", "CNY each"), "right"), (say("投资 百万元", "invested MCNY"), "right"), (say("模具 百万元", "tooling MCNY"), "right"),
         ("Δ kgCO2e", "right"), (say("元/t", "CNY/t"), "right"), (say("盈亏平衡(起, 更省的)", "break-even"), "left")],
        rows,
    )  # fmt: skip
    low, high = found.steel_band_kgco2e_per_kg
    for name, kg in found.steel_saved_kg.items():
        title = read(found.routes[name].body.route.title.text)
        share = found.equal_recycled_fraction[name]
        print_line(say(f"{title}: 少用钢 {kg:.1f} kg(扣除回收废钢), 按 {low:g}–{high:g} kgCO2/kg 为 {kg * low:.0f}–{kg * high:.0f} kg; 使用阶段 {found.use_kwh[name]:,.0f} kWh(对照 {found.use_kwh[found.asked.base]:,.0f})。",
                       f"{title}: {kg:.1f} kg less steel (scrap netted), at {low:g}–{high:g} kgCO2/kg {kg * low:.0f}–{kg * high:.0f} kg; use phase {found.use_kwh[name]:,.0f} kWh (base {found.use_kwh[found.asked.base]:,.0f})."))  # fmt: skip
        if share is not None:
            print_line(say(f"  铝的再生比例达到 {share:.0%} 时, 与对照路线排放相等。", f"  With {share:.0%} of the aluminium recycled it emits what the base does."))  # fmt: skip


def _print_table(found: Comparison) -> None:
    for name, table in found.recycled_table.items():
        print_table(
            say(f"{read(found.routes[name].body.route.title.text)}: kgCO2e/件, 再生比例 × 电力 gCO2e/kWh", f"{read(found.routes[name].body.route.title.text)}: kgCO2e each, recycled share × power gCO2e/kWh"),
            [(say("再生比例", "recycled"), "right"), *((f"{grid:g}", "right") for grid in found.shared.grid_gco2e_per_kwh)],
            [(f"{share:.0%}", *(f"{value:.0f}" for value in row)) for share, row in zip(found.shared.recycled_fractions, table, strict=True)],
        )  # fmt: skip


def _print_swings(found: Comparison) -> None:
    rows = []
    for name, swings in found.swings.items():
        for one in swings[:3]:
            rows.append((name, one.path, f"{one.low:g}–{one.high:g} {one.unit}", f"{one.kgco2e[0]:.0f} … {one.kgco2e[1]:.0f}", f"{one.cny[0]:,.0f} … {one.cny[1]:,.0f}"))  # fmt: skip
    print_table(
        say("最影响结果的数(单独变动)", "the numbers that move the result most, one at a time"),
        [(say("路线", "route"), "left"), (say("数", "number"), "left"), (say("范围", "range"), "left"), ("kgCO2e", "left"), (say("元", "CNY"), "left")],
        rows,
    )  # fmt: skip
