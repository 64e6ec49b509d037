"""One file a registry: how its export is read. See `zerofactory.instruments.registry`."""
