"""Broken: it needs a library that is not installed."""

raise ImportError("No module named 'braille'")
