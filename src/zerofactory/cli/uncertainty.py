"""What `zf inventory show --uncertainty` prints: both methods by line, what drives the total, which better meter pays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.output import print_json, print_line, print_table, tonnes

if TYPE_CHECKING:
    from zerofactory.accounting.pedigree import DataQualityScore
    from zerofactory.runs.context import Context
    from zerofactory.runs.uncertainty import Uncertainty

UncertaintyOption = Annotated[
    bool,
    typer.Option("--uncertainty", help=say("不确定度: 误差传播与蒙特卡洛", "uncertainty: propagation and Monte Carlo")),
]
DrawsOption = Annotated[
    int | None, typer.Option("--draws", min=2, max=1_000_000, help=say("抽样次数(默认 10000)", "draws (default 10000)"))
]
SeedOption = Annotated[int | None, typer.Option("--seed", min=0, help=say("随机种子", "seed of the random numbers"))]
SHOWN = 8


def show_uncertainty(
    context: Context,
    asked: tuple[str, str],
    view: tuple[str | None, str, str],
    draw: tuple[int | None, int | None],
    as_json: bool,
) -> None:
    """Print the uncertainty of an inventory; ``asked`` is period and standard, ``view`` regime, cut and scope, ``draw`` draws and seed."""
    from zerofactory.periods import Period
    from zerofactory.runs import uncertainty as run

    period, standard = asked
    result = run.read(context, Period.parse(period), standard, run.View(*view), run.Draw(*draw))
    if as_json:
        print_json(run.as_json(result))
        return
    _print_lines(result)
    _print_methods(result)
    _print_drivers(result)
    _print_quality(result.quality)


def _percent(fraction: float, digits: int = 1) -> str:
    return f"{100 * fraction:.{digits}f}"


def _print_lines(result: Uncertainty) -> None:
    inventory, found = result.inventory, result.assessment
    rows = []
    for line in inventory.lines:
        drawn = found.simulation.groups[line.key]
        rows.append((line.key, read(line.title), tonnes(line.emissions_gco2e), f"±{_percent(found.half_widths[line.key])}",
                     tonnes(round(drawn.low_g)), tonnes(round(drawn.high_g)), _percent(found.shares[line.key])))  # fmt: skip
    total = found.simulation.total
    rows.append((say("合计", "total"), "", tonnes(inventory.total_gco2e), f"±{_percent(found.half_width_fraction)}",
                 tonnes(round(total.low_g)), tonnes(round(total.high_g)), "100.0"))  # fmt: skip
    title = say(
        f"{inventory.period} 不确定度(95 %) · {inventory.standard} · {inventory.regime}",
        f"{inventory.period} uncertainty (95 %) · {inventory.standard} · {inventory.regime}",
    )
    header = [(say("编号", "key"), "left"), (say("名称", "title"), "left"), ("tCO2e", "right"), ("%", "right"), ("2.5 %", "right"),
              ("97.5 %", "right"), (say("方差占比 %", "variance %"), "right")]  # fmt: skip
    print_table(title, header, rows)


def _print_methods(result: Uncertainty) -> None:
    found = result.assessment
    analytic, drawn = _percent(found.half_width_fraction, 2), _percent(found.simulated_fraction, 2)
    run = found.simulation
    print_line(
        say(
            f"误差传播 ±{analytic} %, 蒙特卡洛 ±{drawn} %(1.96 sd, {run.draws} 次, 种子 {run.seed}); 等级: {result.rank.zh}",
            f"Propagation ±{analytic} %, Monte Carlo ±{drawn} % (1.96 sd, {run.draws} draws, seed {run.seed}); rank: {result.rank.en}",
        )
    )
    limit = _percent(found.tolerance_fraction, 0)
    if not found.agree:
        print_line(
            say(
                f"两法相差超过 {limit} %: 分布偏斜或分量很大, 以蒙特卡洛为准。",
                f"The methods differ by more than {limit} %: skewed or large parts; take Monte Carlo.",
            )
        )
    if not found.applicable:
        print_line(say("半宽过大, 误差传播法不适用。", "The half-width is too large for error propagation."))


def _print_drivers(result: Uncertainty) -> None:
    kinds = {
        "meter": say("表计", "meter"),
        "document": say("凭证", "documents"),
        "pedigree": say("数据质量", "data quality"),
        "factor": say("因子", "factor"),
    }
    print_table(
        say("方差来自", "The variance comes from"),
        [(say("类", "kind"), "left"), (say("名称", "title"), "left"), ("±%", "right"), (say("方差占比 %", "variance %"), "right")],
        [(kinds[one.kind], read(one.title), _percent(one.half_width_fraction), _percent(one.variance_share, 2))
         for one in result.drivers[:SHOWN]],
    )  # fmt: skip
    better = [one for one in result.better_meters if one.gain_fraction > 0.0]
    if better:
        print_table(
            say("哪块更好的表值得换", "Which better meter pays"),
            [(say("名称", "title"), "left"), (say("措施", "action"), "left"), (say("现 ±%", "now ±%"), "right"),
             (say("改后 ±%", "then ±%"), "right"), (say("合计 ±% 降低", "total ±% falls by"), "right")],
            [(read(one.title), read(one.action), _percent(one.half_width_fraction), _percent(one.better_fraction),
              _percent(one.gain_fraction, 4)) for one in better[:SHOWN]],
        )  # fmt: skip


def _print_quality(quality: DataQualityScore) -> None:
    if quality.score is None:
        print_line(
            say(
                "没有排放源填写谱系评分(factory.toml 中 pedigree)。",
                "No source states a pedigree (pedigree in factory.toml).",
            )
        )
        return
    worst = ", ".join(f"{one.source_id} {one.score:.1f}" for one in quality.contributors[:3])
    print_line(
        say(
            f"数据质量评分 {quality.score:.2f}(1 最好, 5 最差), 覆盖排放 {_percent(quality.covered_fraction)} %; 最差: {worst}",
            f"Data-quality score {quality.score:.2f} (1 best, 5 worst), {_percent(quality.covered_fraction)} % of emissions scored; "
            f"worst: {worst}",
        )
    )
