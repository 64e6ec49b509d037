"""Reports: build, look, download."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from nicegui import ui

from zerofactory.errors import Text
from zerofactory.periods import Period
from zerofactory.runs import package, report
from zerofactory.runs.context import Context
from zerofactory.web.act import act
from zerofactory.web.frame import Page, empty
from zerofactory.web.period import choose
from zerofactory.web.visit import Visit


def build(visit: Visit) -> None:
    """Draw the page."""
    period = choose(visit, "/reports")
    if period is None:
        empty(visit, Text("还没有封存的月份。", "No month is closed yet."), Text("去封存", "Close a month"), "/close")
        return
    asked, result = Period.parse(period), ui.column().classes("w-full")
    offers = {
        f"iso_14064-{period}.pdf": (Text("ISO 14064-1 报告(PDF)", "ISO 14064-1 report (PDF)"), "picture_as_pdf"),
        f"iso_14064-{period}.xlsx": (Text("ISO 14064-1 报告(XLSX)", "ISO 14064-1 report (XLSX)"), "table_view"),
        f"package-{period}.zip": (Text("核查包", "Verification package"), "inventory_2"),
    }
    with ui.row().classes("gap-4"):
        for name, (title, icon) in offers.items():
            button = ui.button(visit.read(title), icon=icon)

            async def give(name: str = name, button: ui.button = button) -> None:
                button.props("loading")
                content = await act(
                    visit, "read", f"report {name}", lambda context: _made(context, asked, name, visit), result
                )
                button.props(remove="loading")
                if content is not None:
                    ui.download(content, name)

            button.on_click(give)
    result.move(target_index=-1)


def _made(context: Context, period: Period, name: str, visit: Visit) -> bytes:
    with TemporaryDirectory(prefix="zf-") as folder:
        path = Path(folder) / name
        if name.endswith(".zip"):
            package.run(context, period, path, package.Content(False, False, None))
        else:
            report.run(context, period, "iso_14064", path, None, visit.language)
        return path.read_bytes()


PAGE = Page(
    "reports", "/reports", Text("报告与核查包", "Reports and packages"), "description", "standards", 40, "read", build
)
