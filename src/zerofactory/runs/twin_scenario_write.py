"""Write a simple scenario of the twin into the workspace: more or fewer pieces, other shifts, another cycle or machines of a station."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from zerofactory.errors import FaultyData, Problem, Text, refuse
from zerofactory.optimisation.twin.line import Station
from zerofactory.runs.context import Context
from zerofactory.runs.twin import next_monday
from zerofactory.runs.twin_file import read
from zerofactory.runs.twin_scenario import FOLDER, Scenario, checked, listed, scenario_of
from zerofactory.site.edit import written_value
from zerofactory.store.files import write_bytes_whole

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
TIMES = re.compile(r"([01]\d|2[0-3]):[0-5]\d\s*[-–]\s*([01]\d|2[0-3]):[0-5]\d")
CHECKED_DAYS = 7
LONGEST_TITLE, MOST_SHIFTS, MOST = 200, 24, 1e9


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be tried.

    Parameters
    ----------
    id : name of the file: small letters, digits, hyphens.
    volume_times : pieces wanted, times what the plant as it is makes; the missing ones by overtime.
    shifts : such as ``07:00-15:00, 15:00-23:00``; empty: the plant's.
    station, cycle_s, machines, people : another mean cycle (the spread keeps its shape), another number of machines or of people in
        every shift of one station.
    investment_cny, life_years : what it costs to build, and for how long it lasts; both or neither.
    """

    id: str
    title: Text
    volume_times: float | None = None
    shifts: str = ""
    station: str | None = None
    cycle_s: float | None = None
    machines: int | None = None
    replace: bool = False
    people: float | None = None
    investment_cny: float | None = None
    life_years: int | None = None


def write(context: Context, wish: Wish) -> Scenario:
    """Write the scenario file after it was checked against the plant; return it.

    Raises
    ------
    FaultyData
        A name that is none or is taken, shifts that cannot be read, nothing to change, or a fault of the scenario: nothing is
        written then.
    """
    refuse([*_faults(context, wish)])
    content = text_of_wish(wish, _station(context, wish)).encode()
    scenario = scenario_of(wish.id, content, f"{wish.id}.toml")
    checked(context, [scenario], next_monday(context.today), CHECKED_DAYS)
    folder = context.workspace.folder / FOLDER
    folder.mkdir(exist_ok=True)
    write_bytes_whole(folder / f"{wish.id}.toml", content)
    return scenario


def text_of_wish(wish: Wish, station: Station | None = None) -> str:
    """Return the scenario file.

    Examples
    --------
    >>> print(text_of_wish(Wish("more", Text("多做一成", "a tenth more"), volume_times=1.1)))
    title = { zh = "多做一成", en = "a tenth more" }
    <BLANKLINE>
    [volume]
    times = 1.1
    <BLANKLINE>
    """
    parts = [f"title = {{ zh = {written_value(wish.title.zh)}, en = {written_value(wish.title.en)} }}"]
    if wish.volume_times is not None:
        parts.append(f"[volume]\ntimes = {wish.volume_times:g}")
    times = [[part.strip() for part in re.split(r"[-–]", one)] for one in _shifts(wish)]
    if times:
        parts.append(f"[[shifts]]\ntimes = {json.dumps(times)}")
    if station is not None:
        keys = []
        if wish.cycle_s is not None:
            keys.append(f"cycle = {_cycle(station, wish.cycle_s)}")
        if wish.machines is not None:
            keys.append(f"machines = {wish.machines}")
        parts += [f"[stations.{written_value(station.id)}]\n" + "\n".join(keys)] if keys else []
    if station is not None and wish.people is not None:
        parts.append(f"[labour]\npeople = {{ {written_value(station.id)} = {wish.people:g} }}")
    if wish.investment_cny is not None:
        parts.append(f"[investment]\ninvestment_cny = {wish.investment_cny!r}\nlife_years = {wish.life_years}")
    return "\n\n".join(parts) + "\n"


def _cycle(station: Station, mean_s: float) -> str:
    """Return the station's spread with another mean: an even spread keeps its width, others their shape and their spread in parts of the mean."""
    one = station.cycle
    if one.kind == "uniform":
        half = min((one.high_s - one.low_s) / 2.0, mean_s)
        return f'{{ kind = "uniform", low_s = {mean_s - half:g}, high_s = {mean_s + half:g} }}'
    if one.kind == "normal":
        return f'{{ kind = "normal", mean_s = {mean_s:g}, sd_s = {one.sd_s * mean_s / one.mean_s:g} }}'
    if one.kind == "triangular":
        low, mode, high = (value * mean_s / one.average_s for value in (one.low_s, one.mode_s, one.high_s))
        return f'{{ kind = "triangular", low_s = {low:g}, mode_s = {mode:g}, high_s = {high:g} }}'
    if one.kind in ("weibull", "lognormal", "exponential", "gamma"):
        shape = "" if one.kind == "exponential" else f", shape = {one.shape:g}"
        return f'{{ kind = "{one.kind}", mean_s = {mean_s:g}{shape} }}'
    return f'{{ kind = "fixed", mean_s = {mean_s:g} }}'


def _shifts(wish: Wish) -> list[str]:
    return [one.strip() for one in re.split(r"[,;，；、]", wish.shifts) if one.strip()]


def _station(context: Context, wish: Wish) -> Station | None:
    if not wish.station or (wish.cycle_s is None and wish.machines is None and wish.people is None):
        return None
    return next((one for one in read(context).line.stations if one.id == wish.station), None)


def _faults(context: Context, wish: Wish) -> Iterator[Problem]:
    try:
        taken = {one.id for one in listed(context)}
    except FaultyData as fault:
        yield from fault.problems
        return
    if not NAME.fullmatch(wish.id):
        yield _fault("id", f"“{wish.id}”不能作场景名。", f"'{wish.id}' is no name of a scenario.", ("小写字母、数字、连字符, 至多 40 个。", "Small letters, digits and hyphens, 40 at most."))  # fmt: skip
    elif wish.id in taken and not wish.replace:
        yield _fault("id", f"已有场景“{wish.id}”。", f"There is a scenario '{wish.id}' already.", ("请换名, 或勾选覆盖。", "Choose another name, or tick that it takes its place."))  # fmt: skip
    if not wish.title.zh.strip():
        yield _fault("title", "场景没有标题。", "The scenario has no title.", ("请写标题。", "Write one."))
    if any(len(one) > LONGEST_TITLE or not one.isprintable() for one in (wish.title.zh, wish.title.en)):
        yield _fault("title", f"标题至多 {LONGEST_TITLE} 个字符, 一行。", f"A title has at most {LONGEST_TITLE} characters on one line.", ("请缩短。", "Make it shorter."))  # fmt: skip
    if len(_shifts(wish)) > MOST_SHIFTS:
        yield _fault("shifts", f"{len(_shifts(wish))} 个班次, 至多 {MOST_SHIFTS}。", f"{len(_shifts(wish))} shifts; at most {MOST_SHIFTS}.", ("请减少。", "Give fewer."))  # fmt: skip
    for one in _shifts(wish):
        if not TIMES.fullmatch(one):
            yield _fault("shifts", f"“{one[:40]}”不是班次。", f"'{one[:40]}' is no shift.", ("例如 07:00-15:00, 15:00-23:00。", "Such as 07:00-15:00, 15:00-23:00."))  # fmt: skip
    for name, value in (
        ("volume_times", wish.volume_times),
        ("cycle_s", wish.cycle_s),
        ("machines", wish.machines),
        ("life_years", wish.life_years),
    ):
        if value is not None and not 0 < value < MOST:
            yield _fault(name, f"应大于零且小于 {MOST:g}。", f"It must lie above zero and below {MOST:g}.", ("请改正。", "Correct it."))  # fmt: skip
    if wish.station and wish.station not in {one.id for one in read(context).line.stations}:
        yield _fault("station", f"没有工位“{wish.station}”。", f"There is no station '{wish.station}'.", ("请从列表选择。", "Choose one of the list."))  # fmt: skip
    yield from _whole(wish)


def _whole(wish: Wish) -> Iterator[Problem]:
    """Yield what is told by half, and a wish that changes nothing."""
    if (wish.investment_cny is None) != (wish.life_years is None):
        yield _fault("investment", "投资与寿命要一起填。", "An investment and its life go together.", ("请补上另一个。", "Give the other one too."))  # fmt: skip
    if wish.people is not None and not wish.station:
        yield _fault("people", "写了人数, 没有选工位。", "People are given, and no station.", ("请选择工位。", "Choose the station."))  # fmt: skip
    nothing = (
        wish.volume_times is None
        and not _shifts(wish)
        and not (wish.station and (wish.cycle_s or wish.machines or wish.people is not None))
        and wish.investment_cny is None
    )
    if nothing:
        yield _fault("change", "场景没有任何变更。", "The scenario changes nothing.", ("请填产量、班次或某个工位的节拍。", "Give a volume, shifts, or the cycle of a station."))  # fmt: skip


def _fault(column: str, zh: str, en: str, hint: tuple[str, str]) -> Problem:
    return Problem(f"twin.scenario_{column}", Text(zh, en), Text(*hint), column=column)
