"""存储: a workspace is a folder; its book is append-only, hash-chained and sealed by month."""

from zerofactory.store.workspace import Workspace

__all__ = ["Workspace"]
