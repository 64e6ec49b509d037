"""The facts of a plan that the book keeps: what was set, what became of each task, which roadmap was adopted. Append-only."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.tables import Column, TableSchema

EVENTS = ("added", "assigned", "rescheduled", "evidence", "done", "reopened", "dropped")


def _text(name: str, zh: str, en: str, *, nullable: bool = False, choices: tuple[str, ...] = ()) -> Column:
    return Column(name, "text", Text(zh, en), nullable=nullable, choices=choices)


PLANS = TableSchema(
    "plans",
    Text("实施计划", "plans"),
    (
        _text("plan_id", "编号", "id"),
        Column("version", "integer", Text("版次", "version"), minimum=1),
        _text("title_zh", "名称", "title (Chinese)"),
        _text("title_en", "名称(英文)", "title"),
        Column("base_year", "integer", Text("基准年", "base year")),
        _text("plan_sha256", "计划文件SHA-256", "SHA-256 of the plan file"),
        _text("content", "计划文件全文", "text of the plan file"),
        _text("reason", "原因", "reason", nullable=True),
        _text("at", "时间", "at"),
        _text("actor", "经手人", "who"),
    ),
    ("plan_id",),
)

PLAN_TASKS = TableSchema(
    "plan_tasks",
    Text("任务事件", "events of tasks"),
    (
        _text("event_id", "编号", "id"),
        _text("task_id", "任务", "task"),
        _text("event", "事件", "event", choices=EVENTS),
        _text("title_zh", "标题", "title (Chinese)", nullable=True),
        _text("title_en", "标题(英文)", "title", nullable=True),
        _text("owner", "负责角色", "role that owns it", nullable=True),
        _text("due", "到期日", "due", nullable=True),
        _text("stage", "阶段", "stage", nullable=True),
        _text("item", "检查表条目", "item of a checklist", nullable=True),
        _text("evidence", "证据(SHA-256或位置)", "evidence (SHA-256 or place)", nullable=True),
        _text("note", "说明", "note", nullable=True),
        _text("at", "时间", "at"),
        _text("actor", "经手人", "who"),
    ),
    ("event_id",),
)

PLAN_ROADMAPS = TableSchema(
    "plan_roadmaps",
    Text("采用的路线图", "adopted roadmaps"),
    (
        _text("line_id", "编号", "id"),
        _text("roadmap_id", "路线图", "roadmap"),
        _text("plan_id", "计划", "plan"),
        _text("measure_id", "措施", "measure"),
        Column("start_year", "integer", Text("生效年", "first year of effect")),
        Column("capex_cny", "number", Text("投资", "investment"), unit="CNY"),
        _text("parameters", "参数(JSON)", "parameters (JSON)"),
        _text("result", "结果(JSON)", "result (JSON)"),
        _text("at", "时间", "at"),
        _text("actor", "经手人", "who"),
    ),
    ("line_id",),
)

PLANNED: tuple[TableSchema, ...] = (PLANS, PLAN_TASKS, PLAN_ROADMAPS)
