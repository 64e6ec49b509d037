"""What `zf evaluate` shows: one book or all, the gap to the next grade, and what the roadmap says about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.evaluation.assess import Evaluation
from zerofactory.evaluation.finding import FINDINGS, VERDICTS
from zerofactory.evaluation.gap import Gap, Need, gap
from zerofactory.periods import Period
from zerofactory.runs.context import Context
from zerofactory.runs.evaluate import as_json, evaluate, evaluate_all, gather

if TYPE_CHECKING:
    from zerofactory.runs.evaluate_plan import CheapestPath

SUFFIXES = (".csv", ".json", ".md")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which book (or every one), whether the gap is asked, a file to write, and the year by which the gap should close."""

    standard: str | None = None
    every: bool = False
    gap: bool = False
    out: Path | None = None
    by: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """The evaluations and, where it was asked for, the gap of the one."""

    period: str
    evaluations: tuple[Evaluation, ...]
    gap: Gap | None = None
    path: CheapestPath | Text | None = None

    def as_json(self) -> object:
        """Return plain JSON values: one evaluation, or a list of all."""
        found = [as_json(one) for one in self.evaluations]
        if self.gap is not None:
            found[0]["gap"] = gap_as_json(self.gap)
            found[0]["path"] = _path_json(self.path)
        return found[0] if len(found) == 1 else found


def show(context: Context, period: Period, asked: Asked) -> Shown:
    """Return what was asked, and write the file.

    Raises
    ------
    FaultyData
        No standard was named, the file's kind is unknown, a month is not closed, or a rule or threshold is at fault.
    NotFound
        No such standard.
    """
    problems = []
    if not asked.every and not asked.standard:
        said = Text("没有写明标准。", "No standard was named.")
        hint = Text(
            "请用 --standard 编号 或 --all; 列表: zf evaluate standards。",
            "Use --standard ID or --all; list: zf evaluate standards.",
        )
        problems.append(Problem("evaluation.no_standard", said, hint))
    if asked.out is not None and asked.out.suffix.lower() not in SUFFIXES:
        said = Text(f"不会写 {asked.out.suffix or '无后缀'} 文件。", f"Cannot write '{asked.out.suffix}' files.")
        problems.append(
            Problem(
                "evaluation.out",
                said,
                Text("请用 .csv、.json 或 .md。", "Use .csv, .json or .md."),
                file=str(asked.out),
            )
        )
    if problems:
        raise FaultyData(problems)
    gathered = gather(context, period)
    found = evaluate_all(gathered) if asked.every else (evaluate(gathered, asked.standard or ""),)
    shown = Shown(period.label, found)
    if asked.gap and not asked.every:
        from zerofactory.runs.evaluate_plan import cheapest_path  # the solver's libraries, only where the gap is asked

        distance = gap(found[0])
        shown = Shown(period.label, found, distance, cheapest_path(context, distance, period.year, asked.by))
    if asked.out is not None:
        asked.out.write_text(_content(shown, asked.out.suffix.lower()), encoding="utf-8")
    return shown


def _path_json(path: CheapestPath | Text | None) -> object:
    if isinstance(path, Text):
        return {"said": {"zh": path.zh, "en": path.en}}
    return None if path is None else {**path.as_json(), "said": {"zh": path.said.zh, "en": path.said.en}}


def _content(shown: Shown, suffix: str) -> str:
    if suffix == ".json":
        return json.dumps(shown.as_json(), ensure_ascii=False, indent=2) + "\n"
    if suffix == ".csv":
        return FINDINGS.frame([finding.row() for one in shown.evaluations for finding in one.findings]).write_csv()
    return "\n".join(markdown(one) for one in shown.evaluations)


def markdown(found: Evaluation) -> str:
    """Return an evaluation as a page in both languages."""
    titles = {criterion.id: criterion.title for criterion in found.book.criteria}
    lines = [f"# {found.book.title.zh} · {found.book.title.en} ({found.period})", ""]
    if found.score is not None:
        lines += [f"**{found.score.points:.2f} / {found.score.full:g}**", ""]
        lines += ["| 维度 | dimension | 得分 points | 可得 possible | 未定 undecided |", "|---|---|---:|---:|---:|"]
        lines += [
            f"| {d.title.zh} | {d.title.en} | {d.points:.2f} | {d.possible:g} | {d.undecided:g} |"
            for d in found.score.dimensions
        ]
        lines.append("")
    lines += [
        "| 条款 criterion | 内容 | what | 数值 value | 判定 verdict | 把握 sure | 得分 points |",
        "|---|---|---|---:|---|---:|---:|",
    ]
    for f in found.findings:
        value = "–" if f.value is None else f"{f.value:.5g} {f.unit or ''}".strip()
        sure = "" if f.confidence_fraction is None else f"{100 * f.confidence_fraction:.0f} %"
        points = "" if f.weight is None else f"{'–' if f.points is None else f'{f.points:.2f}'} / {f.weight:g}"
        title, verdict = titles[f.criterion], VERDICTS[f.verdict]
        lines.append(
            f"| `{f.criterion}` | {title.zh} | {title.en} | {value} | {verdict.zh} {verdict.en} | {sure} | {points} |"
        )
    return "\n".join([*lines, ""])


def gap_as_json(found: Gap) -> dict[str, object]:
    """Return a gap as plain JSON values."""
    return {
        "grade": found.grade.id if found.grade else None,
        "points_missing": found.points_missing,
        "needs": [_need_json(need) for need in found.needs],
        "missing": [
            {
                "criterion": one.criterion,
                "title": {"zh": one.title.zh, "en": one.title.en},
                "reason": {"zh": one.reason.zh, "en": one.reason.en},
            }
            for one in found.missing
        ],
    }


def _need_json(need: Need) -> Mapping[str, object]:
    lever = need.lever
    return {
        "criterion": need.criterion,
        "title": {"zh": need.title.zh, "en": need.title.en},
        "why": need.why,
        "value": need.value,
        "limit": {
            "indicator": need.limit.indicator,
            "value": need.limit.value,
            "unit": need.limit.unit,
            "direction": need.limit.direction,
        },
        "lever": None
        if lever is None
        else {"indicator": lever.indicator, "value": lever.value, "unit": lever.unit, "direction": lever.direction},
        "points": need.points,
    }
