"""One page a file; each offers `PAGE`, found by its folder, so the menu and the routes need no list."""
