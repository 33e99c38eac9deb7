"""A device without a chip: TFLM's own host interpreter behind the real protocol, on a pseudo-terminal.

``python -m tinyhil.sim PROJECT`` is the device; the rest of tinyhil starts it as it starts any emulator, and knows of
it only what the line carries. The layers above use :mod:`tinyhil.sim.facts` to write what it reads.
"""
