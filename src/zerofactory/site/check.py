"""Cross checks of a plant: does everything that is named exist, and do units, parents and formulas agree."""

from __future__ import annotations

import re
from collections.abc import Iterator

from zerofactory import periods, units
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.site.locate import Path
from zerofactory.site.model import PEDIGREE, Meter, Plant, SourceUse
from zerofactory.site.state_signal import faults as signal_faults
from zerofactory.site.tree import UnreadableFormula, circle, parse_formula

Fault = tuple[Path, Problem]

_ID = re.compile(r"^[^\W\d_][\w.\-]*$|^\d[\w.\-]*[^\W\d][\w.\-]*$")
_DAY_MINUTES = 1440


def faults(plant: Plant) -> list[Fault]:
    """Return every fault of a plant whose keys and types are right, each with its key path."""
    found = [*_head(plant), *_ids(plant), *_places(plant), *_calendar(plant), *_accounting(plant), *_base_year(plant)]
    found += _significance(plant)
    sound = set()
    for index, meter in enumerate(plant.meters):
        own = list(_meter(meter, ("meters", index)))
        found += own
        if not own:
            sound.add(meter.id)
    for index, signal in enumerate(plant.state_signals):
        found += signal_faults(signal, ("state_signals", index))
    found += [
        *_meter_or_signal(plant),
        *_relations(plant, sound),
        *_circles(plant),
        *_grids(plant),
        *_sources(plant, sound),
        *_counted_twice(plant),
    ]
    return found


def _fault(path: Path, code: str, message: Text, hint: Text | None = None) -> Fault:
    return path, Problem(f"site.{code}", message, hint or Text("", ""))


def _unknown(path: Path, what: Text, name: str, choices: list[str]) -> Fault:
    problem = NotFound(what, name, choices).as_problem()
    return path, Problem(f"site.unknown_{what.en.replace(' ', '_')}", problem.message, problem.hint)


def _head(plant: Plant) -> Iterator[Fault]:
    try:
        periods.zone(plant.time_zone)
    except FaultyData as error:
        yield ("plant", "time_zone"), error.problems[0]
    if plant.opened_on and plant.closed_on and plant.closed_on < plant.opened_on:
        yield _fault(("plant", "closed_on"), "closed_before_opened", Text("停产早于投产。", "Closed before it opened."))
    if not 0.0 < plant.organisation.equity_share_fraction <= 1.0:
        message = Text("股权比例应在 0 与 1 之间。", "The equity share should lie between 0 and 1.")
        yield _fault(("organisation", "equity_share_fraction"), "out_of_range", message)


def _ids(plant: Plant) -> Iterator[Fault]:
    for table in ("shops", "lines", "assets", "products", "meters", "state_signals", "sources"):
        seen: set[str] = set()
        for index, entry in enumerate(getattr(plant, table)):
            path = (table, index, "id")
            if entry.id in seen:
                message = Text(f"编号“{entry.id}”重复。", f"The id '{entry.id}' is used twice.")
                yield _fault(path, "repeated_id", message, Text("请换一个编号。", "Choose another id."))
            if not _ID.match(entry.id):
                message = Text(f"“{entry.id}”不能作编号。", f"'{entry.id}' cannot be an id.")
                hint = Text(
                    "用字母、数字、连字符和点, 不能全是数字。",
                    "Use letters, digits, hyphens and dots, not only digits.",
                )
                yield _fault(path, "bad_id", message, hint)
            seen.add(entry.id)


def _meter_or_signal(plant: Plant) -> Iterator[Fault]:
    """Yield a fault for every signal with the id of a meter: readings name one or the other."""
    meters = {meter.id for meter in plant.meters}
    for index, signal in enumerate(plant.state_signals):
        if signal.id in meters:
            message = Text(f"编号“{signal.id}”已是表计。", f"The id '{signal.id}' is that of a meter.")
            yield _fault(
                ("state_signals", index, "id"), "repeated_id", message, Text("请换一个编号。", "Choose another id.")
            )


def _places(plant: Plant) -> Iterator[Fault]:
    shops = [shop.id for shop in plant.shops]
    lines = {line.id: line.shop for line in plant.lines}
    for table in ("lines", "assets", "products", "meters", "state_signals", "sources"):
        for index, entry in enumerate(getattr(plant, table)):
            if entry.shop is not None and entry.shop not in shops:
                yield _unknown((table, index, "shop"), Text("车间", "shop"), entry.shop, shops)
            line = getattr(entry, "line", None)
            if line is not None and line not in lines:
                yield _unknown((table, index, "line"), Text("生产线", "line"), line, list(lines))
            elif line is not None and entry.shop is not None and lines[line] != entry.shop:
                message = Text(
                    f"生产线“{line}”不在车间“{entry.shop}”。", f"Line '{line}' is not in shop '{entry.shop}'."
                )
                yield _fault((table, index, "line"), "line_in_another_shop", message)


def _base_year(plant: Plant) -> Iterator[Fault]:
    policy = plant.base_year
    if policy is None:
        return
    if policy.year is not None and not periods.YEAR_RANGE[0] <= policy.year <= periods.YEAR_RANGE[1]:
        message = Text(f"“{policy.year}”不能作基准年。", f"{policy.year} cannot be a base year.")
        yield _fault(
            ("base_year", "year"), "out_of_range", message, Text("请写年份, 如 2025。", "Write a year such as 2025.")
        )
    if policy.threshold_fraction is not None and not 0.0 <= policy.threshold_fraction < 1.0:
        message = Text(
            "重算阈值应在 0 与 1 之间(0.05 即 5 %)。", "The threshold should lie between 0 and 1 (0.05 = 5 %)."
        )
        yield _fault(("base_year", "threshold_fraction"), "out_of_range", message)


def _significance(plant: Plant) -> Iterator[Fault]:
    test = plant.boundary.significance
    seen: set[str] = set()
    for index, entry in enumerate(test.categories if test else ()):
        path: Path = ("boundary", "significance", "categories", index)
        if entry.category in seen:
            message = Text(f"类别“{entry.category}”判定了两次。", f"Category '{entry.category}' is judged twice.")
            yield _fault((*path, "category"), "repeated_category", message)
        seen.add(entry.category)
        for name in ("magnitude", "influence", "risk", "stakeholder", "data_access"):
            score = getattr(entry, name)
            if score is not None and not 1 <= score <= 5:
                message = Text(f"评分“{name}”应为 1 至 5。", f"The score '{name}' should be 1 to 5.")
                yield _fault((*path, name), "out_of_range", message)
        if entry.estimated_tco2e is not None and entry.estimated_tco2e < 0.0:
            message = Text("估计排放量不能为负。", "The estimated emission must not be negative.")
            yield _fault((*path, "estimated_tco2e"), "out_of_range", message)


def _calendar(plant: Plant) -> Iterator[Fault]:
    if not set(plant.calendar.weekdays) <= set(range(1, 8)):
        message = Text("星期应为 1 (周一) 至 7 (周日)。", "Weekdays run from 1 (Monday) to 7 (Sunday).")
        yield _fault(("calendar", "weekdays"), "out_of_range", message)
    for index, shift in enumerate(plant.calendar.shifts):
        if shift.start == shift.end:
            message = Text("班次的开始与结束相同。", "The shift ends when it starts.")
            yield _fault(("calendar", "shifts", index), "empty_shift", message)
        if not set(shift.weekdays) <= set(plant.calendar.weekdays):
            days = ", ".join(str(day) for day in sorted(set(shift.weekdays) - set(plant.calendar.weekdays)))
            message = Text(
                f"班次写在不上班的星期 {days}。",
                f"The shift is worked on weekdays {days}, on which the plant does not work.",
            )
            yield _fault(("calendar", "shifts", index, "weekdays"), "out_of_range", message)


def _accounting(plant: Plant) -> Iterator[Fault]:
    choices = plant.accounting
    for name in ("closure_tolerance_fraction", "spike_z", "spike_jump_fraction", "flat_line_hours", "short_gap_hours"):
        if getattr(choices, name) < 0.0:
            message = Text(f"“{name}”不能为负。", f"'{name}' must not be negative.")
            yield _fault(("accounting", name), "out_of_range", message)
    if not -50.0 <= choices.gas_meter_celsius <= 100.0:
        message = Text("燃气计量温度不合理。", "The gas meter temperature is not plausible.")
        yield _fault(("accounting", "gas_meter_celsius"), "out_of_range", message)
    known = [source.id for source in plant.sources]
    for index, pin in enumerate(choices.pin):
        if pin.source is not None and pin.source not in known:
            yield _unknown(("accounting", "pin", index, "source"), Text("排放源", "source"), pin.source, known)
    reasons = [("accept", index, entry.reason) for index, entry in enumerate(choices.accept)]
    reasons += [("pin", index, entry.reason) for index, entry in enumerate(choices.pin)]
    for table, index, reason in reasons:
        if not reason.strip():
            yield _fault(("accounting", table, index, "reason"), "no_reason", Text("没有理由。", "There is no reason."))


def _meter(meter: Meter, path: Path) -> Iterator[Fault]:
    """Yield the faults of one meter by itself."""
    try:
        meter.amount_unit  # noqa: B018 (asks whether the unit is known)
    except NotFound as error:
        problem = error.as_problem()
        yield (*path, "unit"), Problem("site.unknown_unit", problem.message, problem.hint)
    if meter.interval_minutes < 1 or _DAY_MINUTES % meter.interval_minutes:
        message = Text("采集间隔应整除一天。", "The interval should divide a day.")
        yield _fault(
            (*path, "interval_minutes"), "bad_interval", message, Text("例如 15、60、1440。", "Such as 15, 60, 1440.")
        )
    if meter.multiplier <= 0.0:
        yield _fault((*path, "multiplier"), "out_of_range", Text("倍率应为正。", "The multiplier should be positive."))
    if meter.minimum is not None and meter.maximum is not None and meter.minimum > meter.maximum:
        yield _fault((*path, "minimum"), "out_of_range", Text("下限大于上限。", "The minimum is above the maximum."))
    if meter.rollover is not None and (meter.kind != "register" or meter.rollover <= 0.0):
        message = Text("只有累计表有满度值, 且应为正。", "Only a register rolls over, at a positive reading.")
        yield _fault((*path, "rollover"), "bad_rollover", message)
    elif meter.rollover is not None and meter.maximum is None:
        message = Text("给了满度值, 但没有每间隔上限。", "A roll-over reading is given without a maximum per interval.")
        hint = Text(
            "请补上 maximum, 否则无法区分满度归零与清零。", "Add maximum: a roll-over is told from a reset by it."
        )
        yield _fault((*path, "maximum"), "rollover_needs_maximum", message, hint)
    if (meter.kind == "virtual") != (meter.formula is not None):
        message = Text("虚拟表要有公式, 实表不能有。", "A virtual meter has a formula, a real one has none.")
        yield _fault((*path, "formula"), "formula_and_kind", message)


def _relations(plant: Plant, sound: set[str]) -> Iterator[Fault]:
    meters = {meter.id: meter for meter in plant.meters}
    for index, meter in enumerate(plant.meters):
        path: Path = ("meters", index)
        if meter.parent is not None and meter.parent not in meters:
            yield _unknown((*path, "parent"), Text("表计", "meter"), meter.parent, list(meters))
        elif meter.parent is not None and {meter.id, meter.parent} <= sound:
            yield from _same_dimension((*path, "parent"), meter.amount_unit, meters[meter.parent].amount_unit)
        if meter.formula is None:
            continue
        try:
            terms = parse_formula(meter.formula, meters)
        except UnreadableFormula as error:
            message = Text(f"公式读不懂: {error.reason.zh}。", f"The formula cannot be read: {error.reason.en}.")
            hint = Text("写成 a + b - 2 * c, 减号两边留空格。", "Write a + b - 2 * c with spaces around a minus sign.")
            yield _fault((*path, "formula"), "bad_formula", message, hint)
            continue
        for name in terms:
            if {meter.id, name} <= sound and meters[name].amount_unit != meter.amount_unit:
                given, wanted = meters[name].amount_unit, meter.amount_unit
                message = Text(
                    f"“{name}”以 {given} 计, 虚拟表以 {wanted} 计。",
                    f"'{name}' counts in {given}, the virtual meter in {wanted}.",
                )
                yield _fault((*path, "formula"), "units_differ", message, Text("请用同一单位。", "Use one unit."))


def _same_dimension(path: Path, given: str, wanted: str) -> Iterator[Fault]:
    try:
        units.ratio(given, wanted)
    except units.WrongDimension as error:
        problem = error.as_problem()
        yield path, Problem("site.units_differ", problem.message, problem.hint)


def _circles(plant: Plant) -> Iterator[Fault]:
    rows = {meter.id: index for index, meter in enumerate(plant.meters)}
    parents = {meter.id: [meter.parent] for meter in plant.meters if meter.parent in rows and meter.parent}
    inside: dict[str, list[str]] = {}
    for meter in plant.meters:
        if meter.formula is not None:
            try:
                inside[meter.id] = list(parse_formula(meter.formula, rows))
            except UnreadableFormula:
                continue
    for key, links in (("parent", parents), ("formula", inside)):
        names = circle(links)
        if names:
            listed = " → ".join((*names, names[0]))
            message = Text(f"表计循环引用: {listed}。", f"The meters form a circle: {listed}.")
            yield _fault(("meters", rows[names[0]], key), "circle", message)


def _grids(plant: Plant) -> Iterator[Fault]:
    intervals = [
        meter.interval_minutes for meter in plant.meters if meter.kind != "virtual" and meter.interval_minutes > 0
    ]
    finest = min(intervals, default=1)
    for index, meter in enumerate(plant.meters):
        if meter.interval_minutes % finest:
            message = Text(
                f"采集间隔应为 {finest} 分钟的整倍数。", f"The interval should be a multiple of {finest} minutes."
            )
            yield _fault(("meters", index, "interval_minutes"), "bad_interval", message)


def _sources(plant: Plant, sound: set[str]) -> Iterator[Fault]:
    meters = {meter.id: meter for meter in plant.meters}
    for index, source in enumerate(plant.sources):
        path: Path = ("sources", index)
        for key, names in (("meters", source.meters), ("split", source.split)):
            for name in names:
                if name not in meters:
                    yield _unknown((*path, key), Text("表计", "meter"), name, list(meters))
        if source.split and not source.meters:
            message = Text("分摊表需要总量表。", "Meters that split a quantity need meters that give it.")
            yield _fault((*path, "split"), "split_without_meters", message)
        placing = source.split or source.meters
        unplaced = [name for name in placing if name in meters and meters[name].shop is None]
        if source.shop is None and (unplaced or not placing):
            message = Text("排放源没有车间。", "The source has no shop.")
            yield _fault((*path, "shop"), "no_shop", message, Text("请写明 shop。", "Name the shop."))
        elif source.split and unplaced:
            message = Text(f"分摊表“{unplaced[0]}”没有车间。", f"The splitting meter '{unplaced[0]}' has no shop.")
            yield _fault((*path, "split"), "no_shop", message)
        yield from _source_units(plant, path, sound)
        yield from _pedigree(source, path)


def _counted_twice(plant: Plant) -> Iterator[Fault]:
    """Yield a fault for every meter that one kind of source counts twice: listed again, or below a meter that is listed."""
    parents = {meter.id: meter.parent for meter in plant.meters}
    uses = [(index, source, name) for index, source in enumerate(plant.sources) for name in source.meters]
    listed: dict[tuple[str, str], str] = {}
    hint = Text("请只留一处, 否则重复计算。", "Keep one of them; it would count twice.")
    for index, source, name in uses:
        other = listed.get((source.kind, name))
        if other is None:
            listed[source.kind, name] = source.id
        else:
            message = Text(
                f"表计“{name}”已计入排放源“{other}”。", f"Meter '{name}' is counted in source '{other}' already."
            )
            yield _fault(("sources", index, "meters"), "counted_twice", message, hint)
    for index, source, name in uses:
        above, seen = parents.get(name), {name}
        while above is not None and above not in seen:
            if (source.kind, above) in listed:
                message = Text(
                    f"表计“{name}”在“{above}”之下, 后者已计入排放源“{listed[source.kind, above]}”。",
                    f"Meter '{name}' lies below '{above}', which source '{listed[source.kind, above]}' counts already.",
                )
                yield _fault(("sources", index, "meters"), "counted_twice", message, hint)
            seen.add(above)
            above = parents.get(above)


def _pedigree(source: SourceUse, path: Path) -> Iterator[Fault]:
    """Yield the faults of the data-quality scores of a source."""
    for name, score in source.pedigree.items():
        if name not in PEDIGREE:
            yield _unknown((*path, "pedigree", name), Text("谱系指标", "pedigree indicator"), name, list(PEDIGREE))
        elif not 1 <= score <= 5:
            message = Text(f"谱系评分“{name}”应为 1 至 5。", f"The pedigree score '{name}' should be 1 to 5.")
            hint = Text("1 最好, 5 最差。", "1 is best, 5 is worst.")
            yield _fault((*path, "pedigree", name), "out_of_range", message, hint)


def _source_units(plant: Plant, path: Path, sound: set[str]) -> Iterator[Fault]:
    source = plant.sources[int(path[1])]
    meters = {meter.id: meter for meter in plant.meters if meter.id in sound}
    used = [meters[name].amount_unit for name in source.meters if name in meters]
    wanted = source.unit or (used[0] if used else None)
    if wanted is None:
        return
    try:
        units.parse(wanted)
    except NotFound as error:
        problem = error.as_problem()
        yield (*path, "unit"), Problem("site.unknown_unit", problem.message, problem.hint)
        return
    for given in dict.fromkeys(used):
        yield from _same_dimension((*path, "meters"), given, wanted)
    splitting = [meters[name].amount_unit for name in source.split if name in meters]
    for given in dict.fromkeys(splitting):
        yield from _same_dimension((*path, "split"), given, splitting[0])
