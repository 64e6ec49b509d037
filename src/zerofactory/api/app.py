"""The application: `create` puts the nouns, the faults and the shell together for one folder of workspaces."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute

from zerofactory import __version__
from zerofactory.api import faults, nouns
from zerofactory.api.description import describe
from zerofactory.api.shell import Shell
from zerofactory.api.swift import Swift
from zerofactory.runs.access_config import read_config
from zerofactory.runs.company import Provider
from zerofactory.runs.sites import Server, Sites
from zerofactory.store.access import AccessStore

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Settings:
    """How a server is run; ``secure`` when it is reached over TLS, ``upload_megabytes`` bounds a request."""

    secure: bool = False
    upload_megabytes: int = 256


def create(root: Path, settings: Settings = Settings()) -> FastAPI:
    """Return the application that serves the workspace, or the workspaces, in a folder."""
    app = FastAPI(
        title="zerofactory",
        version=__version__,
        summary="零碳工厂: 核算、优化、抵消 / account, optimise and offset the carbon of a car plant",
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        generate_unique_id_function=_operation,
    )
    upload = settings.upload_megabytes * MEGABYTE
    config = read_config(root)
    provider = None if config.company is None else Provider(config.company)
    app.state.server = Server(
        Sites(root), AccessStore.in_folder(root), settings.secure, upload, config=config, provider=provider
    )
    faults.install(app)
    for module_info in sorted(pkgutil.iter_modules(nouns.__path__), key=lambda info: info.name):
        app.include_router(importlib.import_module(f"{nouns.__name__}.{module_info.name}").ROUTER)
    describe(app)
    app.state.swift = Swift(app.state.server)
    app.add_middleware(Shell, server=app.state.server, swift=app.state.swift)
    return app


def _operation(route: APIRoute) -> str:
    """Return the name of an operation, noun and verb: ``inventory_show``."""
    return f"{route.tags[0]}_{route.name}" if route.tags else route.name
