"""Sensitive values found and replaced, shape kept; a failure closes the answer."""
