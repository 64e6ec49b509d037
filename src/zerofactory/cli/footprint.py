"""Commands of product footprints: footprint show, export, import, list, offered."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, PeriodOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_problems, print_table

if TYPE_CHECKING:
    from zerofactory.accounting.footprint import Footprint
    from zerofactory.runs.footprint import Shown

ProductOption = Annotated[str, typer.Option("--product", metavar="ID", help=say("产品编号", "id of the product"))]
BoundaryOption = Annotated[str, typer.Option("--boundary", metavar="BOUNDARY", help="cradle_to_gate | life_cycle")]
KG = "kgCO2e"


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(no_args_is_help=True, help=say("产品碳足迹", "product footprints"))
    group.command("show", help=say("一件产品的碳足迹, 按阶段", "the footprint of one product by stage"))(show)
    group.command("export", help=say("导出为 PACT 或 AAS", "export as PACT or AAS"))(export)
    group.command("import", help=say("导入供应商碳足迹(PACT、AAS)", "import suppliers' footprints (PACT, AAS)"))(
        import_
    )
    group.command("list", help=say("列出供应商碳足迹", "list suppliers' footprints"))(list_)
    group.command(
        "offered", help=say("供客户取用的碳足迹, 及缺了哪些", "what customers can fetch, and what is left out")
    )(offered)
    app.add_typer(group, name="footprint")


@door
def show(
    product: ProductOption,
    period: PeriodOption,
    boundary: BoundaryOption = "cradle_to_gate",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.periods import Period
    from zerofactory.runs import footprint as run

    shown = run.show(opened(workspace), product, Period.parse(period), boundary)
    if as_json:
        print_json(run.as_json(shown))
        return
    _print(shown)


@door
def offered(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.runs.published import offer

    found = offer(opened(workspace))
    if as_json:
        print_json(found.as_json())
        return
    rows = [(one["pcf"]["referencePeriodStart"][:10], one["productNameCompany"], one["id"]) for one in found.footprints]
    head = [(say("始于", "from"), "left"), (say("产品", "product"), "left"), ("id", "left")]
    print_table(say("供客户取用(PACT)", "On offer (PACT)"), head, rows)
    if found.left_out:
        print_line(say("不能声明, 未列出:", "Cannot be declared and are left out:"))
    for one in found.left_out:
        reasons = " ".join(say(problem.message.zh, problem.message.en) for problem in one.problems[:3])
        print_line(f"  {one.product} {one.period}: {reasons}")


@door
def export(
    product: ProductOption,
    period: PeriodOption,
    form: Annotated[str, typer.Option("--format", metavar="FORMAT", help="pact | aas-json | aasx")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help=say("写入的文件", "file to write"))],
    boundary: BoundaryOption = "cradle_to_gate",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.periods import Period
    from zerofactory.runs import footprint as run

    made = run.export(opened(workspace), product, Period.parse(period), form, out, boundary)
    if as_json:
        problems = [problem.as_json() for problem in made.shown.warnings]
        print_json(
            {
                "file": str(made.path),
                "format": made.format,
                "id": made.footprint_id,
                "kgco2e_per_unit": made.kgco2e,
                "problems": problems,
            }
        )
        return
    print_line(
        say(
            f"已写入 {made.path}: {made.kgco2e} {KG}/件, 编号 {made.footprint_id}",
            f"Written: {made.path}: {made.kgco2e} {KG} per unit, id {made.footprint_id}",
        )
    )
    print_problems(made.shown.warnings)


@door
def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="PACT JSON, AAS JSON, AASX")],
    used_on: Annotated[
        datetime | None,
        typer.Option(
            "--used-on",
            formats=["%Y-%m-%d"],
            metavar="DATE",
            help=say("使用日期, 须在有效期内(默认今天)", "day of use, must be inside the validity (default: today)"),
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import supplier as run

    result = run.run(opened(workspace), files, used_on.date() if used_on else None)
    if as_json:
        print_json(result.as_json())
        return
    print_line(
        say(
            f"已入账 {len(result.booked)} 个供应商碳足迹, {len(result.known)} 个此前已有。",
            f"{len(result.booked)} suppliers' footprints booked, {len(result.known)} were there before.",
        )
    )
    print_problems(result.warnings)


@door
def list_(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.runs import supplier as run

    found = run.listing(opened(workspace))
    if as_json:
        print_json(run.listing_as_json(found))
        return
    print_table(
        say("供应商产品碳足迹", "Suppliers' product footprints"),
        [(say("编号", "id"), "left"), (say("供应商", "supplier"), "left"), (say("产品", "product"), "left"), (KG, "right"), (say("每", "per"), "left"), (say("有效至", "valid to"), "left")],
        [(one.footprint_id, one.company_name, one.product_name, f"{one.kgco2e:,.3f}", f"{one.amount:g} {one.unit}", f"{one.valid_to:%Y-%m-%d}") for one in found],
    )  # fmt: skip


def _print(shown: Shown) -> None:
    from zerofactory.accounting.footprint import STAGES

    found = shown.footprint
    scope = {"cradle_to_gate": say("摇篮到大门", "cradle to gate"), "life_cycle": say("全生命周期", "whole life")}
    total = found.kgco2e
    rows = [
        (
            read(STAGES[stage]),
            f"{found.of([stage]).total:,.1f}",
            f"{100 * found.of([stage]).total / total if total else 0:.1f}",
        )
        for stage in found.stages
    ]
    print_table(
        say(
            f"{read(found.title)} · {found.period} · {scope[found.boundary]}",
            f"{read(found.title)} · {found.period} · {scope[found.boundary]}",
        ),
        [(say("阶段", "stage"), "left"), (f"{KG}/{found.unit}", "right"), ("%", "right")],
        [*rows, (say("合计", "total"), f"{total:,.1f}", "100.0")],
    )
    _print_lines(found)
    _print_statement(found)
    print_problems(shown.warnings)


def _print_lines(found: Footprint) -> None:
    ordered = sorted((line for line in found.lines if line.stage in found.stages), key=lambda line: -abs(line.kgco2e))
    print_table(
        say("明细", "Lines"),
        [(say("项目", "line"), "left"), (KG, "right"), (say("依据", "ground"), "left")],
        [(read(line.title), f"{line.kgco2e:,.1f}", line.ground) for line in ordered],
    )


def _print_statement(found: Footprint) -> None:
    from zerofactory.accounting.footprint import APART

    for name, title in APART.items():
        amount = getattr(found.parts, name)
        if amount:
            print_line(say(f"单列: {read(title)} {amount:,.3f} {KG}", f"Apart: {read(title)} {amount:,.3f} {KG}"))
    print_line(
        say(
            f"初级数据占比 {100 * found.primary_fraction:.1f} %(摇篮到大门)",
            f"Primary data {100 * found.primary_fraction:.1f} % (cradle to gate)",
        )
    )
    if found.rating is not None:
        rating, covered = found.rating
        print_line(
            say(f"数据质量(1 最好): 技术 {rating.technological:.1f} 地理 {rating.geographical:.1f} 时间 {rating.temporal:.1f}, 覆盖 {100 * covered:.0f} %",
                f"Data quality (1 is best): technology {rating.technological:.1f}, geography {rating.geographical:.1f}, time {rating.temporal:.1f}, covering {100 * covered:.0f} %")
        )  # fmt: skip
    for entry in found.cut_offs:
        share = f"{100 * entry.mass_fraction:.2f} %" if entry.mass_fraction is not None else "-"
        print_line(
            say(
                f"取舍: {read(entry.title)} {share}: {entry.reason}",
                f"Cut off: {read(entry.title)} {share}: {entry.reason}",
            )
        )
    print_line(say(f"分摊: {found.allocation_text.zh}", f"Allocation: {found.allocation_text.en}"))
    for order, kilograms in found.work_orders.items():
        print_line(
            say(
                f"工单 {order}: 制造 {kilograms:,.1f} {KG}/{found.unit}",
                f"Work order {order}: manufacturing {kilograms:,.1f} {KG}/{found.unit}",
            )
        )
    for note in found.notes:
        print_line(read(note))
