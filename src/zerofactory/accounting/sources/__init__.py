"""One file per kind of source; each offers ``SOURCE``. Adding one is adding a file."""
