"""The part of the instruments page where a registry's export is dropped: every fault in place, then all of it or nothing."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from nicegui import events, ui

from zerofactory.errors import FaultyData, Text
from zerofactory.instruments.kind import kind as kind_of
from zerofactory.instruments.registry import registries
from zerofactory.runs import instrument_import as run
from zerofactory.runs.context import Context
from zerofactory.runs.uploads import safe_name, untypical
from zerofactory.web.act import act
from zerofactory.web.frame import empty, table
from zerofactory.web.visit import Visit

USUAL = "gec"
STATUS = {
    "imported": Text("已导入", "imported"), "checked": Text("检查通过", "sound"), "already_imported": Text("此前已导入", "imported before"),
}  # fmt: skip


def build(visit: Visit) -> None:
    """Draw the choice of the registry, the place to drop files, and what came of them."""
    if not visit.may("manage"):
        empty(visit, Text("导入需要管理员或经理权限。", "Importing needs the manager's right."), Text("", ""))
        return
    names = {name: visit.read(one.title) for name, one in registries().items()}
    registry = ui.select(names, value=USUAL if USUAL in names else next(iter(names)), label=visit.say("登记机构", "Registry")).props("dense outlined options-dense").classes("w-96")  # fmt: skip
    result, waiting = ui.column().classes("w-full"), dict[str, bytes]()

    async def take(event: events.MultiUploadEventArguments) -> None:
        waiting.clear()
        for file in event.files:
            waiting[safe_name(file.name)] = await file.read()
        await send(dry_run=True)

    async def send(dry_run: bool) -> None:
        kept = dict(waiting)
        found = await act(visit, "manage", "import instruments", lambda context: _import(context, kept, str(registry.value), dry_run), result)  # fmt: skip
        upload.reset()
        if found is None:
            return
        with result:
            _told(visit, found)
            if dry_run and any(one.status == "checked" for one in found):
                ui.button(visit.say("确认导入", "Import them"), icon="check", on_click=lambda: send(dry_run=False)).props("id=zf-confirm")  # fmt: skip

    label = visit.say("把导出表(CSV、XLSX)拖到这里", "Drop exports (CSV, XLSX) here")
    upload = ui.upload(multiple=True, auto_upload=True, label=label, on_multi_upload=take, max_total_size=visit.server.upload_bytes)  # fmt: skip
    upload.classes("w-full max-w-3xl zf-noprint").props('accept=".csv,.xlsx" bordered')
    result.move(target_index=-1)


def _import(context: Context, files: dict[str, bytes], registry: str, dry_run: bool) -> list[run.ImportedExport]:
    with TemporaryDirectory(prefix="zf-upload-") as folder:
        paths = [Path(folder) / name for name in files]
        for path in paths:
            path.write_bytes(files[path.name])
        faults = [fault for path in paths for fault in untypical(path)]
        if faults:
            raise FaultyData(faults)
        return run.run(context, paths, registry, dry_run=dry_run)


def _told(visit: Visit, found: list[run.ImportedExport]) -> None:
    columns = [("file", visit.say("文件", "File")), ("batches", visit.say("批次", "Batches")), ("units", visit.say("数量", "Units")), ("status", visit.say("结果", "Result"))]  # fmt: skip
    rows = [
        {"id": n, "file": one.name, "batches": one.batches, "units": "; ".join(f"{visit.read(kind_of(name).title)} {amount:,} {kind_of(name).unit}" for name, amount in one.units.items()), "status": visit.read(STATUS[one.status])}
        for n, one in enumerate(found)
    ]  # fmt: skip
    table(columns, rows, ("batches",))
