"""门面: the command `zf`. Handlers are thin; the work is in `runs`."""
