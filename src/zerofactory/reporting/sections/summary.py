"""The first page: a handful of key figures and sentences, all of them read off the statement."""

from __future__ import annotations

from dataclasses import dataclass

from zerofactory.errors import Text
from zerofactory.reporting.figures import NO_BREAK, half_width, number, percent, tonnes
from zerofactory.reporting.statement import Intensity, Statement
from zerofactory.reporting.table import Kind


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """One key figure: label, amount, unit, and a small remark."""

    label: Text
    amount: float
    kind: Kind
    unit: Text
    remark: Text

    @property
    def value(self) -> str:
        """The amount as printed: an intensity to three significant digits, a share without its sign."""
        if self.kind == "tonnes":
            return tonnes(int(self.amount))
        if self.kind == "share":
            return percent(self.amount).removesuffix(f"{NO_BREAK}%")
        return f"{self.amount:,.0f}" if self.kind == "quantity" else number(self.amount, 3)


def key_figures(statement: Statement) -> tuple[KeyFigure, ...]:
    """Return the key figures the statement has: total, regimes, direct, intensity, energy, data quality."""
    direct = sum(line.emissions_gco2e or 0 for line in statement.categories if line.scope == 1)
    half = statement.uncertainty.total_half_width_fraction if statement.uncertainty else None
    remark = (
        Text(f"不确定性 {half_width(half)}", f"uncertainty {half_width(half)}")
        if half is not None
        else Text("不确定性未评估", "uncertainty not assessed")
    )
    made = [_emission(Text("排放总量", "Total emissions"), statement.total_gco2e, remark)]
    made += [
        _emission(
            Text(f"总量（{line.title.zh}）", f"Total, {line.title.en.lower()}"),
            line.total_gco2e,
            _beside(statement, line.total_gco2e),
        )
        for line in statement.regimes
        if line.key != statement.regime
    ]
    indirect = statement.total_gco2e - direct
    made.append(_emission(Text("直接排放", "Direct emissions"), direct, _part(statement, direct)))
    made.append(_emission(Text("间接排放", "Indirect emissions"), indirect, _part(statement, indirect)))
    made += [KeyFigure(line.title, line.value, "number", line.unit, _over(line)) for line in statement.intensities[:2]]
    if statement.energy:
        energy = statement.energy.calorific_tce
        remark = Text("当量值", "calorific value")
        made.append(KeyFigure(Text("综合能耗", "Energy consumption"), energy, "quantity", Text("tce", "tce"), remark))
    automatic = statement.quality.automatic_fraction
    if automatic is not None:
        complete = percent(statement.quality.completeness_fraction, 2)
        remark = Text(f"数据完整率 {complete}", f"completeness {complete}")
        made.append(
            KeyFigure(Text("自动采集率", "Collected automatically"), automatic, "share", Text("%", "%"), remark)
        )
    return tuple(made)


def _emission(label: Text, grams: int, remark: Text) -> KeyFigure:
    return KeyFigure(label, grams, "tonnes", Text("tCO₂e", "tCO₂e"), remark)


def _over(line: Intensity) -> Text:
    amount = number(line.denominator)
    return Text(f"分母 {amount} {line.denominator_unit.zh}", f"over {amount} {line.denominator_unit.en}")


def _part(statement: Statement, grams: int) -> Text:
    share = percent(grams / statement.total_gco2e if statement.total_gco2e else None)
    return Text(f"占总量 {share}", f"{share} of the total")


def _beside(statement: Statement, grams: int) -> Text:
    difference = tonnes(abs(grams - statement.total_gco2e))
    less = grams < statement.total_gco2e
    return Text(
        f"{'低' if less else '高'} {difference} t，并列列示",
        f"{difference} t {'lower' if less else 'higher'}, stated beside",
    )


def sentences(statement: Statement) -> tuple[Text, ...]:
    """Return what a reader should take away: the total, the largest category and the largest shop."""
    total = tonnes(statement.total_gco2e)
    label = statement.period.label
    made = [
        Text(
            f"{label} 期间，本组织温室气体排放总量为 {total} tCO₂e（GWP 采用 {statement.gwp_set}）。",
            f"In {label} the organisation emitted {total} tCO₂e in total (GWP set {statement.gwp_set}).",
        )
    ]
    largest = max(statement.categories, key=lambda line: line.emissions_gco2e or 0, default=None)
    if largest is not None and largest.emissions_gco2e:
        share = percent(largest.share_fraction)
        made.append(
            Text(
                f"最大类别是{largest.title.zh}，{tonnes(largest.emissions_gco2e)} tCO₂e，占 {share}。",
                f"The largest category is {largest.title.en.lower()}: {tonnes(largest.emissions_gco2e)} tCO₂e, {share}.",
            )
        )
    if statement.shops:
        shop = max(statement.shops, key=lambda line: line.emissions_gco2e)
        share = percent(shop.share_fraction)
        made.append(
            Text(
                f"排放最多的车间是{shop.title.zh}，{tonnes(shop.emissions_gco2e)} tCO₂e，占 {share}。",
                f"The shop that emits most is {shop.title.en.lower()}: {tonnes(shop.emissions_gco2e)} tCO₂e, {share}.",
            )
        )
    verified = statement.verification is not None
    made.append(
        Text("本报告已经第三方核查。", "This report has been verified by a third party.")
        if verified
        else Text("本报告未经第三方核查。", "This report has not been verified by a third party.")
    )
    return tuple(made)
