"""From a Capture to a Verification."""

from tinyhil.verify.stage import verify

__all__ = ["verify"]
