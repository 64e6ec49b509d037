"""Assets: what turns, stores, buys and sells energy, one file each, and what the grid asks for it."""
