"""Comparing two lists of numbers, and saying which part of an error came from where."""
