"""The threshold of an inspection that costs least: scores of parts whose truth is known, against what wrong decisions are worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from zerofactory.connectors.tabular import read_table
from zerofactory.errors import FaultyData, Misuse, NotFound, Problem, Text
from zerofactory.metering.cells import numbers, texts
from zerofactory.metering.inspected import DEFECTS, standing
from zerofactory.optimisation.quality.decision import Operating, Prices, Scores, at, best, curve
from zerofactory.runs.context import Context
from zerofactory.runs.inspect_model import load, names
from zerofactory.runs.scrap import Asked, gathered, losses_of
from zerofactory.runs.scrap_defects import part_of
from zerofactory.runs.scrap_file import GUIDE, NAME, Given, read
from zerofactory.runs.scrap_plan import plan_of, weights_of
from zerofactory.runs.scrap_value import each_of, seen_of

OBJECTIVES = ("cny", "kgco2e")
POINTS = 60
SCORE, LABEL = ("score", "得分"), ("label", "类别", "真值")


@dataclass(frozen=True, slots=True)
class Judged:
    """Whose threshold.

    Parameters
    ----------
    part : of quality.toml: its losses say what decisions cost.
    scores : a table with columns score and label (``good`` is the label of good parts); parts the model had not learned from. None takes
        the parts of the book that the newest version of ``model`` scored and an inspector judged.
    model : its present threshold is put beside; None: ``present``.
    defective_fraction : of the parts inspected; None takes the share of the period's counts, or that of the parts of the book.
    """

    part: str
    scores: Path | None = None
    good: str = "ok"
    model: str | None = None
    present: float | None = None
    defective_fraction: float | None = None


@dataclass(frozen=True)
class Chosen:
    """By objective the threshold of least cost, the present one, the curve, and what decisions cost.

    ``defective_from``: counts of the period, audit (parts of the book, those passed counted by chance) or asked.
    """

    judged: Judged
    given: Given
    defective_fraction: float
    defective_from: str
    prices: Mapping[str, Prices]
    best: Mapping[str, Operating]
    present: Mapping[str, Operating]
    curves: Mapping[str, tuple[tuple[float, float], ...]]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values; costs are of a thousand parts."""
        return {
            "part": self.judged.part, "defective_fraction": self.defective_fraction, "defective_from": self.defective_from,
            "prices": {name: {"escape": one.escape, "found": one.found, "false_reject": one.false_reject} for name, one in self.prices.items()},
            "best": {name: one.as_json() for name, one in self.best.items()},
            "present": {name: one.as_json() for name, one in self.present.items()},
            "curves": {name: [{"threshold": t if np.isfinite(t) else None, "cost": cost} for t, cost in rows] for name, rows in self.curves.items()},
        }  # fmt: skip


def run(context: Context, asked: Asked, judged: Judged) -> Chosen:
    """Return the threshold of least cost in CNY and in kg of CO2e.

    Raises
    ------
    FaultyData
        Faults of the scores, of quality.toml (a part without stages or false_reject), or an escape that costs less than a part found.
    NotFound
        No such part or model.
    """
    given = read(context)
    if judged.part not in given.parts:
        raise NotFound(Text("零件", "part"), judged.part, tuple(given.parts))
    scores = scores_of_book(context, judged) if judged.scores is None else scores_of_file(judged.scores, judged.good)
    defects, _, _ = gathered(context, given, asked.period, asked.file)
    plan, weights = plan_of(context, given), weights_of(context, given, asked.period.year)
    losses_of(defects, given, plan)
    seen = next(one for one in seen_of(context, given, asked, defects) if one.entry.id == judged.part)
    each = each_of(seen, given, plan, weights)
    if each.escape is None or each.false_reject is None:
        raise FaultyData([_incomplete(judged.part)])
    total = seen.good + seen.scrap
    share, source = min(1.0, (seen.scrap + seen.rework) / total), "counts"
    if judged.scores is None:
        share, source = scores.defective_fraction, "audit"
    if judged.defective_fraction is not None:
        share, source = judged.defective_fraction, "asked"
    prices = {name: Prices(share, getattr(each.escape, name), getattr(each.found, name), getattr(each.false_reject, name)) for name in OBJECTIVES}  # fmt: skip
    present = _present(context, judged)
    found, beside, curves = {}, {}, {}
    for name, one in prices.items():
        try:
            found[name] = best(scores, one, asked.confidence)
        except Misuse:
            continue
        curves[name] = _thinned(tuple(curve(scores, one)))
        if present is not None:
            beside[name] = at(present, scores, one, asked.confidence)
    return Chosen(judged, given, share, source, prices, found, beside, curves)


def scores_of_file(path: Path, good_label: str) -> Scores:
    """Return the scores of good and of bad parts of a table; raise `FaultyData` with every row that is none."""
    frame, name = read_table(path), path.name
    named = {header.strip(): header for header in frame.columns}
    heads = [next((named[word] for word in words if word in named), None) for words in (SCORE, LABEL)]
    missing = [words[0] for words, head in zip((SCORE, LABEL), heads, strict=True) if head is None]
    if heads[0] is None or heads[1] is None:
        raise FaultyData([_fault("missing_column", Text(f"缺少“{one}”列。", f"The column '{one}' is missing."), name, 1) for one in missing])  # fmt: skip
    values, labels = numbers(frame[heads[0]]), texts(frame[heads[1]])
    problems = [_fault("score", Text("不是得分。", "This is no score."), name, place + 2) for place, value in enumerate(values) if value is None]  # fmt: skip
    problems += [_fault("label", Text("没有写类别。", "No label is stated."), name, place + 2) for place, label in enumerate(labels) if label is None]  # fmt: skip
    fine = (labels == good_label).fill_null(False)
    good, bad = (values.filter(keep).drop_nulls().to_numpy().astype(np.float64) for keep in (fine, ~fine))
    if not problems and not (len(good) and len(bad)):
        problems.append(_one_class(len(good), len(bad), name))
    if problems:
        raise FaultyData(problems)
    return Scores.of(good, bad)


def models(context: Context, given: Given) -> dict[str, str]:
    """Return the models whose verdicts stand in the book beside an inspector's, and the part that most of those verdicts are of."""
    rows = standing(context.workspace.journal.active(DEFECTS).drop("reverses"))
    looked = rows.filter((pl.col("decided_by") == "inspector") & pl.col("model").is_not_null() & pl.col("score").is_not_null())  # fmt: skip
    counts: dict[str, dict[str, int]] = {}
    for model, product, station, number in looked.group_by("model", "product", "station").len().iter_rows():
        part = part_of(given, context.workspace.plant, product, station)
        if part is not None:
            own = counts.setdefault(model, {})
            own[part] = own.get(part, 0) + number
    return {model: max(sorted(own), key=lambda part: own[part]) for model, own in sorted(counts.items())}


def scores_of_book(context: Context, judged: Judged) -> Scores:
    """Return the parts of the book that a model scored and an inspector judged, each standing for those nobody looked at.

    Rejected parts stand for the rejected, parts passed and drawn at random for the passed (Begg, Greenes 1983, doi 10.2307/2530820);
    passed parts that were looked at because the model was unsure are left out, as they would count escapes twice.
    """
    if judged.model is None:
        raise FaultyData([_no_scores()])
    rows = _scored(context, judged.model)
    passed = pl.col("score") <= pl.col("threshold")
    looked = (pl.col("decided_by") == "inspector") & pl.col("disposition").is_in(["accept", "rework", "scrap"])
    parts = []
    for stratum, chosen in ((rows.filter(passed), looked & pl.col("audit")), (rows.filter(~passed), looked)):
        seen = stratum.filter(chosen)
        weight = stratum.height / seen.height if seen.height else 0.0
        parts.append(
            seen.select("score", (pl.col("disposition") == "accept").alias("fine"), pl.lit(weight).alias("weight"))
        )
    found = pl.concat(parts)
    good, bad = found.filter("fine"), found.filter(~pl.col("fine"))
    if not (good.height and bad.height):
        raise FaultyData([_one_class(good.height, bad.height, DEFECTS.name)])
    return Scores(*(frame[name].to_numpy().astype(np.float64) for name in ("score", "weight") for frame in (good, bad)))


def _present(context: Context, judged: Judged) -> float | None:
    """Return the threshold that is put beside: what is asked, the model's card, or (its files are gone) that of its newest row."""
    if judged.present is not None or judged.model is None:
        return judged.present
    if judged.model in names(context.workspace.folder) or judged.scores is not None:
        return load(context.workspace.folder, judged.model).card.threshold
    return float(_scored(context, judged.model).sort("inspected_at")["threshold"].to_list()[-1])


def _scored(context: Context, model: str) -> pl.DataFrame:
    """Return the rows that stand of the newest version of a model."""
    rows = standing(context.workspace.journal.active(DEFECTS).drop("reverses"))
    rows = rows.filter((pl.col("model") == model) & pl.col("score").is_not_null() & pl.col("threshold").is_not_null())
    return rows.filter(pl.col("model_version") == pl.col("model_version").max())


def _one_class(good: int, bad: int, file: str) -> Problem:
    message = Text(f"只有一类: 合格 {good} 件, 缺陷 {bad} 件。", f"One class only: {good} good, {bad} bad.")
    return _fault("one_class", message, file, None)


def _no_scores() -> Problem:
    message = Text("没有给得分表, 也没有给模型。", "Neither a table of scores nor a model is given.")
    hint = Text("请给 --scores 文件, 或 --model 名称(取账本的检验记录)。", "Give --scores FILE, or --model NAME (inspected parts of the book).")  # fmt: skip
    return Problem("scrap.no_scores", message, hint)


def _thinned(rows: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    """Return at most so many points of a curve, both ends kept."""
    if len(rows) <= POINTS:
        return rows
    places = sorted({round(place * (len(rows) - 1) / (POINTS - 1)) for place in range(POINTS)})
    return tuple(rows[place] for place in places)


def _incomplete(part: str) -> Problem:
    message = Text(f"“{part}”没有写 stages 或 false_reject, 不知道错判的代价。", f"'{part}' states no stages or no false_reject: what wrong decisions cost is not known.")  # fmt: skip
    return Problem("scrap.no_costs", message, GUIDE, file=NAME, column=f"parts[{part}]")


def _fault(code: str, message: Text, file: str, row: int | None) -> Problem:
    hint = Text("列为 score(得分)与 label(类别, 合格写 ok)。", "Columns are score and label (ok for good ones).")
    return Problem(f"scrap.{code}", message, hint, file=file, row=row)
