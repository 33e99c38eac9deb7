"""The steps, each a file that names the one before it."""
