"""What a port sends, as lines, frames and series: the model of the monitor, without anything that draws.

Bytes come from a :mod:`tinyhil.stream.source`, :class:`tinyhil.stream.model.Stream` takes them, and whoever shows them
asks it: the lines (``line_store``, ``query``, ``line_view``), what they look like (``appearance``, ``styles``) and the
numbers in them (``reader``, ``series``, ``table``, ``trigger``).
"""
