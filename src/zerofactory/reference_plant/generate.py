"""Write the reference plant (参考范例, 虚构) into a folder: factory.toml, readings and documents of 2025."""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from zerofactory.errors import ZeroFactoryError
from zerofactory.reference_plant import documents, readings, series
from zerofactory.reference_plant.mess import Mess, mess, mess_text
from zerofactory.reference_plant.series import plant_text
from zerofactory.reference_plant.shapes import YEAR


@dataclass(frozen=True, slots=True)
class Written:
    """What was written. ``files`` are the paths inside ``folder``, sorted; ``mess`` the deliberate faults among them."""

    folder: Path
    files: tuple[Path, ...]
    mess: tuple[Mess, ...]


def write(folder: Path) -> Written:
    """Write the fictional plant and a year of its data; the same bytes every time.

    Parameters
    ----------
    folder : Path
        Where; made when absent. Gets ``factory.toml``, ``plan.toml``, ``mess.toml``, ``README.md`` and ``inbox/``.

    Raises
    ------
    ZeroFactoryError
        The folder holds a ``factory.toml`` already.
    """
    if (folder / "factory.toml").exists():
        raise ZeroFactoryError(f"{folder} holds a plant already")
    for entry in mess():
        (folder / entry.file).parent.mkdir(parents=True, exist_ok=True)
    (folder / "factory.toml").write_text(plant_text(), encoding="utf-8", newline="\n")
    (folder / "plan.toml").write_text(plan_text(), encoding="utf-8", newline="\n")
    (folder / "README.md").write_text(guide_text(), encoding="utf-8", newline="\n")
    (folder / "mess.toml").write_text(mess_text(), encoding="utf-8", newline="\n")
    _write_products(folder)
    displays = _write_readings(folder)
    documents.write(folder, displays)
    for entry in mess():
        if entry.copy_of is not None:
            shutil.copyfile(folder / entry.copy_of, folder / entry.file)
    names = sorted(path for path in folder.rglob("*") if path.is_file())
    return Written(folder, tuple(names), mess())


def plan_text() -> str:
    """Return the recommended zero-carbon plan of the plant."""
    return (files("zerofactory.reference_plant") / "plan.toml").read_text(encoding="utf-8")


def guide_text() -> str:
    """Return the page that tells what lies in the folder."""
    return (files("zerofactory.reference_plant") / "guide.md").read_text(encoding="utf-8")


def _write_products(folder: Path) -> None:
    """Write products, bills of materials, a supplier's footprint, exports of a registry, what is cut, and what-ifs of the twin."""
    source = files("zerofactory.reference_plant")
    for inner in ("products", "products/suppliers", "registry", "registry/wrong", "material", "material/blanks", "scenarios"):  # fmt: skip
        (folder / inner).mkdir(parents=True, exist_ok=True)
        for entry in sorted((source / inner).iterdir(), key=lambda one: one.name):
            if entry.is_file():
                (folder / inner / entry.name).write_bytes(entry.read_bytes())


def _write_readings(folder: Path) -> dict[str, readings.Display]:
    meters = {meter["id"]: meter for meter in tomllib.loads(plant_text())["meters"]}
    amounts = series.amounts(meters)
    shown = [readings.display(recipe, meters[recipe.meter], amounts[recipe.meter]) for recipe in series.recipes()]
    shown.sort(key=lambda one: one.meter)
    for month in range(1, 13):
        path = folder / "inbox" / f"readings-{YEAR}-{month:02d}.parquet"
        readings.write_month(path, readings.month_frame(shown, month))
    displays = {one.meter: one for one in shown}
    for entry in mess():
        if entry.kind == "late" and entry.meter is not None:
            readings.write_correction(folder / entry.file, displays[entry.meter], entry.first, entry.last)
    return displays
