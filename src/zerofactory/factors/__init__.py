"""Factors (因子): what a unit of activity emits, where the number is from, and why it was chosen."""
