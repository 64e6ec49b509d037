"""The reference plant of 2025, imported and closed once for every test of this folder."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from zerofactory.periods import Period
from zerofactory.runs import close, import_data, init
from zerofactory.runs.context import Context
from zerofactory.store.workspace import Workspace

NOW = datetime(2026, 2, 1, tzinfo=UTC)
CORRECTED = datetime(2026, 2, 2, tzinfo=UTC)
KNOWN_AT = date(2026, 1, 15)


@pytest.fixture(scope="session")
def closed_reference_plant(tmp_path_factory: pytest.TempPathFactory) -> Context:
    """Return the reference plant with its late correction, the year closed as known on 2026-01-15."""
    folder = tmp_path_factory.mktemp("golden") / "plant"
    init.run(folder, "car-plant")
    inbox = folder / "inbox"

    def opened(now: datetime) -> Context:
        return Context(Workspace.open(folder), now, "golden")

    import_data.run(opened(NOW), sorted(path for path in inbox.iterdir() if path.is_file()))
    import_data.run(opened(CORRECTED), sorted((inbox / "late").iterdir()))
    close.run(opened(CORRECTED), Period(2025), known_at=KNOWN_AT)
    return opened(CORRECTED)
