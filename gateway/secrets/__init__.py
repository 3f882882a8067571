"""Secrets, wherever they are: fetched, kept for a while, and renewed while the gateway runs."""

from __future__ import annotations

from gateway.secrets.keeping import EVERY, Secrets

__all__ = ["EVERY", "Secrets"]
