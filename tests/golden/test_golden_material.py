"""The reference plant: the kilograms that a slitting plan saves are in its inventory, to the gram."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from zerofactory.periods import Period
from zerofactory.runs import close, import_data, init, inventory, material, material_files
from zerofactory.runs.context import Context
from zerofactory.store.workspace import Workspace

pytestmark = pytest.mark.slow
NOW = datetime(2026, 2, 1, tzinfo=UTC)
JANUARY = Period(2025, 1)


def opened(folder: Path) -> Context:
    return Context(Workspace.open(folder), NOW, "golden")


def test_saved_steel_is_in_the_inventory_of_the_reference_plant(tmp_path: Path) -> None:
    """January 2025 is closed twice: flat steel once by the plan's documents, once by those of the present practice."""
    folder = tmp_path / "plant"
    init.run(folder, "car-plant")
    toml = folder / "material" / "slit.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace("day = 2026-01-30", "day = 2025-01-30"), encoding="utf-8")
    kept_apart = ("凭证-范围三采购-2025", "凭证-循环利用-2025")  # the year's own invoices of the same steel
    files = [
        path
        for path in sorted((folder / "inbox").iterdir())
        if path.is_file() and path.stem not in kept_apart and not path.stem.startswith("readings-2025-")
    ]
    import_data.run(
        opened(folder),
        [*files, folder / "inbox" / "readings-2025-01.parquet", folder / "inbox" / "readings-2025-02.parquet"],
    )
    found = material.run_slit(opened(folder))
    assert found.is_sound
    assert found.saving is not None
    assert found.saving.booked is not None
    material_files.write(found, tmp_path / "out", "zh")
    totals = {}
    for which in ("", "-before"):
        twin = tmp_path / f"book{which}"
        shutil.copytree(folder, twin)
        import_data.run(opened(twin), [tmp_path / "out" / f"slit-activities{which}.csv"])
        close.run(opened(twin), JANUARY, known_at=date(2026, 1, 15))
        shown = inventory.read(opened(twin), JANUARY, "ghg_protocol_corporate", scope="3")
        totals[which] = sum(line.emissions_gco2e for line in shown.lines)
    assert totals["-before"] - totals[""] == found.saving.booked.saved_gco2e
    assert found.saving.booked.saved_gco2e == pytest.approx(2.33e3 * found.saving.saved_kg, abs=5)
    assert found.saving.saved_kg > 3_000
