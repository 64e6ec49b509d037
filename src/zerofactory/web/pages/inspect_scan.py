"""Inspection on a phone (移动终端扫码质检): photograph, code of the part, two large taps; what the model thinks comes after, so that it does not lead."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from importlib.resources import files

from nicegui import ui

from zerofactory.errors import Text
from zerofactory.metering.inspected import DISPOSITIONS
from zerofactory.runs.inspect_book import causes
from zerofactory.runs.inspect_desk import known_defects
from zerofactory.runs.inspect_model import names
from zerofactory.runs.inspect_settings import settings
from zerofactory.web.frame import Page
from zerofactory.web.visit import Visit

WORDS = {
    "photo": Text("拍照 / 选图", "Take a photograph"), "code": Text("零件码", "Part code"), "code_photo": Text("拍码", "Scan"),
    "good": Text("合格", "Good"), "not_good": Text("不合格", "Not good"), "defect": Text("缺陷类别", "Defect"), "other": Text("其他", "other"),
    "cause": Text("原因(可不选)", "Cause (if known)"), "then": Text("怎么处置", "What becomes of it"), "where": Text("车间、工位、模型", "Shop, station, model"),
    "shop": Text("车间", "Shop"), "station": Text("工位", "Station"), "product": Text("产品", "Product"), "model_field": Text("模型", "Model"),
    "preview": Text("刚拍的照片", "the photograph just taken"), "heat": Text("模型认为异常的地方(红)", "where the model finds something odd (red)"),
    "retry": Text("现在上传", "Send now"), "waiting": Text("%d 件待上传(存在本机)", "%d to be sent (kept on this device)"), "mend": Text("取回修改", "Take back"),
    "code_in_photo": Text("码在照片里", "code in the photograph"), "reading": Text("正在读码…", "Reading the code…"), "no_code": Text("照片里没有读到码, 请拍码或输入。", "No code in the photograph: scan it or type it."),
    "choose_code": Text("有多个码, 请选一个。", "Several codes: choose one."), "nothing": Text("请先拍照或输入零件码。", "Take a photograph or type the code first."),
    "which_defect": Text("请选缺陷类别。", "Choose the defect."), "sending": Text("正在上传…", "Sending…"), "booked": Text("已登记。", "Booked."), "sent": Text("已补传", "Sent"),
    "kept": Text("没有上传成功, 已存在本机, 联网后自动补传。", "Not sent; kept on this device and sent when the network is back."),
    "not_kept": Text("本机不能保存, 请不要关闭此页。", "This device cannot keep it: do not close this page."),
    "offline": Text("没有网络。", "No network."), "offline_code": Text("没有网络: 码将在上传时识别, 也可手工输入。", "No network: the code is read when it is sent; you may also type it."),
    "log_in": Text("请重新登录(另开此页即可), 数据仍在本机。", "Log in again (open this page anew); your data are kept here."), "large": Text("照片太大。", "The photograph is too large."),
    "full": Text("已登记; 图片库已满, 图片未保存。", "Booked; the folder of pictures is full, the picture was not kept."), "repeated": Text("此前已登记", "booked before"),
    "model": Text("模型:", "Model:"), "rejects": Text("不合格", "not good"), "passes": Text("合格", "good"), "score": Text("得分", "score"), "threshold": Text("阈值", "threshold"),
    "unjudged": Text("模型没有判定:", "The model did not judge:"), "agrees": Text("与模型一致。", "You and the model agree."),
    "disagrees": Text("与模型不一致, 已排入复核。", "You and the model disagree: it will be looked at again."),
    "live": Text("连续扫码", "Scan continuously"), "video": Text("摄像头画面", "picture of the camera"), "shot": Text("拍下这件", "Take this one"),
    "torch": Text("补光灯", "Light"), "live_stop": Text("关摄像头", "Stop"), "asking": Text("正在打开摄像头, 请允许使用。", "Opening the camera: please allow it."),
    "looking": Text("请把码对准方框。", "Hold the code into the frame."), "taken": Text("已拍下, 请判定。", "Taken: now say what it is."),
    "several": Text("画面里有多个码, 请只对准一个。", "Several codes are in the picture: show one."), "camera_off": Text("摄像头已关。", "The camera is off."),
    "denied": Text("没有获准使用摄像头。请在浏览器的网站设置里允许本站用摄像头, 再点“连续扫码”; 也可照旧拍照。", "The camera may not be used. Allow it for this site in the browser's settings and try again, or take photographs as before."),
    "no_camera": Text("这台设备没有摄像头, 请选图或手工输入。", "This device has no camera: choose a picture or type the code."),
    "camera_busy": Text("摄像头正被别的程序占用。", "Another program uses the camera."), "camera_ended": Text("摄像头断开了, 可以再开。", "The camera was taken away; open it again."),
    "camera_fault": Text("摄像头打不开:", "The camera does not open:"), "no_torch": Text("补光灯打不开。", "The light does not go on."),
    "no_live": Text("这个浏览器不能用摄像头画面, 请照旧拍照。", "This browser has no live picture: take photographs as before."),
    "insecure": Text("本页不是经 https 打开的, 浏览器不给摄像头画面; 请照旧拍照, 或请管理员开通 https。", "This page did not come by https, so the browser gives no live picture: take photographs as before, or ask for https."),
}  # fmt: skip
SCRIPTS = ("inspect_camera.js", "inspect_scan.js")
STYLE = """
#zf-scan { display: flex; flex-direction: column; gap: 14px; width: 100%; max-width: 560px; }
#zf-scan [hidden] { display: none !important; }
#zf-scan .zf-big { min-height: 84px; font-size: 1.6rem; font-weight: 700; border-radius: 14px; border: 2px solid transparent; color: #fff; flex: 1; cursor: pointer; }
#zf-scan .zf-pair { display: flex; gap: 12px; }
#zf-good { background: #1c6b3f; } #zf-not-good { background: #b3261e; }
#zf-scan .zf-act { min-height: 64px; font-size: 1.15rem; font-weight: 600; border-radius: 12px; border: 2px solid var(--zf-line); background: var(--zf-card); color: var(--zf-text); flex: 1; cursor: pointer; }
#zf-scan .zf-shoot { display: flex; align-items: center; justify-content: center; min-height: 64px; border-radius: 12px; background: #0b6e4f; color: #fff; font-size: 1.2rem; font-weight: 600; cursor: pointer; position: relative; }
#zf-scan .zf-shoot input { position: absolute; inset: 0; opacity: 0; cursor: pointer; width: 100%; }
#zf-scan .zf-shoot:focus-within, #zf-scan button:focus-visible, #zf-scan .zf-chip:focus-within { outline: 3px solid #c07d10; outline-offset: 2px; }
#zf-scan .zf-side { flex: 0 0 108px; }
#zf-scan .zf-field { box-sizing: border-box; min-height: 52px; font-size: 1.15rem; padding: 6px 12px; border: 1px solid var(--zf-line); border-radius: 10px; background: var(--zf-card); color: var(--zf-text); width: 100%; min-width: 0; }
#zf-scan fieldset { border: 0; padding: 0; margin: 0 0 10px; display: flex; flex-wrap: wrap; gap: 8px; } #zf-scan legend { padding: 0 0 6px; font-weight: 600; }
#zf-scan .zf-chip { display: inline-flex; align-items: center; min-height: 48px; padding: 4px 14px; border: 2px solid var(--zf-line); border-radius: 24px; background: var(--zf-card); color: var(--zf-text); cursor: pointer; }
#zf-scan .zf-chip:has(input:checked) { background: #0b6e4f; border-color: #0b6e4f; color: #fff; } #zf-scan .zf-chip input { position: absolute; opacity: 0; width: 1px; }
#zf-scan img { width: 100%; max-height: 320px; object-fit: contain; border-radius: 10px; background: var(--zf-grid); }
#zf-scan summary { cursor: pointer; min-height: 32px; } #zf-scan summary::after { content: " ▾"; } #zf-scan details .zf-field { margin-top: 8px; }
#zf-view { position: relative; border-radius: 12px; overflow: hidden; background: #000; border: 3px solid transparent; }
#zf-view video { display: block; width: 100%; max-height: 46vh; object-fit: cover; } #zf-live[data-state=on] ~ #zf-preview { max-height: 150px; }
#zf-scan #zf-shot { background: #0b6e4f; color: #fff; border-color: transparent; flex: 2; } #zf-view.zf-found { border-color: #2fbf71; } #zf-view.zf-taken video { opacity: .3; }
#zf-view .zf-aim { position: absolute; inset: 14% 18%; border: 3px dashed #fff; border-radius: 16px; box-shadow: 0 0 0 2000px #0005; pointer-events: none; } #zf-view.zf-found .zf-aim { border: 3px solid #2fbf71; }
#zf-live, #zf-live-box { display: flex; flex-direction: column; gap: 10px; } #zf-scan .zf-act[aria-pressed=true] { background: #8a5a00; color: #fff; } #zf-live-told:empty { display: none; }
#zf-told { min-height: 1.6em; font-weight: 600; } #zf-scan .zf-bad { color: #b3261e; } body.body--dark #zf-scan .zf-bad { color: #ff9a90; }
#zf-result { border: 1px solid var(--zf-line); border-radius: 12px; padding: 12px; display: flex; flex-direction: column; gap: 8px; }
"""


def build(visit: Visit) -> None:
    """Draw the page."""
    own, words = settings(visit.context), {name: visit.read(text) for name, text in WORDS.items()}
    words |= {name: visit.read(text) for name, text in DISPOSITIONS.items()}
    told = {
        "words": words, "language": visit.language, "csrf": visit.person.csrf, "site": visit.site, "most_bytes": own.most_picture_bytes,
        "who": f"{visit.person.user.login}@{visit.site}",
    }  # fmt: skip
    ui.add_css(STYLE)
    ui.html(_form(visit, words), sanitize=False).classes("w-full")
    script = "".join(files("zerofactory.web").joinpath(name).read_text(encoding="utf-8") for name in SCRIPTS)
    safe = json.dumps(told, ensure_ascii=False).replace("<", "\\u003c")
    ui.add_body_html(f"<script>window.zfScan = {safe};\n{script}</script>")


def _form(visit: Visit, words: Mapping[str, str]) -> str:
    said = {name: escape(text) for name, text in words.items()}
    dispositions = "".join(
        f'<button type="button" class="zf-act" id="zf-{name}">{said[name]}</button>' for name in ("rework", "scrap", "recheck")
    )  # fmt: skip
    return f"""
<form id="zf-scan" onsubmit="return false" autocomplete="off">
  {_where(visit, said)}
  <section id="zf-live" data-state="off" hidden>
    <button type="button" class="zf-act" id="zf-live-start">{said["live"]}</button>
    <div id="zf-live-box" hidden><div id="zf-view"><video id="zf-video" playsinline muted aria-label="{said["video"]}"></video><div class="zf-aim" aria-hidden="true"></div></div>
      <div class="zf-pair"><button type="button" class="zf-act" id="zf-shot">{said["shot"]}</button><button type="button" class="zf-act" id="zf-torch" aria-pressed="false" hidden>{said["torch"]}</button>
        <button type="button" class="zf-act" id="zf-live-stop">{said["live_stop"]}</button></div></div>
    <div id="zf-live-told" role="status" aria-live="polite"></div>
  </section>
  <label class="zf-shoot">{said["photo"]}<input type="file" id="zf-photo" accept="image/*" capture="environment"></label>
  <img id="zf-preview" alt="{said["preview"]}" hidden>
  <div class="zf-pair"><input class="zf-field" id="zf-code" aria-label="{said["code"]}" placeholder="{said["code"]}" maxlength="100" enterkeyhint="done">
    <label class="zf-shoot zf-side">{said["code_photo"]}<input type="file" id="zf-code-photo" accept="image/*" capture="environment"></label></div>
  <div id="zf-codes" class="zf-pair"></div>
  <div id="zf-told" role="status" aria-live="polite"></div>
  <div class="zf-pair"><button type="button" class="zf-big" id="zf-good">{said["good"]}</button>
    <button type="button" class="zf-big" id="zf-not-good" aria-expanded="false" aria-controls="zf-bad">{said["not_good"]}</button></div>
  <div id="zf-bad" hidden>
    <fieldset><legend>{said["defect"]}</legend>{_chips("defect", {name: name for name in known_defects(visit.context)} | {"+": words["other"]})}</fieldset>
    <input class="zf-field" id="zf-other" aria-label="{said["defect"]}" placeholder="{said["defect"]}" maxlength="200" hidden>
    <fieldset><legend>{said["cause"]}</legend>{_chips("cause", {name: visit.read(text) for name, text in causes().items()})}</fieldset>
    <fieldset><legend>{said["then"]}</legend>{dispositions}</fieldset>
  </div>
  <section id="zf-result" aria-live="polite" hidden><strong id="zf-said"></strong><span id="zf-opinion"></span><span id="zf-agrees"></span>
    <img id="zf-heat" alt="{said["heat"]}" hidden></section>
  <section id="zf-waiting-box" hidden><strong id="zf-count"></strong> <button type="button" class="zf-chip" id="zf-retry">{said["retry"]}</button><ul id="zf-waiting"></ul></section>
</form>"""


def _where(visit: Visit, said: Mapping[str, str]) -> str:
    plant, models = visit.context.workspace.plant, names(visit.context.workspace.folder)
    fields = [_choice("shop", said["shop"], {shop.id: visit.read(shop.name) for shop in plant.shops})]
    fields.append(f'<input class="zf-field" id="zf-station" aria-label="{said["station"]}" placeholder="{said["station"]}" maxlength="200">')  # fmt: skip
    if plant.products:
        fields.append(_choice("product", said["product"], {"": said["product"], **{one.id: visit.read(one.name) for one in plant.products}}))  # fmt: skip
    if len(models) > 1:
        fields.append(_choice("model", said["model_field"], {name: name for name in models}))
    return f"<details><summary>{said['where']}</summary>{''.join(fields)}</details>"


def _choice(name: str, label: str, options: Mapping[str, str]) -> str:
    listed = "".join(f'<option value="{escape(value)}">{escape(text)}</option>' for value, text in options.items())
    return f'<select class="zf-field" id="zf-{name}" aria-label="{label}">{listed}</select>'


def _chips(name: str, options: Mapping[str, str]) -> str:
    return "".join(f'<label class="zf-chip"><input type="radio" name="zf-{name}" value="{escape(value)}">{escape(text)}</label>' for value, text in options.items())  # fmt: skip


PAGE = Page("inspect_scan", "/inspect/scan", Text("扫码质检", "Scan and inspect"), "qr_code_scanner", "live", 46, "inspect", build)  # fmt: skip
