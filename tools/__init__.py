"""Programs for people who work on this project: they are not installed."""
