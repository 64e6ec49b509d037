"""What was told to which device: each command is on disk before it is sent, and again with what came of it.

    sending (fsync) ─► device ─► confirmed | failed (fsync) ─► … ─► the book takes the file, `zf energy commands` shows it

A process that is killed in between leaves a ``sending`` without an end: it is booked as ``unknown``.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from zerofactory.errors import Text

REASONS: dict[str, Text] = {
    "": Text("", ""),
    "plant_not_allowed": Text("工厂未准许下发(commands.toml: allowed)", "the plant does not allow commands (commands.toml: allowed)"),
    "asset_not_allowed": Text("该设备未准许下发", "this asset may not be commanded"),
    "no_wire": Text("commands.toml 里没有该设备", "commands.toml has no such asset"),
    "no_channel": Text("该动作没有对应的可写量", "no write carries out this action"),
    "file_faulty": Text("commands.toml 有错", "commands.toml has faults"),
    "file_changed": Text("commands.toml 中该设备已改, 须重新启动", "its entry in commands.toml changed; start again"),
    "override": Text("人工接管中", "manual override is on"),
    "not_a_number": Text("设定值不是有限数", "the setpoint is no finite number"),
    "plan_expired": Text("计划已过有效期", "the plan is too old"),
    "read_back": Text("读回值与下发值不符", "what was read back is not what was sent"),
    "device_refused": Text("设备拒绝写入", "the device refused"),
    "no_room": Text("磁盘写不进, 不留痕不下发", "the log cannot be written; nothing is sent without it"),
    "unfit": Text("寄存器装不下", "the register cannot hold it"),
    "stopped": Text("调度正常结束", "the dispatcher ended"),
    "failed": Text("调度出错", "the dispatcher failed"),
    "reconnected": Text("断线后恢复", "the connection came back"),
    "taken_over": Text("上一个调度进程被强制结束", "the dispatcher before was killed"),
    "override_ended": Text("人工接管结束", "the manual override ended"),
    "unknown": Text("下发途中被强制结束", "cut off while sending"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Command:
    """One thing told to a device, or why it was not.

    Parameters
    ----------
    action : the device's write, or the plan's action where no write carries it out.
    wished, target, sent, read_back : what the plan wished, what the limits left of it, what was sent in this step of the
        ramp, what the device showed after; all in ``unit``.
    cut : what cut the wish: minimum, maximum, ramp.
    outcome : confirmed | refused (not sent) | failed (sent, or tried) | unknown | would_send.
    reason : why, a code of `REASONS` or of a connection's fault.
    """

    command_id: str
    at_us: int
    asset: str
    action: str
    kind: str
    unit: str
    wished: float | None
    target: float | None
    sent: float | None
    read_back: float | None
    cut: str
    outcome: str
    reason: str
    reason_zh: str
    reason_en: str
    plan_id: str

    def because(self, outcome: str, reason: str, text: Text | None = None) -> Command:
        """Return the command with its outcome and the reason in words."""
        words = text or REASONS.get(reason, Text(reason, reason))
        return replace(self, outcome=outcome, reason=reason, reason_zh=words.zh, reason_en=words.en)


@dataclass(slots=True)
class CommandLog:
    """The log file of one workspace; ``notice`` is told of every command that came to its end."""

    home: Path
    notice: Callable[[Command], None] = field(default=lambda _command: None)

    @staticmethod
    def name(at_us: int) -> str:
        """Return an id for a command that no other has."""
        return f"{at_us:x}-{uuid4().hex[:12]}"

    def begin(self, command: Command) -> None:
        """Keep what is about to be sent; raise `OSError` when that is impossible."""
        self._append({**asdict(command), "outcome": "sending"})

    def end(self, command: Command) -> None:
        """Keep what came of a command; raise `OSError` when that is impossible."""
        self.notice(command)
        self._append(asdict(command))

    def waiting(self) -> list[Command]:
        """Return what the book does not have yet, and set it apart until `booked` is called."""
        taken, path = self.home / "commands.booking.jsonl", self.home / "commands.jsonl"
        if not taken.exists() and path.exists():
            path.replace(taken)
        found: dict[str, Command] = {}
        for line in taken.read_text(encoding="utf-8").splitlines() if taken.exists() else ():
            command = _command(line)
            if command is not None:
                found[command.command_id] = command
        return [one.because("unknown", "unknown") if one.outcome == "sending" else one for one in found.values()]

    def booked(self) -> None:
        """Throw away what was set apart: the book has it."""
        (self.home / "commands.booking.jsonl").unlink(missing_ok=True)

    def _append(self, entry: dict[str, Any]) -> None:
        line = {name: _plain(value) for name, value in entry.items()}
        with (self.home / "commands.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
            stream.flush()
            os.fsync(stream.fileno())


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _command(line: str) -> Command | None:
    """Return a command of the log; None where the line was cut off."""
    try:
        return Command(**json.loads(line))
    except (ValueError, TypeError):
        return None
