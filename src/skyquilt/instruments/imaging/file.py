"""A file that holds all data of an imaging instrument, in any layout that is known."""

from collections.abc import Callable

from skyquilt.config.instrument_analysis import ImagingFileAnalysis
from skyquilt.errors import InputError
from skyquilt.instruments.imaging import healpix_dataset, map_dataset
from skyquilt.instruments.imaging.fits_file import open_fits
from skyquilt.instruments.imaging.pixel_data import PixelData
from skyquilt.instruments.imaging.pixel_problem import make_pixel_problem
from skyquilt.instruments.imaging.quantities import FaultError
from skyquilt.problem import FitProblem

_READERS = {
    healpix_dataset.EXTENSIONS: healpix_dataset.read_healpix_dataset,
    map_dataset.EXTENSIONS: map_dataset.read_map_dataset,
}


def make_file_problem(
    analysis: ImagingFileAnalysis, *, all_bins: bool = False, true_energy: bool = False
) -> FitProblem:
    """Build the fit problem of an analysis whose data are one file.

    With `all_bins` all bins with background are kept, not only those with counts; with
    `true_energy` exposures per bin of true energy are, too.

    Raises
    ------
    InputError
        If the file is damaged, in no known layout, or holds nothing to fit.
    """
    data = _read(analysis)
    return make_pixel_problem(analysis, data, all_bins=all_bins, true_energy=true_energy)


def _read(analysis: ImagingFileAnalysis) -> PixelData:
    data, path = analysis.data, analysis.data.file
    with open_fits(path) as hdus:
        read = _find_reader(path, {hdu.name for hdu in hdus})
        try:
            return read(hdus, path, analysis.spectrum, data.backgrounds(), normalise=data.normalise)
        except (FaultError, KeyError) as error:
            raise InputError(f"{path}: {error.args[0]}") from error


def _find_reader(path: str, names: set[str]) -> Callable[..., PixelData]:
    for extensions, read in _READERS.items():
        if extensions <= names:
            return read
    layouts = " or ".join(", ".join(sorted(extensions)) for extensions in _READERS)
    raise InputError(
        f"{path}: its extensions ({', '.join(sorted(names))}) are those of no known layout; needed "
        f"are {layouts}: see docs/formats.md."
    )
