"""Import: drop files, see every problem in place, mend, import; all of them or none."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

from nicegui import events, run, ui

from zerofactory.errors import Problem, Text
from zerofactory.runs import template
from zerofactory.runs.jobs import Job
from zerofactory.runs.uploads import safe_name
from zerofactory.web.frame import Page, problems, table
from zerofactory.web.visit import Visit
from zerofactory.web.work import begin, resume

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
    last: list[Job] = []
    hint = visit.say("把 CSV、XLSX 或 Parquet 拖到这里", "Drop CSV, XLSX or Parquet here")
    result = ui.column().classes("w-full")

    async def take(event: events.MultiUploadEventArguments) -> None:
        bound = visit.server.upload_bytes
        if last and last[-1].state in ("failed", "cancelled"):  # what comes now is the mended file
            waiting.clear()
        arrived: dict[str, bytes] = {}
        for file in event.files:
            arrived[_apart(safe_name(file.name), arrived)] = await file.read()
        waiting.update(arrived)
        upload.reset()
        if sum(len(content) for content in waiting.values()) > bound or len(waiting) > MOST_FILES:
            waiting.clear()
            ui.notify(_too_much(visit), type="negative")
            return
        await send(dry_run=True)

    async def send(dry_run: bool) -> None:
        if not waiting:
            ui.notify(visit.say("请先选文件。", "Choose files first."), type="warning")
            return
        kept = dict(waiting)
        scratch = await run.io_bound(_written, kept)
        asked = {"folder": str(scratch), "files": list(kept), "dry_run": dry_run}
        if not dry_run:
            waiting.clear()
        job = begin(visit, "import", asked, result, told, scratch)
        last[:] = [job] if job is not None else []

    def told(job: Job) -> None:
        _told(visit, job.result)
        if job.parameters["dry_run"] and waiting:
            ui.button(visit.say("确认导入", "Import them"), icon="check", on_click=lambda: send(dry_run=False)).props(
                "id=zf-confirm"
            )
        elif not job.parameters["dry_run"]:
            ui.button(visit.say("去封存", "Close a month"), on_click=lambda: ui.navigate.to("/close")).props("flat")

    upload = ui.upload(
        multiple=True, auto_upload=True, label=hint, on_multi_upload=take, max_total_size=visit.server.upload_bytes,
        on_rejected=lambda: ui.notify(_too_much(visit), type="negative"),
    )  # fmt: skip
    upload.classes("w-full max-w-3xl").props('accept=".csv,.xlsx,.parquet" bordered')
    result.move(target_index=-1)
    resume(visit, "import", result, told)


def _too_much(visit: Visit) -> str:
    megabytes = visit.server.upload_bytes // 1_000_000
    return visit.say(
        f"没有上传: 一次最多 {MOST_FILES} 个文件、{megabytes} MB, 只收 CSV、XLSX、Parquet。",
        f"Not uploaded: at most {MOST_FILES} files and {megabytes} MB at a time, CSV, XLSX or Parquet.",
    )


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


def _written(files: Mapping[str, bytes]) -> Path:
    """Write uploads into a folder that belongs to the work that reads them."""
    folder = Path(mkdtemp(prefix="zf-upload-"))
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def _told(visit: Visit, found: Mapping[str, Any]) -> None:
    columns = [("file", visit.say("文件", "File")), ("kind", visit.say("内容", "Content")), ("rows", visit.say("行数", "Rows")),
               ("periods", visit.say("期间", "Period")), ("status", visit.say("结果", "Result"))]  # fmt: skip
    rows = [
        {"id": n, "file": one["file"], "kind": visit.read(KINDS[one["kind"]]), "rows": f"{one['rows']:,}",
         "periods": " … ".join(dict.fromkeys((one["periods"][0], one["periods"][-1]))) if one["periods"] else "", "status": visit.read(STATUS[one["status"]])}
        for n, one in enumerate(found["files"])
    ]  # fmt: skip
    table(columns, rows, ("rows",))
    warnings = [Problem.from_json(one) for one in found["problems"]]
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
