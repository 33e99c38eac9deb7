"""What a figure shows, for the tests of the pictures."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

LONG = "a model whose title is very long, longer than anybody would like to read on a single line of a picture"


def line(axes: Axes, label: str) -> Line2D:
    return next(one for one in axes.get_lines() if one.get_label() == label)


def points(axes: Axes, label: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in np.asarray(line(axes, label).get_xydata())]


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def luminance(colour: Any) -> float:
    rgb = np.asarray(matplotlib.colors.to_rgb(colour))
    linear_rgb = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear_rgb @ [0.2126, 0.7152, 0.0722])
