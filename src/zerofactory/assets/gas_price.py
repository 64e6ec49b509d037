"""Gas prices by steps (阶梯气价), as data, and the gas bill of a month in whole fen.

    amount = Σ over steps  volume inside the step · price of the step

Volumes are as billed: m3 at the meter, or Nm3 (0 °C), whichever the price says. Steps run by month, and rise or fall.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from zerofactory.assets.bill import Line, to_fen
from zerofactory.assets.tariff_form import GasForm, read_form
from zerofactory.errors import FaultyData, NotFound, Problem, Text


@dataclass(frozen=True, slots=True)
class GasPrice:
    """A gas price: for each step the volume of the month it begins at and its price, in CNY per ``unit``."""

    id: str
    title: Text
    unit: str
    steps: tuple[tuple[Decimal, Decimal], ...]
    status: str
    source: str

    @property
    def rises(self) -> bool:
        """Whether no step is cheaper than the one before: then a linear problem fills them in the right order."""
        prices = [price for _, price in self.steps]
        return prices == sorted(prices)


def gas_bill(price: GasPrice, volume: Decimal) -> tuple[Line, ...]:
    """Return the lines of a month's gas bill.

    Examples
    --------
    >>> steps = ((Decimal(0), Decimal("3.5")), (Decimal(1000), Decimal("4")))
    >>> lines = gas_bill(GasPrice("x", Text("试", "trial"), "m3", steps, "placeholder", "by hand"), Decimal(1500))
    >>> [line.amount_fen for line in lines]
    [350000, 200000]
    """
    lines = []
    ends: list[Decimal | None] = [first for first, _ in price.steps[1:]]
    for number, ((first, each), last) in enumerate(zip(price.steps, [*ends, None], strict=True), 1):
        inside = max(volume - first, Decimal(0)) if last is None else min(max(volume - first, Decimal(0)), last - first)
        if inside > 0:
            title = Text(f"天然气第 {number} 档", f"gas, step {number}")
            lines.append(
                Line(f"gas.{number}", title, inside, price.unit, each, f"CNY/{price.unit}", to_fen(inside * each))
            )
    return tuple(lines)


def gas_series(price: GasPrice, volume_per_nm3: float) -> tuple[float, Mapping[str, float]]:
    """Return the price of the first step in CNY/Nm3 and the monthly inputs of a `gas_supply` for the steps above.

    ``volume_per_nm3`` is how much of the billing unit one Nm3 is (1 for Nm3; 1 / 0.9318 for m3 at 20 °C).

    Raises
    ------
    FaultyData
        A step is cheaper than the one before, or there are more than three: no linear form.
    """
    names = ("second", "third")
    if not price.rises or len(price.steps) > len(names) + 1:
        raise FaultyData([_not_linear(price)])
    monthly = {}
    for name, (before, (first, each)) in zip(names, zip(price.steps, price.steps[1:], strict=False), strict=False):
        monthly[f"gas_{name}_step_from_nm3"] = float(first) / volume_per_nm3
        monthly[f"gas_{name}_step_surcharge_cny_per_nm3"] = float(each - before[1]) * volume_per_nm3
    return float(price.steps[0][1]) * volume_per_nm3, monthly


def read_gas_price(name: str, text: str) -> tuple[GasPrice | None, list[Problem]]:
    """Return the gas price of a TOML text, with every fault of its steps."""
    form, problems = read_form(GasForm, text, f"{name}.toml")
    if form is None:
        return None, problems
    unit = form.unit.lower()
    pairs = [(getattr(one, f"from_{unit}"), getattr(one, f"price_cny_per_{unit}")) for one in form.steps]
    if any(first is None or each is None for first, each in pairs):
        problems.append(
            _fault(
                f"每档应写 from_{unit} 与 price_cny_per_{unit}。",
                f"Each step needs from_{unit} and price_cny_per_{unit}.",
            )
        )
        return None, [problem.at(file=f"{name}.toml") for problem in problems]
    steps = tuple((Decimal(str(first)), Decimal(str(each))) for first, each in pairs)
    begins = [first for first, _ in steps]
    if not begins or begins[0] != 0 or begins != sorted(set(begins)):
        problems.append(_fault("各档应自 0 起、依次递增。", "Steps should begin at 0 and rise."))
        return None, [problem.at(file=f"{name}.toml") for problem in problems]
    return GasPrice(name, Text(form.title.zh, form.title.en), form.unit, steps, form.status, form.source), []


def packaged_gas_prices() -> tuple[str, ...]:
    """Return the gas prices that are packaged."""
    return tuple(sorted(entry.name[:-5] for entry in _folder().iterdir() if entry.name.endswith(".toml")))


@lru_cache(maxsize=8)
def gas_price(name: str) -> GasPrice:
    """Return a packaged gas price; raise `NotFound` with the choices."""
    if name not in packaged_gas_prices():
        raise NotFound(Text("气价", "gas price"), name, packaged_gas_prices())
    found, problems = read_gas_price(name, (_folder() / f"{name}.toml").read_text(encoding="utf-8"))
    if found is None:
        raise FaultyData(problems)
    return found


def _folder() -> Traversable:
    return files("zerofactory.assets") / "gas"


def _fault(zh: str, en: str) -> Problem:
    return Problem(
        "assets.gas_price", Text(zh, en), Text("请对照供气合同更正。", "Correct it against the supply contract.")
    )


def _not_linear(price: GasPrice) -> Problem:
    return Problem(
        "assets.gas_price_not_linear",
        Text(
            f"{price.title.zh}各档须不降且至多三档, 才能优化。",
            f"Steps of {price.title.en} must rise, three at most, to be optimised.",
        ),
        Text("请合并各档或用平均价。", "Merge steps or use a mean price."),
    )
