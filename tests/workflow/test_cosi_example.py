import healpy
import numpy as np
import pytest

pytestmark = pytest.mark.workflow

# TS of pixels 0 to 11, RING, galactic: cosipy, tests/ts_map/test_fast_ts_map.py of branch develop.
PUBLISHED_TS = [
    [51.30709447, 51.16302889, 51.11429069, 51.19306142],
    [51.27823575, 51.30579709, 51.09094512, 51.10914182],
    [51.30271261, 51.27412572, 51.15872202, 51.29249638],
]


def test_cosi_example_gives_the_published_ts_map(empty, cosi_data, monkeypatch, request):
    monkeypatch.setenv("SKYQUILT_DATA", str(cosi_data.parent.resolve()))
    config = request.config.rootpath / "config/examples/cosi-test.yaml"
    result = empty.run(config=config)
    assert result.returncode == 0, result.stdout
    ts = healpy.read_map(empty.path / "results/cosi-test/maps.fits", field=0, nest=None)
    # float32 rows of our table; the reference's own digits end at 2e-10
    np.testing.assert_allclose(ts, np.ravel(PUBLISHED_TS), rtol=1e-6)
