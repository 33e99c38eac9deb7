"""One Report object, rendered for people and for machines."""
