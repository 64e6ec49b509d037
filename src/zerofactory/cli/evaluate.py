"""Commands of the evaluation: evaluate, evaluate standards, evaluate attest."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, PeriodOption, WorkspaceOption, opened, state
from zerofactory.cli.output import door, print_json, print_line, print_table

if TYPE_CHECKING:
    from zerofactory.errors import Text
    from zerofactory.evaluation.assess import Evaluation
    from zerofactory.evaluation.finding import Finding
    from zerofactory.runs.evaluate_path import Shown
    from zerofactory.runs.evaluate_plan import CheapestPath

FLAGS = ("book_holds", "platform_function")


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(
        help=say("按标准评价: 条款、得分、等级、差距", "evaluate against standards: criteria, score, grade, gap")
    )
    group.callback(invoke_without_command=True)(evaluate)
    group.command("standards", help=say("列出可评价的标准", "list the standards that can be evaluated"))(standards)
    group.command(
        "attest", help=say("附文件证明条款或数量, 记入账本", "attest a criterion or an amount with a file, booked")
    )(attest)
    app.add_typer(group, name="evaluate")


@door
def evaluate(
    context: typer.Context,
    standard: Annotated[
        str | None,
        typer.Option(
            "--standard",
            metavar="ID",
            help=say("标准(见 zf evaluate standards)", "standard (see zf evaluate standards)"),
        ),
    ] = None,
    period: Annotated[
        str | None, typer.Option("--period", metavar="PERIOD", help=say("期间: 2025", "period: 2025"))
    ] = None,
    gap: Annotated[
        bool,
        typer.Option(
            "--gap", help=say("到下一等级的差距与最省路径", "the gap to the next grade and the cheapest path")
        ),
    ] = False,
    by: Annotated[
        int | None,
        typer.Option(
            "--by",
            metavar="YEAR",
            help=say("差距应在哪年前补上(默认五年)", "year by which to close the gap (default: five years)"),
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help=say("全部标准", "every standard"))] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help=say("另存为 .csv、.json 或 .md", "also write .csv, .json or .md")),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    if context.invoked_subcommand:
        return
    from zerofactory.periods import Period
    from zerofactory.runs import evaluate_path as run

    shown = run.show(opened(workspace), Period.parse(_given(period)), run.Asked(standard, every, gap, out, by))
    if as_json:
        print_json(shown.as_json())
    elif every:
        _print_all(shown)
    else:
        _print_one(shown)


def _given(period: str | None) -> str:
    """Return the period, or an empty text, which says how a period is written."""
    return period or ""


def _print_all(shown: Shown) -> None:
    rows = [
        (
            one.book.id,
            _passed(one),
            "–" if one.score is None else f"{one.score.points:.1f} / {one.score.full:g}",
            read(one.grade.title) if one.grade else "–",
            *_counts(one),
        )
        for one in shown.evaluations
    ]
    print_table(
        say(f"{shown.period} 评价: 全部标准", f"{shown.period} evaluation under every standard"),
        [(say("标准", "standard"), "left"), (say("必备", "mandatory"), "left"), (say("得分", "score"), "right"), (say("等级", "grade"), "left"),
         (say("满足", "met"), "right"), (say("不满足", "not met"), "right"), (say("未定", "unknown"), "right")],
        rows,
    )  # fmt: skip


def _passed(one: Evaluation) -> str:
    return {True: say("全部满足", "all met"), False: say("不满足", "not met"), None: say("未定", "open")}[one.passed]


def _counts(one: Evaluation) -> tuple[str, str, str]:
    verdicts = [finding.verdict for finding in one.findings]
    return (str(verdicts.count("met")), str(verdicts.count("not_met")), str(verdicts.count("unknown")))


def _print_one(shown: Shown) -> None:
    from zerofactory.evaluation.finding import VERDICTS

    one = shown.evaluations[0]
    titles = {criterion.id: read(criterion.title) for criterion in one.book.criteria}
    mark = say(" · 建议稿", " · proposal") if one.book.proposal else ""
    print_table(
        f"{one.period} {read(one.book.title)}{mark}",
        [(say("条款", "criterion"), "left"), (say("内容", "what"), "left"), (say("数值", "value"), "right"), (say("限值", "threshold"), "right"),
         (say("判定", "verdict"), "left"), (say("把握", "sure"), "right"), (say("得分", "points"), "right")],
        [
            (f.criterion, titles[f.criterion], _value(f, f.value), _limits(f), read(VERDICTS[f.verdict]),
             _share(f.confidence_fraction), _points(f))
            for f in one.findings
        ],
    )  # fmt: skip
    _print_result(one)
    if shown.gap is not None:
        _print_gap(shown)
    link = next((f.link for f in one.findings if f.link), None)
    if link:
        first = link.split("; ")[0]
        print_line(
            say(
                f"打开数字: zf explain {first}; 理由与证据见 --json",
                f"Open a figure: zf explain {first}; reasons and evidence with --json",
            )
        )


def _value(finding: Finding, value: float | None) -> str:
    if value is None:
        return "–"
    if finding.indicator in FLAGS:
        return say("有", "yes") if value >= 1.0 else say("无", "no")
    if finding.unit == "fraction" and finding.indicator != "verification_level":
        return f"{100 * value:.1f} %"
    number = _number(value)
    return number if finding.unit in ("fraction", "piece", None) else f"{number} {_unit(finding.unit)}"


def _share(fraction: float | None) -> str:
    """Return a probability in whole per cent; what is almost certain is not called certain."""
    if fraction is None:
        return ""
    rounded = f"{100 * fraction:.0f}"
    bound = {"100": "> 99" if fraction < 1.0 else "100", "0": "< 1" if fraction > 0.0 else "0"}
    return f"{bound.get(rounded, rounded)} %"


def _unit(unit: str) -> str:
    """Return a unit as short as the table needs it."""
    return unit.replace("vehicle", say("辆", "veh."))


def _number(value: float) -> str:
    """Return a number with four digits, or whole where it is large."""
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.4g}"


def _limits(finding: Finding) -> str:
    if finding.indicator in FLAGS:
        return ""
    found = [_value(finding, limit).partition(" ")[0] for limit in (finding.base, finding.lead) if limit is not None]
    return " … ".join(found) or ("–" if finding.indicator else "")


def _points(finding: Finding) -> str:
    if finding.weight is None:
        return ""
    return f"{'–' if finding.points is None else f'{finding.points:.2f}'} / {finding.weight:g}"


def _print_result(one: Evaluation) -> None:
    print_line(say(f"必备条款: {_passed(one)}", f"Mandatory criteria: {_passed(one)}"))
    if one.score is not None:
        parts = " · ".join(f"{read(d.title)} {d.points:.1f}/{d.possible:g}" for d in one.score.dimensions)
        most = one.score.most
        print_line(
            say(f"得分 {one.score.points:.2f} / {one.score.full:g} (未定项若全得分: {most:.2f}) · {parts}",
                f"Score {one.score.points:.2f} / {one.score.full:g} (were all undecided ones full: {most:.2f}) · {parts}")
        )  # fmt: skip
    words = {
        "reached": say("达到", "reached"),
        "missed": say("未达到", "missed"),
        "undecided": say("未定", "undecided"),
    }
    for result in one.grades:
        chance = _share(result.probability)
        sure = say(f" (概率 {chance})", f" (probability {chance})") if chance else ""
        print_line(f"  {read(result.grade.title)}: {words[result.outcome]}{sure}")
    if one.book.successor:
        print_line(say(f"已由 {one.book.successor} 取代。", f"Succeeded by {one.book.successor}."))


def _print_gap(shown: Shown) -> None:
    found = shown.gap
    if found is None:
        return
    goal = read(found.grade.title) if found.grade else say("全部条款", "every criterion")
    rows = [
        (need.criterion, read(need.title), "–" if need.value is None else _number(need.value),
         f"{'≤' if need.limit.direction == 'at_most' else '≥'} {_number(need.limit.value)}", need.limit.unit,
         say("路线图", "roadmap") if need.lever else say("自行改进", "own work"), f"{need.points:.2f}" if need.points else "")
        for need in found.needs
    ]  # fmt: skip
    print_table(
        say(f"到“{goal}”的差距: 数值", f"Gap to '{goal}': figures"),
        [(say("条款", "criterion"), "left"), (say("内容", "what"), "left"), (say("现值", "now"), "right"), (say("应达到", "wanted"), "right"),
         (say("单位", "unit"), "left"), (say("途径", "by"), "left"), (say("得分", "points"), "right")],
        rows,
    )  # fmt: skip
    print_table(
        say("须补的证据、数据或限值", "Evidence, data or thresholds to bring"),
        [(say("条款", "criterion"), "left"), (say("内容", "what"), "left"), (say("缺什么", "what is missing"), "left")],
        [(one.criterion, read(one.title), read(one.reason)) for one in found.missing],
    )
    _print_path(shown.path)


def _print_path(path: CheapestPath | Text | None) -> None:
    from zerofactory.errors import Text as Words

    if path is None:
        return
    if isinstance(path, Words):
        print_line(read(path))
        return
    print_line(read(path.said))
    print_table(
        say(f"最省路径: {path.by} 年前开始的措施", f"Cheapest path: measures that start by {path.by}"),
        [(say("年份", "year"), "right"), (say("措施", "measure"), "left")],
        [(str(year), read(title)) for year, title in path.starts],
    )


@door
def standards(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.runs import evaluate as run

    folder = workspace or state.workspace or Path()
    books = run.listed(folder if (folder / "factory.toml").is_file() else None)
    if as_json:
        print_json([run.book_as_json(book) for book in books])
        return
    words = {
        "in_force": say("现行", "in force"),
        "trial": say("试行", "trial"),
        "withdrawn": say("已废止", "withdrawn"),
    }
    rows = [
        (
            book.id,
            read(book.title),
            book.effective,
            say("建议稿", "proposal") if book.proposal else words[book.status],
            str(len(book.criteria)),
        )
        for book in books
    ]
    print_table(
        say("可评价的标准", "Standards for evaluation"),
        [(say("编号", "id"), "left"), (say("名称", "title"), "left"), (say("施行", "effective"), "left"), (say("状态", "status"), "left"), (say("条款", "criteria"), "right")],
        rows,
    )  # fmt: skip


@door
def attest(
    period: PeriodOption,
    criterion: Annotated[
        str | None,
        typer.Option("--criterion", metavar="ID", help=say("条款(与 --standard 同用)", "criterion (with --standard)")),
    ] = None,
    standard: Annotated[str | None, typer.Option("--standard", metavar="ID", help=say("标准", "standard"))] = None,
    amount: Annotated[
        str | None, typer.Option("--amount", metavar="NAME", help=say("数量, 如 land_area", "amount, e.g. land_area"))
    ] = None,
    value: Annotated[
        float | None, typer.Option("--value", metavar="X", help=say("数值, 或评分比例 0–1", "value, or mark 0–1"))
    ] = None,
    unit: Annotated[str, typer.Option("--unit", metavar="UNIT", help=say("单位", "unit"))] = "",
    half_width: Annotated[
        float,
        typer.Option("--half-width", metavar="FRACTION", help=say("相对半宽(95 %)", "relative half-width (95 %)")),
    ] = 0.0,
    verdict: Annotated[str, typer.Option("--verdict", metavar="WORD", help="met | not_met | not_applicable")] = "met",
    evidence: Annotated[
        Path | None, typer.Option("--evidence", metavar="FILE", help=say("证据文件", "file of evidence"))
    ] = None,
    valid_until: Annotated[
        datetime | None,
        typer.Option(
            "--valid-until", metavar="DATE", formats=["%Y-%m-%d"], help=say("证据有效期", "last day it is valid")
        ),
    ] = None,
    text: Annotated[str, typer.Option("--text", metavar="TEXT", help=say("说明", "what to say"))] = "",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.periods import Period
    from zerofactory.runs import attest as run

    said = run.said_of((standard, criterion, amount), (value, unit, half_width), verdict)
    row = run.attest(opened(workspace), Period.parse(period), run.with_file(said, evidence, valid_until, text))
    if as_json:
        print_json(run.as_json(row))
        return
    number = "" if row["value"] is None else f" {row['value']:,.10g} {row['unit'] or ''}".rstrip()
    file = f" · {row['file_name']} {str(row['evidence'])[:8]}" if row["evidence"] else ""
    print_line(say(f"已记入: {row['attestation_id']} {row['subject']} {row['state']}{number}{file}",
                   f"Booked: {row['attestation_id']} {row['subject']} {row['state']}{number}{file}"))  # fmt: skip
