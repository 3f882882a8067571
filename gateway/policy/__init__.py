"""policies.yaml: read strictly, evaluated purely, reloaded without a hole."""
