"""Inspection over MQTT: a camera publishes a picture, the verdict is published back; a message is confirmed once it is in the book.

A payload is a picture as it is (the code of the part is the level of the topic that ``+`` or ``#`` stands for, else the last one), or
JSON: ``{"part_code", "image" (base64), "station"?, "product"?, "inspected_at"?}``. What a broker sends again is not booked again.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from importlib.util import find_spec
from typing import Any

import sqlalchemy as sa

from zerofactory.connectors.connection import default_rules, missing_library
from zerofactory.connectors.link import Connection, LinkFault, Surroundings
from zerofactory.connectors.mqtt_session import MqttSession
from zerofactory.connectors.simulated_broker import matches
from zerofactory.errors import FaultyData, NotFound, Problem, Text, ZeroFactoryError
from zerofactory.monitoring.rule import defaults
from zerofactory.notation import json_of
from zerofactory.runs import alarms, inspect_alarms
from zerofactory.runs.context import Context, clock
from zerofactory.runs.inspect_desk import Sent, receive
from zerofactory.runs.inspect_settings import settings
from zerofactory.runs.inspect_take import chosen_model
from zerofactory.store.workspace import Workspace

LIBRARY = "paho"
WAITING = 16
"""Messages held while one is judged; then the broker's side is held up."""
KEYS = ("part_code", "image", "station", "product", "inspected_at")


@dataclass(frozen=True, slots=True)
class Asked:
    """Where to listen and what is known of the parts that come from there.

    Parameters
    ----------
    broker : ``host`` or ``host:port``.
    topic : a filter, with ``+`` and ``#``.
    reply : where verdicts are published; it must not fall under ``topic``.
    options : of the session: user, password_env (the variable that holds the password), tls, ca_file, client_id.
    seconds, parts : end after so long or so many parts; None: go on.
    """

    broker: str
    topic: str
    reply: str = "zerofactory/verdict"
    part: Sent = field(default_factory=Sent)
    options: Mapping[str, Any] = field(default_factory=dict)
    seconds: float | None = None
    parts: int | None = None


@dataclass(slots=True)
class Heard:
    """What was heard: parts booked, those booked before, payloads that could not be judged."""

    booked: int = 0
    repeated: int = 0
    refused: int = 0

    @property
    def messages(self) -> int:
        """All of them."""
        return self.booked + self.repeated + self.refused

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return asdict(self)


def listen(
    context: Context, asked: Asked, tell: Callable[[Problem], None], show: Callable[[Mapping[str, Any]], None]
) -> Heard:
    """Judge and book what cameras publish until it is time to end; ``show`` is given every verdict.

    Raises
    ------
    FaultyData
        The reply would be heard again; no model, or several and none named.
    """
    if "+" in asked.reply or "#" in asked.reply or matches(asked.topic, asked.reply):
        raise FaultyData([Problem("inspect.reply", Text(f"判定的主题“{asked.reply}”在所听的主题“{asked.topic}”之内, 会循环。", f"The topic of verdicts '{asked.reply}' falls under '{asked.topic}': it would be heard again."), Text("请用 --reply 换一个主题。", "Choose another with --reply."))])  # fmt: skip
    if chosen_model(context, asked.part.model) is None:
        raise NotFound(Text("检测模型", "inspection model"), asked.part.model, ())
    if find_spec(LIBRARY) is None:
        raise FaultyData([missing_library(LIBRARY)])
    heard = Heard()
    asyncio.run(_listen(context, asked, heard, tell, show))
    return heard


async def _listen(context: Context, asked: Asked, heard: Heard, tell: Callable[[Problem], None], show: Callable[[Mapping[str, Any]], None]) -> None:  # fmt: skip
    first_wait, longest_wait = (
        float(default_rules()[name]) for name in ("retry_first_seconds", "retry_longest_seconds")
    )
    connection = Connection("inspect", "mqtt_json", asked.broker, options=asked.options)
    around = Surroundings(context.workspace.plant, context.workspace.folder, tell, lambda: 0, WAITING)
    loop, wait = asyncio.get_running_loop(), first_wait
    every_s = defaults("watch")["every_minutes"] * 60.0
    next_look = loop.time() + every_s
    end = None if asked.seconds is None else loop.time() + asked.seconds

    def over() -> bool:
        return (end is not None and loop.time() >= end) or (asked.parts is not None and heard.messages >= asked.parts)

    while not over():
        session = MqttSession(connection, around)
        try:
            await session.open([asked.topic])
            wait = first_wait
            while not over():
                for message in await session.messages():
                    told = await asyncio.to_thread(
                        _judged, context, asked, message.topic, bytes(message.payload), heard
                    )
                    session.publish(asked.reply, json.dumps(told, ensure_ascii=False).encode(), qos=1)
                    show(told)
                await session.delivered()
                await session.acknowledge()
                if loop.time() >= next_look:
                    next_look = loop.time() + every_s
                    for problem in await asyncio.to_thread(watch_cameras, context):
                        tell(problem)
        except LinkFault as fault:
            tell(fault.problem)
            await asyncio.sleep(min(wait, max(0.0, end - loop.time())) if end is not None else wait)
            wait = min(2 * wait, longest_wait)
        finally:
            await session.close()


def watch_cameras(context: Context) -> tuple[Problem, ...]:
    """Look at yesterday and today by the rules of inspection and return what there is to tell; it stops no line."""
    fresh = replace(context, workspace=Workspace(context.workspace.folder), now=clock())
    try:
        return alarms.watch(fresh, inspect_alarms.RULES)
    except (OSError, sqlite3.Error, sa.exc.SQLAlchemyError, ZeroFactoryError) as error:
        said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        return (Problem("inspect.alarms", Text(f"报警暂未检查: {said}", f"Alarms were not looked at for now: {said}"), Text("稍后再查。", "They are looked at later."), severity="warning"),)  # fmt: skip


def _judged(context: Context, asked: Asked, topic: str, payload: bytes, heard: Heard) -> dict[str, object]:
    """Judge and book one message; a fault of it is told and does not stop the line."""
    fresh = replace(context, workspace=Workspace(context.workspace.folder), now=clock())
    sent = asked.part
    try:
        sent, image = read(asked.part, asked.topic, topic, payload, settings(fresh).most_picture_bytes)
        told = receive(fresh, sent, image)
    except (FaultyData, NotFound) as refused:
        heard.refused += 1
        problems = refused.problems if isinstance(refused, FaultyData) else (refused.as_problem(),)
        return {"topic": topic, "part_code": sent.part_code, "problems": [one.as_json() for one in problems]}
    heard.repeated += bool(told["repeated"])
    heard.booked += not told["repeated"]
    return {"topic": topic, **told}


def read(part: Sent, wanted: str, topic: str, payload: bytes, most_bytes: int) -> tuple[Sent, bytes]:
    """Return what a message says of a part, and its picture.

    Raises
    ------
    FaultyData
        It is above the bound, or JSON that does not hold what it should.

    Examples
    --------
    >>> read(Sent(shop="weld"), "cam/+/shot", "cam/BX-1/shot", b"picture", 100)[0].part_code
    'BX-1'
    """
    if len(payload) > most_bytes * 4 // 3 + 10_000:
        raise FaultyData([_fault(f"{len(payload)} 字节太大。", f"{len(payload)} bytes are too many.")])
    if payload.lstrip()[:1] != b"{":
        return replace(part, part_code=_code_in(wanted, topic)), payload
    try:
        told = json_of(payload, None, _fault("", "").code)
        strange = sorted(set(told) - set(KEYS)) or [name for name in KEYS if not isinstance(told.get(name, ""), str)]
        if strange:
            raise FaultyData([_fault(f"键 {', '.join(strange)[:80]} 不认识或不是文字。", f"The keys {', '.join(strange)[:80]} are unknown or no text.")])  # fmt: skip
        image = base64.b64decode(told.get("image", ""), validate=True)
        at = datetime.fromisoformat(told["inspected_at"]) if told.get("inspected_at") else None
        if at is not None and at.tzinfo is None:
            raise ValueError("no time zone")
    except (ValueError, binascii.Error) as error:
        raise FaultyData([_fault("图片不是 base64, 或时刻没有时区。", "The picture is no base64, or the time has no zone.")]) from error  # fmt: skip
    return replace(
        part, part_code=told.get("part_code", "") or _code_in(wanted, topic), station=told.get("station") or part.station,
        product=told.get("product") or part.product, inspected_at=at,
    ), image  # fmt: skip


def _code_in(wanted: str, topic: str) -> str:
    """Return the level of a topic that stands for the part; empty where the filter leaves no level open: then the picture says."""
    levels = wanted.split("/")
    if not {"+", "#"} & set(levels):
        return ""
    return topic.split("/")[levels.index("+")] if "+" in levels else topic.rpartition("/")[2]


def _fault(zh: str, en: str) -> Problem:
    return Problem("inspect.payload", Text(zh, en), Text("发送图片本身, 或 JSON: part_code 与 base64 的 image。", "Send the picture itself, or JSON with part_code and image in base64."))  # fmt: skip
