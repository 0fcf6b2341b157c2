"""The management commands of the example project."""
