"""The inspector's queue on a page: one picture at a time, judged with a click or a key; what the model thinks is told afterwards."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from nicegui import events, run, ui

from zerofactory.errors import Text
from zerofactory.metering.inspected import DISPOSITIONS, GOOD
from zerofactory.runs import inspect_book, inspect_queue
from zerofactory.runs.inspect_book import Said, causes
from zerofactory.runs.inspect_desk import known_defects
from zerofactory.runs.inspect_queue import WHY, Wanted
from zerofactory.runs.inspect_settings import settings
from zerofactory.web.act import act
from zerofactory.web.frame import empty
from zerofactory.web.visit import Visit

AT_ONCE, MOST_KEYS = 12, 9
NOTHING = (Text("没有要看的图片。", "There is nothing to look at."), Text("模型判定过的零件会排到这里: 用手机扫码质检、zf inspect take 或 MQTT。", "Parts a model has judged come here: from the phone, zf inspect take or MQTT."))  # fmt: skip


def picture_address(visit: Visit, digest: str, rest: str = "") -> str:
    """Return the address of a picture; ``rest`` is what follows the hash."""
    return f"/v1/inspect/images/{digest}{rest}{'&' if '?' in rest else '?'}site={quote(visit.site)}"


def heat_address(visit: Visit, row: Any) -> str:
    """Return the address of a picture with what the model found odd."""
    return picture_address(visit, row["image_sha256"], f"/heat?model={quote(row['model'])}&version={row['model_version']}")  # fmt: skip


def opinion(visit: Visit, row: Any) -> str:
    """Return what the model said of a part, in words."""
    word = visit.say("不合格", "not good") if row["score"] > row["threshold"] else visit.say("合格", "good")
    return f"{row['model']} v{row['model_version']}: {word} ({row['score']:.3f} / {row['threshold']:.3f})"


class Desk:
    """What one inspector has before him: the next pictures, and what he chose."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.waiting, self.busy = visit, list[Wanted](), False
        self.classes = known_defects(visit.context)[:MOST_KEYS]
        self.shows_before = settings(visit.context).opinion == "before"
        self.said = ui.label("").classes("text-sm").props("role=status aria-live=polite id=zf-last")
        self.place = ui.column().classes("w-full gap-3")
        self.fate, self.cause = "recheck", ""

    async def next(self) -> None:
        """Show the next picture, asking for more when there are none left."""
        if not self.waiting:
            context = self.visit.context
            self.waiting = await run.io_bound(inspect_queue.queue, context, inspect_queue.Only(), AT_ONCE) or []
        self.place.clear()
        with self.place:
            if self.waiting:
                self._draw(self.waiting[0])
            else:
                empty(self.visit, *NOTHING)

    async def book(self, defect: str) -> None:
        """Book what was said of the picture shown."""
        if self.busy or not self.waiting:
            return
        self.busy, one = True, self.waiting[0]
        said = Said("accept") if defect == GOOD else Said(self.fate, defect, self.cause)
        name = one.row["defect_id"]
        result = ui.column().classes("w-full")
        done = await act(self.visit, "inspect", "label", lambda context: inspect_book.correct(context, name, said), result)  # fmt: skip
        self.busy = False
        if done is None:
            return
        same = self.visit.say("一致", "the same") if not inspect_queue.disagree(done) else self.visit.say("不一致, 将请另一位检验员复核", "not the same: somebody else will look, too")  # fmt: skip
        told = f" · {opinion(self.visit, done)} · {same}" if settings(self.visit.context).opinion != "never" else ""
        self.said.text = f"{done['part_code']}: {done['defect']}{told}"
        self.waiting.pop(0)
        await self.next()

    async def key(self, event: events.KeyEventArguments) -> None:
        """Judge by key: 0 is good, 1 … 9 the classes of defect."""
        if event.action.keydown and not event.action.repeat and event.key.number is not None:
            number = event.key.number
            if number == 0:
                await self.book(GOOD)
            elif number <= len(self.classes):
                await self.book(self.classes[number - 1])

    def _draw(self, one: Wanted) -> None:
        visit, row = self.visit, one.row
        with ui.row().classes("w-full gap-4 items-start"):
            alt = visit.say("要判定的零件", "the part to judge")
            ui.html(f'<img id="zf-shown" alt="{alt}" src="{picture_address(visit, row["image_sha256"], "?side=960")}" style="width:100%;max-height:60vh;object-fit:contain">', sanitize=False).classes("grow basis-96")  # fmt: skip
            with ui.column().classes("gap-3 basis-96"):
                ui.label(f"{row['part_code']} · {row['shop']} {row['station'] or ''}").classes(
                    "text-lg font-semibold"
                ).props("id=zf-part")
                ui.label(f"{visit.read(WHY[one.why])} · {visit.say('还有', 'waiting:')} {len(self.waiting)}").classes("opacity-70")  # fmt: skip
                if self.shows_before:
                    ui.label(opinion(visit, row))
                ui.button(f"{visit.say('合格', 'Good')} (0)", on_click=lambda: self.book(GOOD), color="positive").props("id=zf-q-good size=lg").classes("w-full")  # fmt: skip
                self._choices()
                with ui.row().classes("gap-2"):
                    for number, name in enumerate(self.classes, 1):
                        ui.button(f"{name} ({number})", on_click=lambda name=name: self.book(name), color="negative").props("outline")  # fmt: skip
                with ui.row().classes("items-center gap-2"):
                    other = ui.input(visit.say("其他缺陷", "Another defect")).props("dense outlined maxlength=200")
                    ui.button(visit.say("登记", "Book"), on_click=lambda: self.book(str(other.value or "").strip() or "unnamed")).props("outline")  # fmt: skip

    def _choices(self) -> None:
        visit = self.visit
        fates = {name: visit.read(text) for name, text in DISPOSITIONS.items() if name != "accept"}
        why = {"": visit.say("(不详)", "(not known)"), **{name: visit.read(text) for name, text in causes().items()}}
        with ui.row().classes("gap-2"):
            ui.select(fates, value=self.fate, label=visit.say("不合格怎么处置", "A bad part is"), on_change=lambda event: setattr(self, "fate", event.value)).props("dense outlined").classes("w-40")  # fmt: skip
            ui.select(why, value=self.cause, label=visit.say("原因", "Cause"), on_change=lambda event: setattr(self, "cause", event.value)).props("dense outlined").classes("w-40")  # fmt: skip


def draw_queue(visit: Visit) -> None:
    """Draw the queue."""
    desk = Desk(visit)
    if visit.may("inspect"):
        ui.keyboard(on_key=desk.key)
        ui.timer(0.05, desk.next, once=True)
    else:
        desk.said.text = visit.say("您没有检验权限。", "You may not inspect.")
