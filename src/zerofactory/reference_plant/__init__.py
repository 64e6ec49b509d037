"""Reference plant (参考范例): a fictional (虚构) car plant of 300 000 vehicles a year in Shanghai, made from real inputs.

`generate.write` puts its ``factory.toml`` and a year of readings and documents into a folder, the same bytes every time.
Shapes come from measured and published data (`tables/README.md`); the plant itself, its meters and totals are invented
and lie inside published bands (`check.bands`). Nothing here is data of a real plant.
"""
