"""Derive the small tables of `zerofactory/assets` from open data sets: `python -m bench.derive_asset_tables --data DIR`.

weather/shanghai.csv   the typical year of Shanghai Hongqiao (TMYx), hour by hour, in whole units
tariffs/<area>.csv     published prices of seven grid areas, one row a month, scheme and voltage

Running it again gives the same bytes. Origins and licences: `assets/weather/shanghai.toml`, `assets/tariffs/<area>.toml`.
"""

from __future__ import annotations

import argparse
import csv
from decimal import Decimal
from pathlib import Path

ASSETS = Path(__file__).resolve().parents[1] / "src" / "zerofactory" / "assets"
EPW = "weather/shanghai_hongqiao_tmyx/CHN_SH_Shanghai-Hongqiao.Intl.AP.583670_TMYx.epw"
PRICES = "tariffs/state_grid_cn/tou_tariffs_2025_08_to_2026_08.csv"
EPW_HEADER_LINES = 8
DRY_BULB, DEW_POINT, GLOBAL, DIRECT, DIFFUSE, WIND = 6, 7, 13, 14, 15, 21
BANDS = ("flat", "peak", "sharp_peak", "valley", "deep_valley")
PARTS = ("purchase", "line_loss", "system_operation", "transmission_distribution", "government_funds")
BASES = {
    "purchase": ("purchase",),
    "purchase+transmission": ("purchase", "transmission_distribution"),
    "purchase+loss+system": ("purchase", "line_loss", "system_operation"),
    "whole_flat_price": ("flat",),
}


def weather(data: Path) -> str:
    """Return the typical year as CSV: an EPW row is the hour that ends at its stamp, so rows are in order of start."""
    rows = [
        "dry_bulb_tenth_degc,global_w_per_m2,direct_w_per_m2,diffuse_w_per_m2,wind_tenth_m_per_s,dew_point_tenth_degc"
    ]
    for line in (data / EPW).read_text(encoding="utf-8").splitlines()[EPW_HEADER_LINES:]:
        cells = line.split(",")
        tenths = [round(float(cells[place]) * 10) for place in (DRY_BULB, WIND, DEW_POINT)]
        sun = [round(float(cells[place])) for place in (GLOBAL, DIRECT, DIFFUSE)]
        rows.append(",".join(map(str, (tenths[0], *sun, *tenths[1:]))))
    return "\n".join(rows) + "\n"


def tariffs(data: Path) -> dict[str, str]:
    """Return the rows of each grid area as CSV; the floating base is the sum of the parts the ratios were found to rest on."""
    prices = [f"{name}_cny_per_kwh" for name in (*BANDS, *PARTS)]
    charges = ("demand_charge_cny_per_kw_month", "capacity_charge_cny_per_kva_month")
    head = ["month", "scheme", "voltage", "hours", *prices, "base_cny_per_kwh", *charges, "status"]
    found: dict[str, list[str]] = {}
    with (data / PRICES).open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            parts = BASES.get(row["floating_base"], ())
            base = str(sum((Decimal(row[f"{part}_cny_per_kwh"]) for part in parts), Decimal(0))) if parts else ""
            two_part = row["scheme"].startswith("two_part")
            cells = [
                row["month"],
                row["scheme"],
                row["voltage"],
                _merged(row["hours"]),
                *(row[name] for name in prices),
                base,
            ]
            cells += [row[name] if two_part else "" for name in charges]
            found.setdefault(row["province_en"].lower(), [",".join(head)]).append(",".join((*cells, "secondary")))
    return {area: "\n".join(rows) + "\n" for area, rows in found.items()}


def _merged(hours: str) -> str:
    spans: list[list[str]] = []
    for part in hours.split():
        clock, band = part.split("=")
        first, last = clock.split("-")
        if spans and spans[-1][1] == first and spans[-1][2] == band:
            spans[-1][1] = last
        else:
            spans.append([first, last, band])
    return " ".join(f"{first}-{last}={band}" for first, last, band in spans)


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    data = parser.parse_args().data
    (ASSETS / "weather" / "shanghai.csv").write_text(weather(data), encoding="utf-8")
    for area, text in tariffs(data).items():
        (ASSETS / "tariffs" / f"{area}.csv").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
