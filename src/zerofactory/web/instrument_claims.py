"""The part of the instruments page where units are reserved for a claim, retired, settled, given back or taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui

from zerofactory.errors import Text
from zerofactory.instruments.book import ACCOUNTS
from zerofactory.instruments.kind import kind as kind_of
from zerofactory.instruments.kind import kinds
from zerofactory.instruments.neutrality import neutrality_standards
from zerofactory.instruments.retire import Wanted
from zerofactory.instruments.rule import USES
from zerofactory.periods import Period
from zerofactory.runs import instrument_view as view
from zerofactory.runs import instruments as run
from zerofactory.runs.context import Context
from zerofactory.web.act import act
from zerofactory.web.frame import empty, problems, table
from zerofactory.web.parts import heading
from zerofactory.web.visit import Visit

STEPS = {
    "retire": Text("注销并主张", "Retire and claim"), "pending": Text("已申请注销, 待登记机构确认", "Retirement asked for, registry to confirm"),
    "settle": Text("登记机构已确认", "The registry confirmed"), "refuse": Text("登记机构驳回", "The registry refused"),
    "release": Text("释放预留", "Release"), "take_back": Text("冲回误登的主张", "Take back a claim made by mistake"),
}  # fmt: skip
FIELD = "dense outlined options-dense"


def build(visit: Visit) -> None:
    """Draw the claims and the forms for what can be done with them."""
    found = view.position(visit.context)
    if found.claims:
        _list(visit, found)
    else:
        empty(visit, Text("还没有主张。", "No claims yet."), Text("先预留, 再注销", "Reserve first, then retire"))
    if not visit.may("manage"):
        return
    result = ui.column().classes("w-full").props("aria-live=polite")
    if found.lines:
        _reserve(visit, found, result)
    if found.claims:
        _step(visit, found, result)


def _list(visit: Visit, found: view.Position) -> None:
    columns = [
        ("claim", visit.say("主张", "Claim")), ("use", visit.say("用途", "Use")), ("period", visit.say("期间", "Period")), ("who", visit.say("受益方", "Beneficiary")),
        ("where", visit.say("在哪里", "Where")), ("reason", visit.say("原因", "Reason")),
    ]  # fmt: skip
    standards = neutrality_standards()
    rows = []
    for one, held in found.claims:
        under = f" · {visit.read(standards[one.standard].title)}" if one.standard in standards else ""
        where = "; ".join(f"{visit.read(ACCOUNTS[name])} {amount:,}" for name, amount in held.items() if amount)
        rows.append({"id": one.claim_id, "claim": one.claim_id, "use": visit.read(USES[one.use]) + under, "period": one.period, "who": one.beneficiary, "where": where or "—", "reason": one.reason})  # fmt: skip
    made = table(columns, rows, per_page=15)
    made.add_slot("body-cell-claim", '<q-td :props="props"><a :href="`/instruments?part=history&name=${props.value}`">{{ props.value }}</a></q-td>')  # fmt: skip


def _reserve(visit: Visit, found: view.Position, result: ui.column) -> None:
    heading(visit.say("预留, 或主张入账前已注销的单位", "Reserve, or claim units retired before"))
    own = list(dict.fromkeys(line.kind for line in found.lines))
    standards = {name: visit.read(one.title) for name, one in neutrality_standards().items()}
    with ui.row().classes("items-center gap-3 zf-noprint"):
        use = ui.select({name: visit.read(title) for name, title in USES.items()}, value="scope2_market", label=visit.say("用途", "Use")).props(FIELD).classes("w-72")  # fmt: skip
        kind = ui.select({"": visit.say("不限", "any"), **{name: visit.read(kinds()[name].title) for name in own}}, value="", label=visit.say("种类", "Kind")).props(FIELD).classes("w-64")  # fmt: skip
        amount = ui.number(visit.say("数量", "Units"), min=1, precision=0).props("dense outlined").classes("w-32")
        period = ui.input(visit.say("期间(年或月)", "Period"), value=str(visit.context.today.year - 1)).props("dense outlined").classes("w-32")  # fmt: skip
        standard = ui.select(standards, value=next(iter(standards)), label=visit.say("标准", "Standard")).props(FIELD).classes("w-72")  # fmt: skip
        standard.bind_visibility_from(use, "value", value="neutrality")
        product = ui.input(visit.say("产品", "Product")).props("dense outlined").classes("w-40")
        product.bind_visibility_from(use, "value", value="product_claim")
        obligation = ui.number(visit.say("应清缴 tCO2", "To surrender, tCO2"), min=0, precision=0).props("dense outlined").classes("w-40")  # fmt: skip
        obligation.bind_visibility_from(use, "value", value="ets_compliance")
        reason = ui.input(visit.say("原因", "Reason")).props("dense outlined").classes("w-72")

    def asked() -> run.Request:
        wanted = Wanted(int(amount.value or 0), (str(kind.value),) if kind.value else ())
        under = str(standard.value) if use.value == "neutrality" else ""
        owed = int(obligation.value) if use.value == "ets_compliance" and obligation.value is not None else None
        return run.Request(str(use.value), Period.parse(str(period.value or "").strip()), wanted, reason.value or "", under, "", str(product.value or ""), owed)  # fmt: skip

    async def reserve() -> None:
        _say(visit, await act(visit, "manage", "reserve instruments", lambda context: run.reserve(context, asked()), result), result)  # fmt: skip

    async def claim() -> None:
        _say(visit, await act(visit, "manage", "claim instruments", lambda context: run.claim(context, asked()), result), result)  # fmt: skip

    with ui.row().classes("gap-3 zf-noprint"):
        ui.button(visit.say("预留", "Reserve"), icon="bookmark_add", on_click=reserve).props("id=zf-reserve")
        ui.button(visit.say("主张已注销的单位", "Claim retired units"), on_click=claim).props("outline")


def _step(visit: Visit, found: view.Position, result: ui.column) -> None:
    heading(visit.say("主张的下一步", "A step with a claim"))
    waiting = [one.claim_id for one, held in found.claims if held.get("reserved")]
    names = {one.claim_id: f"{one.claim_id} · {visit.read(USES[one.use])} · {one.period}" for one, _ in found.claims}
    first = waiting[-1] if waiting else next(reversed(names))
    with ui.row().classes("items-center gap-3 zf-noprint"):
        chosen = ui.select(names, value=first, label=visit.say("主张", "Claim")).props(FIELD).classes("w-96")
        step = ui.select({name: visit.read(title) for name, title in STEPS.items()}, value="retire", label=visit.say("做什么", "What")).props(FIELD).classes("w-72")  # fmt: skip
        certificate = ui.input(visit.say("注销凭证号", "Certificate of retirement")).props("dense outlined").classes("w-56")  # fmt: skip
        certificate.bind_visibility_from(step, "value", backward=lambda value: value in ("retire", "pending", "settle"))
        reason = ui.input(visit.say("原因", "Reason")).props("dense outlined").classes("w-64")
        into = ui.checkbox(visit.say("允许涉及已封存月份(修订后计入)", "May touch sealed months (counts after a revision)"))  # fmt: skip

    async def book() -> None:
        do = _doing(str(step.value), (str(chosen.value), str(certificate.value or ""), str(reason.value or "")), bool(into.value))  # fmt: skip
        _say(visit, await act(visit, "manage", f"{step.value} instruments", do, result), result)

    ui.button(visit.say("登记", "Book"), icon="check", on_click=book).props("id=zf-step").classes("zf-noprint")


def _doing(step: str, words: tuple[str, str, str], into: bool) -> Callable[[Context], run.Done]:
    claim, certificate, reason = words
    doing: dict[str, Callable[[Context], run.Done]] = {
        "retire": lambda context: run.retire(context, claim, certificate, reason, into_closed=into),
        "pending": lambda context: run.retire(context, claim, certificate, reason, pending=True, into_closed=into),
        "settle": lambda context: run.settle(context, claim, True, certificate, reason, into_closed=into),
        "refuse": lambda context: run.settle(context, claim, False, certificate, reason, into_closed=into),
        "release": lambda context: run.release(context, claim, reason),
        "take_back": lambda context: run.take_back(context, claim, reason, into_closed=into),
    }
    return doing[step]


ACTS = {
    "reserve": Text("已预留", "reserved"), "claim": Text("已主张", "claimed"), "retire": Text("已注销", "retired"), "settle": Text("已登记", "settled"),
    "release": Text("已释放", "released"), "take_back": Text("已冲回", "taken back"),
}  # fmt: skip


def _say(visit: Visit, done: run.Done | None, result: ui.column) -> None:
    if done is None:
        return
    units = "; ".join(f"{visit.read(kind_of(name).title)} {amount:,} {kind_of(name).unit}" for name, amount in done.units.items())  # fmt: skip
    said = visit.read(ACTS.get(done.act, Text(done.act, done.act)))
    with result:
        ui.label(f"{done.claim_id}: {said} {units}").classes("text-positive text-lg").props("role=status")
        if done.warnings:
            problems(visit, done.warnings)
        again: Any = ui.button(visit.say("刷新持仓与主张", "Show the claims anew"), icon="refresh", on_click=ui.navigate.reload)  # fmt: skip
        again.props("flat id=zf-again")
