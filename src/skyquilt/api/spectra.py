"""Spectra of other programs: dictionaries of gammapy, and of astromodels, which threeML uses."""

import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from skyquilt.config.base import Section
from skyquilt.config.messages import describe_mistakes
from skyquilt.config.spectrum import Spectrum
from skyquilt.config.units import to_value
from skyquilt.errors import ConfigError
from skyquilt.spectra import doubts

_ASTROMODELS_UNITS = {"K": "cm-2 s-1 keV-1", "F": "cm-2 s-1", "energy": "keV"}
"""Units of parameters that are stored without one."""

_ENERGIES = ("piv", "xc", "xp", "xb", "mu", "sigma")


def to_spectrum(spectrum: Any) -> Spectrum:
    """Spectrum of skyquilt from one of another program.

    Indices of gammapy change their sign: there a positive index is that of a falling spectrum, here
    and in astromodels a negative one.

    Parameters
    ----------
    spectrum : spectrum, dict, or object with `to_dict`
        A spectrum of skyquilt; section `spectrum` of a configuration; a spectral model of gammapy,
        a function of astromodels, or their dictionaries.

    Returns
    -------
    PowerLaw, CutoffPowerLaw, BrokenPowerLaw, LogParabola, Band or GaussianLine
        The spectrum.

    Raises
    ------
    ConfigError
        If the model is not known, or a parameter is missing or wrong.

    Warns
    -----
    UserWarning
        If it is likely meant otherwise, as a power law that rises with energy.

    Examples
    --------
    >>> to_spectrum({"Powerlaw": {"K": {"value": 2.0}, "piv": {"value": 100}, "index": -2.2}})
    PowerLaw(rises=False, model='power_law', norm='2.0 cm-2 s-1 keV-1', pivot='100 keV', index=-2.2)
    >>> crab = {
    ...     "type": "pl",
    ...     "parameters": [
    ...         {"name": "index", "value": 2.6},
    ...         {"name": "amplitude", "value": 3.5e-11, "unit": "cm-2 s-1 TeV-1"},
    ...         {"name": "reference", "value": 1, "unit": "TeV"},
    ...     ],
    ... }
    >>> to_spectrum(crab).index
    -2.6
    """
    if not isinstance(spectrum, Section | Mapping) and hasattr(spectrum, "to_dict"):
        spectrum = _named(spectrum, spectrum.to_dict())
    if isinstance(spectrum, Mapping):
        spectrum = _validate(_settings(spectrum))
    if not isinstance(spectrum, Section):
        raise ConfigError(
            f"spectrum: {type(spectrum).__name__} is none: give skyquilt.PowerLaw(...), a "
            "dictionary with `model`, or a model of gammapy or astromodels."
        )
    found: Any = spectrum
    if doubt := doubts(found):
        warnings.warn(f"spectrum: {doubt}", stacklevel=2)
    return found


def _named(function: Any, content: Mapping[str, Any]) -> Mapping[str, Any]:
    """A dictionary of a function; astromodels' may hold the parameters alone."""
    name = type(function).__name__
    return {name: content} if name in _ASTROMODELS and name not in content else content


def _settings(content: Mapping[str, Any]) -> dict[str, Any]:
    for outer in ("spectral", "spectrum", "main"):  # a component of gammapy, a source of threeML
        if isinstance(content.get(outer), Mapping):
            return _settings(content[outer])
    if "model" in content:
        return dict(content)
    if "type" in content:
        return _from_gammapy(content)
    names = [name for name in content if name in _ASTROMODELS]
    if len(names) != 1:
        known = (*_ASTROMODELS, *_GAMMAPY)
        raise ConfigError(
            f"spectrum: {', '.join(map(str, content)) or 'nothing'}: this is no model that "
            f"skyquilt knows; of other programs it knows {', '.join(dict.fromkeys(known))}."
        )
    return _ASTROMODELS[names[0]](_astromodels_parameters(names[0], content[names[0]]))


def _validate(settings: dict[str, Any]) -> Any:
    try:
        return TypeAdapter(Spectrum).validate_python(settings)
    except ValidationError as error:
        raise ConfigError(f"spectrum: {describe_mistakes(error, settings)}.") from error


# ---- astromodels: dN/dE = K (E / piv)^index ..., indices with their physical sign ----


def _astromodels_parameters(name: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers, and quantities as texts, by name."""
    found: dict[str, Any] = {}
    for key, parameter in content.items():
        has_more = isinstance(parameter, Mapping)
        value = parameter["value"] if has_more else parameter
        unit = (parameter.get("unit") if has_more else None) or ""
        if key in ("K", "F"):
            found[key] = f"{value} {unit or _ASTROMODELS_UNITS[key]}"
        elif key in _ENERGIES:
            found[key] = f"{value} {unit or _ASTROMODELS_UNITS['energy']}"
        else:
            found[key] = value
    return _Parameters(name, found)


class _Parameters(dict[str, Any]):
    """Parameters of a model; one that is missing is named with it."""

    def __init__(self, model: str, values: Mapping[str, Any]):
        super().__init__(values)
        self.model = model

    def __missing__(self, key: str) -> Any:
        raise ConfigError(f"spectrum: {self.model} has no parameter {key!r}.")


def _broken(p: Mapping[str, Any]) -> dict[str, Any]:
    """Astromodels gives the norm at the pivot, skyquilt at the break."""
    edge, pivot = (to_value(p[key], "keV") for key in ("xb", "piv"))
    low, high = p["alpha"], p["beta"]
    norm = to_value(p["K"], "cm-2 s-1 keV-1") * (edge / pivot) ** low
    if pivot > edge:  # the norm is that of the part above
        norm = to_value(p["K"], "cm-2 s-1 keV-1") * (edge / pivot) ** high
    return {
        "model": "broken_power_law",
        "norm": f"{norm!r} cm-2 s-1 keV-1",
        "break_energy": p["xb"],
        "index_low": low,
        "index_high": high,
    }


_ASTROMODELS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "Powerlaw": lambda p: {
        "model": "power_law",
        "norm": p["K"],
        "pivot": p["piv"],
        "index": p["index"],
    },
    "Cutoff_powerlaw": lambda p: {
        "model": "cutoff_power_law",
        "norm": p["K"],
        "pivot": p["piv"],
        "index": p["index"],
        "cutoff": p["xc"],
    },
    "Band": lambda p: {
        "model": "band",
        "norm": p["K"],
        "pivot": p["piv"],
        "alpha": p["alpha"],
        "beta": p["beta"],
        "peak": p["xp"],
    },
    "Broken_powerlaw": _broken,
    "Log_parabola": lambda p: {
        "model": "log_parabola",
        "norm": p["K"],
        "pivot": p["piv"],
        "index": p["alpha"],
        "curvature": p["beta"],
    },
    "Gaussian": lambda p: {
        "model": "gaussian_line",
        "flux": p["F"],
        "energy": p["mu"],
        "sigma": p["sigma"],
    },
}


# ---- gammapy: indices of falling spectra are positive ----


def _from_gammapy(content: Mapping[str, Any]) -> dict[str, Any]:
    kind = content["type"]
    if kind not in _GAMMAPY:
        raise ConfigError(
            f"spectrum: {kind!r} of gammapy is not among those that skyquilt knows: "
            f"{', '.join(_GAMMAPY)}."
        )
    # gammapy leaves parameters out that have their defaults
    defaults = _GAMMAPY_DEFAULTS.get(kind, {})
    values = {one["name"]: one["value"] for one in content.get("parameters", ())}
    units = {one["name"]: one.get("unit") or "" for one in content.get("parameters", ())}
    texts = {
        name: f"{value} {units[name]}" if units[name] else value for name, value in values.items()
    }
    return _GAMMAPY[kind](_Parameters(str(kind), defaults | texts))


def _cutoff(p: Mapping[str, Any]) -> dict[str, Any]:
    if not math.isclose(float(p["alpha"]), 1.0):
        raise ConfigError(
            f"spectrum: a cut-off with the exponent alpha = {p['alpha']} is none that skyquilt "
            "has; it has 1."
        )
    number, _, unit = str(p["lambda_"]).partition(" ")
    per_energy = to_value(f"{number} {unit}", "keV-1")
    if per_energy <= 0:
        raise ConfigError(f"spectrum: lambda_ = {p['lambda_']} cuts nothing off: use a power law.")
    return _power_law(p) | {"model": "cutoff_power_law", "cutoff": f"{1 / per_energy!r} keV"}


def _power_law(p: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "model": "power_law",
        "norm": p["amplitude"],
        "pivot": p["reference"],
        "index": -p["index"],
    }


def _log_parabola(p: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "model": "log_parabola",
        "norm": p["amplitude"],
        "pivot": p["reference"],
        "index": -p["alpha"],
        "curvature": p["beta"],
    }


def _gammapy_broken(p: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "model": "broken_power_law",
        "norm": p["amplitude"],
        "break_energy": p["ebreak"],
        "index_low": -p["index1"],
        "index_high": -p["index2"],
    }


def _gammapy_line(p: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "model": "gaussian_line",
        "flux": p["amplitude"],
        "energy": p["mean"],
        "sigma": p["sigma"],
    }


_GAMMAPY: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "PowerLawSpectralModel": _power_law,
    "pl": _power_law,
    "ExpCutoffPowerLawSpectralModel": _cutoff,
    "ecpl": _cutoff,
    "BrokenPowerLawSpectralModel": _gammapy_broken,
    "bpl": _gammapy_broken,
    "LogParabolaSpectralModel": _log_parabola,
    "lp": _log_parabola,
    "GaussianSpectralModel": _gammapy_line,
    "gauss": _gammapy_line,
}
_GAMMAPY_DEFAULTS: dict[str, dict[str, Any]] = {
    "ExpCutoffPowerLawSpectralModel": {"alpha": 1.0},
    "ecpl": {"alpha": 1.0},
}
