"""All-sky maps of test statistic and flux from gamma-ray data.

The functions and classes for Python users are loaded when they are first used; docs/library.md
shows them.
"""

__version__ = "0.1.0"

RESULTS_VERSION = 7
"""Raised when the same inputs give other numbers: results made before are then made again."""

_PUBLIC = {
    "fit_map": "api.fit",
    "localise": "api.fit",
    "open": "api.result",
    "Maps": "api.maps",
    "Localisation": "api.localisation",
    "Result": "api.result",
    "to_spectrum": "api.spectra",
    "PowerLaw": "config.spectrum",
    "CutoffPowerLaw": "config.spectrum",
    "BrokenPowerLaw": "config.spectrum",
    "LogParabola": "config.spectrum",
    "Band": "config.spectrum",
    "GaussianLine": "config.spectrum",
}

__all__ = ["RESULTS_VERSION", "__version__", *_PUBLIC]


def __getattr__(name: str) -> object:
    """Load a public name."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'skyquilt' has no attribute {name!r}")
    from importlib import import_module  # here: `import skyquilt` itself costs nothing

    found = getattr(import_module(f"skyquilt.{_PUBLIC[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
