import gzip

import h5py
import numpy as np
import pytest
from astropy.io import fits


@pytest.fixture
def columns():
    """Columns of 100 rows, one of them a pointing with two numbers per row."""
    rng = np.random.default_rng(1)
    return {
        "Energies": rng.uniform(100, 5000, 100),
        "TimeTags": 1835478000 + np.sort(rng.uniform(0, 10, 100)),
        "Zpointings (glon,glat)": rng.uniform(-1, 1, (100, 2)),
    }


UNITS = {"Energies": "keV", "TimeTags": "s"}


@pytest.fixture
def write_hdf5(tmp_path):
    def write(columns, **options):
        path = tmp_path / "events.hdf5"
        with h5py.File(path, "w") as file:
            for name, values in columns.items():
                file.create_dataset(name, data=values, **options)
        return path

    return write


@pytest.fixture
def write_fits(tmp_path):
    def write(columns, *, units=UNITS, gzipped=False):
        path = tmp_path / "events.fits"
        formats = {1: "D", 2: "2D"}
        table = fits.BinTableHDU.from_columns(
            [
                column
                if isinstance(column, fits.Column)
                else fits.Column(name, formats[column.ndim], units.get(name), array=column)
                for name, column in columns.items()
            ]
        )
        table.writeto(path)
        if gzipped:
            path = path.rename(tmp_path / "events.fits.gz")
            path.write_bytes(gzip.compress(path.read_bytes(), 1))
        return path

    return write


@pytest.fixture
def read():
    """All blocks of a file, joined, and the rows of each block."""
    from skyquilt.instruments.compton.event_files import open_columns

    def read(path, names=("Energies", "TimeTags", "Zpointings"), **options):
        units = {name: UNITS.get(name, "rad") for name in names}
        with open_columns(path, units, **options) as opened:
            blocks = list(opened.blocks)
        sizes = [len(block[names[0]]) for block in blocks]
        assert sum(sizes) == opened.n_rows
        return {name: np.concatenate([block[name] for block in blocks]) for name in names}, sizes

    return read
