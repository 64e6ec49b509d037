"""The folder `products/` of a workspace: a profile and a bill of materials for each product, and metered use.

products/<id>.toml             profile
products/<id>.csv | .xlsx      bill of materials
products/metered_use.csv|.xlsx what each product took in each shop, where it is metered (optional)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zerofactory.accounting.allocation import MeteredUse
from zerofactory.accounting.bill_of_materials import Bill, read_bill
from zerofactory.accounting.metered_use import read_metered_use
from zerofactory.accounting.product_profile import Profile, read_profile
from zerofactory.connectors.tabular import read_table
from zerofactory.errors import FaultyData, Problem, Text, refuse
from zerofactory.notation import text_of
from zerofactory.site.model import Plant

FOLDER, METERED = "products", "metered_use"
BILL_SUFFIXES = (".csv", ".xlsx")


@dataclass(frozen=True, slots=True)
class ProductFiles:
    """What the folder says."""

    profiles: Mapping[str, Profile]
    bills: Mapping[str, Bill]
    metered: tuple[MeteredUse, ...]


def read_products(folder: Path, plant: Plant) -> ProductFiles:
    """Return the profiles and bills of the plant's products; raise `FaultyData` with every fault of every file."""
    profiles: dict[str, Profile] = {}
    bills: dict[str, Bill] = {}
    problems: list[Problem] = []
    for product in plant.products:
        path = folder / FOLDER / f"{product.id}.toml"
        if path.is_file():
            try:
                text = text_of(path.read_bytes(), f"{FOLDER}/{path.name}", "product.not_utf8")
                profile, faults = read_profile(text, product.id, f"{FOLDER}/{path.name}")
            except FaultyData as fault:
                profile, faults = None, list(fault.problems)
            problems += faults
            profiles |= {product.id: profile} if profile is not None else {}
        table = _table(folder, product.id, problems)
        if table is not None:
            try:
                bill, faults = read_bill(read_table(table), product.id, f"{FOLDER}/{table.name}")
                problems += faults
                bills |= {product.id: bill} if bill is not None else {}
            except FaultyData as fault:
                problems += fault.problems
    metered: tuple[MeteredUse, ...] = ()
    path_of_use = _table(folder, METERED, problems)
    if path_of_use is not None:
        metered, faults = read_metered_use(read_table(path_of_use), f"{FOLDER}/{path_of_use.name}")
        problems += faults
    refuse(problems)
    return ProductFiles(profiles, bills, metered)


def _table(folder: Path, name: str, problems: list[Problem]) -> Path | None:
    """Return the one table of a name; two of them is a problem."""
    found = [path for path in (folder / FOLDER / f"{name}{suffix}" for suffix in BILL_SUFFIXES) if path.is_file()]
    if len(found) > 1:
        listed = ", ".join(path.name for path in found)
        message = Text(f"{FOLDER}/ 里同时有 {listed}。", f"There are both {listed} in {FOLDER}/.")
        problems.append(Problem("product.two_files", message, Text("请只留一个。", "Keep one of them.")))
    return found[0] if found else None
