"""Charts as options of ECharts: the same colours, units in the axis title, readable in light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nicegui import ui

PALETTE = ["#0b6e4f", "#2d6a8e", "#c98a1b", "#7a4e9e", "#b3261e", "#5b8c5a", "#8a8d91", "#d0702a", "#3c9ca8", "#a2865b"]


def bars(
    categories: Sequence[str], series: Mapping[str, Sequence[float]], unit: str, stacked: bool = False
) -> ui.echart:
    """Return vertical bars, one colour a series."""
    drawn = [
        {"name": name, "type": "bar", "data": list(values), **({"stack": "all"} if stacked else {})}
        for name, values in series.items()
    ]
    return _drawn({**_axes(categories, unit), "series": drawn, **_legend(len(series) > 1)})


def ranked(parts: Mapping[str, float], unit: str, most: int = 12) -> ui.echart:
    """Return horizontal bars of the largest parts, the largest on top."""
    shown = sorted(parts.items(), key=lambda pair: -abs(pair[1]))[:most][::-1]
    options: dict[str, object] = {
        "grid": {"left": 8, "right": 48, "top": 8, "bottom": 24, "containLabel": True},
        "yAxis": {"type": "category", "data": [name for name, _ in shown]},
        "xAxis": {"type": "value", "name": unit},
        "tooltip": {"trigger": "axis"},
        "series": [{"type": "bar", "data": [value for _, value in shown]}],
    }
    return _drawn(options)


def lines(categories: Sequence[str], series: Mapping[str, Sequence[float | None]], unit: str) -> ui.echart:
    """Return lines over categories; None breaks a line."""
    drawn = [
        {"name": name, "type": "line", "showSymbol": False, "data": list(values)} for name, values in series.items()
    ]
    return _drawn({**_axes(categories, unit), "series": drawn, **_legend(len(series) > 1)})


def shares(parts: Mapping[str, float], unit: str) -> ui.echart:
    """Return a ring of shares."""
    data = [{"name": name, "value": value} for name, value in parts.items()]
    ring = {
        "type": "pie",
        "radius": ["45%", "72%"],
        "data": data,
        "label": {"formatter": "{b}\n{d}%"},
        "minShowLabelAngle": 4,
    }
    return _drawn(
        {"series": [ring], "tooltip": {"trigger": "item", "valueFormatter": None, "formatter": "{b}: {c} " + unit}}
    )


def _axes(categories: Sequence[str], unit: str) -> dict[str, object]:
    return {
        "grid": {"left": 8, "right": 16, "top": 40, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "category", "data": list(categories)},
        "yAxis": {"type": "value", "name": unit},
        "tooltip": {"trigger": "axis"},
    }


def _legend(shown: bool) -> dict[str, object]:
    return {"legend": {"type": "scroll", "top": 4, "right": 8}} if shown else {}


def _drawn(options: dict[str, object]) -> ui.echart:
    return ui.echart(
        {"color": PALETTE, "textStyle": {"fontFamily": "inherit"}, "aria": {"enabled": True}, **options}
    ).classes("w-full h-72")


def ranges(
    categories: Sequence[str], series: Mapping[str, Sequence[float | None]], bars_of: Sequence[float], unit: str
) -> ui.echart:
    """Return lines over bars: a path beside what is done each year."""
    drawn: list[dict[str, object]] = [
        {"name": unit, "type": "bar", "data": list(bars_of), "itemStyle": {"opacity": 0.5}}
    ]
    drawn += [
        {"name": name, "type": "line", "showSymbol": False, "data": list(values)} for name, values in series.items()
    ]
    return _drawn({**_axes(categories, unit), "series": drawn, **_legend(True)})


def radar(axes: Mapping[str, tuple[float, float]], unit: str) -> ui.echart:
    """Return a radar of points reached of points possible."""
    indicator = [{"name": name, "max": max(most, 1e-9)} for name, (_, most) in axes.items()]
    data = [{"value": [round(points, 2) for points, _ in axes.values()], "areaStyle": {"opacity": 0.3}, "name": unit}]
    return _drawn(
        {"radar": {"indicator": indicator, "radius": "68%"}, "series": [{"type": "radar", "data": data}], "tooltip": {}}
    )


def flows(links: Sequence[tuple[str, str, float]], unit: str) -> ui.echart:
    """Return a Sankey of flows from left to right; nothing of zero is drawn."""
    kept = [(source, target, value) for source, target, value in links if value > 0.0]
    names = dict.fromkeys(name for source, target, _ in kept for name in (source, target))
    drawn = {
        "type": "sankey", "data": [{"name": name} for name in names], "emphasis": {"focus": "adjacency"}, "nodeGap": 10,
        "links": [{"source": s, "target": t, "value": round(v, 3)} for s, t, v in kept], "lineStyle": {"color": "gradient", "opacity": 0.45},
    }  # fmt: skip
    return _drawn(
        {
            "series": [drawn],
            "tooltip": {"trigger": "item", "valueFormatter": None},
            "title": {"text": unit, "right": 8, "textStyle": {"fontSize": 11}},
        }
    )
