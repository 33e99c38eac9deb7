"""The command line: the only package, with the pytest plugin, that prints or exits."""
