"""Starting, watching and ending what runs the firmware; the bytes go through :mod:`tinyhil.transport`."""
