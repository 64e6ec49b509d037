"""Health of measurement as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zerofactory.cli.language import read, say
from zerofactory.cli.live import age
from zerofactory.cli.output import print_line, print_table
from zerofactory.monitoring.cover import COVER_LEVELS, cover_rules
from zerofactory.monitoring.health import STATES
from zerofactory.monitoring.live import carrier_title
from zerofactory.periods import zone

if TYPE_CHECKING:
    from zerofactory.monitoring.health import Health

MOST_LISTED = 20


def show(found: Health, every_meter: bool) -> None:
    """Print everything, the worst first; meters without a fault only when asked for."""
    until = found.elapsed_until.astimezone(zone(found.time_zone)).strftime("%Y-%m-%d %H:%M")
    print_line(
        say(
            f"[bold]{found.period}[/bold] 截至 {until}: 自动采集率 {found.collection_fraction:.2%}, 完整率 {found.completeness_fraction:.2%}, 估算电量占比 {found.estimated_fraction:.2%}",
            f"[bold]{found.period}[/bold] until {until}: {found.collection_fraction:.2%} collected, {found.completeness_fraction:.2%} complete, {found.estimated_fraction:.2%} of energy estimated",
        )
    )
    _meters(found, every_meter)
    _closures(found)
    _totals(found)
    _clocks(found)
    _cover(found)


def _meters(found: Health, every_meter: bool) -> None:
    wanted = [one for one in found.meters if every_meter or one.state != "ok"]
    wanted.sort(key=lambda one: (-one.late_minutes, -one.estimated_fraction, one.id))
    listed = wanted if every_meter else wanted[:MOST_LISTED]
    more = f" ({len(listed)}/{len(wanted)})" if len(listed) < len(wanted) else ""
    print_table(
        say(f"需关注的表计{more}", f"Meters to look at{more}") if not every_meter else say("全部表计", "Every meter"),
        [(say("表计", "meter"), "left"), (say("名称", "name"), "left"), (say("状态", "state"), "left"),
         (say("采集率", "collected"), "right"), (say("落后分钟", "late, min"), "right"),
         (say("最近到数", "last heard"), "right"), (say("估算", "estimated"), "right")],
        [(one.id, read(one.name), read(STATES[one.state]), f"{one.collected_fraction:.2%}", f"{one.late_minutes:,}", age(one.age_seconds),
          f"{one.estimated_fraction:.2%}") for one in listed],
    )  # fmt: skip


def _closures(found: Health) -> None:
    print_table(
        say("分项闭合(上级表减下级表之和)", "Closure (parent less its children)"),
        [(say("上级表", "parent"), "left"), (say("名称", "name"), "left"), (say("上级", "parent amount"), "right"),
         (say("下级之和", "children"), "right"), (say("单位", "unit"), "left"), (say("误差", "error"), "right"), ("", "left")],
        [(one.parent, read(one.name), f"{one.parent_amount:,.0f}", f"{one.children_amount:,.0f}", one.unit,
          "—" if one.error_fraction is None else f"{one.error_fraction:+.2%}", "✓" if one.within else say("超差", "beyond"))
         for one in sorted(found.closures, key=lambda one: one.within)],
    )  # fmt: skip


def _totals(found: Health) -> None:
    shown = [one for one in found.totals if one.level == "site" or one.estimated_fraction]
    print_table(
        say("各合计中的估算占比", "Estimated share of each total"),
        [(say("位置", "place"), "left"), (say("品种", "carrier"), "left"), (say("合计", "total"), "right"),
         (say("单位", "unit"), "left"), (say("估算", "estimated"), "right")],
        [(say("全厂", "site") if one.level == "site" else read(one.name), read(carrier_title(one.carrier)),
          f"{one.amount:,.0f}", one.unit, f"{one.estimated_fraction:.3%}") for one in shown],
    )  # fmt: skip


def _clocks(found: Health) -> None:
    if not found.clocks:
        return
    print_table(
        say("设备时钟", "Clocks"),
        [(say("连接", "connection"), "left"), (say("状态", "state"), "left"), (say("相差秒", "off by, s"), "right"), ("", "left")],
        [(one.connection, one.state, f"{one.skew_seconds:,.1f}", "✓" if one.within else say("请对时", "set it")) for one in found.clocks],
    )  # fmt: skip


def _cover(found: Health) -> None:
    rules = cover_rules()
    print_table(
        say(f"能源计量器具配备率({rules.standard} {rules.clause.split(';')[0]})", f"Meter cover ({rules.standard}, {rules.clause.split(';')[0]})"),
        [(say("层级", "level"), "left"), (say("能源", "energy"), "left"), (say("应配", "needed"), "right"), (say("实配", "there"), "right"),
         (say("配备率", "cover"), "right"), (say("要求", "required"), "right"), ("", "left"), (say("缺", "lacking"), "left")],
        [(read(COVER_LEVELS[one.level]), read(one.title), str(one.needed), str(one.there),
          "—" if one.fraction is None else f"{one.fraction:.0%}", f"{one.required_fraction:.0%}",
          "✓" if one.is_met else "✗", ", ".join(one.lacking)) for one in found.cover],
    )  # fmt: skip
    if rules.status != "verified":
        print_line(say("要求值的状态: " + rules.status + "(未对照标准原文, 使用前请核对)。", f"Status of the requirement: {rules.status} (compare with the text of the standard)."))  # fmt: skip
