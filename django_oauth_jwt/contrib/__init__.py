"""Works with other packages, where they are installed."""
