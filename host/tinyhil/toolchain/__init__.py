"""From a rendered project to a firmware image, with PlatformIO, and what that needs installed."""
