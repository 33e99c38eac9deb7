"""F3: from a FloatModel to a QuantizedModel: integers, test vectors, and what the integer reference makes of them."""

from tinyhil.quantize.stage import export_for, quantize

__all__ = ["export_for", "quantize"]
