"""A server over two small plants, and people with roles at the first or at both."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.conftest import NOW, SMALL_PLANT

from zerofactory.api.app import Settings, create
from zerofactory.runs import access
from zerofactory.runs.context import clock, stamp
from zerofactory.store.access import ANY_SITE, AccessStore
from zerofactory.store.workspace import Workspace

PASSWORD = "stone lamp river"  # noqa: S105  (of the tests alone)


@dataclass(frozen=True)
class Someone:
    """A logged-in browser."""

    client: TestClient
    csrf: str

    def get(self, path: str, **parameters: object) -> object:
        """Return the JSON of a successful GET."""
        answer = self.client.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: object = None, **more: object) -> object:
        """Send a write with the form token; return the response."""
        return self.client.post(path, json=body, headers={"X-CSRF-Token": self.csrf}, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def group(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two plants and a person of each role, made once: every test gets a copy."""
    folder = tmp_path_factory.mktemp("template") / "group"
    for name in ("east", "west"):
        (folder / name).mkdir(parents=True)
        (folder / name / "factory.toml").write_text(SMALL_PLANT.replace("小厂", f"小厂{name}"), encoding="utf-8")
        Workspace.create(folder / name, at=stamp(NOW), actor="test")
    store, hashed = AccessStore.in_folder(folder), access.hash_password(PASSWORD, "somebody")
    for role in access.ROLES:
        for site, called in (("east", "east"), (ANY_SITE, "any")):
            user = store.add_user(f"{role}-{called}", role, hashed, at=stamp(clock()))
            store.grant(user.user_id, site, role)
    return folder


@pytest.fixture
def root(group: Path, tmp_path: Path) -> Path:
    """Return a folder with two plants, 'east' and 'west'."""
    return Path(shutil.copytree(group, tmp_path / "group"))


@pytest.fixture
def nobody_yet(root: Path) -> Path:
    """Return the folder as it is before anybody has an account."""
    for path in root.glob("access.*"):
        path.unlink()
    return root


@pytest.fixture
def store(root: Path) -> AccessStore:
    """Return the access database of the group."""
    return AccessStore.in_folder(root)


@pytest.fixture
def app_client(root: Path) -> Callable[[], TestClient]:
    """Return a function that makes a browser nobody has logged in with."""
    app = create(root, Settings(upload_megabytes=1))
    return lambda: TestClient(app, raise_server_exceptions=False, headers={"Accept-Language": "zh-CN,zh;q=0.9"})


@pytest.fixture
def someone(app_client: Callable[[], TestClient]) -> Callable[..., Someone]:
    """Return a function that logs in a person with a role at the first site, or at both."""

    def enter(role: str, site: str = "east") -> Someone:
        login = f"{role}-{'any' if site == ANY_SITE else site}"
        client = app_client()
        answer = client.post("/v1/session", json={"login": login, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        return Someone(client, answer.json()["csrf"])

    return enter
