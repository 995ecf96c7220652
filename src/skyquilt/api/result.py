"""The folder of an analysis: whatever the command, the workflow or the library has made."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skyquilt.api.localisation import Localisation
from skyquilt.api.maps import Maps, html_table
from skyquilt.config import Config, load_config
from skyquilt.errors import ProductError
from skyquilt.maps.summary_file import NAME, read_summary
from skyquilt.products import PRODUCTS

if TYPE_CHECKING:
    from astropy.table import QTable


class Result:
    """Products of an analysis, read when they are asked for.

    Parameters
    ----------
    folder : Path
        Folder of the analysis.

    Attributes
    ----------
    folder : Path
        Folder of the analysis.
    name : str
        Its name.
    """

    def __init__(self, folder: Path):
        self.folder, self.name = folder, folder.resolve().name

    @cached_property
    def maps(self) -> Maps:
        """Maps of TS and flux."""
        return Maps.read(self.folder / "maps.fits")

    @cached_property
    def localisation(self) -> Localisation:
        """Position and regions."""
        return Localisation.read(self.folder)

    @cached_property
    def sources(self) -> "QTable":
        """Sources of a search, section `sources` of the analysis."""
        from astropy.table import QTable

        path = self.folder / "sources.ecsv"
        if not path.is_file():
            raise ProductError(
                f"{path}: no such file; give the analysis a section `sources`, and run it."
            )
        return QTable.read(path, format="ascii.ecsv")

    @property
    def summary(self) -> dict[str, Any]:
        """Numbers of `summary.json`."""
        return read_summary(self.folder / NAME)

    @property
    def config(self) -> Config:
        """Configuration that the analysis ran with, all defaults filled in."""
        return load_config(self.folder / "config.yaml")

    @property
    def files(self) -> dict[str, Path]:
        """Files that are there, by their path in the folder."""
        paths = [path for product in PRODUCTS.values() for path in product.files]
        return {path: self.folder / path for path in paths if (self.folder / path).exists()}

    def __repr__(self) -> str:
        return f"<Result {self.name}: {', '.join(self.files) or 'no files yet'}>"

    def _repr_html_(self) -> str:
        rows = {"folder": str(self.folder), "files": ", ".join(self.files)}
        if NAME in self.files:
            rows["localisation"] = repr(self.localisation)[1:-1]
        return html_table(f"result {self.name}", rows)


def open(folder: str | Path) -> Result:  # noqa: A001 (skyquilt.open)
    """Open the folder of an analysis.

    Parameters
    ----------
    folder : path
        Folder of the analysis, as "results/my-burst".

    Returns
    -------
    Result
        Its maps, localisation, sources, summary and configuration.

    Raises
    ------
    ProductError
        If there is no such folder, or it is of no analysis.

    Examples
    --------
    >>> open("results/none")
    Traceback (most recent call last):
        ...
    skyquilt.errors.ProductError: results/none: no folder of an analysis; give one, as results/...
    """
    path = Path(folder).expanduser()
    found = Result(path)
    if not path.is_dir() or not (found.files or (path / "config.yaml").is_file()):
        raise ProductError(
            f"{folder}: no folder of an analysis; give one, as results/NAME after `skyquilt run`."
        )
    return found
