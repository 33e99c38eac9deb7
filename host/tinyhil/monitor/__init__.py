"""The monitor on a full screen: lines, a plot and figures of what a port sends, by Textual.

Everything that is shown is :mod:`tinyhil.stream`'s; here it is drawn, and keys lead to it. Textual is imported when the
monitor starts, and by nothing else.
"""
