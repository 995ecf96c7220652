import numpy as np
import pytest

from skyquilt.errors import ProductError
from skyquilt.io.schema import Schema

SCHEMA = Schema("skyquilt/thing", "2.10", "skyquilt make")


@pytest.mark.parametrize("version", ["2.0", "2.9", "2.10"])
def test_version_up_to_the_one_that_is_written_is_read(version):
    SCHEMA.check("thing.h5", "skyquilt/thing", version)


@pytest.mark.parametrize("version", ["1.9", "2.11", "3.0", "2", "", "2.x", None, 2])
def test_other_version_is_refused_with_those_that_are_read(version):
    with pytest.raises(ProductError) as caught:
        SCHEMA.check("thing.h5", "skyquilt/thing", version)
    assert str(caught.value) == (
        f"thing.h5: skyquilt/thing version {version}; this skyquilt reads version 2.0 to 2.10; "
        "make it again with `skyquilt make`."
    )


@pytest.mark.parametrize("name", ["skyquilt/other", "", None])
def test_other_kind_is_refused_with_both_names(name):
    with pytest.raises(ProductError, match=rf"schema is {name!r}, not 'skyquilt/thing'"):
        SCHEMA.check("thing.h5", name, "2.0")


@pytest.mark.parametrize(
    ("name", "version"),
    [(np.arange(3.0), "1.0"), ("skyquilt/test", np.arange(3.0)), (None, None), (b"skyquilt", 1)],
)
def test_kind_or_version_that_is_no_text_is_refused(name, version):
    with pytest.raises(ProductError, match=r"x\.h5: .*`skyquilt test`"):
        Schema("skyquilt/test", "1.0", "skyquilt test").check("x.h5", name, version)
