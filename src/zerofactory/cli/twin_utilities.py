"""The utilities beside the twin of a line, as tables: what each takes and wastes, and what is told beside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zerofactory.cli.language import read, say
from zerofactory.cli.output import print_line, print_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zerofactory.errors import Text
    from zerofactory.optimisation.twin.statistics import Interval
    from zerofactory.runs.twin_utilities import Around
    from zerofactory.runs.twin_utilities_fit import Found
    from zerofactory.runs.twin_utilities_meters import Figure, Seen, Tuned
    from zerofactory.runs.twin_utilities_states import Hours

APART = 0.02  # of the hours or the total: less is not worth a line
UNITS = {"electricity": "kWh", "natural_gas": "Nm³", "compressed_air": "Nm³", "water": "m³", "heat": "kWh"}


def show(found: Around | None, names_of_stations: Mapping[str, str]) -> None:
    """Print what the utilities take, largest first in their own order, every remark that is not nothing, and what they stopped."""
    if found is None:
        return
    names = {"electricity": say("电", "electricity"), "natural_gas": say("天然气", "gas"), "heat": say("热力", "heat"), "water": say("水", "water")}  # fmt: skip
    rows = [
        (read(one.title), names.get(carrier, carrier), f"{amount.mean:,.0f}", f"{one.wasted[carrier].mean:,.0f}", UNITS[carrier])
        for one in found.utilities
        for carrier, amount in one.energy.items()
    ]  # fmt: skip
    if rows:
        print_table(
            say("公用动力与厂房", "utilities and buildings"),
            [(say("设施", "utility"), "left"), (say("载能", "carrier"), "left"), (say("用量", "takes"), "right"), (say("其中不在生产时", "of it making nothing"), "right"), (say("单位", "unit"), "left")],
            rows,
        )  # fmt: skip
    told = [(read(one.title), f"{one.value.mean:,.1f}", one.unit, "!" if one.alarming else "") for one in found.remarks if one.alarming or one.value.mean]  # fmt: skip
    if told:
        print_table(
            say("公用动力: 另外要知道的", "utilities: what else to know"),
            [("", "left"), (say("均值", "mean"), "right"), (say("单位", "unit"), "left"), ("", "left")],
            told,
        )
    _show_stopped(found, names_of_stations)
    if found.origin is not None:
        n, first, last = found.origin
        print_line(say(f"其中 {n} 个数取自 utilities.fitted.csv({first} 至 {last} 的读数)。", f"{n} of the figures are from utilities.fitted.csv (readings of {first} to {last})."))  # fmt: skip
    if found.status == "placeholder":
        print_line(say("utilities.toml 的数是设定值, 请用铭牌与读数替换。", "The figures of utilities.toml are placeholders: replace them by name plates and readings."))  # fmt: skip


def _show_stopped(found: Around, names: Mapping[str, str]) -> None:
    """Print which stations stood still for want of what, how long, and the pieces that it cost."""
    if found.stopped is None or not found.stopped.causes:
        return
    rows = [
        (read(cause.title), names.get(one.station, one.station), _spread(one.open_h, 1), _spread(cause.pieces, 0) if place == 0 else "")
        for cause in found.stopped.causes
        for place, one in enumerate(cause.stations)
    ]  # fmt: skip
    print_table(
        say("因供不足而停的工位", "stations stopped for want of"),
        [(say("缺", "what"), "left"), (say("工位", "station"), "left"), (say("少开 h", "open h lost"), "right"), (say("少做 件", "pieces lost"), "right")],
        rows,
    )  # fmt: skip
    if found.stopped.unsettled:
        print_line(say(f"{found.stopped.unsettled} 次重复没有收敛: 仍有供不足, 停线偏少。", f"{found.stopped.unsettled} replications did not settle: something is still short, too little stands still."))  # fmt: skip


def _spread(value: Interval, digits: int) -> str:
    return f"{value.mean:,.{digits}f} ± {value.half:,.{digits}f}"


def show_fits(found: Sequence[Found]) -> None:
    """Print what readings tell of the utilities beside what utilities.toml says."""
    if not found:
        return
    rows = [
        (read(one.title), f"{one.figure.mean:,.1f}", f"{one.figure.low:,.1f} … {one.figure.high:,.1f}", f"{one.stated:,.1f}", one.unit,
         "–" if one.r2_fraction is None else f"{one.r2_fraction:.2f}", say("采用", "taken") if one.keys else say("只供参考", "told only"))
        for one in found
    ]  # fmt: skip
    print_table(
        say("公用动力: 读数说明的", "utilities: what readings tell"),
        [("", "left"), (say("读数", "readings"), "right"), (say("95 % 区间", "95 % interval"), "right"), (say("文件", "file"), "right"), (say("单位", "unit"), "left"), ("R²", "right"), (say("--write 时", "with --write"), "left")],
        rows,
    )  # fmt: skip


def _escape(text: str) -> str:
    """Return a text as it is to be read: brackets in names are no markup."""
    from rich.markup import escape as escaped

    return escaped(text)


def show_meters(found: Tuned | None) -> None:
    """Print how the meters of the utilities are met before and after the fit, the figures that changed, and what no reading tells."""
    if found is None:
        return
    if found.seen:
        _show_seen(found.seen)
        _show_by_shifts(found)
    _show_figures(found.figures)
    for note in found.notes:
        print_line(_escape(read(note)))


def _show_seen(found: Sequence[Seen]) -> None:
    held = any(one.held_out is not None for one in found)
    rows = []
    for one in found:
        row = [
            _few(one.gauge.meters), f"{sum(one.fitted.measured):,.0f}", f"{one.fitted.total_error('stated'):+.1%}",
            f"{one.fitted.total_error('fitted'):+.1%}", f"{one.in_turn.mean_error('stated'):.1%}", f"{one.in_turn.mean_error('fitted'):.1%}",
        ]  # fmt: skip
        if held and one.held_out is not None:
            row += [f"{one.held_out.total_error('stated'):+.1%}", f"{one.held_out.total_error('fitted'):+.1%}"]
        rows.append(row)
    header = [
        (say("表计", "meter"), "left"), (say("实测", "measured"), "right"), (say("文件", "file"), "right"), (say("拟合", "fit"), "right"),
        (say("逐月留出: 文件", "in turn: file"), "right"), (say("拟合", "fit"), "right"),
    ]  # fmt: skip
    if held:
        header += [(say("留出月: 文件", "held out: file"), "right"), (say("拟合", "fit"), "right")]
    print_table(say("公用动力与表计: 模型与实测之差", "utilities and their meters: model over measured"), header, rows)
    print_line(say("逐月留出: 每个月由其他月份的拟合来预测, 各月偏差绝对值之和占实测的份额。", "In turn: each month is predicted by a fit to the others; the sum of what months are missed by, over what was measured."))  # fmt: skip


def _show_by_shifts(found: Tuned) -> None:
    """Print how the meters are met by the shifts of the calendar, which a simulation follows, where stations were on for other hours."""
    other = [one for one in found.hours if abs(one.seen_h - one.shifts_h) > APART * max(one.seen_h, one.shifts_h)]
    rows = [
        (_few(one.gauge.meters), f"{one.fitted.total_error('fitted'):+.1%}", f"{one.by_shifts.total_error('stated'):+.1%}",
         f"{one.by_shifts.total_error('fitted'):+.1%}")
        for one in found.seen
        if abs(one.by_shifts.total_error("fitted") - one.fitted.total_error("fitted")) > APART
    ]  # fmt: skip
    if not other or not rows:
        return
    print_table(
        say("同样的月份按日历的班次来跑: 模型与实测之差", "the same months run by the shifts of the calendar: model over measured"),
        [(say("表计", "meter"), "left"), (say("按实际开停: 拟合", "by what was on: fit"), "right"), (say("按班次: 文件", "by shifts: file"), "right"), (say("按班次: 拟合", "by shifts: fit"), "right")],
        rows,
    )  # fmt: skip
    for (seen_h, shifts_h), names in _alike(other).items():
        zh, en = _escape("、".join(one.zh for one in names)), _escape(", ".join(one.en for one in names))
        print_line(say(f"{zh}: 表计显示开机 {seen_h:,} h, 班次加预热 {shifts_h:,} h。", f"{en}: on for {seen_h:,} h by the meters, {shifts_h:,} h by shifts and warm-up."))  # fmt: skip
    print_line(
        say(
            "zf twin run 按班次运行, 拟合的是开着时的用量: 钟点不同, 总量就差这么多; 文件若更近, 是两处偏差相抵。请先核对班次。",
            "zf twin run follows the shifts, and what is fitted is what is taken while a station is on: totals are off by the hours; where the file is nearer two errors cancel. Check the shifts first.",
        )
    )


def _alike(found: Sequence[Hours]) -> dict[tuple[int, int], list[Text]]:
    """Return the stations by their hours, as they were seen and by the shifts."""
    groups: dict[tuple[int, int], list[Text]] = {}
    for one in found:
        groups.setdefault((round(one.seen_h), round(one.shifts_h)), []).append(one.title)
    return groups


def _show_figures(found: Sequence[Figure]) -> None:
    names = {"fitted": say("读数说明", "readings tell"), "bound": say("到界, 模型不符", "at its bound")}
    rows = [
        (read(one.title), _short(one.knob.stated), _short(one.value), "–" if one.state == "bound" else f"{_short(one.low)} … {_short(one.high)}", one.knob.unit, names[one.state])
        for one in found
        if one.taken and one.state in names
    ]  # fmt: skip
    if rows:
        print_table(
            say("公用动力: 按表计拟合的数(--write 时采用)", "utilities: figures by the meters (taken with --write)"),
            [("", "left"), (say("文件", "file"), "right"), (say("拟合", "fit"), "right"), (say("95 % 区间", "95 % interval"), "right"), (say("单位", "unit"), "left"), (say("由来", "by"), "left")],
            rows,
        )  # fmt: skip
    bound = [one for one in found if one.state == "bound" and one.taken]
    if bound:
        zh, en = _escape(", ".join(one.title.zh for one in bound)), _escape(", ".join(one.title.en for one in bound))
        print_line(say(f"到了物理范围的边, 模型解释不了这些表计: {zh}。", f"At the bound of what is physical, the model does not explain these meters: {en}."))  # fmt: skip
    near, rest = sum(one.taken and one.state == "weak" for one in found), sum(not one.taken for one in found)
    if near or rest:
        print_line(say(f"另有 {near} 个数读数说不清, 放在文件的数附近; {rest} 个保持文件的数(--json 逐个列出)。", f"{near} more figures are not told by readings and lie near the file's; {rest} are the file's (--json lists each)."))  # fmt: skip


def _few(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) < 3 else f"{names[0]} … {names[-1]}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.3g}"
