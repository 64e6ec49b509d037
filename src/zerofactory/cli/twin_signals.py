"""Tables of what state signals told of failures, repairs, shares of time and cycles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zerofactory.cli.language import read, say
from zerofactory.cli.output import print_line, print_table

if TYPE_CHECKING:
    from zerofactory.optimisation.twin.lifetimes import Life
    from zerofactory.optimisation.twin.statistics import Interval
    from zerofactory.runs.twin_calibrate_signals import Spoken

SHOWN = ("working", "idle", "blocked", "failed")
KINDS = {"exponential": ("指数", "exp."), "weibull": ("威布尔", "Weibull"), "fixed": ("固定", "fixed")}


def show(spoken: Sequence[Spoken]) -> None:
    """Print what signals told; nothing where there are none."""
    if not spoken:
        return
    print_table(
        say("由状态信号: 失效前工作小时、修复分钟(95 % 区间)、周期秒", "by state signals: hours at work to failure, minutes to repair (95 %), cycle in s"),
        [(say("工位", "station"), "left"), (say("故障", "fail."), "right"), (say("失效前 h", "to failure h"), "left"), (say("修复 min", "repair min"), "left"),
         (say("周期 s", "cycle s"), "left")],
        [(read(one.title), "–" if one.between is None else f"{one.between.ends:,}", _life(one.between, 3600.0), _life(one.repair, 60.0), _around(one.cycle_s, 1.0)) for one in spoken],
    )  # fmt: skip
    header = [(say("工位", "station"), "left"), (say("已知", "known"), "right")]
    names = {"working": say("加工", "working"), "idle": say("待料", "starved"), "blocked": say("堵塞", "blocked"), "failed": say("故障", "failed")}  # fmt: skip
    print_table(
        say("由状态信号: 班次时间的份额(95 % 区间)", "by state signals: shares of the shifts (95 %)"),
        [*header, *((names[state], "right") for state in SHOWN)],
        [(read(one.title), f"{one.known_fraction:.0%}", *(_share(one.shares.get(state)) for state in SHOWN)) for one in spoken],
    )  # fmt: skip
    for one in spoken:
        for note in one.notes:
            print_line(read(note))


def _life(life: Life | None, unit_s: float) -> str:
    if life is None:
        return "–"
    shape = "" if life.shape is None else f" β {life.shape.mean:.2f}"
    return f"{say(*KINDS[life.kind])}{shape} {_around(life.mean_s, unit_s)}"


def _around(one: Interval | None, unit_s: float) -> str:
    return "–" if one is None else f"{one.mean / unit_s:.3g} ({one.low / unit_s:.3g}…{one.high / unit_s:.3g})"


def _share(one: Interval | None) -> str:
    return "–" if one is None else f"{one.mean:.1%} ±{one.half:.1%}"
