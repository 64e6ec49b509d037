"""Alarms of a workspace: scan days by every rule, and what people did about what was found. All appended to the book.

series of meters ─► rules (`monitoring.rules`) ─► episodes ─► price ─► alarms (one an episode) ─► ack, assign, close
cameras of inspection (`inspect_alarms`), the calibrated twin (`twin_expect`) ─────┘
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.monitoring.alarm import LEARNT, Found, Standing, Step, own_children, reconciled
from zerofactory.monitoring.anomaly import Judged, Terms, judge
from zerofactory.monitoring.days import Flags
from zerofactory.monitoring.episode import production_of
from zerofactory.monitoring.rule import Episode, Rule, Watched, rule, rules
from zerofactory.monitoring.rules.anomaly import terms
from zerofactory.monitoring.settings import FILE, Settings, settings
from zerofactory.notation import text_of
from zerofactory.periods import Period, local_midnight
from zerofactory.runs.alarm_price import priced
from zerofactory.runs.alarm_series import Series, series
from zerofactory.runs.context import Context, run_row
from zerofactory.store.alarm_events import ALARM_EVENTS
from zerofactory.store.schema import RUNS

if TYPE_CHECKING:
    from zerofactory.runs.inspect_alarms import Camera

METERS_AT_ONCE = 64
NOT_CALIBRATED = Text(
    "孪生还没有标定: 请先 zf twin calibrate --write。", "The twin is not calibrated yet: run zf twin calibrate --write."
)
QUOTED = re.compile(r"""["']([^"'\n]+)["']""")  # in a settings file: what may be the name of a camera
OPEN = ("open", "acknowledged", "assigned")
STATES = (*OPEN, "closed")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be scanned: days [first, last), some rules (none: all), some meters (none: all), other terms of anomalies."""

    first: date
    last: date
    rules: tuple[str, ...] = ()
    meters: tuple[str, ...] = ()
    false_alarm_fraction: float | None = None
    calibration_days: float | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm as it stands: its newest figures, and every step."""

    alarm_id: str
    state: str
    row: Mapping[str, Any]
    raised_at: str
    assignee: str | None
    steps: tuple[Mapping[str, Any], ...]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        row = self.row
        names = (
            "rule", "meter", "shop", "unit", "value_per_hour", "limit_per_hour", "energy_wh", "cost_cny", "emissions_gco2e", "as_normal",
        )  # fmt: skip
        history = [
            {"state": one["state"], "actor": one["actor"], "at": one["at"], "assignee": one["assignee"], "text": one["text"]}
            for one in self.steps
        ]  # fmt: skip
        return {
            "alarm": self.alarm_id, "state": self.state, "assignee": self.assignee, "raised_at": self.raised_at,
            "started_at": row["started_at"].isoformat(), "ended_at": row["ended_at"].isoformat(),
            "excess": row["amount_milli"] / 1000.0, **{name: row[name] for name in names},
            "lacking": {"zh": row["lacking_zh"], "en": row["lacking_en"]},
            "message": {"zh": row["message_zh"], "en": row["message_en"]}, "history": history,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a scan did: alarms raised and extended, episodes found, meters, days and cameras looked at, and what is to be said."""

    raised: tuple[Alarm, ...]
    extended: tuple[Alarm, ...]
    found: int
    meters: int
    days: int
    promised_false_alarm_fraction: float
    notes: tuple[Text, ...]
    cameras: int = 0

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "raised": [one.as_json() for one in self.raised], "extended": [one.as_json() for one in self.extended],
            "found": self.found, "meters": self.meters, "cameras": self.cameras, "days": self.days,
            "promised_false_alarm_fraction": self.promised_false_alarm_fraction,
            "notes": [{"zh": note.zh, "en": note.en} for note in self.notes],
        }  # fmt: skip


def scan(context: Context, asked: Asked) -> Scanned:
    """Look at days by every rule and book what is new. The same days scanned again add nothing.

    Raises
    ------
    FaultyData
        There are no readings of those days, or alarms.toml has faults.
    NotFound
        No such rule or meter.
    """
    for name in asked.rules:
        rule(name)
    own = own_settings(context)
    found, looked = _episodes(context, asked, own)
    parents = {one.id: one.parent for one in context.workspace.plant.meters if one.parent}
    kept = own_children(found, parents)
    with context.workspace.locked():  # collecting and listening to cameras look at the same days by themselves
        steps = reconciled(kept, _standing(context))
        added = priced(context, [one for _, _, one in steps])
        _book(context, asked, [(step, name, one) for (step, name, _), one in zip(steps, added, strict=True)])
    now = {alarm.alarm_id: alarm for alarm in alarms(context)}
    notes = () if looked.learnt or not set(LEARNT) & set(asked.rules or LEARNT) else (_too_short(looked.shortest),)
    notes = (*notes, *looked.notes)
    return Scanned(
        tuple(now[name] for step, name, _ in steps if step == "raised"),
        tuple(now[name] for step, name, _ in steps if step == "extended"),
        len(kept), looked.meters, looked.days, looked.promise, notes, looked.cameras,
    )  # fmt: skip


@dataclass(slots=True)
class _Looked:
    promise: float
    shortest: int
    meters: int = 0
    days: int = 0
    cameras: int = 0
    learnt: bool = False
    notes: list[Text] = field(default_factory=list)


def _episodes(context: Context, asked: Asked, own: Settings) -> tuple[list[Found], _Looked]:
    from zerofactory.runs.inspect_alarms import named

    general = own.general("anomaly")
    if asked.false_alarm_fraction is not None:
        general["false_alarm_fraction"] = asked.false_alarm_fraction
    if asked.calibration_days is not None:
        general["calibration_days"] = min(general["calibration_days"], asked.calibration_days)
    given = terms(general, own.general("drift"))
    looked = _Looked(given.false_alarm_fraction, given.shortest_days)
    reference = given.calibration_days + given.shortest_days
    chosen = [one for name, one in rules().items() if not asked.rules or name in asked.rules]
    found = []
    cameras, seen = _of_cameras(context, asked, own, looked)
    every = _series(context, asked, reference, bool(seen))
    known = {subject.id for one in every for subject in one.subjects} | set(named(context, asked.meters))
    for name in asked.meters:
        if name not in known:
            raise NotFound(Text("表计", "meter"), name, tuple(sorted(known)))
    for one in every:
        wanted = [place for place, subject in enumerate(one.subjects) if not asked.meters or subject.id in asked.meters]
        looked.days = max(looked.days, one.days.count - one.first)
        skip = _known_odd(context, one)
        for begin in range(0, len(wanted), METERS_AT_ONCE):
            part = wanted[begin : begin + METERS_AT_ONCE]
            some = Series(tuple(one.subjects[place] for place in part), one.days.of(part), one.first)
            looked.meters += len(part)
            found += _of_meters(context, some, (chosen, own, given), skip[part], looked)
    looked.cameras, looked.days = len(seen), looked.days or (asked.last - asked.first).days
    return [*found, *_of_twin(context, asked, own, looked), *cameras], looked


def _series(context: Context, asked: Asked, reference: int, inspected: bool) -> list[Series]:
    """Return the meters to look at; none where only inspection is asked for, or is all there is."""
    from zerofactory.runs import inspect_alarms

    if asked.rules and set(asked.rules) <= set(inspect_alarms.RULES):
        return []
    try:
        return series(context, asked.first, asked.last, reference)
    except FaultyData:
        if inspected:
            return []
        raise


def _of_cameras(context: Context, asked: Asked, own: Settings, looked: _Looked) -> tuple[list[Found], list[Camera]]:
    """Return what the rules of inspection find, and the cameras they looked at."""
    from zerofactory.runs import inspect_alarms as inspection

    if asked.rules and not set(asked.rules) & set(inspection.RULES):
        return [], []
    normal = tuple(
        inspection.Normal(one.row["meter"], one.row["started_at"], one.row["ended_at"])
        for one in alarms(context, "closed", {"rule": inspection.DRIFT})
        if one.row["as_normal"]
    )
    wanted = inspection.Asked(asked.first, asked.last, asked.rules, asked.meters, normal)
    found, seen, notes = inspection.episodes(context, wanted, own)
    looked.notes += notes
    if seen:
        told = [own.general(one)["false_alarm_fraction"] for one in inspection.RULES]
        looked.notes.append(Text(
            f"检测相机的承诺误报率 {told[0]:.1%}(每相机每日), 漏检与误判 {told[1]:.1%}(每相机每月)。",
            f"Inspection cameras: promised false alarms {told[0]:.1%} of camera-days, of escapes and false rejects {told[1]:.1%} of camera-months.",
        ))  # fmt: skip
    return found, seen


def _of_twin(context: Context, asked: Asked, own: Settings, looked: _Looked) -> list[Found]:
    """Return what the calibrated twin does not explain; a twin that cannot be read is told and stops no other rule."""
    from zerofactory.runs import twin_expect

    if asked.rules and twin_expect.RULE not in asked.rules:
        return []
    if not (context.workspace.folder / twin_expect.FILE).is_file():
        if twin_expect.RULE in asked.rules:
            looked.notes.append(NOT_CALIBRATED)
        return []
    try:
        found = twin_expect.episodes(context, (asked.first, asked.last), rule(twin_expect.RULE), own)
    except FaultyData as fault:
        looked.notes += [one.message for one in fault.problems]
        return []
    return [one for one in found if not asked.meters or one.meter in asked.meters]


def _of_meters(
    context: Context, some: Series, how: tuple[Sequence[Rule], Settings, Terms], skip: Flags, looked: _Looked
) -> list[Found]:
    chosen, own, given = how
    learns = any(one.id in LEARNT for one in chosen)
    judged = judge(some.days, some.first, given, skip) if learns else None
    looked.learnt = looked.learnt or judged is not None
    production = production_of(some.days)
    demand = context.workspace.plant.tariff.contract_demand_kw if context.workspace.plant.tariff else None
    found = []
    for place, subject in enumerate(some.subjects):
        days = some.days.of([place])
        mine = None if judged is None else _only(judged, place)
        for one in chosen:
            said = own.given(one, subject)
            if said is None or not one.suits(subject):
                continue
            if demand is not None:
                said.setdefault("contracted_kw", float(demand))
            watched = Watched(subject, days, some.first, production, said, mine)
            found += [_found(one, watched, episode) for episode in one.find(watched)]
    return found


def _only(judged: Judged, place: int) -> Judged:
    mine = slice(place, place + 1)
    return replace(
        judged, oddness=judged.oddness[mine], threshold=judged.threshold[mine], odd=judged.odd[mine], cause=judged.cause[mine],
        expected=judged.expected[mine], residual=judged.residual[mine], sigma=judged.sigma[mine],
        calibrated=judged.calibrated[mine], drift=judged.drift[mine], drift_limit=judged.drift_limit[mine],
    )  # fmt: skip


def _found(one: Rule, watched: Watched, episode: Episode) -> Found:
    days, size, subject = watched.days, watched.days.clock.slots, watched.subject
    start, end = (days.moment(*divmod(slot, size)) for slot in (episode.first, episode.last))
    return Found(
        one.id, subject.id, subject.shop, subject.carrier, start, end, round(episode.excess * 1000.0), subject.unit,
        _finite(episode.value), _finite(episode.limit), episode.message,
    )  # fmt: skip


def _finite(value: float) -> float | None:
    return round(float(value), 3) if np.isfinite(value) else None


def _known_odd(context: Context, one: Series) -> Flags:
    """Return the days of each meter that an alarm of a learnt rule covers and nobody took for the new normal (M × D)."""
    skip = np.zeros(one.days.values.shape[:2], dtype=np.bool_)
    place = {subject.id: row for row, subject in enumerate(one.subjects)}
    for alarm in alarms(context):
        row = alarm.row
        if row["rule"] == "anomaly" and row["meter"] in place and not row["as_normal"]:
            zone = context.workspace.plant.time_zone
            days = [
                index
                for index, day in enumerate(one.days.dates)
                if local_midnight(day, zone) < row["ended_at"]
                and local_midnight(day + timedelta(days=1), zone) > row["started_at"]
            ]
            skip[place[row["meter"]], [day for day in days if day < one.first]] = True
    return skip


def own_settings(context: Context) -> Settings:
    """Return the plant's own settings of alarms; raise `FaultyData` with every fault of ``alarms.toml``."""
    path = context.workspace.folder / FILE
    if not path.is_file():
        return Settings()
    from zerofactory.runs.inspect_alarms import named

    text = text_of(path.read_bytes(), FILE)
    known = [*(one.id for one in context.workspace.plant.meters), *named(context, QUOTED.findall(text))]
    found, problems = settings(text, known)
    if problems:
        raise FaultyData(problems)
    return found


def alarms(context: Context, state: str | None = None, where: Mapping[str, object] | None = None) -> list[Alarm]:
    """Return alarms as they stand, the newest episode first; ``state`` is one of `STATES` or ``active`` (not closed).

    ``where`` narrows by column: ``rule``, ``meter``, ``shop``.
    """
    if state is not None and state not in (*STATES, "active"):
        raise NotFound(Text("报警状态", "state of an alarm"), state, (*STATES, "active"))
    events: dict[str, list[dict[str, Any]]] = {}
    for event in context.workspace.journal.active(ALARM_EVENTS, where).to_dicts():
        events.setdefault(event["alarm_id"], []).append(event)
    found = [_alarm(name, steps) for name, steps in events.items()]
    if state is not None:
        wanted = OPEN if state == "active" else (state,)
        found = [one for one in found if one.state in wanted]
    return sorted(found, key=lambda one: (one.row["started_at"], one.alarm_id), reverse=True)


def _alarm(name: str, steps: Sequence[dict[str, Any]]) -> Alarm:
    state = "open"
    for step in steps:
        state = {"raised": "open", "extended": state}.get(step["state"], step["state"])
    assignee = next((one["assignee"] for one in reversed(steps) if one["assignee"]), None)
    return Alarm(name, state, steps[-1], steps[0]["at"], assignee, tuple(steps))


def show(context: Context, alarm_id: str) -> Alarm:
    """Return one alarm by its id (or a beginning that only it has); raise `NotFound` with the choices."""
    every = {one.alarm_id: one for one in alarms(context)}
    near = [name for name in every if name.startswith(alarm_id)]
    if alarm_id not in every and len(near) != 1:
        raise NotFound(Text("报警", "alarm"), alarm_id, near or tuple(every))
    return every[alarm_id if alarm_id in every else near[0]]


def acknowledge(context: Context, alarm_id: str, text: str = "") -> Alarm:
    """Say that an alarm was seen; raise `FaultyData` when it is closed."""
    return _step(context, alarm_id, {"state": "acknowledged", "text": text.strip() or None})


def assign(context: Context, alarm_id: str, assignee: str, text: str = "") -> Alarm:
    """Give an alarm to somebody; raise `FaultyData` when it is closed or nobody is named."""
    if not assignee.strip():
        raise FaultyData([_fault("nobody", "没有写明负责人。", "Nobody is named.")])
    return _step(context, alarm_id, {"state": "assigned", "assignee": assignee.strip(), "text": text.strip() or None})


def close(context: Context, alarm_id: str, reason: str, as_normal: bool = False) -> Alarm:
    """Close an alarm with a reason; ``as_normal``: its days are learnt from as normal ones.

    Raises
    ------
    FaultyData
        No reason, or it is closed already.
    """
    if not reason.strip():
        raise FaultyData([_fault("no_reason", "关闭报警必须说明原因。", "Say why it is closed.")])
    return _step(context, alarm_id, {"state": "closed", "text": reason.strip(), "as_normal": as_normal})


def _step(context: Context, alarm_id: str, change: Mapping[str, object]) -> Alarm:
    with context.workspace.locked():
        return _stepped(context, alarm_id, change)


def _stepped(context: Context, alarm_id: str, change: Mapping[str, object]) -> Alarm:
    alarm = show(context, alarm_id)
    if alarm.state == "closed":
        raise FaultyData([_fault("closed", f"报警 {alarm.alarm_id} 已关闭。", f"Alarm {alarm.alarm_id} is closed.")])
    row = {
        **alarm.row, "text": None, "assignee": None, **change, "event_id": f"{alarm.alarm_id}.{len(alarm.steps) + 1}",
        "actor": context.actor, "at": context.at,
    }  # fmt: skip
    _append(context, [row], {"alarm": alarm.alarm_id, "state": change["state"]})
    return show(context, alarm.alarm_id)


def _standing(context: Context) -> list[Standing]:
    return [
        Standing(one.alarm_id, one.row["rule"], one.row["meter"], one.row["started_at"], one.row["ended_at"], one.state == "closed")
        for one in alarms(context)
    ]  # fmt: skip


def _book(context: Context, asked: Asked, added: Sequence[tuple[Step, str, Found]]) -> None:
    if not added:
        return
    there = {one.alarm_id: one for one in alarms(context)}
    steps = {name: len(one.steps) for name, one in there.items()}
    rows: dict[str, dict[str, Any]] = {}
    for step, name, one in added:
        steps[name] = steps.get(name, 0) + 1
        before = rows.get(name) or (dict(there[name].row) if name in there else None)
        row = _row(context, one) | {"event_id": f"{name}.{steps[name]}", "alarm_id": name, "state": step}
        rows[f"{name}.{steps[name]}"] = rows[name] = row if before is None else _longer(before, row)
    booked = [row for name, row in rows.items() if name == row["event_id"]]
    _append(context, booked, {"first": asked.first.isoformat(), "last": asked.last.isoformat(), "alarms": len(booked)})


def _row(context: Context, one: Found) -> dict[str, Any]:
    return {
        "rule": one.rule, "meter": one.meter, "shop": one.shop, "started_at": one.started_at, "ended_at": one.ended_at,
        "amount_milli": one.amount_milli, "unit": one.unit, "value_per_hour": one.value_per_hour,
        "limit_per_hour": one.limit_per_hour, "energy_wh": one.price.energy_wh, "cost_cny": one.price.cost_cny,
        "emissions_gco2e": one.price.emissions_gco2e, "lacking_zh": one.price.lacking.zh, "lacking_en": one.price.lacking.en,
        "message_zh": one.message.zh, "message_en": one.message.en, "assignee": None, "as_normal": False, "text": None,
        "actor": context.actor, "at": context.at,
    }  # fmt: skip


def _longer(before: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an alarm whose episode went on: figures add up, the start stays, the newest words hold."""
    summed = {
        name: None if before[name] is None or row[name] is None else before[name] + row[name]
        for name in ("amount_milli", "energy_wh", "emissions_gco2e", "cost_cny")
    }
    if summed["cost_cny"] is not None:
        summed["cost_cny"] = round(summed["cost_cny"], 2)
    return {**row, **summed, "started_at": before["started_at"]}


def _append(context: Context, rows: list[dict[str, Any]], payload: dict[str, object]) -> None:
    """Append rows to the book in one entry; the caller holds the workspace's lock."""
    workspace = context.workspace
    frame = ALARM_EVENTS.frame([{name: row[name] for name in ALARM_EVENTS.names} for row in rows])
    with workspace.journal.writing(at=context.at, kind="alarm", actor=context.actor) as writer:
        writer.append(ALARM_EVENTS, frame)
        writer.append(RUNS, run_row("alarms", context, payload, frame["event_id"].to_list(), frame.height))
        writer.payload = payload


def days_of_period(text: str) -> tuple[date, date]:
    """Return the first day of a period and the first after it.

    Examples
    --------
    >>> days_of_period("2025-11")
    (datetime.date(2025, 11, 1), datetime.date(2025, 12, 1))
    """
    period = Period.parse(text)
    return period.first_day, period.next_first_day


def newest_days(context: Context, count: int) -> tuple[date, date]:
    """Return the last days on the plant's clock that end today: what is looked at while collecting."""
    return context.today - timedelta(days=count - 1), context.today + timedelta(days=1)


def watch(context: Context, only: tuple[str, ...] = ()) -> tuple[Problem, ...]:
    """Look at yesterday and today by every rule (or some), book what is new, and return a warning for each alarm raised.

    This is what `zf collect` calls when readings have been booked, and `zf inspect listen` for its rules; it never raises for want of
    readings.
    """
    said = own_settings(context).general("watch")
    first, last = newest_days(context, int(said["days"]))
    try:
        done = scan(context, Asked(first, last, only, calibration_days=said["calibration_days"]))
    except FaultyData as fault:
        return tuple(replace(one, severity="warning") for one in fault.problems if one.code != "alarms.no_readings")
    hint = "zf alarms show {0}"
    return tuple(
        Problem(
            "alarms.raised",
            Text(one.row["message_zh"], one.row["message_en"]),
            Text(hint.format(one.alarm_id), hint.format(one.alarm_id)),
            severity="warning",
        )
        for one in done.raised
    )


def _too_short(shortest: int) -> Text:
    return Text(
        f"之前的数据不足 {shortest + 14} 天, 未作偏离常态与漂移判断。",
        f"Fewer than {shortest + 14} days lie before: no anomalies and no drift were looked for.",
    )


def _fault(code: str, zh: str, en: str) -> Problem:
    return Problem(f"alarms.{code}", Text(zh, en), Text("请补正后重试。", "Mend it and try again."))
