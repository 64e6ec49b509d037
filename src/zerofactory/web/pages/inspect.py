"""Learned inspection: the queue to work through, what was judged with picture and heat, the audit over time, the models."""

from __future__ import annotations

from html import escape
from typing import Any

from nicegui import run, ui

from zerofactory.errors import Text
from zerofactory.metering.inspected import DISPOSITIONS, standing
from zerofactory.optimisation.quality.drift import TITLES, Drift
from zerofactory.optimisation.quality.measure import Rate
from zerofactory.periods import zone
from zerofactory.runs import inspect_book, inspect_queue
from zerofactory.runs.inspect_heat import camera
from zerofactory.runs.inspect_model import cards
from zerofactory.runs.inspect_settings import settings
from zerofactory.store.pictures import Pictures
from zerofactory.web.charts import lines
from zerofactory.web.frame import Page, empty, figure, table
from zerofactory.web.inspect_work import draw_queue, heat_address, opinion, picture_address
from zerofactory.web.parts import choose_part
from zerofactory.web.visit import Visit

PARTS = {
    "queue": Text("待看队列", "Queue"), "recent": Text("最近判定", "Recent verdicts"), "audit": Text("漏检与误判", "Escapes and false rejects"), "models": Text("模型", "Models"),
}  # fmt: skip
SHOWN, SMALL_PIXELS = 24, 320
STYLE = """
.zf-shots { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 12px; width: 100%; }
.zf-shot { border: 1px solid var(--zf-grid); border-radius: 10px; padding: 8px; background: var(--zf-card); min-width: 0; overflow-wrap: anywhere; }
.zf-shot div { display: flex; gap: 6px; } .zf-shot img { width: 50%; aspect-ratio: 1; object-fit: contain; background: var(--zf-grid); border-radius: 6px; }
"""


def build(visit: Visit) -> None:
    """Draw the page."""
    if visit.may("inspect"):
        ui.button(visit.say("手机扫码质检", "Scan with a phone"), icon="qr_code_scanner", on_click=lambda: ui.navigate.to("/inspect/scan")).props("flat").classes("zf-noprint")  # fmt: skip
    part = choose_part(visit, "/inspect", PARTS)
    {"queue": draw_queue, "recent": _recent, "audit": _audit, "models": _models}[part](visit)


def _recent(visit: Visit) -> None:
    own = settings(visit.context)
    found = standing(inspect_book.newest(visit.context, own.queue_rows)).tail(SHOWN).to_dicts()[::-1]
    if not found:
        empty(visit, Text("还没有检验记录。", "No part has been inspected yet."), Text("用手机扫码质检, 或 zf inspect take、MQTT。", "Use the phone page, zf inspect take or MQTT."))  # fmt: skip
        return
    ui.add_css(STYLE)
    kept = Pictures(visit.context.workspace.folder, own.most_folder_bytes)
    ui.html(f'<div class="zf-shots">{"".join(_shot(visit, row, kept) for row in found)}</div>', sanitize=False).classes("w-full")  # fmt: skip


def _shot(visit: Visit, row: dict[str, Any], kept: Pictures) -> str:
    at = row["inspected_at"].astimezone(zone(visit.context.workspace.plant.time_zone))
    who = visit.say("模型", "model") if row["decided_by"] == "model" else row["actor"]
    words = [f"<strong>{escape(row['part_code'])}</strong> {at:%m-%d %H:%M}", f"{escape(visit.read(DISPOSITIONS[row['disposition']]))} · {escape(row['defect'])} · {escape(who)}"]  # fmt: skip
    pictures = ""
    if kept.has(row["image_sha256"]):
        small = picture_address(visit, row["image_sha256"], f"?side={SMALL_PIXELS}")
        pictures = f'<img loading="lazy" src="{escape(small)}" alt="{escape(visit.say("照片", "photograph"))} {escape(row["part_code"])}">'
        if row["model"]:
            pictures += f'<img loading="lazy" src="{escape(heat_address(visit, row))}" alt="{escape(visit.say("热图", "heat map"))} {escape(row["part_code"])}">'  # fmt: skip
    if row["score"] is not None:
        words.append(escape(opinion(visit, row)))
    return f'<div class="zf-shot"><div>{pictures}</div>{"<br>".join(words)}</div>'


def _audit(visit: Visit) -> None:
    found = visit.kept("inspection audits", inspect_queue.audits)
    if not found:
        empty(visit, Text("模型还没有判定过零件。", "No part has been judged by a model yet."), Text("", ""))
        return
    whole, months = found[0], found[1:]
    fraction = settings(visit.context).audit_fraction
    with ui.row().classes("w-full gap-4"):
        figure(visit, Text("放过的零件中不合格", "Bad among the passed"), _share(whole.escape), "", _interval(visit, whole.escape))  # fmt: skip
        figure(visit, Text("拒绝的零件中合格", "Good among the rejected"), _share(whole.false_reject), "", _interval(visit, whole.false_reject))  # fmt: skip
        figure(visit, Text("待抽检", "Drawn, not looked at"), str(whole.waiting), visit.say("件", "parts"))
        figure(visit, Text("判定", "Judged"), f"{whole.passed + whole.rejected:,}", visit.say("件", "parts"))
    ui.label(visit.say(
        f"放过的零件每件以 {fraction:.1%} 的概率随机抽来复核, 区间为 95 % Clopper–Pearson; 因其他原因看过的不计入。",
        f"Each part that is passed is drawn with a chance of {fraction:.1%}; 95 % intervals of Clopper and Pearson; parts looked at for another reason are left out.",
    )).classes("text-sm opacity-70")  # fmt: skip
    if len(months) > 1:
        series: dict[str, list[float | None]] = {
            visit.say("漏检", "escapes"): [100 * one.escape.value if one.escape.of else None for one in months],
            visit.say("漏检上限", "escapes, upper end"): [100 * one.escape.high if one.escape.of else None for one in months],
            visit.say("误判", "false rejects"): [100 * one.false_reject.value if one.false_reject.of else None for one in months],
        }  # fmt: skip
        lines([one.span for one in months], series, "%", visit.say("逐月", "by month"))
    columns = [("span", visit.say("月份", "Month")), ("passed", visit.say("放过", "Passed")), ("rejected", visit.say("拒绝", "Rejected")), ("waiting", visit.say("待抽检", "To audit")),
               ("escape", visit.say("放过中不合格", "Bad of passed")), ("false", visit.say("拒绝中合格", "Good of rejected"))]  # fmt: skip
    table(columns, [
        {"id": one.span, "span": one.span, "passed": one.passed, "rejected": one.rejected, "waiting": one.waiting,
         "escape": f"{_share(one.escape)} {_interval(visit, one.escape)}", "false": f"{_share(one.false_reject)} {_interval(visit, one.false_reject)}"}
        for one in months
    ], ("passed", "rejected", "waiting"))  # fmt: skip


def _models(visit: Visit) -> None:
    found: list[dict[str, Any]] = cards(visit.context.workspace.folder)
    if not found:
        empty(visit, Text("还没有模型。", "There is no model yet."), Text("zf inspect train 文件夹 --model 名称, 或用检验员的判定: --from-queue。", "zf inspect train FOLDER --model NAME, or from inspectors' verdicts: --from-queue."))  # fmt: skip
        return
    columns = [("name", visit.say("模型", "Model")), ("made", visit.say("训练于", "Made")), ("images", visit.say("图片", "Images")), ("classes", visit.say("类别", "Classes")),
               ("auroc", "AUROC"), ("escape", visit.say("漏检", "Escapes")), ("false", visit.say("误判", "False rejects")), ("data", visit.say("数据哈希", "Hash of the data")), ("eye", visit.say("网络(许可)", "Network (licence)"))]  # fmt: skip
    rows = [
        {"id": f"{one['name']}@{one['version']}", "name": f"{one['name']} v{one['version']}", "made": str(one["made_at"])[:16].replace("T", " "), "images": one["images"],
         "classes": ", ".join(one["classes"]), "auroc": _three(one["metrics"].get("auroc")), "escape": _told(one["metrics"].get("escape")), "false": _told(one["metrics"].get("false_reject")),
         "data": str(one["images_sha256"])[:12], "eye": one["backbone"]}
        for one in found[::-1]
    ]  # fmt: skip
    table(columns, rows, ("images",))
    place = ui.column().classes("gap-1")
    ui.timer(0.05, lambda: _cameras(visit, sorted({str(one["name"]) for one in found}), place), once=True)
    ui.label(visit.say("AUROC、漏检、误判都来自没见过该组图片的模型, 括号内为 95 % 区间。", "AUROC, escapes and false rejects by judges that had not seen an image's group; 95 % intervals in brackets.")).classes("text-sm opacity-70")  # fmt: skip


async def _cameras(visit: Visit, names: list[str], place: ui.column) -> None:
    """Say of each model whether its camera has changed."""
    for name in names:
        found = await run.io_bound(camera, visit.context, name)
        with place:
            ui.label(f"{name}: {_drift(visit, found)}").classes("text-negative font-semibold" if found is not None and found.raised else "").props("role=status")  # fmt: skip


def _drift(visit: Visit, found: Drift | None) -> str:
    if found is None:
        return visit.say("图片还太少, 看不出相机是否变了。", "too few pictures to tell whether the camera has changed.")
    if not found.raised:
        return visit.say(f"最近 {found.images} 张图与训练时一样(误报不超过 {found.promised:.0%})。", f"the newest {found.images} pictures come as those learned from (false alarms: {found.promised:.0%} at most).")  # fmt: skip
    what = visit.read(TITLES.get(found.figure, Text(found.figure, found.figure)))
    way = visit.say("偏低", "lower") if found.direction == "lower" else visit.say("偏高", "higher")
    return visit.say(f"相机变了: {what}{way}(误报不超过 {found.promised:.0%})。请检查光照与镜头, 或重新训练。", f"the camera has changed: {what} is {way} (false alarms: {found.promised:.0%} at most). Look at light and lens, or train again.")  # fmt: skip


def _three(found: list[float] | None) -> str:
    return "—" if not found else f"{found[0]:.3f} ({found[1]:.3f} – {found[2]:.3f})"


def _told(found: dict[str, float] | None) -> str:
    return "—" if not found else f"{found['value']:.1%} ({found['low']:.1%} – {found['high']:.1%})"


def _share(one: Rate) -> str:
    return f"{one.value:.1%}" if one.of else "—"


def _interval(visit: Visit, one: Rate) -> str:
    return (
        f"{one.hits}/{one.of}, {one.low:.1%} – {one.high:.1%}" if one.of else visit.say("还没有抽检", "none looked at")
    )


PAGE = Page("inspect", "/inspect", Text("视觉检测", "Inspection"), "center_focus_strong", "live", 45, "read", build)
