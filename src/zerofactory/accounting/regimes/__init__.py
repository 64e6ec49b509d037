"""Claim regimes, one a file."""
