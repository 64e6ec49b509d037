"""Instruments: what is held, reserved and retired, registry exports, claims, and what expires when."""

from __future__ import annotations

from nicegui import ui

from zerofactory.errors import Text
from zerofactory.instruments.book import ACCOUNTS
from zerofactory.instruments.kind import kind as kind_of
from zerofactory.runs import instrument_view as view
from zerofactory.runs import instruments as run
from zerofactory.web import charts, instrument_claims, instrument_import
from zerofactory.web.act import act
from zerofactory.web.frame import Page, empty, figure, table
from zerofactory.web.parts import choose_part, heading
from zerofactory.web.visit import Visit

PARTS = {
    "position": Text("持仓", "Position"), "import": Text("导入导出表", "Import an export"), "claims": Text("预留、注销、主张", "Reserve, retire, claim"),
    "expiry": Text("到期日历", "Calendar of expiry"), "history": Text("历史", "History"),
}  # fmt: skip


def build(visit: Visit) -> None:
    """Draw the page."""
    part = choose_part(visit, "/instruments", PARTS)
    {"position": _position, "import": instrument_import.build, "claims": instrument_claims.build, "expiry": _expiry, "history": _history}[part](visit)  # fmt: skip


def _nothing(visit: Visit) -> None:
    then = Text("导入登记机构的导出表", "Import a registry's export")
    empty(visit, Text("还没有绿证、碳信用或配额。", "No certificates, credits or allowances yet."), then, "/instruments?part=import")  # fmt: skip


def _position(visit: Visit) -> None:
    found = view.position(visit.context)
    if not found.lines:
        _nothing(visit)
        return
    with ui.row().classes("w-full gap-4"):
        for name in dict.fromkeys(line.kind for line in found.lines):
            own = [line for line in found.lines if line.kind == name]
            held = sum(line.units["held"] for line in own)
            total = f"{sum(line.total for line in own):,}"
            figure(visit, kind_of(name).title, f"{held:,}", own[0].unit, visit.say(f"持有; 共 {total}", f"held, of {total}"))  # fmt: skip
        if found.pending:
            figure(visit, Text("等待登记机构确认", "Waiting for the registry"), str(found.pending), "")
    accounts = [name for name in ACCOUNTS if any(line.units.get(name) for line in found.lines)]
    names = [f"{visit.read(kind_of(line.kind).title)} {line.vintage_year}" for line in found.lines]
    with ui.card().classes("w-full"):
        parts = {visit.read(ACCOUNTS[name]): [line.units.get(name, 0) for line in found.lines] for name in accounts}
        charts.bars(names, parts, visit.say("个", "units"), stacked=True)
    columns = [
        ("kind", visit.say("种类", "Kind")), ("vintage", visit.say("年份", "Vintage")), ("unit", visit.say("单位", "Unit")),
        *((f"a_{name}", visit.read(ACCOUNTS[name])) for name in accounts), ("cost", visit.say("成本 元", "Cost CNY")),
    ]  # fmt: skip
    rows = [
        {"id": n, "kind": visit.read(kind_of(line.kind).title), "vintage": line.vintage_year, "unit": line.unit, "cost": f"{line.cost_cny:,.2f}" if line.priced else "—",
         **{f"a_{name}": f"{line.units.get(name, 0):,}" for name in accounts}}
        for n, line in enumerate(found.lines)
    ]  # fmt: skip
    table(columns, rows, [*(f"a_{name}" for name in accounts), "cost"])
    _batches(visit)


def _batches(visit: Visit) -> None:
    heading(visit.say("批次", "Batches"))
    columns = [
        ("batch", visit.say("批次", "Batch")), ("kind", visit.say("种类", "Kind")), ("serials", visit.say("编号", "Serials")), ("amount", visit.say("数量", "Amount")),
        ("vintage", visit.say("年份", "Vintage")), ("project", visit.say("项目", "Project")), ("expires", visit.say("有效期止", "Valid until")), ("where", visit.say("在哪里", "Where")),
    ]  # fmt: skip
    rows = [
        {"id": one["batch"], "batch": one["batch"], "kind": visit.read(kind_of(one["kind"]).title), "serials": one["serials"], "amount": f"{one['amount']:,} {one['unit']}", "vintage": one["vintage"],
         "project": one["project"], "expires": one["expires_on"] or "—", "where": accounts_of(visit, one["units"])}
        for one in view.batches(visit.context)
    ]  # fmt: skip
    made = table(columns, rows, ("amount",), per_page=20)
    made.add_slot("body-cell-batch", '<q-td :props="props"><a :href="`/instruments?part=history&name=${encodeURIComponent(props.value)}`">{{ props.value }}</a></q-td>')  # fmt: skip


def accounts_of(visit: Visit, units: dict[str, int]) -> str:
    """Return how many units are in which account, in words."""
    return "; ".join(f"{visit.read(ACCOUNTS[name])} {amount:,}" for name, amount in units.items() if amount)


def _expiry(visit: Visit) -> None:
    found = view.calendar(visit.context)
    if not found:
        _nothing(visit) if not view.batches(visit.context) else empty(visit, Text("没有会过期的单位。", "Nothing held expires."), Text("", ""))  # fmt: skip
        return
    months: dict[str, dict[str, int]] = {}
    for one in found:
        own = months.setdefault(visit.read(kind_of(one.kind).title), {})
        label = one.expires_on.isoformat()[:7]
        own[label] = own.get(label, 0) + one.units
    labels = sorted({label for own in months.values() for label in own})
    with ui.card().classes("w-full"):
        charts.bars(labels, {name: [own.get(label, 0) for label in labels] for name, own in months.items()}, visit.say("个", "units"), stacked=True)  # fmt: skip
    columns = [
        ("on", visit.say("到期日", "Expires on")), ("left", visit.say("还有(天)", "Days left")), ("batch", visit.say("批次", "Batch")), ("kind", visit.say("种类", "Kind")),
        ("vintage", visit.say("年份", "Vintage")), ("units", visit.say("数量", "Units")),
    ]  # fmt: skip
    rows = [
        {"id": n, "on": one.expires_on.isoformat(), "left": f"{one.days_left:,}", "batch": one.batch_id, "kind": visit.read(kind_of(one.kind).title), "vintage": one.vintage, "units": f"{one.units:,}"}
        for n, one in enumerate(found)
    ]  # fmt: skip
    table(columns, rows, ("left", "units"), per_page=25)
    over = sum(one.units for one in found if one.days_left < 0)
    if over and visit.may("manage"):
        result = ui.column().classes("w-full")

        async def expire() -> None:
            if await act(visit, "manage", "expire instruments", run.expire, result):
                ui.navigate.reload()

        ui.button(visit.say(f"核销已过期的 {over:,} 个", f"Write off {over:,} that have expired"), on_click=expire).classes("zf-noprint")  # fmt: skip


def _history(visit: Visit) -> None:
    name = visit.asked.get("name", "")
    position = view.position(visit.context)
    names = {one.claim_id: f"{one.claim_id} · {one.period}" for one, _ in position.claims}
    names |= {one["batch"]: one["batch"] for one in view.batches(visit.context)}
    if not names:
        _nothing(visit)
        return
    chosen = ui.select(names, value=name if name in names else None, label=visit.say("主张或批次", "Claim or batch"), with_input=True)  # fmt: skip
    chosen.props("dense outlined options-dense").classes("w-96 zf-noprint")
    chosen.on_value_change(lambda event: ui.navigate.to(f"/instruments?part=history&name={event.value}"))
    if not name:
        return
    marks = {"posted": "", "pending": visit.say(" (待确认)", " (pending)"), "void": visit.say(" (作废)", " (void)")}
    columns = [
        ("at", visit.say("时间", "At")), ("way", visit.say("从 → 到", "From → to")), ("amount", visit.say("数量", "Amount")), ("serials", visit.say("编号", "Serials")),
        ("claim", visit.say("主张", "Claim")), ("certificate", visit.say("凭证", "Certificate")), ("actor", visit.say("谁", "By")), ("reason", visit.say("原因", "Reason")),
    ]  # fmt: skip
    rows = [
        {"id": n, "at": one["at"][:10], "way": f"{visit.read(ACCOUNTS[one['from']])} → {visit.read(ACCOUNTS[one['to']])}{marks[one['state']]}{visit.say(' (冲回)', ' (taken back)') if one['reverses'] else ''}",
         "amount": f"{one['amount']:,}", "serials": one["serials"], "claim": one["claim"] or "—", "certificate": one["certificate"] or "—", "actor": one["actor"], "reason": one["reason"]}
        for n, one in enumerate(view.history(visit.context, name))
    ]  # fmt: skip
    table(columns, rows, ("amount",), per_page=25)


PAGE = Page(
    "instruments",
    "/instruments",
    Text("绿证与抵消", "Instruments and offset"),
    "workspace_premium",
    "plan",
    20,
    "read",
    build,
)
