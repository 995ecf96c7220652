"""Data in memory become files, which the steps read; paths stay paths."""

import shutil
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skyquilt.errors import ConfigError


class Workplace:
    """A temporary folder that lives as long as this does.

    Attributes
    ----------
    path : Path
        The folder.
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="skyquilt-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


class Inputs:
    """Places of input files, those of objects in a folder.

    Parameters
    ----------
    folder : Path
        Where objects are written.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._n_written = 0

    def place(self, data: Any, what: str) -> str:
        """Path of a file, or of one that an object is written to.

        Parameters
        ----------
        data : str, Path, or object
            Path; Histogram of histpy, Table or HDUList of astropy, MapDataset or Map of gammapy.
        what : str
            Argument that it was given for.

        Raises
        ------
        ConfigError
            If it is none of these.
        """
        if isinstance(data, str | Path):
            path = str(data)
            # other names beginning with ~ are refused by the configuration
            return str(Path(path).expanduser()) if path[:2] in ("~", "~/") else path
        library = type(data).__module__.partition(".")[0]
        if library in ("histpy", "cosipy") and hasattr(data, "write"):
            path = self._new(what, "h5")
            data.write(path, overwrite=True)
        elif library == "gammapy" and hasattr(data, "write"):
            path = self._new(what, "fits")
            data.write(path, overwrite=True)
        elif library == "astropy" and hasattr(data, "writeto"):
            path = self._new(what, "fits")
            data.writeto(path)
        elif library == "astropy" and hasattr(data, "colnames"):
            from astropy.io.fits import table_to_hdu

            path = self._new(what, "fits")
            hdu = table_to_hdu(data)
            hdu.name = data.meta.get("EXTNAME", what.upper())
            hdu.writeto(path)
        else:
            raise ConfigError(
                f"{what}: {type(data).__name__} cannot be read: give a path, a Histogram of "
                "histpy, a Table or HDUList of astropy, or a MapDataset or Map of gammapy."
            )
        return path

    def section(self, data: Any, what: str) -> dict[str, Any]:
        """Section of a configuration with the path of a file; a mapping is that section."""
        if isinstance(data, Mapping):
            return {key: self.place(v, what) if key == "path" else v for key, v in data.items()}
        return {"path": self.place(data, what)}

    def sections(self, data: Any, what: str) -> Any:
        """One section, or several by name where a mapping has no `path` at its top."""
        if isinstance(data, Mapping) and "path" not in data and "scale" not in data:
            return {name: self.section(one, f"{what}-{name}") for name, one in data.items()}
        return self.section(data, what)

    def _new(self, what: str, ending: str) -> str:
        self._n_written += 1
        return str(self._folder / f"{what}-{self._n_written}.{ending}")
