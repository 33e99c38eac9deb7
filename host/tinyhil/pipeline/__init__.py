"""The order of the stages. Only this package knows it."""
