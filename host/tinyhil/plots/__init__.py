"""Pictures of what was found, from plain arrays, as PNG and SVG."""
