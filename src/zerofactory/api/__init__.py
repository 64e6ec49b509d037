"""REST door: the same nouns and verbs as the command line, over HTTP."""
