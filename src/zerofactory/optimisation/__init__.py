"""Models that look ahead: what is to come, and what to do about it."""
