"""Maps of our own: every text escaped, labels apart, no address outside, flows as wide as their tonnes."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

from zerofactory.web.network_map import Spot, Stroke, colour_of, projected, stroke_width, svg


def test_a_map_is_well_formed_and_escapes_what_it_is_told() -> None:
    drawn = svg(
        [Spot(0.0, 0.0, '<script>alert("x")</script>', True), Spot(1.0, 1.0, "b & c")],
        [Stroke(((0.0, 0.0), (1.0, 1.0)), "#000", 2.0, "a < b")],
        'map "one"',
    )
    ElementTree.fromstring(drawn)  # noqa: S314  (our own text)
    assert "<script>" not in drawn
    assert "http" not in drawn


def test_labels_of_places_on_one_spot_do_not_hide_each_other() -> None:
    drawn = svg([Spot(0.0, 0.0, f"factory number {n}") for n in range(6)], [], "map")
    lines = sorted(float(y) for y in re.findall(r'<text x="[\d.]+" y="([\d.]+)"', drawn))
    assert min(b - a for a, b in pairwise(lines)) >= 15.0 - 1e-6


def test_north_is_up_and_a_degree_of_longitude_is_shorter() -> None:
    at = projected({"south": (30.0, 120.0), "north": (31.0, 120.0), "east": (30.0, 121.0)})
    assert at["north"][1] < at["south"][1]
    assert 0.85 < at["east"][0] - at["south"][0] < 0.88


def test_width_grows_with_tonnes_and_colour_tells_the_energy() -> None:
    assert stroke_width(0.0, 100.0) < stroke_width(25.0, 100.0) < stroke_width(100.0, 100.0)
    assert colour_of("diesel_49t") == colour_of("diesel_18t") != colour_of("battery_49t")
    assert colour_of("cart")
