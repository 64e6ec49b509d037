"""One protocol a file: each offers ``PROTOCOL``, a `ProtocolKind`. Found by the folder; nothing is registered."""
