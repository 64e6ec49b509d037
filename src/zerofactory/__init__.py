"""zerofactory: turns a car plant into a zero-carbon factory (零碳工厂): account, optimise, offset."""

__version__ = "0.1.0"
