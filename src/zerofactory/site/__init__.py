"""The plant as data (工厂): what it is, where its boundary runs, its meters, sources, products and calendar.

`model` holds the records, `load` reads ``factory.toml`` into them, `tree` reads the meter tree, `boundary` tells what is
inside, `calendar` tells working days and shifts. Defaults a plant may overrule stand in ``defaults.toml`` with their source.
"""
