"""Commands of material: slit, nest, sheet, mix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zerofactory.cli.language import language, read, say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import EXIT_FAULTY, door, print_json, print_line, print_table
from zerofactory.cli.progress import working

if TYPE_CHECKING:
    from zerofactory.errors import Text
    from zerofactory.optimisation.material.mix import MixPlan
    from zerofactory.runs.material import MaterialResult
    from zerofactory.runs.material_mix import MixResult
    from zerofactory.runs.material_saving import Booked, Saving

FileOption = Annotated[
    Path | None,
    typer.Option(
        "--file",
        metavar="FILE",
        help=say("问题文件(默认: 工作区 material/ 中的)", "problem file (default: in material/ of the workspace)"),
    ),
]
TimeOption = Annotated[
    float | None,
    typer.Option(
        "--time",
        min=1.0,
        max=600.0,
        help=say("求解秒数(默认: 文件中的 time_s)", "seconds (default: time_s of the file)"),
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        help=say("输出文件夹(JSON、CUTS、SVG、DXF、凭证表)", "folder for JSON, CUTS, SVG, DXF, document form"),
    ),
]
WORDS = {
    "trim": ("切边", "edge trim"),
    "offcut": ("边角料", "offcut"),
    "overrun": ("多冲件", "overrun"),
}


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(
        no_args_is_help=True, help=say("用料: 分条、排样、剪切、配料", "material: slit, nest, sheet, mix")
    )
    group.command("slit", help=say("卷料分条: 宽度怎么拼, 用哪些卷", "slit coils: which widths side by side"))(slit)
    group.command("nest", help=say("条料排样: 步距、料宽、排法", "nest blanks: pitch, width, layout"))(nest)
    group.command("sheet", help=say("板料剪切: 二段、三段套裁", "cut sheets by guillotine cuts in stages"))(sheet)
    group.command("mix", help=say("熔炼配料: 成分限值下的废料与原料", "mix a charge within chemistry limits"))(mix)
    app.add_typer(group, name="material")


@door
def slit(
    file: FileOption = None,
    time: TimeOption = None,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import material

    context = opened(workspace)
    with working(say("求解……", "solving …")):
        result = material.run_slit(context, file, time)
    _finish(context, result, out, as_json)


@door
def nest(
    file: FileOption = None,
    time: TimeOption = None,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import material

    context = opened(workspace)
    with working(say("求解……", "solving …")):
        result = material.run_nest(context, file, time)
    _finish(context, result, out, as_json)


@door
def sheet(
    file: FileOption = None,
    time: TimeOption = None,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import material

    context = opened(workspace)
    with working(say("求解……", "solving …")):
        result = material.run_sheet(context, file, time)
    _finish(context, result, out, as_json)


@door
def mix(
    objective: Annotated[
        str | None,
        typer.Option("--objective", help=say("目标: cost | footprint(默认: 文件中的)", "cost | footprint (default: the file's)")),
    ] = None,
    file: FileOption = None,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs import material_files, material_mix

    context = opened(workspace)
    result = material_mix.run(context, file, objective)
    files = material_files.write_mix(result, out) if out else []
    if files:
        outcome: dict[str, object] = {
            "cost_cny": result.plan.cost_cny,
            "footprint_kgco2e": result.plan.footprint_kgco2e,
        }
        material_files.record(context, "mix", result.given, outcome, files)
    print_json(result.as_json()) if as_json else _print_mix(result, files)
    if not result.is_sound:
        raise typer.Exit(EXIT_FAULTY)


def _finish(context: object, result: MaterialResult, out: Path | None, as_json: bool) -> None:
    from zerofactory.runs import material_files
    from zerofactory.runs.context import Context

    assert isinstance(context, Context)  # noqa: S101  # narrowing
    files = material_files.write(result, out, language()) if out else []
    if files:
        saved = 0.0 if result.saving is None else result.saving.saved_kg
        outcome: dict[str, object] = {
            "put_in_kg": result.masses.put_in_kg,
            "good_kg": result.masses.good_kg,
            "saved_kg": saved,
        }
        material_files.record(context, result.kind, result.given, outcome, files)
    print_json(result.as_json()) if as_json else _print(result, files)
    if not result.is_sound:
        raise typer.Exit(EXIT_FAULTY)


def _print(result: MaterialResult, files: list[Path]) -> None:
    if not _refusals(result.findings, result.unmet):
        return
    print_line(f"[bold]{read(result.title)}[/bold]")
    _patterns(result)
    for bound in result.bounds if result.kind != "nest" else ():
        print_line(
            say(
                f"得到 {bound.value:,.1f} {bound.unit.zh}, 任何方案不少于 {bound.bound:,.1f}(差 {100 * bound.gap_fraction:.2f} %; {bound.method.zh})。",
                f"Reached {bound.value:,.1f} {bound.unit.en}; no plan needs less than {bound.bound:,.1f} (gap {100 * bound.gap_fraction:.2f} %; {bound.method.en}).",
            )
        )
    masses = result.masses
    print_table(
        say("金属去向", "where the metal goes"),
        [(say("项目", "what"), "left"), (say("牌号", "grade"), "left"), ("kg", "right"), ("%", "right")],
        [
            (say("投入", "put in"), "", f"{masses.put_in_kg:,.0f}", "100.00"),
            (say("合格零件", "good pieces"), "", f"{masses.good_kg:,.0f}", f"{100 * masses.utilisation_fraction:.2f}"),
            *((say(*WORDS[kind]), grade, f"{mass:,.0f}", f"{100 * mass / masses.put_in_kg:.2f}") for (grade, kind), mass in sorted(masses.scrap_kg.items())),
            *([(say("退回库存的余料(不计入投入)", "leftovers kept (not put in)"), "", f"{masses.leftover_kg:,.0f}", "")] if masses.leftover_kg > 0 else []),
        ],
    )  # fmt: skip
    if result.saving is not None:
        _saving(result.saving)
    print_line(
        say(
            f"独立检查通过(不重叠、在界内、订单满足); 求解 {result.runtime_s:.1f} s。",
            f"Independent check passed (no overlap, inside, orders met); solved in {result.runtime_s:.1f} s.",
        )
    )
    _written(files)


def _patterns(result: MaterialResult) -> None:
    if result.kind == "nest":
        print_table(
            say("条料", "strips"),
            [(say("条料", "strip"), "left"), (say("排法", "layout"), "left"), (say("步距/长 mm", "pitch/length mm"), "right"), (say("料宽 mm", "width mm"), "right"), (say("每步件数", "pieces"), "right"), (say("次数", "times"), "right"), (say("利用率 %", "used %"), "right")],
            [
                (one["strip"], say(one["layout_title"]["zh"], one["layout_title"]["en"]), f"{one.get('pitch_mm', one.get('length_mm')):,.2f}", f"{one['width_mm']:,.2f}", str(one["pieces_each"]), f"{one['repeats']:,}", f"{100 * one['utilisation_fraction']:.2f}")
                for one in result.nests
            ],
        )  # fmt: skip
        return
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in result.rows:
        groups.setdefault(str(row["pattern"]), []).append(row)
    print_table(
        say("排样", "patterns"),
        [(say("排样", "pattern"), "left"), (say("卷料/板料", "stock"), "left"), (say("次数", "times"), "right"), (say("内容(件数×零件)", "content (number × part)"), "left")],
        [(name, str(rows[0]["stock"]), str(rows[0]["repeats"]), _content(rows)) for name, rows in groups.items()],
    )  # fmt: skip


def _content(rows: list[dict[str, Any]]) -> str:
    counts: dict[str, int] = {}
    for row in rows:
        if row["use"] == "piece":
            counts[str(row["part"])] = counts.get(str(row["part"]), 0) + 1
    kept = [f"{say('余', 'left')} {float(row['width_mm']):g} mm" for row in rows if row["use"] == "leftover"]
    return " + ".join([f"{number}×{part}" for part, number in counts.items()] + kept)


def _saving(saved: Saving) -> None:
    print_line(
        say(
            f"现行做法利用率 {100 * saved.before_utilisation_fraction:.2f} %({saved.evidence.zh}): 投入 {saved.before_kg:,.0f} kg; 节约 {saved.saved_kg:,.0f} kg, {saved.money_cny:,.0f} 元。",
            f"Present practice {100 * saved.before_utilisation_fraction:.2f} % ({saved.evidence.en}): {saved.before_kg:,.0f} kg put in; {saved.saved_kg:,.0f} kg and {saved.money_cny:,.0f} CNY saved.",
        )
    )
    print_table(
        say("节约量按路线(Δm × 路线因子)", "saving by route (Δm × factor of the route)"),
        [(say("路线", "route"), "left"), ("kgCO2/kg", "right"), ("tCO2", "right"), (say("因子", "factor"), "left")],
        [(read(one.route.title), f"{one.kgco2e_per_kg:.2f}", f"{one.saved_kgco2e / 1000:,.2f}", one.route.factor) for one in saved.routes],
    )  # fmt: skip
    print_line(
        say(
            "边角料本已返炼时须扣除返回量, 剩下的约为低值。",
            "Where offcuts were remelted anyway, net what came back: about the low end remains.",
        )
    )
    if saved.booked is not None:
        _booked(saved.booked)


def _booked(found: Booked) -> None:
    print_line(
        say(
            f"在账上(同一套因子): 现行 {found.before_gco2e / 1e6:,.2f} t, 方案 {found.plan_gco2e / 1e6:,.2f} t, 少 {found.saved_gco2e / 1e6:,.2f} tCO2e。",
            f"In the book (the same factors): present {found.before_gco2e / 1e6:,.2f} t, plan {found.plan_gco2e / 1e6:,.2f} t, {found.saved_gco2e / 1e6:,.2f} tCO2e less.",
        )
    )


def _refusals(findings: tuple[Text, ...], unmet: tuple[str, ...]) -> bool:
    """Say why there is no plan; return whether there is one."""
    if findings:
        print_line(say("方案未通过独立检查, 不予显示:", "The plan failed its independent check and is not shown:"))
        for one in findings:
            print_line(f"· {read(one)}")
    if unmet:
        print_line(
            say(
                f"下列订单无法同时满足: {'、'.join(unmet)}。请放宽允差、增加卷料或把 parts 调大。",
                f"These orders cannot be met together: {', '.join(unmet)}. Widen tolerances, add stock, or raise parts.",
            )
        )
    return not findings and not unmet


def _print_mix(result: MixResult, files: list[Path]) -> None:
    plan = result.plan
    if plan.conflict is not None:
        print_line(read(plan.conflict.sentence()))
        print_table(
            say("单独让步时须改为", "what each would have to become, alone"),
            [(say("限值", "limit"), "left"), (say("要求", "asked"), "right"), (say("须改为", "becomes"), "right"), (say("单位", "unit"), "left")],
            [(read(one.wish.title), f"{one.wish.bound:,.6g}", "—" if one.becomes is None else f"{one.becomes:,.6g}", one.wish.unit) for one in plan.conflict.clashing],
        )  # fmt: skip
        return
    if not _refusals(plan.findings, ()):
        return
    print_line(f"[bold]{read(result.given.form.title.text)}[/bold]")
    before = result.before
    print_table(
        say("配料(kg)", "charge (kg)"),
        [(say("炉料", "charge"), "left"), (say("现行", "present"), "right"), (say("方案", "plan"), "right")],
        [(read(one.title), f"{before.charged_kg[one.id]:,.0f}" if before else "—", f"{plan.charged_kg[one.id]:,.0f}") for one in result.problem.charges],
    )  # fmt: skip
    print_table(
        say("成分(%)", "chemistry (%)"),
        [(say("元素", "element"), "left"), (say("下限", "least"), "right"), (say("方案", "plan"), "right"), (say("上限", "most"), "right")],
        [(one.element, f"{100 * one.least_fraction:.2f}", f"{100 * plan.content_fraction[one.element]:.3f}", f"{100 * one.most_fraction:.2f}") for one in result.problem.limits],
    )  # fmt: skip
    _sums(result, before)
    for one in plan.shadow_prices:
        print_line(f"· {read(one.title)}: {one.value:+,.2f} {read(one.unit)}")
    if result.booked is not None:
        _booked(result.booked)
    print_line(
        say(
            f"独立检查通过(质量、成分、库存、再生比例重算); {plan.report.solver}, {plan.report.status.words.zh}。",
            f"Independent check passed (mass, chemistry, stock, recycled share recomputed); {plan.report.solver}, {plan.report.status.words.en}.",
        )
    )
    _written(files)


def _sums(result: MixResult, before: MixPlan | None) -> None:
    def row(title: str, read_value: str, scale: float, digits: int) -> tuple[str, str, str]:
        values = [getattr(one, read_value) * scale if one else None for one in (before, result.plan)]
        return title, *("—" if value is None else f"{value:,.{digits}f}" for value in values)  # type: ignore[return-value]

    print_table(
        say("合计", "totals"),
        [(say("项目", "what"), "left"), (say("现行", "present"), "right"), (say("方案", "plan"), "right")],
        [
            row(say("费用 万元", "cost 10k CNY"), "cost_cny", 1e-4, 1),
            row("tCO2e", "footprint_kgco2e", 1e-3, 1),
            row(say("再生比例 %", "recycled share %"), "recycled_fraction", 100.0, 1),
        ],
    )
    if result.before_findings:
        print_line(
            say("现行配料本身的偏差: ", "The present charge itself: ")
            + " ".join(read(one) for one in result.before_findings)
        )


def _written(files: list[Path]) -> None:
    for path in files:
        print_line(say(f"已写 {path}", f"Wrote {path}"))
    forms = [path.name for path in files if path.name.endswith("-activities.csv")]
    if forms:
        print_line(say(f"实施后入账: zf import {forms[0]}", f"Once carried out, book it: zf import {forms[0]}"))
