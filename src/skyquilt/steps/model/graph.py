"""Step `model graph`: the parameters of a fit as a graph, from the configuration alone."""

from pathlib import Path

from skyquilt.config import Config, get_analysis
from skyquilt.errors import ConfigError
from skyquilt.io.products import write_text
from skyquilt.model.graph import make_graph, to_dot, to_svg, to_text
from skyquilt.steps.model.build import fit_of, model_of
from skyquilt.steps.model.check import lay_out

_WRITERS = {".txt": to_text, ".dot": to_dot, ".svg": to_svg}


def graph_model(config: Config, name: str, fit_name: str, output: str | Path | None) -> str:
    """The graph of the parameters of a fit as text; it is written where a file is given.

    Parameters
    ----------
    config : Config
        The configuration.
    name : str
        Name of the analysis.
    fit_name : str
        Name of the fit.
    output : str or Path, optional
        File that ends in .txt, .dot or .svg.

    Raises
    ------
    ConfigError
        If there is no such fit, it is not possible, or the file ends otherwise.
    """
    analysis = get_analysis(config, name)
    options = model_of(analysis)
    fit_of(options, fit_name)
    path = None if output is None else Path(output)
    if path is not None and path.suffix not in _WRITERS:
        raise ConfigError(f"{path}: allowed are files that end in {', '.join(_WRITERS)}.")
    graph = make_graph(lay_out(name, analysis, options)[fit_name])
    if path is not None:
        write_text(path, _WRITERS[path.suffix](graph))
    return to_text(graph)
