"""A form for a simple scenario of the twin: volume, shifts, one station; it becomes a file of the workspace."""

from __future__ import annotations

from nicegui import ui

from zerofactory.errors import FaultyData, Text
from zerofactory.runs.twin_file import read
from zerofactory.runs.twin_scenario_write import Wish, write
from zerofactory.web.act import act
from zerofactory.web.frame import problems
from zerofactory.web.parts import heading
from zerofactory.web.visit import Visit


def build(visit: Visit) -> None:
    """Draw the form; what is saved can be compared at once."""
    heading(visit.say("新场景", "A new scenario"))
    try:
        stations = {"": "–", **{one.id: visit.read(one.title) for one in read(visit.context).line.stations}}
    except FaultyData as fault:
        problems(visit, fault.problems)
        return
    field = "dense outlined"
    with ui.card().classes("w-full zf-noprint gap-3"):
        with ui.row().classes("gap-3 items-end"):
            name = ui.input(visit.say("文件名", "Name of the file"), placeholder="more-cars").props(f"{field}").classes("w-48")  # fmt: skip
            title = ui.input(visit.say("标题", "Title")).props(f"{field}").classes("w-64")
            times = ui.number(visit.say("产量倍数(如 1.1)", "Volume, times (e.g. 1.1)"), min=0.1, max=5, step=0.05).props(f"{field}").classes("w-48")  # fmt: skip
        with ui.row().classes("gap-3 items-end"):
            shifts = ui.input(visit.say("班次(空: 不变)", "Shifts (empty: as they are)"), placeholder="07:00-15:00, 15:00-23:00").props(field).classes("w-72")  # fmt: skip
            station = ui.select(stations, value="", label=visit.say("工位", "Station")).props(field).classes("w-52")
            cycle = ui.number(visit.say("平均节拍 s", "Mean cycle, s"), min=0.1).props(field).classes("w-36")
            machines = ui.number(visit.say("机器数", "Machines"), min=1, format="%d").props(field).classes("w-32")
        with ui.row().classes("gap-3 items-end"):
            people = ui.number(visit.say("该工位每班人数", "People at it, every shift"), min=0).props(f"{field}").classes("w-48")  # fmt: skip
            invest = ui.number(visit.say("投资 元", "Investment, CNY"), min=0).props(f"{field}").classes("w-48")
            life = ui.number(visit.say("寿命 年", "Life, years"), min=1, max=100, format="%d").props(f"{field}").classes("w-32")  # fmt: skip
            over = ui.checkbox(visit.say("覆盖同名场景", "Take the place of one of that name"))
        told = ui.column().classes("w-full").props("aria-live=polite")

        async def save() -> None:
            said = (title.value or "").strip()
            wish = Wish(
                (name.value or "").strip(), Text(said, said), times.value, shifts.value or "", station.value or None,
                cycle.value, None if machines.value is None else int(machines.value), bool(over.value),
                people.value, invest.value, None if life.value is None else int(life.value),
            )  # fmt: skip
            done = await act(visit, "manage", f"twin scenario {wish.id}", lambda context: write(context, wish), told)
            if done is not None:
                ui.navigate.to("/twin/compare")

        ui.button(visit.say("存为场景", "Save as a scenario"), icon="save", on_click=save).props("outline id=zf-scenario-save")  # fmt: skip
