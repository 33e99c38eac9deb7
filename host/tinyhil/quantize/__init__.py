"""From a FloatModel to a QuantizedModel: integers, test vectors, and what the reference makes of them."""

from tinyhil.quantize.stage import convert, export_for, quantize, quantize_each

__all__ = ["convert", "export_for", "quantize", "quantize_each"]
