"""核算: activity × factor → records → inventory.

source, sources/     what each kind of emission source offers
plan, quantify       activities + factors + sources → RECORDS
record               RECORDS, and their recomputing
electricity          which kWh a contract covers
inventory            records under a standard, a regime and a view
energy, intensity    tce, and emissions per vehicle, 万元, tce
"""
