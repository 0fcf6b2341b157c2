"""The commands of the example project."""
