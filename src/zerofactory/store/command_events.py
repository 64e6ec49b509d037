"""What was told to devices, as facts: each command with what the plan wished, what was sent, what was read back, or why not.

Manual overrides stand in the same table, so that one list shows who had a device in hand and when. Append-only.
"""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.tables import Column, TableSchema

COMMAND_KINDS = ("setpoint", "safe", "override")
COMMAND_OUTCOMES = ("confirmed", "refused", "failed", "unknown", "on", "off")


def _text(name: str, zh: str, en: str, *, nullable: bool = False, choices: tuple[str, ...] = ()) -> Column:
    return Column(name, "text", Text(zh, en), nullable=nullable, choices=choices)


def _value(name: str, zh: str, en: str) -> Column:
    return Column(name, "number", Text(zh, en), nullable=True, note=Text("单位见 unit", "in the unit named"))


COMMANDS = TableSchema(
    "commands",
    Text("下发给设备的指令", "commands to devices"),
    (
        _text("command_id", "编号", "id"),
        Column("commanded_at", "moment", Text("时间", "time")),
        _text("asset", "设备(空: 全厂)", "asset (empty: the plant)", nullable=True),
        _text("action", "可写量或动作", "write or action"),
        _text("kind", "类型", "kind", choices=COMMAND_KINDS),
        _text("unit", "单位", "unit"),
        _value("wished", "计划值", "wished by the plan"),
        _value("target", "限值内的目标", "target within limits"),
        _value("sent", "下发值", "sent"),
        _value("read_back", "读回值", "read back"),
        _text("cut", "被何限制(minimum、maximum、ramp)", "what cut it (minimum, maximum, ramp)"),
        _text("outcome", "结果", "outcome", choices=COMMAND_OUTCOMES),
        _text("reason", "原因代码", "reason (code)"),
        _text("reason_zh", "原因", "reason (Chinese)"),
        _text("reason_en", "原因(英文)", "reason"),
        _text("plan_id", "计划编号", "plan"),
        _text("actor", "经手人", "who"),
    ),
    ("command_id",),
)
