"""The sites that a server serves: one workspace, or a folder of workspaces, one a plant."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.runs.access_config import AccessConfig
from zerofactory.runs.company import Provider
from zerofactory.runs.context import Context, clock
from zerofactory.runs.folder_watch import watch_of
from zerofactory.runs.jobs import Jobs
from zerofactory.store.access import AccessStore
from zerofactory.store.database import has_book
from zerofactory.store.workspace import PLANT_FILE, Workspace

_SITE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class _Kept:
    mark: tuple[object, ...]
    workspace: Workspace


class Sites:
    """The workspaces under one folder by id; a name from outside only ever picks one of them, it never makes a path."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._kept: dict[str, _Kept] = {}
        self._lock = Lock()

    @property
    def single(self) -> bool:
        """Whether the folder itself is the one workspace."""
        return (self.root / PLANT_FILE).is_file()

    def folders(self) -> Mapping[str, Path]:
        """Return the folder of each site by id: the name of the folder."""
        if self.single:
            name = self.root.name if _SITE.fullmatch(self.root.name) else "plant"
            return {name: self.root}
        found = sorted(path for path in self.root.iterdir() if path.is_dir() and not path.is_symlink())
        return {path.name: path for path in found if _SITE.fullmatch(path.name) and has_book(path)}

    def context(self, site: str, actor: str, now: datetime | None = None) -> Context:
        """Open one site for a person; raise `NotFound` with no hint of what else there is."""
        folder = self.folders().get(site)
        if folder is None:
            raise NotFound(Text("工厂", "site"), site)
        return Context(self._workspace(site, folder), now or clock(), actor)

    def _workspace(self, site: str, folder: Path) -> Workspace:
        """Return the opened workspace, opened anew when the plant file or the plant's own factors have changed."""
        mark = _mark(folder)
        with self._lock:
            kept = self._kept.get(site)
            if kept is None or kept.mark != mark:
                kept = _Kept(mark, Workspace.open(folder))
                self._kept[site] = kept
            return kept.workspace


@dataclass(frozen=True, slots=True)
class Server:
    """What one running server holds; ``secure`` says that it is reached over TLS, ``upload_bytes`` bounds a request.

    ``config`` is what ``access.toml`` said when the server started, ``provider`` the company's own login if there is one.
    """

    sites: Sites
    access: AccessStore
    secure: bool
    upload_bytes: int
    jobs: Jobs = field(default_factory=Jobs)
    config: AccessConfig = field(default_factory=AccessConfig)
    provider: Provider | None = None


def mark_of(context: Context) -> str:
    """Return a text that changes whenever anything a reader of the book can see has changed: for ETags and caches."""
    last = context.workspace.watched.last()
    watched = hashlib.sha256(repr(_mark(context.workspace.folder)).encode()).hexdigest()
    return f"{last.hash if last else ''}:{watched[:16]}"


def _mark(folder: Path) -> tuple[object, ...]:
    try:
        return watch_of(folder).mark()
    except OSError as error:
        message = Text(f"读不了 {folder.name}。", f"{folder.name} cannot be read.")
        raise FaultyData([Problem("sites.unreadable", message, Text("请检查权限。", "Check the rights."))]) from error
