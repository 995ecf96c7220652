import numpy as np
import pytest
from astropy.io import fits

from skyquilt.errors import ProductError
from skyquilt.io.provenance import Provenance
from skyquilt.maps.file import read_skymap, write_skymap
from skyquilt.maps.skymap import SkyMap

COLUMNS = ("ts", "sqrt_ts", "flux", "flux_err", "photon_flux", "npred")


@pytest.fixture
def skymap():
    columns = {name: np.arange(48.0) + index for index, name in enumerate(COLUMNS)}
    columns["ts"][5] = np.nan
    columns |= {"n_iter": np.arange(48, dtype=np.int32), "status": np.ones(48, np.uint8)}
    return SkyMap(2, "icrs", np.arange(48), columns)


@pytest.mark.parametrize("ordering", ["nested", "ring"])
def test_sky_map_survives_writing_and_reading(tmp_path, skymap, ordering):
    write_skymap(tmp_path / "maps.fits", skymap, ordering, Provenance("merge").record())

    found, record = read_skymap(tmp_path / "maps.fits")

    assert (found.nside, found.frame, record["stage"]) == (2, "icrs", "merge")
    np.testing.assert_array_equal(found.ipix, skymap.ipix)
    assert list(found.columns) == list(skymap.columns)
    for name, values in skymap.columns.items():
        np.testing.assert_array_equal(found.columns[name], values)


def test_first_column_is_ts_and_photon_flux_has_a_unit(tmp_path, skymap):
    write_skymap(tmp_path / "maps.fits", skymap, "nested", Provenance("merge").record())

    columns = fits.getdata(tmp_path / "maps.fits", "SKYMAP").columns
    assert columns.names == ["TS", *(name.upper() for name in [*COLUMNS[1:], "n_iter", "status"])]
    assert columns["PHOTON_FLUX"].unit == "cm-2 s-1"


def test_read_missing_map_names_it(tmp_path):
    with pytest.raises(ProductError, match=r"no\.fits: not a whole file"):
        read_skymap(tmp_path / "no.fits")


def test_some_columns_are_read(tmp_path, skymap):
    write_skymap(tmp_path / "maps.fits", skymap, "nested", Provenance("merge").record())

    found, _ = read_skymap(tmp_path / "maps.fits", ["status", "ts"])

    assert set(found.columns) == {"status", "ts"}
