"""What each operator of a model takes on its target."""

from tinyhil.experiments.profile.profile import Profile, profile

__all__ = ["Profile", "profile"]
