"""Find the entries of a kind: one folder, one entry a file, plus entry points of other people's packages."""

from __future__ import annotations

import importlib
import pkgutil
from importlib.metadata import entry_points
from typing import Any

from zerofactory.errors import Misuse


def discover(package: str, attribute: str, group: str | None = None) -> dict[str, Any]:
    """Return ``{entry.id: entry}`` for every module in ``package`` that offers ``attribute``, sorted by id.

    Parameters
    ----------
    package : str
        Dotted name of the folder, e.g. ``zerofactory.accounting.sources``.
    attribute : str
        The name each file must offer, e.g. ``SOURCE``. The object must have an ``id``.
    group : str, optional
        Entry-point group through which other packages add entries, e.g. ``zerofactory.sources``.

    Raises
    ------
    Misuse
        A file does not offer the attribute, or two entries share an id.
    """
    found: list[tuple[str, Any]] = []
    folder = importlib.import_module(package)
    for module_info in sorted(pkgutil.iter_modules(folder.__path__), key=lambda info: info.name):
        module = importlib.import_module(f"{package}.{module_info.name}")
        if not hasattr(module, attribute):
            raise Misuse(f"{module.__name__} offers no {attribute}")
        found.append((module.__name__, getattr(module, attribute)))
    if group:
        found.extend((point.value, point.load()) for point in entry_points(group=group))
    entries: dict[str, Any] = {}
    for place, entry in found:
        if entry.id in entries:
            raise Misuse(f"two entries of {package} have the id '{entry.id}' (the second in {place})")
        entries[entry.id] = entry
    return dict(sorted(entries.items()))
