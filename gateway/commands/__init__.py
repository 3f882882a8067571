"""The `countersign` command line: one module a verb."""
