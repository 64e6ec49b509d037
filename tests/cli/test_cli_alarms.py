"""`zf alarms` and `zf budget` as a user meets them: tables within the width, JSON everywhere, clear refusals, both languages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Call = Callable[..., CompletedProcess[str]]
METER = """
[[meters]]
id = "E-00"
name = { zh = "总进线", en = "incomer" }
carrier = "electricity"
kind = "interval"
unit = "kWh"
shop = "assembly"
interval_minutes = 60
"""


@pytest.fixture
def metered(closed: Path, zf: Call) -> Path:
    """Return the tiny plant with an hourly meter whose April has one night with a load left on."""
    plant = closed / "factory.toml"
    plant.write_text(plant.read_text(encoding="utf-8") + METER, encoding="utf-8")
    rows = ["表计,时间,读数"]
    for day in range(1, 31):
        for hour in range(24):
            value = 50 + (150 if 8 <= hour < 20 else 0) + (250 if day == 10 and hour < 6 else 0)
            rows.append(f"E-00,2025-04-{day:02d} {hour:02d}:00,{value}")
    (closed.parent / "april.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (closed / "alarms.toml").write_text('[[rules]]\nrule = "threshold"\nmeters = ["E-00"]\nlimit_per_hour = 250\n', encoding="utf-8")  # fmt: skip
    assert zf("import", "april.csv", "-w", "plant").returncode == 0
    return closed


def scanned(zf: Call) -> str:
    done = zf("alarms", "scan", "--period", "2025-04", "--rule", "threshold", "--json", "-w", "plant")
    assert done.returncode == 0, done.stderr
    [alarm] = json.loads(done.stdout)["raised"]
    assert alarm["energy_wh"] == 6 * 50_000
    assert alarm["emissions_gco2e"] > 0
    assert alarm["lacking"]["en"]
    return str(alarm["alarm"])


@pytest.mark.usefixtures("metered")
def test_an_alarm_from_scan_to_close(zf: Call) -> None:
    name = scanned(zf)
    assert json.loads(zf("alarms", "scan", "--from", "2025-04-01", "--to", "2025-04-30", "--rule", "threshold", "--json", "-w", "plant").stdout)["raised"] == []  # fmt: skip
    listed = zf("alarms", "list", "--state", "active", "-w", "plant")
    assert name in listed.stdout
    assert max(len(line) for line in listed.stdout.splitlines()) <= 100
    for step in (("ack", name), ("assign", name, "--to", "li.na"), ("close", name, "--reason", "pump", "--as-normal")):
        assert zf("alarms", *step, "-w", "plant").returncode == 0
    shown = json.loads(zf("alarms", "show", name, "--json", "-w", "plant").stdout)
    assert [step["state"] for step in shown["history"]] == ["raised", "acknowledged", "assigned", "closed"]
    assert shown["as_normal"] is True
    refused = zf("alarms", "ack", name, "--json", "-w", "plant")
    assert refused.returncode == 2
    assert json.loads(refused.stdout)["problems"][0]["code"] == "alarms.closed"


@pytest.mark.usefixtures("metered")
def test_both_languages_and_wrong_names(zf: Call) -> None:
    name = scanned(zf)
    assert "up to" in zf("alarms", "show", name, "-w", "plant", language="en").stdout
    assert "超过限值" in zf("alarms", "show", name, "-w", "plant").stdout
    wrong = zf("alarms", "scan", "--period", "2025-04", "--rule", "gas_leek", "-w", "plant")
    assert wrong.returncode == 2
    assert "gas_leak" in wrong.stderr
    assert zf("alarms", "close", name, "--reason", " ", "-w", "plant").returncode == 2


def test_rules_say_where_their_numbers_are_from(zf: Call) -> None:
    listed = json.loads(zf("alarms", "rules", "--json").stdout)
    assert {"threshold", "anomaly", "peak_demand", "gas_leak"} <= {one["rule"] for one in listed}
    assert all(parameter["source"] for one in listed for parameter in one["parameters"])
    assert zf("alarms", "rules").returncode == 0


@pytest.mark.usefixtures("closed")
def test_budget_set_and_shown(zf: Call) -> None:
    done = zf("budget", "set", "--year", "2025", "--carbon-t", "1", "--split", "seasonal", "-w", "plant")
    assert done.returncode == 0, done.stderr
    [view] = json.loads(zf("budget", "show", "--json", "-w", "plant").stdout)
    assert view["total"] == sum(line["budget"] for line in view["lines"]) == 1_000_000
    assert view["year_end"]["status"] == "broken"
    text = zf("budget", "show", "--by", "shop", "-w", "plant", language="en").stdout
    assert "used up" in text
    assert max(len(line) for line in text.splitlines()) <= 100
    refused = zf("budget", "set", "--year", "2026", "--carbon-t", "1", "-w", "plant")
    assert refused.returncode == 2
    assert "2025-01" in refused.stderr
    assert zf("budget", "show", "--year", "2031", "-w", "plant").returncode == 2
