"""The verification package of the reference plant: written, signed and verified (limit: 20 s together)."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from zerofactory.periods import Period
from zerofactory.runs import close, import_data, init, open_package, package
from zerofactory.runs.context import open_context
from zerofactory.store.signing import new_key

LIMIT_SECONDS = 20.0


def run() -> None:
    """Print the figures."""
    os.environ.setdefault("ZF_NOW", "2026-02-01T00:00:00+08:00")
    with tempfile.TemporaryDirectory() as name:
        folder, key = Path(name) / "plant", Path(name) / "key.pem"
        init.run(folder, "car-plant")
        import_data.run(open_context(folder), sorted(path for path in (folder / "inbox").iterdir() if path.is_file()))
        close.run(open_context(folder), Period(2025))
        new_key(key)
        print(f"package: the reference plant, a year (limit {LIMIT_SECONDS:.0f} s together)")
        for title, whole in (("as needed to recompute", False), ("with readings and documents", True)):
            out = Path(name) / "package.zip"
            started = time.perf_counter()
            made = package.run(open_context(folder), Period(2025), out, package.Content(whole, whole, key))
            written = time.perf_counter()
            verdict = open_package.verify(out)
            verified = time.perf_counter()
            assert verdict.clean
            print(
                f"  {title:<34}{verified - started:8.2f} s   written {written - started:.2f}  verified "
                f"{verified - written:.2f}  {made.bytes / 1e6:.1f} MB  {made.records:,} records"
            )
