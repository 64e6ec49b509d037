"""The tariff of a workspace: what ``[tariff]`` names, from the packaged areas or the plant's own files in ``tariffs/``."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from zerofactory.assets.bill import Terms
from zerofactory.assets.gas_price import GasPrice, gas_price, read_gas_price
from zerofactory.assets.tariff import Tariff
from zerofactory.assets.tariff_file import TariffFiles, areas, choices, packaged, read_tariff
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.notation import text_of
from zerofactory.site.model import Plant, TariffUse

FOLDER = "tariffs"


def plant_tariff(plant: Plant, folder: Path | None = None) -> Tariff:
    """Return the tariff a plant names.

    Parameters
    ----------
    folder : Path, optional
        The workspace; its own ``tariffs/<area>.toml`` and ``.csv`` come before the packaged ones.

    Raises
    ------
    FaultyData
        The plant names none, or its files have faults.
    NotFound
        No such area, scheme or voltage; lists the choices.
    """
    use = plant.tariff
    if use is None:
        raise FaultyData([_none_named()])
    found, problems = read_tariff(_files(use, folder), use.scheme, use.voltage, use.carry)
    if found is None:
        raise FaultyData(problems)
    if use.export_cny_per_kwh is not None:
        found = replace(found, export_cny_per_kwh=Decimal(str(use.export_cny_per_kwh)))
    return found


def plant_terms(plant: Plant) -> Terms:
    """Return what the plant agreed with the grid company; raise `FaultyData` when it names no tariff."""
    use = plant.tariff
    if use is None:
        raise FaultyData([_none_named()])
    return Terms(
        use.demand_basis,
        use.transformer_kva,
        use.contract_demand_kw,
        _decimal(use.power_factor_standard_fraction),
        _decimal(use.green_premium_cny_per_kwh),
    )


def plant_gas_price(plant: Plant, folder: Path | None = None) -> GasPrice | None:
    """Return the gas price a plant names, its own file first; None when it names none."""
    name = None if plant.tariff is None else plant.tariff.gas
    if name is None:
        return None
    own = None if folder is None else folder / FOLDER / f"{name}.toml"
    if own is None or not own.is_file():
        return gas_price(name)
    found, problems = read_gas_price(name, text_of(own.read_bytes(), own.name))
    if found is None:
        raise FaultyData(problems)
    return found


def _files(use: TariffUse, folder: Path | None) -> TariffFiles:
    own = None if folder is None else folder / FOLDER
    names = sorted(path.stem for path in own.glob("*.toml")) if own is not None and own.is_dir() else []
    if own is not None and use.area in names:
        pair = [own / f"{use.area}.toml", own / f"{use.area}.csv"]
        missing = [path.name for path in pair if not path.is_file()]
        if missing:
            raise FaultyData([_half(missing[0])])
        rules, rows = (text_of(path.read_bytes(), path.name) for path in pair)
        return TariffFiles(use.area, rules, rows)
    if use.area not in areas():
        raise NotFound(Text("电价地区", "tariff area"), use.area, (*names, *areas()))
    return packaged(use.area)


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _none_named() -> Problem:
    return Problem(
        "tariff.none_named",
        Text("工厂没有指定电价。", "The plant names no tariff."),
        Text(
            '请在 factory.toml 写 [tariff], 如 area = "shanghai"; 见 zf energy tariffs。',
            'Write [tariff] in factory.toml, for example area = "shanghai"; see zf energy tariffs.',
        ),
    )


def _half(name: str) -> Problem:
    return Problem(
        "tariff.half",
        Text(f"自备电价缺少文件 {FOLDER}/{name}。", f"Of the plant's own tariff the file {FOLDER}/{name} is missing."),
        Text(
            "规则写在 .toml, 电价行写在同名 .csv。",
            "Rules stand in the .toml, price rows in the .csv of the same name.",
        ),
    )


def listing() -> list[dict[str, str]]:
    """Return every packaged tariff: area, titles, scheme, voltage and the months with published prices."""
    rows = []
    for area in areas():
        given = packaged(area)
        for scheme, voltage in choices(given):
            found, _ = read_tariff(given, scheme, voltage)
            if found is not None:
                months = (
                    found.published[0] if len(found.published) == 1 else f"{found.published[0]}…{found.published[-1]}"
                )
                rows.append(
                    {
                        "area": area,
                        "title_zh": found.title.zh,
                        "title_en": found.title.en,
                        "scheme": scheme,
                        "voltage": voltage,
                        "months": months,
                    }
                )
    return rows
