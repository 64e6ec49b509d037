"""How pages look: colours with contrast in light and dark, a visible focus, and a sheet of paper that holds the page."""

from __future__ import annotations

from copy import copy

from nicegui import ui

from zerofactory.web.visit import Visit

# Contrast of text is 4.5 to 1 at least and of marks 3 to 1, on white and on the dark cards (WCAG 2.2, 1.4.3 and 1.4.11).
CSS = """
:root { --zf-link: #0b5f8a; --zf-text: #33383d; --zf-line: #6d7379; --zf-grid: #d9dce0; --zf-card: #ffffff; }
body.body--dark { --zf-link: #7cc4f0; --zf-text: #d3d7dc; --zf-line: #9aa1a8; --zf-grid: #41474d; --zf-card: #1d1d1d; }
a.nicegui-link, .zf-table a, .zf-link { color: var(--zf-link); }
.q-drawer a.nicegui-link { color: inherit; }
.text-positive { --q-positive: #1c6b3f; } body.body--dark .text-positive { --q-positive: #7ddca6; }
body.body--dark .text-negative { --q-negative: #ff9a90; }
.text-warning { --q-warning: #7a5200; } body.body--dark .text-warning { --q-warning: #f0c36d; }
body.body--dark .text-primary { --q-primary: #63cfa5; }
a:focus-visible, summary:focus-visible, .q-tab:focus-visible, .q-item:focus-visible, tr:focus-visible,
.zf-data table:focus-visible, .zf-table .q-table__middle:focus-visible { outline: 3px solid #c07d10; outline-offset: 2px; }
.q-btn:focus-visible, .q-uploader__header a:focus-within, .q-field--focused .q-field__control { outline: 3px solid #c07d10; outline-offset: 1px; }
#zf-main:focus { outline: none; }
.zf-data summary { cursor: pointer; font-size: .8rem; color: var(--zf-link); }
.zf-data { width: 100%; } .zf-data div { max-height: 24rem; overflow: auto; }
.zf-data table { border-collapse: collapse; font-size: .8rem; font-variant-numeric: tabular-nums; }
.zf-data td, .zf-data th { border-bottom: 1px solid var(--zf-grid); padding: 2px 10px; text-align: right; white-space: nowrap; }
.zf-data th:first-child, .zf-data td:first-child { text-align: left; }
html:not([lang^=en]) .zf-en, html[lang^=en] .zf-zh { display: none; }
.zf-grid-table { border-collapse: collapse; font-size: .85rem; min-width: 60%; }
.zf-grid-table th, .zf-grid-table td { border-bottom: 1px solid var(--zf-grid); padding: 4px 8px; text-align: left; font-weight: 400; vertical-align: middle; }
.zf-grid-table thead th { font-weight: 600; }
.q-table th { white-space: nowrap; }
.q-btn { text-transform: none; }
.zf-parts { gap: 4px; border-bottom: 1px solid var(--zf-grid); width: 100%; }
.zf-parts a { padding: 8px 12px; text-decoration: none !important; border-bottom: 3px solid transparent; margin-bottom: -1px; }
.zf-parts a[aria-current] { border-bottom-color: #1a9a6c; font-weight: 650; }
.q-uploader__list { min-height: 0; padding: 0 8px; } .q-uploader__list:has(*) { padding: 8px; }
.nicegui-row:has(> .q-card) { align-items: stretch; }
.nicegui-echart { contain: inline-size; } .basis-96 { min-width: 0; }
.q-field, .q-uploader { max-width: 100%; }
@media (max-width: 600px) {
  .min-w-48 { min-width: 8.5rem !important; } .zf-figure { font-size: 1.4rem; } .nicegui-row.gap-4 { gap: .5rem; }
  .zf-table td { min-width: 5.5em; } .zf-grid-table { min-width: 44rem; }
}
.zf-paper { display: none; }
.zf-sheets { max-height: 85vh; overflow: auto; padding: 12px; gap: 12px; align-items: center; background: var(--zf-grid); }
.zf-sheet { width: 100%; max-width: 820px; background: #fff; box-shadow: 0 1px 4px #0006; }
@media print {
  @page { size: A4; margin: 12mm; }
  :root, body.body--dark { --zf-link: #000; --zf-text: #222; --zf-line: #555; --zf-grid: #bbb; --zf-card: #fff; }
  html, body, body.body--dark, body.body--dark .q-card, body.body--dark .q-table__card, body.body--dark .q-layout {
    background: #fff !important; color: #000 !important; }
  body.body--dark .text-positive, body.body--dark .text-negative, body.body--dark .text-primary, body.body--dark .text-warning {
    --q-positive: #1c6b3f; --q-negative: #b3261e; --q-primary: #0b6e4f; --q-warning: #7a5200; }
  body.body--dark .q-table th, body.body--dark .q-table td { color: #000 !important; border-color: #bbb !important; }
  .q-layout, .q-page { min-height: 0 !important; } .q-page-container { padding: 0 !important; }
  #zf-main { max-width: none !important; padding: 0 !important; gap: 8px !important; }
  .zf-paper { display: block; font-size: .75rem; border-bottom: 1px solid #bbb; width: 100%; }
  .q-tabs, .q-uploader, .zf-data:not([open]), .q-notifications, .q-table__bottom .q-btn, .q-table__bottom .q-select { display: none !important; }
  .q-card, tr, .zf-figure, .nicegui-echart { break-inside: avoid; } thead { display: table-header-group; } h1, h2, [role=heading] { break-after: avoid; }
  .q-table__middle, .zf-data div, .zf-sheets { max-height: none !important; overflow: visible !important; }
  .q-table td, .q-table th { padding: 2px 5px !important; font-size: 8.5pt !important; white-space: normal !important; height: auto !important; }
  .basis-96 { flex-basis: 20rem !important; } .zf-figure { font-size: 1.2rem; } .min-w-48 { min-width: 9rem !important; }
  .nicegui-echart { height: auto !important; } .nicegui-echart > div { width: 100% !important; height: auto !important; }
  .nicegui-echart svg { width: 100% !important; height: auto !important; position: static !important; }
  .q-expansion-item__toggle-icon { display: none; }
}
"""

# A chart is drawn for the width of the screen; on paper it is scaled to the width of the sheet. The place to drop a file is a
# button around a field that has no name: the field itself is named and reached, the button around it is none any more. A table wider
# than a telephone is reached and moved with the keys.
SCRIPT = """
<script>
addEventListener('beforeprint', () => document.querySelectorAll('.nicegui-echart svg').forEach((drawn) =>
  drawn.setAttribute('viewBox', `0 0 ${drawn.getAttribute('width')} ${drawn.getAttribute('height')}`)));
addEventListener('afterprint', () => document.querySelectorAll('.nicegui-echart svg').forEach((drawn) => drawn.removeAttribute('viewBox')));
new MutationObserver(() => {
  for (const field of document.querySelectorAll('.q-uploader__input:not([aria-label])')) {
    field.setAttribute('aria-label', field.closest('.q-uploader').querySelector('.q-uploader__title')?.innerText ?? 'file');
    field.tabIndex = 0;
    const around = field.closest('a');
    around?.removeAttribute('role');
    around?.removeAttribute('tabindex');
  }
  for (const bar of document.querySelectorAll('.q-loading-bar:not([aria-hidden])')) bar.setAttribute('aria-hidden', 'true');
  for (const box of document.querySelectorAll('.zf-table .q-table__middle:not([tabindex])')) if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
}).observe(document.documentElement, {childList: true, subtree: true});
</script>
"""


def dress(visit: Visit, title: str) -> None:
    """Give the page its look, its language, its title, one main landmark, and a line that names it on paper."""
    client = ui.context.client
    client.page = copy(client.page)  # the page of this address is shared by all who look at it, in whichever language
    client.page.language = "zh-CN" if visit.language == "zh" else "en-US"
    ui.page_title(f"{title} · {visit.say('零碳工厂', 'zerofactory')}")
    ui.add_css(CSS)
    ui.add_head_html(SCRIPT)
    for outer in client.page_container.default_slot.children:  # the frame brings a main of its own around ours
        outer.props("role=none")


def paper(visit: Visit, title: str) -> None:
    """Say on paper what was printed, of which plant, and when."""
    plant = visit.read(visit.context.workspace.plant.name) if visit.site else ""
    words = (visit.say("零碳工厂", "zerofactory"), plant, title, visit.context.today.isoformat() if visit.site else "")
    ui.label(" · ".join(word for word in words if word)).classes("zf-paper").props("aria-hidden=true")
