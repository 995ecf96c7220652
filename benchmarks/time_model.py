"""Time of the layer of parameters: values and derivatives for more and more time bins."""

import timeit

import numpy as np
from measuring import Figure, below, print_table

from skyquilt.model import Curve, Expression, Fixed, Free, Layer, Link, one_axis

BINS = (50, 500)
VALUES_US, SLOPES_US = 10.0, 50.0  # of 50 bins


def linked(n_bin: int) -> Layer:
    """A flux in each bin, on which an index depends, and a linked position."""
    quantities = {
        "position": Free(0.0),
        "companion": Link("position"),
        "flux": Free(1.0, lower=0.1, per="time_bin"),
        "a": Free(-2.0),
        "b": Free(0.1),
        "index": Expression("a + b * log(flux)"),
        "background": Free(1.0, per="time_bin"),
    }
    return Layer(quantities, one_axis("time_bin", np.arange(n_bin), np.arange(n_bin) + 1.0))


def pulse(n_bin: int) -> Layer:
    """A pulse of three parameters over all bins."""
    curve = {"peak": Free(1.0), "t0": Free(n_bin / 2), "sigma": Free(n_bin / 5)}
    quantities = {"flux": Curve("gaussian", curve), "index": Fixed(-2.0)}
    return Layer(quantities, one_axis("time_bin", np.arange(n_bin), np.arange(n_bin) + 1.0))


def time_layer() -> list[Figure]:
    """Values and derivatives [us], the least of several rounds."""
    figures = []
    for name, make in (("flux in each bin", linked), ("pulse", pulse)):
        for n_bin in BINS:
            layer = make(n_bin)
            values = layer.values(layer.start)
            costs = (
                ("values", lambda layer=layer: layer.values(layer.start), VALUES_US),
                ("derivatives", lambda layer=layer, values=values: layer.slopes(values), SLOPES_US),
            )
            for what, call, limit in costs:
                cost = 1e6 * min(timeit.repeat(call, number=20, repeat=9)) / 20
                line = f"{name}, {n_bin} bins: {what}"
                if n_bin == BINS[0] and make is linked:
                    figures.append(below(line, cost, limit, "{:.1f} us"))
                else:
                    figures.append(Figure(line, f"{cost:.1f} us"))
    return figures


if __name__ == "__main__":
    print_table(time_layer())
