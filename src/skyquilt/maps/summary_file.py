"""`summary.json`: the numbers of an analysis, as people and programs read them."""

from pathlib import Path
from typing import Any

from skyquilt.errors import ProductError
from skyquilt.io.json_file import read_json, write_json
from skyquilt.io.schema import Schema

# 1.0  first version
# 1.1  credible regions, and the files of all regions
# 1.2  systematic_error_deg
# 1.3  backgrounds: named components of the background, also in datasets
# 1.4  mean_photon_energy_keV, and energy_flux [erg cm-2 s-1] of the best position
SCHEMA = Schema("skyquilt/summary", "1.4", "skyquilt localise")
NAME = "summary.json"


def write_summary(folder: str | Path, summary: dict[str, Any]) -> None:
    """Write the numbers of an analysis into its folder."""
    write_json(Path(folder) / NAME, SCHEMA, summary)


def read_summary(path: str | Path) -> dict[str, Any]:
    """Read the numbers of an analysis.

    Raises
    ------
    ProductError
        If the file is missing, damaged or of another kind.
    """
    return read_json(path, SCHEMA)


def region_paths(folder: Path) -> list[Path]:
    """Files of the regions that the summary of an analysis names; none if it cannot be read."""
    try:
        summary = read_summary(folder / NAME)
        regions = (*summary["containment"], *summary["credible"])
        return [folder / file for region in regions for file in region["files"].values()]
    except (ProductError, KeyError, TypeError, AttributeError):
        return []
