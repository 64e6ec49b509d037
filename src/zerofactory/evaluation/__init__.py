"""Evaluation (评价): the book measured by indicators, judged by criteria, with a score, a grade, a confidence and the gap."""
