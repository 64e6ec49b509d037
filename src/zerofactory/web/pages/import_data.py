"""Import: drop files, see every problem in place, mend, import; all of them or none."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryDirectory

from nicegui import events, ui

from zerofactory.errors import FaultyData, Text
from zerofactory.runs import import_data as run
from zerofactory.runs import template
from zerofactory.runs.context import Context
from zerofactory.runs.uploads import safe_name, untypical
from zerofactory.web.act import act
from zerofactory.web.frame import Page, problems, table
from zerofactory.web.visit import Visit

STATUS = {
    "imported": Text("已导入", "imported"),
    "checked": Text("检查通过", "sound"),
    "already_imported": Text("此前已导入", "imported before"),
}
MOST_FILES = 64
KINDS = {"readings": Text("读数", "readings"), "activities": Text("活动数据", "activities")}


def build(visit: Visit) -> None:
    """Draw the page."""
    _forms(visit)
    waiting: dict[str, bytes] = {}
    hint = visit.say("把 CSV、XLSX 或 Parquet 拖到这里", "Drop CSV, XLSX or Parquet here")
    result = ui.column().classes("w-full")

    async def take(event: events.MultiUploadEventArguments) -> None:
        bound = visit.server.upload_bytes
        arrived: dict[str, bytes] = {}
        for file in event.files:
            arrived[_apart(safe_name(file.name), arrived)] = await file.read()
        waiting.update(arrived)
        if sum(len(content) for content in waiting.values()) > bound or len(waiting) > MOST_FILES:
            waiting.clear()
            upload.reset()
            ui.notify(visit.say(f"一次最多 {MOST_FILES} 个文件、{bound // 1_000_000} MB。", f"At most {MOST_FILES} files and {bound // 1_000_000} MB at a time."), type="negative")  # fmt: skip
            return
        await send(dry_run=True)

    async def send(dry_run: bool) -> None:
        if not waiting:
            ui.notify(visit.say("请先选文件。", "Choose files first."), type="warning")
            return
        kept = dict(waiting)
        found = await act(visit, "record", "import", lambda context: _import(context, kept, dry_run), result)
        if found is None:
            waiting.clear()
            upload.reset()
            return
        with result:
            _told(visit, found)
            if dry_run:
                ui.button(
                    visit.say("确认导入", "Import them"), icon="check", on_click=lambda: send(dry_run=False)
                ).props("id=zf-confirm")
            else:
                waiting.clear()
                upload.reset()
                ui.button(visit.say("去封存", "Close a month"), on_click=lambda: ui.navigate.to("/close")).props("flat")

    upload = ui.upload(
        multiple=True, auto_upload=True, label=hint, on_multi_upload=take, max_total_size=visit.server.upload_bytes
    )
    upload.classes("w-full max-w-3xl").props('accept=".csv,.xlsx,.parquet" bordered')
    result.move(target_index=-1)


def _apart(name: str, taken: Collection[str]) -> str:
    """Return a name of its own for one of several files dropped at once that are called the same.

    Examples
    --------
    >>> _apart("三月.csv", {}), _apart("三月.csv", {"三月.csv": b""})
    ('三月.csv', '三月 (2).csv')
    """
    path, number, found = Path(name), 1, name
    while found in taken:
        number += 1
        found = f"{path.stem} ({number}){path.suffix}"
    return found


def _import(context: Context, files: dict[str, bytes], dry_run: bool) -> list[run.ImportedFile]:
    with TemporaryDirectory(prefix="zf-upload-") as folder:
        paths = []
        for name, content in files.items():
            path = Path(folder) / name
            path.write_bytes(content)
            paths.append(path)
        faults = [fault for path in paths for fault in untypical(path)]
        if faults:
            raise FaultyData(faults)
        return run.run(context, paths, None, dry_run)


def _told(visit: Visit, found: list[run.ImportedFile]) -> None:
    columns = [("file", visit.say("文件", "File")), ("kind", visit.say("内容", "Content")), ("rows", visit.say("行数", "Rows")),
               ("periods", visit.say("期间", "Period")), ("status", visit.say("结果", "Result"))]  # fmt: skip
    rows = [
        {"id": n, "file": one.name, "kind": visit.read(KINDS[one.kind]), "rows": f"{one.rows:,}",
         "periods": " … ".join(dict.fromkeys((one.periods[0], one.periods[-1]))) if one.periods else "", "status": visit.read(STATUS[one.status])}
        for n, one in enumerate(found)
    ]  # fmt: skip
    table(columns, rows, ("rows",))
    warnings = [warning for one in found for warning in one.warnings]
    if warnings:
        problems(visit, warnings)


def _forms(visit: Visit) -> None:
    with ui.row().classes("items-center gap-2"):
        ui.label(visit.say("表格模板:", "Forms to fill in:")).classes("opacity-70")
        for form, title in (
            ("activities", Text("活动数据", "activities")),
            ("readings", Text("手抄读数", "hand-read meters")),
        ):
            ui.button(visit.read(title), icon="download", on_click=lambda form=form: _download(visit, form)).props(
                "flat dense"
            )


def _download(visit: Visit, form: str) -> None:
    with TemporaryDirectory(prefix="zf-") as folder:
        path = Path(folder) / "form.xlsx"
        template.run(visit.context, form, path, visit.language)
        ui.download(path.read_bytes(), f"{form}.xlsx")


PAGE = Page("import", "/import", Text("导入", "Import"), "upload_file", "account", 50, "record", build)
