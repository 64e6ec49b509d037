"""Measurements, never assertions: each prints our figure beside a plain peer in the same run, and the ratio."""
