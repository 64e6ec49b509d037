"""The car line over HTTP: an instance solved and proved, plants that share orders, faults as answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.api.conftest import Someone

GROUP = """
periods = ["mon"]
carriage_factor = "uk25.hgv.rigid_17_tonnes.average_laden.tkm"
carriage_cny_per_tkm = 0.45
carriage_km_per_period = 900
plants = [
  { id = "coal", name = { zh = "煤", en = "coal" }, region = "CN-河北", hours = [8], price_cny_per_kwh = [0.5], intensity_gco2e_per_kwh = [800] },
  { id = "hydro", name = { zh = "水", en = "hydro" }, region = "CN-四川", hours = [4], price_cny_per_kwh = [0.7], intensity_gco2e_per_kwh = [100] },
]
making = [{ product = "car", mass_t = 1.5, energy_kwh = { coal = 600, hydro = 600 }, vehicles_per_hour = { coal = 10, hydro = 10 } }]
markets = [{ id = "near", name = { zh = "近", en = "near" }, km = { coal = 0, hydro = 0 } }]
orders = [{ id = "A", product = "car", market = "near", lots = 6, pieces = 10, due = "mon" }]
"""


@pytest.fixture
def reader(someone: object) -> Someone:
    return someone("viewer")  # type: ignore[operator,no-any-return]


def test_an_instance_is_solved_and_proved(reader: Someone) -> None:
    text = "1,1,2\n4,4\n8\n0,0,0,9\n1,1,2,2\n5,5,5,5"
    answer = reader.post("/v1/schedule/cas", {"text": text, "moves": 200, "prove_s": 10})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["is_optimal"]
    assert told["carbon_gco2e"] == pytest.approx(
        (4 + 4) * 1 / 4
    )  # the long one in the clean slots, the short one in the sun
    assert told["order"] == ["0", "1"]
    assert reader.post("/v1/schedule/cas", {"text": "nonsense"}).status_code == 422


def test_plants_share_orders_by_carbon(reader: Someone, root: Path) -> None:
    (root / "east" / "group.toml").write_text(GROUP, encoding="utf-8")
    answer = reader.post("/v1/schedule/plants", {"objective": "carbon"})
    assert answer.status_code == 200, answer.text
    made = {one["plant"]: one["lots"] for one in answer.json()["shares"]}
    assert made == {"hydro": 4, "coal": 2}
    assert answer.json()["emissions_t"] == pytest.approx(40 * 0.6 * 0.1 + 20 * 0.6 * 0.8)


def test_a_site_without_a_line_is_told_which_file_it_lacks(reader: Someone) -> None:
    answer = reader.post("/v1/schedule/line", {"day": "2025-03-20"})
    assert answer.status_code == 422
    assert "line.toml" in answer.text
    assert reader.post("/v1/co-optimise", {"day": "2025-03-20"}).status_code == 422
