"""F4: the order of the stages. Only this room knows it."""
