"""Solving: how any linear problem is assembled, solved, reported and, when nothing satisfies it, explained."""
