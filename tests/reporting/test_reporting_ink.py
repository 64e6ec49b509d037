"""The typeface of the charts: one of its name, whoever draws first, from however many threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import matplotlib as mpl
from matplotlib import font_manager

from zerofactory.reporting.fonts import FAMILY, font_file
from zerofactory.reporting.ink import WEIGHT, know_typeface, pen


def entries() -> list[font_manager.FontEntry]:
    return [entry for entry in font_manager.fontManager.ttflist if entry.name == FAMILY]


def test_typeface_is_known_once_however_often_and_from_however_many_threads() -> None:
    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(lambda _: know_typeface(), range(32)):
            pass
    weights = sorted(int(entry.weight) for entry in entries() if entry.weight in (WEIGHT, 700))
    assert weights == [WEIGHT, 700]


def test_a_typeface_of_the_same_name_on_the_machine_is_not_looked_at() -> None:
    know_typeface()
    stranger = replace(entries()[0], fname="/usr/share/fonts/stranger.ttc")
    font_manager.fontManager.ttflist.append(stranger)
    know_typeface()
    assert {entry.fname for entry in entries()} == {str(font_file())}


def test_settings_last_as_long_as_the_drawing() -> None:
    before = mpl.rcParams["font.size"]
    with pen({"font.size": before + 3}):
        assert mpl.rcParams["font.size"] == before + 3
        with pen():
            assert mpl.rcParams["font.family"] == [FAMILY]
        assert mpl.rcParams["font.size"] == before + 3
    assert mpl.rcParams["font.size"] == before
