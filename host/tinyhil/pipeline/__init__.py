"""The order of the stages. Only this room knows it."""
