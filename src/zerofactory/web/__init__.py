"""Pages: what the command line does, in a browser, Chinese first."""
