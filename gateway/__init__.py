"""Countersign's gateway: it stands in the data path between agents and what they reach."""

__version__ = "0.1.0"
