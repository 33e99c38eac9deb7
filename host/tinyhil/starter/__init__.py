"""A starter project for a user's own model, written once and theirs from then on."""

from tinyhil.starter.stage import create, model_name

__all__ = ["create", "model_name"]
