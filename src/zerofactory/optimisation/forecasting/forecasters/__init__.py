"""One forecaster a file; each offers ``FORECASTER``."""
