"""``python -m tinyhil`` is the command ``tinyhil``."""

from tinyhil.cli.main import main

main()
