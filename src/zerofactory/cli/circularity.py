"""Commands of circularity: circularity show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, PeriodOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_table

if TYPE_CHECKING:
    from zerofactory.accounting.circularity import Indicator


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(no_args_is_help=True, help=say("循环利用指标", "circularity"))
    group.command(
        "show",
        help=say(
            "显示材料、水、固废、金属的循环利用指标", "show the circularity of materials, water, waste and metals"
        ),
    )(show)
    app.add_typer(group, name="circularity")


@door
def show(period: PeriodOption, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.periods import Period
    from zerofactory.runs import circularity as run

    context, asked = opened(workspace), Period.parse(period)
    found = run.read(context, asked)
    if as_json:
        print_json(run.as_json(asked.label, found))
        return
    shops = {shop.id: read(shop.name) for shop in context.workspace.plant.shops}
    header = [(say("指标", "indicator"), "left"), (say("车间", "shop"), "left"), (say("金属", "metal"), "left"), ("%", "right"),
              (say("目标 %", "target %"), "right"), (say("达标", "met"), "left")]  # fmt: skip
    rows = [
        (read(one.title), shops.get(one.shop, one.shop) or say("全厂", "plant"), one.item, *_values(one))
        for one in found
    ]
    print_table(say(f"{asked.label} 循环利用", f"{asked.label} circularity"), header, rows)


def _values(one: Indicator) -> tuple[str, str, str]:
    value = "–" if one.value_fraction is None else f"{100 * one.value_fraction:.2f}"
    target = "–" if one.target_fraction is None else f"{100 * one.target_fraction:.1f}"
    verdict = {True: say("是", "yes"), False: say("否", "no"), None: say("无数据或无目标", "no data or no target")}[
        one.met
    ]
    return value, target, verdict if one.plausible else say("超过 100 %, 请核对数量", "over 100 %: check the amounts")
