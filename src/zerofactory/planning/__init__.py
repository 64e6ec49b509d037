"""Intents: targets, organisation, measures and the roadmap of a plant, and the budgets of its months."""
