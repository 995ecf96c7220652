import h5py
import numpy as np
import pytest

from skyquilt.errors import ProductError
from skyquilt.fit.chunk import fit_chunk
from skyquilt.fit.file import read_chunk, read_plan, write_chunk
from skyquilt.io.provenance import Provenance
from skyquilt.problem.file import read_problem
from skyquilt.sky.chunks import chunk_name


@pytest.fixture
def chunk(local):
    """Path, plan and result of chunk 2 of 3."""
    local.settings["fit"] = {"chunks": 3}
    folder = local.prepare()
    plan = read_plan(f"{folder}/plan.json")
    result = fit_chunk(read_problem(f"{folder}/problem.h5"), plan, 2)
    path = local.path(chunk_name(2, 3))
    write_chunk(path, plan, 2, result, Provenance("fit", hosts=("n1", "n1", "n2", "n2")))
    return path, plan, result


def test_chunk_survives_writing_and_reading(chunk):
    path, plan, result = chunk

    found = read_chunk(path)

    assert (found.problem_identity, found.plan_identity) == (plan.problem_identity, plan.identity)
    assert found.index == 2
    assert found.record["n_ranks"] == 4
    np.testing.assert_array_equal(found.result.ipix, [8, 9, 10, 11])
    for name, values in result.fit._asdict().items():
        np.testing.assert_array_equal(getattr(found.result.fit, name), values)
        assert getattr(found.result.fit, name).dtype == values.dtype


def test_chunk_keeps_nan(chunk):
    path, plan, result = chunk
    result.fit.ts[1] = np.nan
    write_chunk(path, plan, 2, result, Provenance("fit"))

    np.testing.assert_array_equal(np.isnan(read_chunk(path).result.fit.ts), [0, 1, 0, 0])


def test_chunk_file_tells_its_grid(chunk):
    with h5py.File(chunk[0]) as file:
        found = {key: file.attrs[key] for key in ("nside", "ordering", "frame", "index")}

    assert found == {"nside": 1, "ordering": "NESTED", "frame": "galactic", "index": 2}


@pytest.mark.parametrize("name", ["ipix", "ts", "flux", "flux_err", "npred", "n_iter", "status"])
def test_one_inverted_byte_names_dataset_and_command(chunk, damage, name):
    damage(chunk[0], dataset=name)

    with pytest.raises(
        ProductError, match=rf"002-of-003\.h5: damaged: .*/{name} differs; .*`skyquilt fit-chunk`"
    ):
        read_chunk(chunk[0])


def test_truncated_chunk_names_the_command(chunk, truncate):
    truncate(chunk[0])

    with pytest.raises(ProductError, match=r"not a whole HDF5 file .*`skyquilt fit-chunk`"):
        read_chunk(chunk[0])


def test_missing_dataset_is_named(chunk):
    with h5py.File(chunk[0], "r+") as file:
        del file["flux"]

    with pytest.raises(ProductError, match=r"incomplete: .*'flux'"):
        read_chunk(chunk[0])


def test_plan_survives_writing_and_reading(local):
    local.settings["map"] = {"nside": 2, "ordering": "ring", "frame": "icrs"}
    local.settings["fit"] = {"chunks": 12, "allow_negative": True}

    plan = read_plan(f"{local.prepare()}/plan.json")

    assert (plan.nside, plan.ordering, plan.frame) == (2, "ring", "icrs")
    assert (plan.n_chunks, plan.options.allow_negative) == (12, True)
    assert plan.ranges.tolist() == [[0, 48]]


def test_missing_plan_names_the_command(tmp_path):
    with pytest.raises(ProductError, match=r"plan\.json: cannot be read .*`skyquilt plan`"):
        read_plan(tmp_path / "plan.json")


@pytest.mark.parametrize("content", [b"\xff\xfe", b'{"schema": "skyqui', b"[]"])
def test_damaged_plan_names_the_command(tmp_path, content):
    (tmp_path / "plan.json").write_bytes(content)

    with pytest.raises(ProductError, match=r"plan\.json: .*`skyquilt plan`"):
        read_plan(tmp_path / "plan.json")
