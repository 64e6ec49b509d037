"""The tables that are shipped are those the open data give, byte for byte."""

from __future__ import annotations

import os
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
from bench.derive_asset_tables import tariffs, weather

DATA = Path(os.environ.get("ZF_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
ASSETS = files("zerofactory.assets")


def folder() -> Path:
    if not (DATA / "weather" / "shanghai_hongqiao_tmyx").is_dir():
        pytest.skip("the data sets are not here (folder in ZF_DATA)")
    return DATA


def test_weather_is_the_typical_year() -> None:
    assert weather(folder()) == (ASSETS / "weather" / "shanghai.csv").read_text(encoding="utf-8")


def test_tariffs_are_the_published_rows() -> None:
    for area, text in tariffs(folder()).items():
        assert text == (ASSETS / "tariffs" / f"{area}.csv").read_text(encoding="utf-8"), area


def test_every_table_says_where_it_is_from() -> None:
    for room in ("weather", "tariffs", "gas"):
        for entry in (ASSETS / room).iterdir():
            if entry.name.endswith(".toml"):
                head = tomllib.loads(entry.read_text(encoding="utf-8"))
                assert head["source"], entry.name
                assert head["status"] in ("verified", "secondary", "placeholder"), entry.name
