"""Logistics (物流): which way goods go, by which vehicles, on which rounds, charged when; forklifts, AGVs and returning packaging."""
