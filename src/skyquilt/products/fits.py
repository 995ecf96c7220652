"""Products that each fit of a model has its own of, and their files."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from skyquilt.products.table import PRODUCTS

OF_FITS = {
    "model_fits": "",
    "model_profiles": "profile",
    "model_ensembles": "sample",
    "model_samples": "sample",
}
"""Products that each fit of a model has its own of, and the key of the fit that asks for them."""


def fit_files(folder: Path, name: str) -> tuple[Path, ...]:
    """Files of a fit of a model: what it found, and tables of its parameters and its bins.

    Examples
    --------
    >>> [path.name for path in fit_files(Path("model"), "pulse")]
    ['pulse.h5', 'pulse.ecsv', 'pulse-bins.ecsv']
    """
    return tuple(folder / f"{name}{end}" for end in (".h5", ".ecsv", "-bins.ecsv"))


def sample_files(folder: Path, name: str) -> tuple[Path, ...]:
    """Files of the samples of a fit: all draws, and a table of what they say.

    Examples
    --------
    >>> [path.name for path in sample_files(Path("model"), "pulse")]
    ['pulse-samples.h5', 'pulse-samples.ecsv']
    """
    return tuple(folder / f"{name}-samples{end}" for end in (".h5", ".ecsv"))


def fit_of(path: Path, folder: Path) -> str:
    """Name of the fit that a file in the folder of a model is of.

    Examples
    --------
    >>> files = ("pulse.h5", "pulse-bins.ecsv", "pulse-samples.h5", "pulse/ensemble-1-of-4.h5")
    >>> {fit_of(Path("model") / file, Path("model")) for file in files}
    {'pulse'}
    """
    name = path.relative_to(folder).parts[0]
    return PurePosixPath(name).stem.removesuffix("-bins").removesuffix("-samples")


def fits_in(folder: Path) -> list[str]:
    """Names of the fits that are in the folder of a model."""
    names = {fit_of(path, folder) for path in folder.glob("*.h5")}
    return sorted(names - {"problem"})


def part_file(folder: Path, name: str, kind: str, number: int, of: int) -> Path:
    """File of a part of the work on a fit, an ensemble or points of profiles.

    Examples
    --------
    >>> part_file(Path("model"), "pulse", "ensemble", 1, 4).as_posix()
    'model/pulse/ensemble-1-of-4.h5'
    """
    return folder / name / f"{kind}-{number}-of-{of}.h5"


def files_of_fit(folder: Path, product: str, name: str) -> list[Path]:
    """Files that are there of a product of a fit.

    Parameters
    ----------
    folder : Path
        Folder of the model.
    product : str
        One of `OF_FITS`.
    name : str
        Name of the fit.
    """
    match product:
        case "model_fits":
            files: Iterable[Path] = fit_files(folder, name)
        case "model_samples":
            files = sample_files(folder, name)
        case _:
            (content,) = PRODUCTS[product].contents
            files = sorted((folder / name).glob(PurePosixPath(content.path).name))
    return [path for path in files if path.exists()]
