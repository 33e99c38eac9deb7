"""The command line: the only room, with the pytest plugin, that prints or exits."""
