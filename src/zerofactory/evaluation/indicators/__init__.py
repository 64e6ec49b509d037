"""One indicator a file."""
