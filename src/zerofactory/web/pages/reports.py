"""Reports: what is needed for one, build it, look at it in the page, download it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from nicegui import ui

from zerofactory.errors import Text
from zerofactory.periods import Period
from zerofactory.runs import aas, assurance, package, report
from zerofactory.runs.context import Context
from zerofactory.web.act import act
from zerofactory.web.frame import Page, empty, table
from zerofactory.web.paper_view import sheets
from zerofactory.web.parts import heading
from zerofactory.web.period import choose
from zerofactory.web.visit import Visit, tonnes

FORM = "iso_14064"


def build(visit: Visit) -> None:
    """Draw the page."""
    period = choose(visit, "/reports")
    if period is None:
        empty(visit, Text("还没有封存的月份。", "No month is closed yet."), Text("去封存", "Close a month"), "/close")
        return
    asked, result = Period.parse(period), ui.column().classes("w-full").props("aria-live=polite")
    heading(visit.say("ISO 14064-1 报告", "ISO 14064-1 report"))
    with ui.row().classes("gap-3 zf-noprint"):
        _preview(visit, asked, result)
        _download(visit, f"iso_14064-{period}.pdf", Text("下载 PDF", "Download PDF"), "picture_as_pdf", (asked, result))
        _download(visit, f"iso_14064-{period}.xlsx", Text("下载 XLSX", "Download XLSX"), "table_view", (asked, result))
    heading(visit.say("核查包", "Verification package"))
    ui.label(visit.say("核查员用一条命令就能独立重算, 不需要我们。", "A verifier recomputes it with one command, without us.")).classes("opacity-70")  # fmt: skip
    with ui.row().classes("gap-3 zf-noprint"):
        _download(visit, f"package-{period}.zip", Text("下载核查包", "Download the package"), "inventory_2", (asked, result))  # fmt: skip
        ui.button(visit.say("碳中和声明", "Neutrality declaration"), icon="verified", on_click=lambda: ui.navigate.to(f"/declaration?period={period}")).props("flat")  # fmt: skip
    heading(visit.say("资产管理壳(AAS)", "Asset Administration Shells"))
    ui.label(visit.say("工厂、产线、设备的铭牌、用能、碳足迹与仿真模型, 供任何 AAS 程序读取; 接口在 /aas/api/v3.0。", "Name plates, energy, footprints and the twin of plant, lines and machines, for any AAS program; the API is at /aas/api/v3.0.")).classes("opacity-70")  # fmt: skip
    with ui.row().classes("gap-3 zf-noprint"):
        for suffix in aas.SUFFIXES:
            name = suffix.removeprefix(".").upper()
            _download(visit, f"{visit.site}{suffix}", Text(f"下载 {name}", f"Download {name}"), "hub", (asked, result))
    result.move(target_index=-1)
    _contents(visit, asked)


def _preview(visit: Visit, asked: Period, result: ui.column) -> None:
    async def look() -> None:
        button.props("loading")
        made = await act(visit, "read", "preview report", lambda context: report.preview(context, asked, FORM, visit.language), result)  # fmt: skip
        button.props(remove="loading")
        if made is not None:
            with result:
                sheets(visit, made, visit.say(f"ISO 14064-1 报告 {asked.label}", f"ISO 14064-1 report {asked.label}"))

    button = ui.button(visit.say("在页面中预览", "Look at it here"), icon="visibility", on_click=look).props("id=zf-preview")  # fmt: skip


def _download(visit: Visit, name: str, title: Text, icon: str, more: tuple[Period, ui.column]) -> None:
    asked, result = more

    async def give() -> None:
        button.props("loading")
        content = await act(visit, "read", f"report {name}", lambda context: _made(context, asked, name, visit), result)
        button.props(remove="loading")
        if content is not None:
            ui.download(content, name)

    button = ui.button(visit.read(title), icon=icon, on_click=give).props("outline")


def _contents(visit: Visit, asked: Period) -> None:
    """Draw what a report of the period rests on: its seals, and what a verifier said."""
    seals = {row["period"]: row for row in visit.context.workspace.seals().to_dicts()}
    own = [seals[month.label] for month in asked.months() if month.label in seals]
    heading(visit.say("报告的依据", "What it rests on"))
    columns = [("period", visit.say("月份", "Month")), ("revision", visit.say("版次", "Rev.")), ("at", visit.say("封存于", "Closed at")), ("records", visit.say("记录", "Records")), ("tonnes", visit.say("范围一二 tCO2e", "Scopes 1 and 2 tCO2e"))]  # fmt: skip
    rows = [
        {"id": one["period"], "period": one["period"], "revision": one["revision"], "at": str(one.get("at") or "")[:10], "records": f"{one['records']:,}", "tonnes": tonnes(one["total_gco2e"])}
        for one in own
    ]  # fmt: skip
    table([column for column in columns if column[0] != "at" or any(row["at"] for row in rows)], rows, ("revision", "records", "tonnes"))  # fmt: skip
    verified = assurance.for_report(visit.context, asked)
    told = f"{verified.verifier} · {visit.read(verified.level)} · {verified.reference}" if verified else visit.say("尚无第三方核查结论。", "No verifier has concluded yet.")  # fmt: skip
    ui.label(visit.say("核查: ", "Verification: ") + told).classes("text-sm")


def _made(context: Context, period: Period, name: str, visit: Visit) -> bytes:
    if Path(name).suffix in aas.SUFFIXES:
        return aas.content(context, Path(name).suffix)
    with TemporaryDirectory(prefix="zf-") as folder:
        path = Path(folder) / name
        if name.endswith(".zip"):
            package.run(context, period, path, package.Content(False, False, None))
        else:
            report.run(context, period, FORM, path, None, visit.language)
        return path.read_bytes()


PAGE = Page(
    "reports", "/reports", Text("报告与核查包", "Reports and packages"), "description", "standards", 40, "read", build
)
