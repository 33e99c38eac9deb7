"""The host's side of the link: bytes in, events out. No port, no clock, no thread (docs/protocol.md).

The same names stand in firmware/lib/link: cobs, frames, messages. On top of them ``connection`` plays the host's role
by the ``table`` of exchanges; whoever owns the transport and the clock drives it.
"""
