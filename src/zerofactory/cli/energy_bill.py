"""The bill on the terminal: energy bill, energy tariffs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, PeriodOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_problems, print_table

if TYPE_CHECKING:
    from zerofactory.assets.bill import Bill, Line
    from zerofactory.runs.energy_bill import Bills


PowerFactorOption = Annotated[
    float | None,
    typer.Option(
        "--power-factor", min=0.0, max=1.0, help=say("当月功率因数(无无功读数时)", "power factor of the month")
    ),
]
GreenOption = Annotated[
    float | None,
    typer.Option("--green-kwh", min=0.0, help=say("当月结算的绿电电量(kWh)", "green power settled in the month (kWh)")),
]


@door
def bill(
    period: PeriodOption,
    power_factor: PowerFactorOption = None,
    green_kwh: GreenOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.periods import Period
    from zerofactory.runs import energy_bill as run

    result = run.read(opened(workspace), Period.parse(period), run.Stated(power_factor, green_kwh))
    if as_json:
        print_json(result.as_json())
        return
    if len(result.bills) == 1:
        _print_bill(result, result.bills[0])
    else:
        _print_year(result)
    if result.gas_price is not None and result.gas_fen:
        _print_gas(result)
    print_problems(result.problems)


@door
def tariffs(as_json: JsonOption = False) -> None:
    from zerofactory.runs import energy_tariff as run

    rows = run.listing()
    if as_json:
        print_json(rows)
        return
    print_table(
        say("随包电价", "packaged tariffs"),
        [("area", "left"), (say("名称", "title"), "left"), ("scheme", "left"), ("voltage", "left"), (say("月份", "months"), "left")],
        [(row["area"], say(row["title_zh"], row["title_en"]), row["scheme"], row["voltage"], row["months"]) for row in rows],
    )  # fmt: skip


def _print_bill(result: Bills, one: Bill) -> None:
    print_table(
        say(f"{one.month} 电费 · {result.tariff.title.zh}", f"{one.month} bill · {result.tariff.title.en}"),
        [
            (say("项目", "item"), "left"),
            (say("数量", "quantity"), "right"),
            (say("单位", "unit"), "left"),
            (say("单价", "price"), "right"),
            (say("金额 元", "amount CNY"), "right"),
        ],
        [*(_row(line) for line in one.lines), (say("合计", "total"), "", "", "", _yuan(one.total_fen))],
    )
    from zerofactory.assets.bill import part_title

    print_table(
        say("电度电费的构成", "parts of the energy charge"),
        [(say("构成", "part"), "left"), (say("金额 元", "amount CNY"), "right")],
        [(read(part_title(part)), _yuan(amount)) for part, amount in one.parts_fen.items()],
    )
    print_line(
        say(
            f"最大需量 {one.peak_kw:,.1f} kW, {result.peak_at[0]}; 电价取自 {one.priced_by} ({one.status})。",
            f"Highest demand {one.peak_kw:,.1f} kW at {result.peak_at[0]}; prices of {one.priced_by} ({one.status}).",
        )
    )


def _print_gas(result: Bills) -> None:
    assert result.gas_price is not None  # noqa: S101  # narrowing
    print_table(
        say(f"{result.period} 气费 · {result.gas_price.title.zh}", f"{result.period} gas · {result.gas_price.title.en}"),
        [
            (say("项目", "item"), "left"),
            (say("数量", "quantity"), "right"),
            (say("单位", "unit"), "left"),
            (say("单价", "price"), "right"),
            (say("金额 元", "amount CNY"), "right"),
        ],
        [
            *((f"{one.month} {cells[0]}", *cells[1:]) for one, lines in zip(result.bills, result.gas, strict=True) for cells in map(_row, lines)),
            (say("合计", "total"), "", "", "", _yuan(result.gas_fen)),
        ],
    )  # fmt: skip


def _row(line: Line) -> tuple[str, str, str, str, str]:
    title = read(line.title) + (f" ({read(line.note)})" if line.note else "")
    price = f"{line.price:.2%}" if line.price_unit == "fraction" else f"{line.price.normalize():f}"
    return title, f"{line.quantity:,.1f}", line.unit, price, _yuan(line.amount_fen)


def _print_year(result: Bills) -> None:
    print_table(
        say(f"{result.period} 电费 · {result.tariff.title.zh}", f"{result.period} bills · {result.tariff.title.en}"),
        [
            (say("月份", "month"), "left"),
            ("MWh", "right"),
            (say("需量 kW", "demand kW"), "right"),
            (say("电度 元", "energy CNY"), "right"),
            (say("基本 元", "basic CNY"), "right"),
            (say("其他 元", "other CNY"), "right"),
            (say("合计 元", "total CNY"), "right"),
        ],
        [*(_month(one) for one in result.bills), (say("合计", "total"), "", "", "", "", "", _yuan(result.total_fen))],
    )


def _month(one: Bill) -> tuple[str, ...]:
    basic = sum(line.amount_fen for line in one.lines if line.code.startswith("basic"))
    energy_mwh = sum(float(line.quantity) for line in one.lines if line.code.startswith("energy.")) / 1000
    other = one.total_fen - one.energy_fen - basic
    return (
        one.month,
        f"{energy_mwh:,.1f}",
        f"{one.peak_kw:,.0f}",
        _yuan(one.energy_fen),
        _yuan(basic),
        _yuan(other),
        _yuan(one.total_fen),
    )


def _yuan(fen: int) -> str:
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"
