"""The utilities beside the twin of a line, as tables: what each takes and wastes, and what is told beside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zerofactory.cli.language import read, say
from zerofactory.cli.output import print_line, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zerofactory.runs.twin_utilities import Around
    from zerofactory.runs.twin_utilities_fit import Found

UNITS = {"electricity": "kWh", "natural_gas": "Nm³", "compressed_air": "Nm³", "water": "m³", "heat": "kWh"}


def show(found: Around | None) -> None:
    """Print what the utilities take, largest first in their own order, and every remark that is not nothing."""
    if found is None:
        return
    names = {"electricity": say("电", "electricity"), "natural_gas": say("天然气", "gas"), "heat": say("热力", "heat"), "water": say("水", "water")}  # fmt: skip
    rows = [
        (read(one.title), names.get(carrier, carrier), f"{amount.mean:,.0f}", f"{one.wasted[carrier].mean:,.0f}", UNITS[carrier])
        for one in found.utilities
        for carrier, amount in one.energy.items()
    ]  # fmt: skip
    if rows:
        print_table(
            say("公用动力与厂房", "utilities and buildings"),
            [(say("设施", "utility"), "left"), (say("载能", "carrier"), "left"), (say("用量", "takes"), "right"), (say("其中不在生产时", "of it making nothing"), "right"), (say("单位", "unit"), "left")],
            rows,
        )  # fmt: skip
    told = [(read(one.title), f"{one.value.mean:,.1f}", one.unit, "!" if one.alarming else "") for one in found.remarks if one.alarming or one.value.mean]  # fmt: skip
    if told:
        print_table(
            say("公用动力: 另外要知道的", "utilities: what else to know"),
            [("", "left"), (say("均值", "mean"), "right"), (say("单位", "unit"), "left"), ("", "left")],
            told,
        )
    if found.status == "placeholder":
        print_line(say("utilities.toml 的数是设定值, 请用铭牌与读数替换。", "The figures of utilities.toml are placeholders: replace them by name plates and readings."))  # fmt: skip


def show_fits(found: Sequence[Found]) -> None:
    """Print what readings tell of the utilities beside what utilities.toml says."""
    if not found:
        return
    rows = [
        (read(one.title), f"{one.figure.mean:,.1f}", f"{one.figure.low:,.1f} … {one.figure.high:,.1f}", f"{one.stated:,.1f}", one.unit,
         "–" if one.r2_fraction is None else f"{one.r2_fraction:.2f}", say("采用", "taken") if one.keys else say("只供参考", "told only"))
        for one in found
    ]  # fmt: skip
    print_table(
        say("公用动力: 读数说明的", "utilities: what readings tell"),
        [("", "left"), (say("读数", "readings"), "right"), (say("95 % 区间", "95 % interval"), "right"), (say("文件", "file"), "right"), (say("单位", "unit"), "left"), ("R²", "right"), (say("--write 时", "with --write"), "left")],
        rows,
    )  # fmt: skip
