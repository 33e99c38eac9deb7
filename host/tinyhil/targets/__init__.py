"""What tinyhil knows of each target, one TOML file each (``data/``), plus the user's own files."""
