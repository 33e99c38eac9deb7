"""From a Project to a FirmwareImage."""

from tinyhil.build.stage import build, prebuilt

__all__ = ["build", "prebuilt"]
