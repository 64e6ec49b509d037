"""Editions of the book, one after another: each step makes tables with their guards, and none changes a table of facts.

A row's hash covers its columns in their order, so a table of facts never gains, loses or renames a column: what a later edition
has to say stands in a new table. `python tools/migration.py "words"` writes the step for tables that the code has and the newest
step lacks.
"""
