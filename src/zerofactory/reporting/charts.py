"""Charts of a statement as SVG with real text: category shares, location against market, shops, months.

One palette for all: greens are direct emissions, ambers imported energy, violets other indirect emissions. Labels stay
text (the page sets them in its own typeface), so a chart can be searched and read aloud. The same statement gives the
same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, MaxNLocator

from zerofactory.errors import Language, Text
from zerofactory.reporting.figures import GRAMS_PER_TONNE, percent, tonnes
from zerofactory.reporting.ink import INK, MUTED, RULE, pen
from zerofactory.reporting.statement import Cell, Line, Statement

SHADES: dict[int | None, tuple[str, ...]] = {
    1: ("#0f5257", "#1f8a84", "#63b5a5", "#a9d6c5", "#d5ebe1"),
    2: ("#d9822b", "#f0b75e", "#f7d9a3"),
    3: ("#5a4e8c", "#8478b0", "#aea6cd", "#d3cfe4"),
    None: ("#7d8b92", "#a9b4b9", "#cfd6d9"),
}
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_SIZE = 8.5
_THIN_SHORTFALL_EM = 0.05
_LEGEND_LETTERS = 105  # of the legend's size across a page


def colours(statement: Statement) -> dict[str, str]:
    """Return one colour per category, the same on every chart and in every table."""
    taken: dict[int | None, int] = {}
    chosen: dict[str, str] = {}
    for category in statement.categories:
        shades = SHADES.get(category.scope, SHADES[None])
        chosen[category.key] = shades[taken.get(category.scope, 0) % len(shades)]
        taken[category.scope] = taken.get(category.scope, 0) + 1
    return chosen


def draw(statement: Statement, language: Language) -> dict[str, str]:
    """Return ``{name: svg}`` of the charts the statement has figures for: categories, regimes, shops, months."""
    with pen():
        charts = {"categories": _categories(statement, language), "regimes": _regimes(statement, language)}
        if statement.shops:
            charts["shops"] = _shops(statement, language)
        if len(statement.months) > 1:
            charts["months"] = _months(statement, language)
    return charts


def _plain(text: Text, language: Language) -> str:
    return text.in_language(language).translate(_SUBSCRIPTS)


def _tonnes(grams: int) -> float:
    return grams / GRAMS_PER_TONNE


def _spare_inches(labels: Sequence[str]) -> float:
    """Room for the longest label: the layout measures Latin letters in the thinnest instance, which is narrower."""
    latin = max((sum(character < "\u2e80" for character in label) for label in labels), default=0)
    return latin * _THIN_SHORTFALL_EM * _SIZE / 72


def _canvas(width_inches: float, height_inches: float, labels: Sequence[str] = ()) -> tuple[Figure, Axes]:
    room = _spare_inches(labels) / width_inches
    layout = ConstrainedLayoutEngine(rect=(room, 0, 1 - room, 1))
    figure = Figure(figsize=(width_inches, height_inches), layout=layout)
    axes = figure.add_subplot()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0)
    return figure, axes


def _svg(figure: Figure) -> str:
    stream = io.StringIO()
    figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def _value_axis(axes: Axes, along: str) -> None:
    axis = axes.xaxis if along == "x" else axes.yaxis
    axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _position: f"{value:,.0f}"))
    axes.grid(axis="x" if along == "x" else "y", color=RULE, linewidth=0.7)
    axes.tick_params(axis="x" if along == "x" else "y", labelcolor=MUTED, labelsize=7.5)


def _categories(statement: Statement, language: Language) -> str:
    """Horizontal bars of the quantified categories, largest shares readable at a glance."""
    lines = [line for line in statement.categories if line.emissions_gco2e]
    titles = [f"{line.key}  {_plain(line.title, language)}" for line in lines]
    figure, axes = _canvas(6.9, 0.5 + 0.3 * max(len(lines), 2), titles)
    chosen = colours(statement)
    amounts = [_tonnes(line.emissions_gco2e or 0) for line in lines]
    axes.barh(range(len(lines)), amounts, color=[chosen[line.key] for line in lines], height=0.66)
    axes.set_yticks(range(len(lines)), titles)
    axes.invert_yaxis()
    room = max(amounts, default=1.0) * 0.01
    for place, (line, amount) in enumerate(zip(lines, amounts, strict=True)):
        label = f"{tonnes(line.emissions_gco2e)}  ({percent(line.share_fraction)})"
        axes.text(max(amount, 0) + room, place, label, va="center", fontsize=8, color=INK)
    axes.set_xlim(min(0.0, *amounts, 0.0), max(amounts, default=1.0) * 1.3)
    _value_axis(axes, "x")
    return _svg(figure)


def _regimes(statement: Statement, language: Language) -> str:
    """One bar per electricity regime, split into what the regime changes and what it does not."""
    figure, axes = _canvas(3.3, 2.2)
    rest = Text("其余类别", "Other categories")
    energy = Text("输入能源", "Imported energy")
    for place, line in enumerate(statement.regimes):
        other = _tonnes(line.total_gco2e - line.electricity_gco2e)
        axes.bar(place, other, color=SHADES[1][1], width=0.5, label=_plain(rest, language) if place == 0 else None)
        axes.bar(
            place,
            _tonnes(line.electricity_gco2e),
            bottom=other,
            color=SHADES[2][0],
            width=0.5,
            label=_plain(energy, language) if place == 0 else None,
        )
        axes.annotate(
            tonnes(line.total_gco2e),
            (place, _tonnes(line.total_gco2e)),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            weight=700,
        )
    axes.set_xticks(range(len(statement.regimes)), [_plain(line.title, language) for line in statement.regimes])
    axes.set_xlim(-0.6, max(len(statement.regimes), 2) - 0.4)
    axes.margins(y=0.12)
    axes.tick_params(axis="x", labelcolor=INK)
    _value_axis(axes, "y")
    figure.legend(loc="outside lower center", ncols=2, handlelength=1, handleheight=1)
    return _svg(figure)


def _shops(statement: Statement, language: Language) -> str:
    """Horizontal bars by shop, stacked by category where the cells are known."""
    lines = statement.shops
    titles = [_plain(line.title, language) for line in lines]
    figure, axes = _canvas(6.9, 0.95 + 0.3 * len(lines), titles)
    _stack(axes, statement, (lines, statement.shop_categories), language, horizontal=True)
    axes.set_yticks(range(len(lines)), titles)
    axes.invert_yaxis()
    largest = max((_tonnes(line.emissions_gco2e) for line in lines), default=1.0)
    for place, line in enumerate(lines):
        label = f"{tonnes(line.emissions_gco2e)}  ({percent(line.share_fraction)})"
        axes.text(_tonnes(line.emissions_gco2e) + largest * 0.01, place, label, va="center", fontsize=8, color=INK)
    axes.set_xlim(0, largest * 1.25)
    _value_axis(axes, "x")
    _legend(figure)
    return _svg(figure)


def _months(statement: Statement, language: Language) -> str:
    """Columns by month, stacked by category where the cells are known."""
    lines = statement.months
    figure, axes = _canvas(6.9, 2.9)
    _stack(axes, statement, (lines, statement.month_categories), language, horizontal=False)
    axes.set_xticks(range(len(lines)), [_plain(line.title, language) for line in lines])
    axes.tick_params(axis="x", labelcolor=INK)
    axes.margins(x=0.02)
    _value_axis(axes, "y")
    _legend(figure)
    return _svg(figure)


def _stack(
    axes: Axes,
    statement: Statement,
    table: tuple[Sequence[Line], Sequence[Cell]],
    language: Language,
    *,
    horizontal: bool,
) -> None:
    """Stack the categories of each line; without cells draw the plain totals."""
    lines, cells = table
    amounts = {(cell.row, cell.column): _tonnes(cell.emissions_gco2e) for cell in cells}
    places, ends = list(range(len(lines))), [0.0] * len(lines)
    layers = [
        (
            f"{category.key} {_plain(category.title, language)}",
            colour,
            [amounts.get((line.key, category.key), 0.0) for line in lines],
        )
        for category, colour in zip(statement.categories, colours(statement).values(), strict=True)
        if any(cell.column == category.key and cell.emissions_gco2e for cell in cells)
    ]
    for title, colour, parts in layers or [("", SHADES[1][1], [_tonnes(line.emissions_gco2e) for line in lines])]:
        if horizontal:
            axes.barh(places, parts, left=ends, color=colour, height=0.66, label=title)
        else:
            axes.bar(places, parts, bottom=ends, color=colour, width=0.66, label=title)
        ends = [end + part for end, part in zip(ends, parts, strict=True)]


def _letters(title: str) -> int:
    """How many Latin letters a title is wide; a Chinese character counts two."""
    return sum(2 if letter >= "\u2e80" else 1 for letter in title)


def _legend(figure: Figure) -> None:
    handles, titles = figure.axes[0].get_legend_handles_labels()
    if any(titles):
        spare = _spare_inches(titles) * 72 / _SIZE
        figure.legend(
            handles,
            titles,
            loc="outside lower center",
            ncols=max(1, min(4, _LEGEND_LETTERS // (max(map(_letters, titles)) + 6))),
            handlelength=1,
            handleheight=1,
            columnspacing=1.2 + spare,
        )
