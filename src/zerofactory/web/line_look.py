"""How the line looks: a mark, a colour and a shape for each state, so that nothing is told by colour alone; and the styles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """A state on a plan: its sign and colour, whether its strip is hatched, and where its band lies (from, height; parts of a row)."""

    mark: str
    colour: str
    band: tuple[float, float] = (0.0, 1.0)
    is_hatched: bool = False


# Colours keep 3 to 1 on white and on the dark cards (WCAG 2.2, 1.4.11); bands differ in height and place as well.
MARKS: Mapping[str, Mark] = {
    "off": Mark("○", "#80868b", (0.0, 0.08)),
    "warm_up": Mark("▲", "#dd6b20", (0.0, 0.55)),
    "idle": Mark("◁", "#c07d10", (0.0, 0.35)),
    "standby": Mark("◌", "#6f86b5", (0.0, 0.2), True),
    "working": Mark("▶", "#1a9a6c", (0.0, 1.0)),
    "blocked": Mark("■", "#9467bd", (0.65, 0.35)),
    "failed": Mark("✕", "#d0453b", (0.0, 1.0), True),
    "setup": Mark("◆", "#2a97a5", (0.2, 0.6)),
    "unknown": Mark("?", "#80868b", (0.45, 0.1), True),
}
CSS = """
.zf-line { width: 100%; display: flex; flex-direction: column; gap: 10px; color: var(--zf-text); }
.zf-line-figures { display: flex; flex-wrap: wrap; gap: 8px 28px; }
.zf-line-figure { display: flex; flex-direction: column; }
.zf-line-title, .zf-line-unit { font-size: .8rem; opacity: .85; }
.zf-line-value { font-size: 1.5rem; font-weight: 650; font-variant-numeric: tabular-nums; margin-right: 4px; }
.zf-line-bar { display: flex; align-items: center; gap: 8px; flex-wrap: wrap; }
.zf-line-button { min-width: 40px; height: 36px; border: 1px solid var(--zf-line); border-radius: 6px; background: var(--zf-card); color: var(--zf-text); cursor: pointer; }
.zf-line-button:focus-visible, .zf-line-bar input:focus-visible, .zf-line-table summary:focus-visible, .zf-line-table div:focus-visible { outline: 3px solid #c07d10; outline-offset: 2px; }
.zf-line-scrub { flex: 1 1 220px; accent-color: #1a9a6c; min-width: 120px; } .zf-line-pace { width: 120px; accent-color: #1a9a6c; }
.zf-line-paces { display: inline-flex; align-items: center; gap: 8px; white-space: nowrap; }
.zf-line-clock { font-variant-numeric: tabular-nums; font-weight: 600; min-width: 8.2em; } .zf-line-pacetext { min-width: 3.6em; font-variant-numeric: tabular-nums; }
.zf-line-svg { width: 100%; margin: 0 auto; height: auto; max-height: 78vh; display: block; }
.zf-line-area { fill: rgba(127, 127, 127, .09); stroke: var(--zf-grid); }
.zf-line-shop { font-size: 13px; font-weight: 650; fill: var(--zf-text); }
.zf-line-way { fill: none; stroke: var(--zf-line); stroke-width: 1.6; } .zf-line-rework { stroke-dasharray: 5 4; }
.zf-line-playing .zf-line-flowing { stroke: #1a9a6c; stroke-width: 3; stroke-dasharray: 8 8; animation: zf-flow var(--zf-pace, 1s) steps(8) infinite; }
@keyframes zf-flow { to { stroke-dashoffset: -16; } }
@media (prefers-reduced-motion: reduce) { .zf-line-playing .zf-line-flowing { animation: none; } }
.zf-line-station { fill: var(--zf-card); stroke: var(--zf-line); stroke-width: 2; }
.zf-line-necked { stroke-width: 4; }
.zf-line-neck { fill: #16302b; } body.body--dark .zf-line-neck { fill: #f2f5f7; }
.zf-line-necktext { font-size: 11px; font-weight: 650; text-anchor: middle; fill: #fff; } body.body--dark .zf-line-necktext { fill: #16302b; }
.zf-line-name { font-size: 13.5px; font-weight: 600; fill: var(--zf-text); } .zf-line-state, .zf-line-power { font-size: 12.5px; fill: var(--zf-text); }
.zf-line-machine { stroke: var(--zf-line); stroke-width: .6; }
.zf-line-tank { fill: var(--zf-card); } .zf-line-rim { fill: none; stroke: var(--zf-line); stroke-width: 1.4; }
.zf-line-fill { fill: #3f86b8; } .zf-line-full { fill: #c07d10; }
.zf-line-level { font-size: 12px; text-anchor: middle; fill: var(--zf-text); font-variant-numeric: tabular-nums; }
.zf-line-buffername { font-size: 10px; text-anchor: middle; fill: var(--zf-text); }
.zf-line-dot { fill: #8a4b08; stroke: #fff; stroke-width: 1; } body.body--dark .zf-line-dot { fill: #f0c36d; stroke: #16302b; }
.zf-line-legend { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: .85rem; }
.zf-line-mark { display: inline-block; width: 1.3em; text-align: center; color: #fff; border-radius: 3px; margin-right: 5px; }
.zf-line-heading { font-weight: 600; padding: 4px 0; }
.zf-line-bands { position: relative; width: 100%; } .zf-line-canvas { width: 100%; display: block; cursor: pointer; }
.zf-line-head { position: absolute; top: 0; bottom: 16px; width: 2px; background: #d0453b; pointer-events: none; }
.zf-line-table summary { cursor: pointer; font-size: .85rem; color: var(--zf-link); }
.zf-line-table div { max-height: 24rem; overflow: auto; }
.zf-line-table table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
.zf-line-table td, .zf-line-table th { border-bottom: 1px solid var(--zf-grid); padding: 2px 12px 2px 0; text-align: left; font-weight: 400; }
.zf-line-scene { min-height: 320px; border-radius: 8px; overflow: hidden; border: 1px solid var(--zf-grid); }
@media (max-width: 640px) { .zf-line-svg { max-height: none; } .zf-line-value { font-size: 1.2rem; } .zf-line-figures { gap: 6px 18px; } }
.zf-wall .zf-line-svg { max-height: 62vh; } .zf-wall .zf-line-value { font-size: 1.7rem; }
@media print { .zf-line-head { display: none; } }
"""
