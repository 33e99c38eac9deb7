"""Experiments: what runs a run several times, or asks it something else than its verdict. A package for each."""
