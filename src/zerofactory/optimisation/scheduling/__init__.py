"""Scheduling: what each machine does when, for time, money and carbon; every schedule is checked without the solver."""
