"""One kind of asset a file; each offers one ``ASSET``."""
