"""The present moment as the start of a what-if: states from the readings, and what no meter tells from runs that were warmed up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, time
from os import cpu_count

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.optimisation.twin.resume import Resume, ended, joined
from zerofactory.optimisation.twin.start import State
from zerofactory.optimisation.twin.trace import traced
from zerofactory.periods import zone
from zerofactory.runs.context import Context
from zerofactory.runs.twin import DAY_S, STEP_S, Asked, day_of, refuse_asked, scheduled
from zerofactory.runs.twin_file import read
from zerofactory.runs.twin_now import Now, moment_of, now

NOW = "now"


@dataclass(frozen=True, slots=True)
class Begun:
    """A start: what is to be simulated, what was seen, and what had to be taken from runs instead (days: neither)."""

    asked: Asked
    seen: Now | None = None
    notes: tuple[Text, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values: what was seen and said."""
        notes = [{"zh": one.zh, "en": one.en} for one in self.notes]
        return {"seen": None if self.seen is None else self.seen.as_json(), "notes": notes}


def begun(context: Context, text: str | None, asked: Asked) -> Begun:
    """Return what ``--from`` means: a day (or nothing) is whole days, ``now`` or a moment begins there.

    Raises
    ------
    FaultyData
        It is none of them, the moment is to come, or no station's state is known then.
    """
    if text is None or (text != NOW and "T" not in text):
        return Begun(replace(asked, first=day_of(text)))
    refuse_asked(asked)
    place = zone(context.workspace.plant.time_zone)
    seen = now(context, None if text == NOW else moment_of(context, text))
    if not seen.states:
        raise FaultyData([_nothing_known(seen)])
    local = seen.at.astimezone(place).replace(tzinfo=None)
    midnight = datetime.combine(local.date(), time())
    since_s = (local - midnight).total_seconds() // STEP_S * STEP_S
    made = replace(asked, first=local.date())
    twin = read(context)
    line = scheduled(context, twin, local.date(), replace(made, days=made.days + 1))
    known = State({name: held for name, held in seen.levels.items() if held is not None}, seen.states)

    def ran(replication: int) -> State:
        horizon = made.warm_up_days * DAY_S + since_s
        if horizon <= 0.0:
            return known
        return joined(ended(traced(line, horizon, STEP_S, made.seed, replication)[1]), known)

    with ThreadPoolExecutor(cpu_count() or 1) as pool:
        states = tuple(pool.map(ran, range(made.runs)))
    return Begun(replace(made, resume=Resume(since_s, states)), seen, _notes(seen))


def _notes(seen: Now) -> tuple[Text, ...]:
    found = list(seen.notes)
    buffers = [name for name, held in seen.levels.items() if held is None]
    stations = [one.title for one in seen.stations if one.state is None]
    if buffers:
        found.append(
            Text(
                f"{len(buffers)} 个缓存没有计数, 取自预运行。",
                f"{len(buffers)} buffers are not counted: taken from warmed-up runs.",
            )
        )
    if stations:
        names_zh, names_en = "、".join(one.zh for one in stations[:6]), ", ".join(one.en for one in stations[:6])
        found.append(
            Text(
                f"状态不明、取自预运行的工位: {names_zh}。",
                f"Stations of unknown state, taken from warmed-up runs: {names_en}.",
            )
        )
    return tuple(found)


def _nothing_known(seen: Now) -> Problem:
    message = seen.notes[-1] if seen.notes else Text("各工位状态不明。", "No station's state is known.")
    hint = Text(
        "请先让 zf collect 采集, 或给出有读数的时刻, 如 --from 2025-03-10T10:20。",
        "Let zf collect run, or give a moment that has readings, such as --from 2025-03-10T10:20.",
    )
    return Problem("twin_start.unknown", message, hint)
