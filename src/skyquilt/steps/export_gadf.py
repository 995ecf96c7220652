"""Step `export-gadf`: maps in the layout of gammapy."""

from pathlib import Path

from skyquilt.io.gadf import write_gadf
from skyquilt.io.provenance import Provenance
from skyquilt.maps.file import COLUMNS, read_skymap


def export_maps(maps: str | Path, output: str | Path) -> None:
    """Write every quantity of maps.fits as a map of its own, in the GADF layout."""
    provenance = Provenance("export-gadf", {}, (str(maps),))
    skymap, _ = read_skymap(maps)
    units = {name: COLUMNS[name][0] for name in skymap.columns}
    write_gadf(
        output,
        skymap.nside,
        skymap.frame,
        skymap.ipix,
        {name: (values, units[name]) for name, values in skymap.columns.items()},
        provenance.record(),
    )
