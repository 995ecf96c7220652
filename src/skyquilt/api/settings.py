"""Arguments of the library's functions as a configuration."""

from collections.abc import Mapping
from typing import Any

from skyquilt.api.inputs import Inputs
from skyquilt.api.spectra import to_spectrum
from skyquilt.config import Config, parse_config
from skyquilt.errors import ConfigError, InputError
from skyquilt.instruments.compton.axes import healpix_space, read_axes
from skyquilt.instruments.compton.event_files.tra import refuse_tra
from skyquilt.instruments.compton.paths import check_file
from skyquilt.io.hdf5_file import open_to_read
from skyquilt.io.reading import describe

_IMAGES = ("events", "exposure", "psf")


def make_config(
    name: str,
    folders: Mapping[str, str],
    data: Mapping[str, Any],
    spectrum: Any,
    sections: Mapping[str, Any],
    inputs: Inputs,
) -> Config:
    """Configuration with one analysis.

    Parameters
    ----------
    name : str
        Name of the analysis.
    folders : dict
        `results` and `cache`.
    data : dict
        What was given of counts, background, response, ..., and `more`, further keys of `data`.
    spectrum : spectrum or dict
        See `to_spectrum`.
    sections : dict
        Other sections of the analysis.
    inputs : Inputs
        Where objects in memory become files.

    Raises
    ------
    ConfigError
        If something is missing, unknown or wrong.
    """
    given = {key: value for key, value in data.items() if value is not None}
    instrument, settings = _data(given, inputs)
    analysis = {
        "instrument": instrument,
        "data": settings,
        "spectrum": to_spectrum(spectrum).model_dump(),
        **{key: value for key, value in sections.items() if value is not None},
    }
    return parse_config({**folders, "analyses": {name: analysis}}, source="skyquilt")


def _data(given: dict[str, Any], inputs: Inputs) -> tuple[str, dict[str, Any]]:
    """Instrument and section `data`."""
    more = dict(given.pop("more", {}))
    if "response" in given:
        return "compton", _compton(given, more.pop("frame", None), inputs) | more
    if "dataset" in given:
        settings = {"file": inputs.place(given.pop("dataset"), "dataset")}
        if "background" in given:
            settings["background"] = inputs.sections(given.pop("background"), "background")
        return "imaging", settings | given | more
    if any(key in given for key in _IMAGES):
        for key in ("events", "counts", "exposure", "psf"):
            if key in given:
                given[key] = inputs.section(given[key], key)
        if "background" in given:
            given["background"] = inputs.sections(given["background"], "background")
        return "imaging", given | more
    raise ConfigError(
        "no instrument: give `response` (of a Compton telescope), `exposure` and `psf` (of a "
        "telescope that makes images), or `dataset` (one file with all)."
    )


def _compton(given: dict[str, Any], frame: str | None, inputs: Inputs) -> dict[str, Any]:
    for key in ("counts", "background"):
        if key not in given:
            raise ConfigError(f"`{key}` is missing: a Compton telescope needs it.")
    terms = given["counts"] if isinstance(given["counts"], list | tuple) else [given["counts"]]
    counts = [inputs.section(term, "counts") for term in terms]
    settings = given | {
        "frame": _frame(str(counts[0].get("path")), frame),
        "counts": counts,
        "background": inputs.sections(given["background"], "background"),
    }
    for key in ("response", "orientation"):
        if key in given:
            settings[key] = inputs.place(given[key], key)
    return settings


def _frame(path: str, stated: str | None) -> str:
    """Frame of the scattered directions, as it is stated or as the counts say."""
    if stated is not None:
        return stated
    check_file(path, "a histogram")
    refuse_tra(path, "a histogram")
    try:
        with open_to_read(path) as file:
            axes = read_axes(file["hist/axes"])
            frame = healpix_space(axes["PsiChi"], path)[2]
    except (OSError, KeyError) as error:
        raise InputError(
            f"{path}: cannot be read as a histogram of histpy with an axis PsiChi: "
            f"{describe(error)}."
        ) from error
    if frame is None:
        raise ConfigError(
            f"{path}: does not say the frame of its axis PsiChi: give data={{'frame': 'local'}} or "
            "'galactic'."
        )
    return frame
