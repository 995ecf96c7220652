"""CPU time of models: the layer of parameters, one pass and one fit of a burst in time bins."""

import tempfile
import time
import timeit
from collections.abc import Callable
from pathlib import Path

import numpy as np
from burst_cells import joint, make_problem
from measuring import Figure, below, print_table

from skyquilt.io.provenance import Provenance
from skyquilt.model import Curve, Expression, Fixed, Free, Layer, Link, fit, one_axis
from skyquilt.model.problem import read_model_problem, write_model_problem

BINS = (50, 500)
VALUES_US, SLOPES_US = 10.0, 50.0  # of 50 bins
PASS_MS, FIT_MS = 0.4, 15.0  # of 50 bins, 6,500 hits and 52 parameters


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
    """Values and derivatives [us of CPU]."""
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
                cost = 1e3 * _cpu_ms(call, 50)
                line = f"{name}, {n_bin} bins: {what}"
                if n_bin == BINS[0] and make is linked:
                    figures.append(below(line, cost, limit, "{:.1f} us"))
                else:
                    figures.append(Figure(line, f"{cost:.1f} us"))
    return figures


def time_burst() -> list[Figure]:
    """One pass over a burst with free position, and its joint fit [ms of CPU]."""
    posterior = joint(make_problem())
    x, likelihood = posterior.layer.start.copy(), posterior.likelihood

    def look() -> None:
        x[0] += 1e-6  # nothing of the last position is of use
        values = posterior.layer.values(x)
        likelihood.value(values)
        likelihood.derivatives(values)

    name = f"{posterior.layer.cells.n_cell} bins"
    passed, fitted = _cpu_ms(look, 50), _cpu_ms(lambda: fit(posterior), 1)
    return [
        below(f"{name}: value, gradient, curvature, position free", passed, PASS_MS, "{:.3f} ms"),
        below(f"{name}: joint fit of {posterior.layer.n_free}", fitted, FIT_MS, "{:.1f} ms"),
        Figure(f"{name}: reading model/problem.h5", f"{_cpu_ms(_reader(), 1):.1f} ms"),
    ]


def _reader() -> Callable[[], object]:
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name) / "problem.h5"
    write_model_problem(path, make_problem(), Provenance("model prepare", {}, ()))
    return lambda: (folder, read_model_problem(path))


def _cpu_ms(call: Callable[[], object], number: int) -> float:
    """CPU time of a call, the least of several rounds [ms]."""
    call()
    timer = timeit.Timer(call, timer=time.process_time)
    return 1e3 * min(timer.repeat(9, number)) / number


if __name__ == "__main__":
    print_table([*time_layer(), *time_burst()])
