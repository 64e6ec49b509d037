"""One file a noun; each offers `ROUTER`, whose handlers only carry a request to `zerofactory.runs`."""
