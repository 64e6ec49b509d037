"""Charts as options of ECharts: one set of colours, units at the axes, readable in light, dark and on paper, with the figures as a table below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from nicegui import ui

PALETTE = ["#1a9a6c", "#3f86b8", "#c07d10", "#9467bd", "#d0453b", "#6b9a3a", "#80868b", "#dd6b20", "#2a97a5", "#a07845"]
TEXT, LINE, GRID = "var(--zf-text)", "var(--zf-line)", "var(--zf-grid)"
_AXIS = {
    "axisLabel": {"color": TEXT}, "nameTextStyle": {"color": TEXT}, "axisLine": {"lineStyle": {"color": LINE}},
    "axisTick": {"lineStyle": {"color": LINE}}, "splitLine": {"lineStyle": {"color": GRID}},
}  # fmt: skip
_LABEL = {"color": TEXT, "textBorderWidth": 0, "fontFamily": "inherit", "lineHeight": 16}
THEME: dict[str, object] = {
    "color": PALETTE, "backgroundColor": "transparent", "textStyle": {"color": TEXT, "fontFamily": "inherit"},
    "title": {"textStyle": {"color": TEXT}}, "legend": {"textStyle": {"color": TEXT}, "pageTextStyle": {"color": TEXT}},
    "categoryAxis": _AXIS, "valueAxis": _AXIS, "timeAxis": _AXIS,
    "radar": {"axisName": {"color": TEXT, "lineHeight": 16}, "splitArea": {"show": False}, "splitLine": {"lineStyle": {"color": GRID}}, "axisLine": {"lineStyle": {"color": GRID}}},
    "pie": {"label": _LABEL}, "sankey": {"label": _LABEL},
}  # fmt: skip
MOST_ROWS = 800
LEAST_SHOWN = 0.005  # share of a cost curve's width from which on a part sets the scale
Row = Sequence[object]


def bars(
    categories: Sequence[str], series: Mapping[str, Sequence[float]], unit: str, stacked: bool = False, title: str = ""
) -> ui.echart:
    """Return vertical bars, one colour a series."""
    drawn = [
        {"name": name, "type": "bar", "data": list(values), **({"stack": "all"} if stacked else {})}
        for name, values in series.items()
    ]
    options = {**_axes(categories, unit), "series": drawn, **_legend(len(series) > 1)}
    return _drawn(options, _name(title, unit, series), *_columns(categories, series))


def stacked(categories: Sequence[str], series: Mapping[str, Sequence[float]], unit: str, title: str = "") -> ui.echart:
    """Return horizontal bars, one below the other, the parts of each beside each other; names stay readable on a telephone."""
    drawn = [{"name": name, "type": "bar", "stack": "all", "data": list(values)[::-1]} for name, values in series.items()]  # fmt: skip
    options = {
        "grid": {"left": 8, "right": 24, "top": 40, "bottom": 28, "containLabel": True},
        "yAxis": {"type": "category", "data": list(categories)[::-1], "axisLabel": {"width": 110, "overflow": "break", "color": TEXT}},
        "xAxis": {"type": "value", "name": unit, "nameLocation": "middle", "nameGap": 24, "splitNumber": 3},
        "tooltip": {"trigger": "axis"}, "series": drawn, **_legend(True),
    }  # fmt: skip
    chart = _drawn(options, _name(title, unit, series), *_columns(categories, series))
    chart.classes(remove="h-72").style(f"height: {96 + 34 * len(categories)}px")
    return chart


def ranked(parts: Mapping[str, float], unit: str, most: int = 12, title: str = "") -> ui.echart:
    """Return horizontal bars of the largest parts, the largest on top."""
    shown = sorted(parts.items(), key=lambda pair: -abs(pair[1]))[:most][::-1]
    options: dict[str, object] = {
        "grid": {"left": 8, "right": 72, "top": 8, "bottom": 24, "containLabel": True},
        "yAxis": {"type": "category", "data": [name for name, _ in shown]},
        "xAxis": {"type": "value", "name": unit},
        "tooltip": {"trigger": "axis"},
        "series": [{"type": "bar", "data": [value for _, value in shown]}],
    }
    return _drawn(options, _name(title, unit, ()), ("", unit), shown[::-1])


def lines(
    categories: Sequence[str], series: Mapping[str, Sequence[float | None]], unit: str, title: str = ""
) -> ui.echart:
    """Return lines over categories; None breaks a line."""
    drawn = [
        {"name": name, "type": "line", "showSymbol": False, "data": list(values)} for name, values in series.items()
    ]
    options = {**_axes(categories, unit), "series": drawn, **_legend(len(series) > 1)}
    return _drawn(options, _name(title, unit, series), *_columns(categories, series))


def areas(
    categories: Sequence[str], series: Mapping[str, Sequence[float]], line: tuple[str, Sequence[float]], unit: str
) -> ui.echart:
    """Return stacked areas with a line over them: what is supplied, and what is needed."""
    drawn: list[dict[str, object]] = [
        {"name": name, "type": "line", "stack": "all", "showSymbol": False, "areaStyle": {"opacity": 0.75}, "lineStyle": {"width": 0}, "data": list(values)}
        for name, values in series.items()
    ]  # fmt: skip
    named, values = line
    drawn.append({"name": named, "type": "line", "showSymbol": False, "lineStyle": {"color": TEXT, "width": 2}, "itemStyle": {"color": TEXT}, "data": list(values)})  # fmt: skip
    options = {**_axes(categories, unit), "series": drawn, **_legend(True)}
    every = {**series, named: values}
    return _drawn(options, _name("", unit, every), *_columns(categories, every))


def shares(parts: Mapping[str, float], unit: str, title: str = "") -> ui.echart:
    """Return a ring of shares."""
    data = [{"name": name, "value": value} for name, value in parts.items()]
    ring = {
        "type": "pie",
        "radius": ["45%", "72%"],
        "data": data,
        "label": {"formatter": "{b}\n{d}%", **_LABEL},
        "minShowLabelAngle": 4,
    }
    options = {
        "series": [ring],
        "tooltip": {"trigger": "item", "valueFormatter": None, "formatter": "{b}: {c} " + unit},
    }
    return _drawn(options, _name(title, unit, ()), ("", unit), list(parts.items()))


def ranges(
    categories: Sequence[str],
    series: Mapping[str, Sequence[float | None]],
    bars_of: tuple[str, Sequence[float]],
    unit: str,
    title: str = "",
) -> ui.echart:
    """Return lines over bars: limits beside what is reached each year."""
    named, values = bars_of
    drawn: list[dict[str, object]] = [
        {"name": named, "type": "bar", "data": list(values), "itemStyle": {"opacity": 0.6}}
    ]
    drawn += [{"name": name, "type": "line", "showSymbol": False, "data": list(own)} for name, own in series.items()]
    every = {named: values, **series}
    options = {**_axes(categories, unit), "series": drawn, **_legend(True)}
    return _drawn(options, _name(title, unit, every), *_columns(categories, every))


def spans(rows: Sequence[tuple[str, int, int, int]], words: tuple[str, str], title: str = "") -> ui.echart:
    """Return a Gantt chart of years: each row is decided, starts, ends; ``words`` name the two stretches."""
    shown = list(rows)[::-1]
    first = min((decided for _, decided, _, _ in shown), default=0)
    last = max((ends for _, _, _, ends in shown), default=first + 1)
    stretches = (
        ("", [decided for _, decided, _, _ in shown], "transparent"),
        (words[0], [starts - decided for _, decided, starts, _ in shown], PALETTE[2]),
        (words[1], [ends - starts for _, _, starts, ends in shown], PALETTE[0]),
    )
    drawn = [
        {"name": name, "type": "bar", "stack": "all", "data": data, "barMaxWidth": 18, "itemStyle": {"color": color}, "silent": not name}
        for name, data, color in stretches
    ]  # fmt: skip
    options = {
        "grid": {"left": 8, "right": 24, "top": 32, "bottom": 8, "containLabel": True},
        "yAxis": {"type": "category", "data": [name for name, *_ in shown], "axisLabel": {"width": 300, "overflow": "truncate", "color": TEXT}},
        "xAxis": {"type": "value", "min": first, "max": last, "minInterval": 1, "axisLabel": {":formatter": "String", "showMaxLabel": False, "color": TEXT}, "position": "top"},
        "legend": {"data": list(words), "right": 8, "top": 0}, "series": drawn, "tooltip": {"show": False},
    }  # fmt: skip
    drawn_chart = _drawn(options, title, ("", words[0], words[1], "→"), [(n, d, s, e) for n, d, s, e in rows])
    drawn_chart.classes(remove="h-72").style(f"height: {60 + 26 * len(shown)}px")
    return drawn_chart


def steps(parts: Sequence[tuple[str, float, float]], units: tuple[str, str], title: str = "") -> ui.echart:
    """Return a cost curve: each part is as wide as what it saves and as high as what a unit of it costs; numbered from left."""
    drawn: list[dict[str, object]] = []
    marks, left, whole = [], 0.0, sum(width for _, width, _ in parts)
    wide = [height for _, width, height in parts if width >= LEAST_SHOWN * whole]
    low, high = 1.3 * min([*wide, 0.0]), 1.3 * max([*wide, 0.0])  # a sliver of any height must not flatten all others
    for place, (name, width, real) in enumerate(parts, start=1):
        height = min(max(real, low), high)
        corners = [[left, 0.0], [left, height], [left + width, height], [left + width, 0.0]]
        drawn.append(
            {"name": f"{place} {name}", "type": "line", "data": corners, "showSymbol": False, "triggerLineEvent": True,
             "lineStyle": {"width": 1}, "areaStyle": {"opacity": 0.7, "origin": 0}}
        )  # fmt: skip
        if width >= 2 * LEAST_SHOWN * whole:
            side = "top" if height >= 0 else "bottom"
            marks.append({"name": name, "value": [left + width / 2, height], "label": {"formatter": str(place), "position": side}})  # fmt: skip
        left += width
    label = {"show": True, "position": "top", "fontSize": 10, **_LABEL}
    drawn.append({"type": "scatter", "symbolSize": 1, "data": marks, "label": label, "itemStyle": {"color": TEXT}})
    options = {
        "grid": {"left": 8, "right": 24, "top": 40, "bottom": 28, "containLabel": True},
        "xAxis": {
            "type": "value",
            "name": units[0],
            "nameLocation": "middle",
            "nameGap": 26,
            "max": left,
            "axisLabel": {"showMaxLabel": False, "color": TEXT},
        },
        "yAxis": {"type": "value", "name": units[1]},
        "tooltip": {"trigger": "item", "formatter": "{a}"},
        "series": drawn,
    }
    told = [(f"{n} {name}", round(width, 1), round(height)) for n, (name, width, height) in enumerate(parts, start=1)]
    return _drawn(options, title or units[1], ("", *units), told)


def trade(points: Sequence[tuple[float, float]], units: tuple[str, str], marked: tuple[str, float, float]) -> ui.echart:
    """Return a front: what one thing costs in the other, with the point that stands today."""
    options = {
        "grid": {"left": 8, "right": 40, "top": 40, "bottom": 28, "containLabel": True},
        "xAxis": {"type": "value", "name": units[0], "nameLocation": "middle", "nameGap": 26, "scale": True},
        "yAxis": {"type": "value", "name": units[1], "scale": True},
        "tooltip": {"trigger": "item", "formatter": "{c}"},
        "series": [
            {"type": "line", "data": [list(point) for point in points], "symbolSize": 9},
            {"type": "scatter", "name": marked[0], "data": [[marked[1], marked[2]]], "symbolSize": 14,
             "label": {"show": True, "formatter": marked[0], "position": "top", **_LABEL}},
        ],
    }  # fmt: skip
    rows: list[Row] = [(f"{x:,.0f}", f"{y:,.0f}") for x, y in points]
    rows.append((f"{marked[1]:,.0f}", f"{marked[2]:,.0f} ({marked[0]})"))
    return _drawn(options, " / ".join(units), units, rows)


def radar(axes: Mapping[str, tuple[float, float]], unit: str, title: str = "") -> ui.echart:
    """Return a radar of points reached of points possible; each axis ends at what is possible."""
    indicator = [
        {"name": f"{name}\n{points:.1f} / {most:g}", "max": max(most, 1e-9)} for name, (points, most) in axes.items()
    ]
    data = [{"value": [round(points, 2) for points, _ in axes.values()], "areaStyle": {"opacity": 0.3}, "name": unit}]
    options = {
        "radar": {"indicator": indicator, "radius": "62%"},
        "series": [{"type": "radar", "data": data}],
        "tooltip": {},
    }
    rows = [(name, f"{points:.1f}", f"{most:g}") for name, (points, most) in axes.items()]
    return _drawn(options, _name(title, unit, ()), ("", unit, "max"), rows)


def intervals(rows: Sequence[tuple[str, float, float, float]], unit: str, title: str = "") -> ui.echart:
    """Return means with their intervals, one below the other, and a line at zero; each row is a name, the low end, mean and high end."""
    shown = list(rows)[::-1]
    drawn: list[dict[str, object]] = [
        {"type": "line", "data": [[low, place], [high, place]], "symbol": "rect", "symbolSize": [2, 14], "silent": True,
         "lineStyle": {"width": 3, "color": PALETTE[0] if high < 0 or low > 0 else PALETTE[6]}, "itemStyle": {"color": PALETTE[0] if high < 0 or low > 0 else PALETTE[6]}}
        for place, (_, low, _, high) in enumerate(shown)
    ]  # fmt: skip
    dots = [[mean, place] for place, (_, _, mean, _) in enumerate(shown)]
    drawn.append({"type": "scatter", "data": dots, "symbolSize": 10, "itemStyle": {"color": TEXT}})
    zero = {"silent": True, "symbol": "none", "label": {"show": False}, "lineStyle": {"color": LINE, "type": "dashed"}, "data": [{"xAxis": 0}]}  # fmt: skip
    drawn[-1]["markLine"] = zero
    options = {
        "grid": {"left": 8, "right": 24, "top": 8, "bottom": 28, "containLabel": True},
        "yAxis": {"type": "category", "data": [name for name, *_ in shown], "axisLabel": {"width": 150, "overflow": "truncate", "color": TEXT}},
        "xAxis": {"type": "value", "name": unit, "nameLocation": "middle", "nameGap": 24, "scale": True, "splitNumber": 3},
        "tooltip": {"show": False}, "series": drawn,
    }  # fmt: skip
    told = [(name, f"{mean:,.6g}", f"{low:,.6g} … {high:,.6g}") for name, low, mean, high in rows]
    chart = _drawn(options, _name(title, unit, ()), ("", unit, "…"), told)
    chart.classes(remove="h-72").style(f"height: {64 + 30 * len(shown)}px")
    return chart


def flows(links: Sequence[tuple[str, str, float]], unit: str, size: int = 12, title: str = "") -> ui.echart:
    """Return a Sankey of flows from left to right; nothing of zero is drawn."""
    kept = [(source, target, round(value, 1)) for source, target, value in links if value > 0.0]
    names = dict.fromkeys(name for source, target, _ in kept for name in (source, target))
    drawn = {
        "type": "sankey", "data": [{"name": name} for name in names], "emphasis": {"focus": "adjacency"}, "nodeGap": 10,
        "links": [{"source": s, "target": t, "value": v} for s, t, v in kept], "lineStyle": {"color": "gradient", "opacity": 0.45},
        "label": {**_LABEL, "fontSize": size}, "labelLayout": {"hideOverlap": True}, "left": 8, "right": 8 * size, "top": 8, "bottom": 8,
    }  # fmt: skip
    options = {"series": [drawn], "tooltip": {"trigger": "item", "valueFormatter": None}}
    return _drawn(options, _name(title, unit, ()), ("", "→", unit), [(s, t, f"{v:,}") for s, t, v in kept])


def _axes(categories: Sequence[str], unit: str) -> dict[str, object]:
    return {
        "grid": {"left": 8, "right": 16, "top": 56, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "category", "data": list(categories)},
        "yAxis": {"type": "value", "name": unit},
        "tooltip": {"trigger": "axis"},
    }


def _legend(shown: bool) -> dict[str, object]:
    return {"legend": {"type": "scroll", "top": 0, "right": 8}} if shown else {}


def _name(title: str, unit: str, series: Mapping[str, object] | Sequence[str]) -> str:
    said = ", ".join(name for name in series if name)
    return f"{title or said} ({unit})".strip()


def _columns(
    categories: Sequence[str], series: Mapping[str, Sequence[float | None]]
) -> tuple[tuple[str, ...], list[Row]]:
    places = range(len(categories))
    rows: list[Row] = [
        (categories[place], *("—" if (v := own[place]) is None else f"{v:,}" for own in series.values()))
        for place in places
    ]
    return ("", *series), rows


def _drawn(options: Mapping[str, object], name: str, head: Sequence[str], rows: Sequence[Row]) -> ui.echart:
    """Draw a chart with a name for a screen reader, and its figures as a table that opens below it."""
    aria = {"enabled": True, "label": {"enabled": True, "description": name}}
    chart = ui.echart({"aria": aria, "animation": False, **options}, renderer="svg", theme=THEME)
    chart.classes("w-full h-72")
    titles = "".join(f'<th scope="col">{escape(str(one))}</th>' for one in head)
    lines_ = "".join(
        f'<tr><th scope="row">{escape(str(row[0]))}</th>{"".join(f"<td>{escape(str(one))}</td>" for one in row[1:])}</tr>'
        for row in rows[:MOST_ROWS]
    )
    words = '<span class="zf-zh" lang="zh-CN">数据表</span><span class="zf-en" lang="en">Figures as a table</span>'
    ui.html(
        f'<details class="zf-data"><summary>{words}<span style="position:absolute;left:-9999px"> {escape(name)}</span></summary><div tabindex="0"><table><thead><tr>{titles}</tr></thead><tbody>{lines_}</tbody></table></div></details>',
        sanitize=False,
    ).classes("w-full")  # fmt: skip
    return chart
