"""One file per white-box defense."""
