"""Reporting (报告): a statement of a closed period as PDF and as a workbook, and the import forms a plant fills in."""
