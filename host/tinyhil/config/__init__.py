"""Recipe and target files are TOML, read strictly: an unknown key is an error."""
