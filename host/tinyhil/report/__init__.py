"""F3: one Report object, rendered for people and for machines."""
