"""Joint expectations against their parts; a joint fit of split data against that of the whole."""

from dataclasses import replace

import h5py
import numpy as np
import pytest

from skyquilt.blocks import SparseBlock
from skyquilt.errors import ProductError
from skyquilt.fit.pixels import fit_pixels
from skyquilt.io.provenance import Provenance
from skyquilt.problem.file import check_rows, read_problem, write_problem
from skyquilt.problem.join import join
from skyquilt.problem.joint import Joint, Part, joint_status
from skyquilt.problem.local import LocalTable
from skyquilt.problem.problem import CountsSpectrum, Description, FitProblem
from skyquilt.problem.sky_table import SkyTable
from skyquilt.sky.frames import rotation
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.status import GOOD, NO_EXPOSURE, NOT_FINITE, OCCULTED

DIRECTIONS = nest_to_vec(4, np.arange(0, 192, 3))
N_HIT = 40


def sky_table(n_hit=N_HIT, seed=1):
    rows = np.random.default_rng(seed).gamma(0.5, 1, (192, n_hit)).astype(np.float32)
    return SkyTable(rows, 2 * rows.sum(axis=1, dtype=float), 4, "RING", "bilinear")


def local_table(n_hit=N_HIT, seed=2, horizon_cos=-0.4123):
    """One pointing; directions below the horizon are occulted."""
    rows = np.random.default_rng(seed).gamma(0.5, 1, (12, n_hit)).astype(np.float32)
    turn = rotation("icrs", "galactic")
    return LocalTable(
        *(rows, 3 * rows.sum(axis=1, dtype=float), 1, turn[None], np.array([1.5])),
        zenith=np.array([[0.0, 0.6, 0.8]]),
        horizon_cos=np.array([horizon_cos]),
    )


def problem_of(table, frame="galactic", energies=(1.0, 2.0), instrument="compton", seed=3):
    rng = np.random.default_rng(seed)
    spectrum = CountsSpectrum(np.array(energies), np.array([True]), {"data": np.array([9.0])})
    return FitProblem(
        counts=rng.poisson(1.0, table.n_hit) + 1.0,
        background=rng.gamma(1, 1, table.n_hit) + 0.1,
        expectation=table,
        frame=frame,
        photon_flux=1.0,
        description=Description(instrument, "none", energies, n_bins=100, n_masked_bins=2),
        counts_spectra={"": spectrum},
    )


def assert_same_fit(found, wanted, rtol):
    for name in ("ts", "flux", "flux_err", "npred", "status"):
        np.testing.assert_allclose(
            getattr(found, name), getattr(wanted, name), rtol=rtol, err_msg=name
        )


def test_joint_of_one_is_the_one_to_the_last_bit():
    one = problem_of(local_table())

    found, wanted = (fit_pixels(p, DIRECTIONS) for p in (join({"only": one}, 1.0), one))

    assert_same_fit(found, wanted, rtol=0)


def test_joint_of_split_bins_fits_as_the_whole():
    whole = problem_of(sky_table())
    table = whole.expectation
    parts = {}
    for name, bins in (("low", slice(0, 15)), ("high", slice(15, N_HIT))):
        rows = table.rows[:, bins]
        part = replace(table, rows=rows, totals=2 * rows.sum(axis=1, dtype=float))
        cut = (whole.counts[bins], whole.background[bins])
        parts[name] = replace(whole, counts=cut[0], background=cut[1], expectation=part)

    joint = join(parts, 1.0)

    # the totals are added in another order
    assert_same_fit(fit_pixels(joint, DIRECTIONS), fit_pixels(whole, DIRECTIONS), rtol=1e-11)


def test_each_part_gets_the_directions_in_its_own_frame():
    table = sky_table()
    joint = Joint((Part(table, "galactic"), Part(table, "icrs")), "galactic")

    block = joint.block(DIRECTIONS)

    turned = DIRECTIONS @ rotation("galactic", "icrs").T
    ours, other = table.block(DIRECTIONS), table.block(turned)
    # rounding of the directions, 1e-16, against pixels of 0.25
    np.testing.assert_allclose(block.unit_counts[:, :N_HIT], ours.unit_counts, rtol=1e-12)
    np.testing.assert_allclose(block.unit_counts[:, N_HIT:], other.unit_counts, rtol=1e-11)
    np.testing.assert_allclose(block.total, ours.total + other.total, rtol=1e-12)
    assert not np.allclose(ours.unit_counts, other.unit_counts, rtol=0.1)


def test_direction_occulted_in_one_part_is_fitted_with_the_others():
    tables = {"local": local_table(horizon_cos=0.3), "sky": sky_table()}
    alone = tables["sky"].block(DIRECTIONS)
    is_hidden = tables["local"].block(DIRECTIONS).status == OCCULTED
    assert 10 < is_hidden.sum() < 60

    block = join({name: problem_of(table) for name, table in tables.items()}, 1.0)
    block = block.expectation.block(DIRECTIONS)

    assert np.all(block.status == GOOD)
    assert np.all(block.total[is_hidden] == alone.total[is_hidden])
    assert np.all(block.total[~is_hidden] > alone.total[~is_hidden])


class Sparse:
    """A table whose block holds only the expected counts above a limit."""

    def __init__(self, table, limit):
        self.table, self.limit, self.n_hit = table, limit, table.n_hit

    def block(self, directions):
        block = self.table.block(directions)
        direction, bins = np.nonzero(block.unit_counts > self.limit)
        indptr = np.append(0, np.cumsum(np.bincount(direction, minlength=len(directions))))
        counts = block.unit_counts[direction, bins]
        return SparseBlock(indptr, bins, counts, block.total, block.status, self.table.n_hit)

    def dense(self):
        return Dense(self)


class Dense:
    """What a sparse expectation holds, with zeros in all other bins."""

    def __init__(self, sparse):
        self.sparse, self.n_hit = sparse, sparse.n_hit

    def block(self, directions):
        block = self.sparse.table.block(directions).dense()
        kept = np.where(block.unit_counts > self.sparse.limit, block.unit_counts, 0.0)
        return block._replace(unit_counts=kept)


@pytest.mark.parametrize("kinds", ["ss", "sd", "ds", "sss", "dsd"])
def test_sparse_parts_hold_the_entries_of_dense_ones(kinds):
    sparse = [Sparse(sky_table(10 + 7 * n, seed=n), 0.4 + n) for n in range(len(kinds))]
    mixed = [s if kind == "s" else s.dense() for s, kind in zip(sparse, kinds, strict=True)]
    joint = Joint(tuple(Part(part, "icrs") for part in mixed), "icrs")
    wanted = Joint(tuple(Part(part.dense(), "icrs") for part in sparse), "icrs")

    found, wanted = joint.block(DIRECTIONS), wanted.block(DIRECTIONS)

    assert isinstance(found, SparseBlock)
    unit_counts = np.zeros_like(wanted.unit_counts)
    for n, entries in enumerate(map(slice, found.indptr, found.indptr[1:])):
        assert len(set(found.bin[entries])) == found.bin[entries].size
        unit_counts[n, found.bin[entries]] = found.unit_counts[entries]
    np.testing.assert_array_equal(unit_counts, wanted.unit_counts)
    np.testing.assert_array_equal(found.total, wanted.total)
    np.testing.assert_array_equal(found.status, wanted.status)


def test_sparse_block_of_no_directions_is_empty():
    joint = Joint((Part(Sparse(sky_table(), 1.0), "icrs"), Part(sky_table(), "icrs")), "icrs")

    block = joint.block(np.empty((0, 3)))

    assert (
        block.indptr.size - 1 == block.bin.size == block.unit_counts.size == block.total.size == 0
    )


@pytest.mark.parametrize(
    ("status", "joint"),
    [
        ((GOOD, NO_EXPOSURE), GOOD),
        ((OCCULTED, GOOD), GOOD),
        ((NO_EXPOSURE, NO_EXPOSURE), NO_EXPOSURE),
        ((OCCULTED, OCCULTED), OCCULTED),
        ((OCCULTED, NO_EXPOSURE), NO_EXPOSURE),
        ((GOOD, NOT_FINITE), NOT_FINITE),
    ],
)
def test_joint_status_of_two_parts(status, joint):
    found = joint_status(np.array(status, dtype=np.uint8)[:, None])

    assert found.dtype == np.uint8
    assert found.tolist() == [joint]


@pytest.mark.parametrize("bins", [[0, 3, 39, 40, 65], [50], []])
def test_selected_bins_of_a_joint_are_those_of_its_parts(bins):
    parts = (Part(sky_table(), "galactic"), Part(local_table(30), "icrs"))
    joint = Joint(parts, "galactic")

    found = joint.select_bins(np.array(bins, dtype=np.int64)).block(DIRECTIONS)

    whole = joint.block(DIRECTIONS)
    np.testing.assert_array_equal(found.unit_counts, whole.unit_counts[:, bins])
    np.testing.assert_array_equal(found.total, whole.total)


def test_work_of_a_joint_is_the_sum_of_the_parts():
    tables = (local_table(), sky_table())
    joint = Joint(tuple(Part(table, "icrs") for table in tables), "icrs")

    costs = [table.cost(DIRECTIONS, 16) for table in tables]
    assert joint.cost(DIRECTIONS, 16).seconds == pytest.approx(sum(one.seconds for one in costs))
    assert joint.cost(DIRECTIONS, 16).n_bins == sum(one.n_bins for one in costs)
    assert joint.n_hit == 2 * N_HIT


def test_joint_without_parts_is_refused():
    with pytest.raises(ValueError, match="no parts"):
        Joint((), "icrs")


def test_joint_of_an_unknown_frame_is_refused():
    with pytest.raises(ValueError, match="frame 'fk4'"):
        Joint((Part(sky_table(), "fk4"),), "icrs")


def test_description_of_a_joint_adds_up_and_lists_the_data_sets():
    problems = {
        "low": problem_of(sky_table(), energies=(1.0, 2.0)),
        "high": replace(
            problem_of(sky_table(30), "icrs", energies=(3.0, 9.0), instrument="imaging"),
            background_total=40.0,
        ),
    }

    joint = join(problems, 7.5)

    about = joint.description
    assert (about.instrument, about.energy_range_keV) == ("compton, imaging", (1.0, 9.0))
    assert (about.n_bins, about.n_masked_bins) == (200, 4)
    assert (joint.photon_flux, joint.frame) == (7.5, "galactic")
    assert list(about.datasets) == ["low", "high"]
    assert about.datasets["high"]["counts"] == problems["high"].counts.sum()
    assert about.datasets["high"]["background"] == 40.0
    assert about.datasets["high"]["energy_range_keV"] == (3.0, 9.0)
    assert list(joint.counts_spectra) == ["low", "high"]


@pytest.mark.parametrize(
    ("spans", "wanted"),
    [([(5.0, 7.0), (1.0, 6.0)], (1.0, 7.0)), ([None, (1.0, 6.0)], (1.0, 6.0)), ([None] * 2, None)],
)
def test_joint_lasts_from_the_first_start_to_the_last_end(spans, wanted):
    problems = {}
    for name, span in zip("ab", spans, strict=True):
        problem = problem_of(sky_table())
        about = problem.description._replace(time_span=span)
        problems[name] = replace(problem, description=about)

    assert join(problems, 1.0).description.time_span == wanted


@pytest.fixture
def joint():
    problems = {"a": problem_of(local_table()), "b": problem_of(sky_table(30), "icrs")}
    return join(problems, 2.0)


def write(problem, folder):
    path = folder / "problem.h5"
    return path, write_problem(path, problem, Provenance("prepare"))


def test_joint_survives_writing_and_reading(joint, tmp_path):
    found = read_problem(write(joint, tmp_path)[0])

    assert_same_fit(fit_pixels(found, DIRECTIONS), fit_pixels(joint, DIRECTIONS), rtol=0)
    assert [part.frame for part in found.expectation.parts] == ["galactic", "icrs"]
    assert found.description == replace_lists(joint.description)
    assert list(found.counts_spectra) == ["a", "b"]


def replace_lists(description):
    """Description as JSON gives it back: lists for the tuples of the data sets."""
    datasets = {
        name: {key: list(v) if isinstance(v, tuple) else v for key, v in about.items()}
        for name, about in description.datasets.items()
    }
    return description._replace(datasets=datasets)


@pytest.mark.parametrize("place", [0, 1])
def test_identity_of_a_joint_changes_with_every_part(joint, tmp_path, place):
    first = write(joint, tmp_path)[1]
    parts = list(joint.expectation.parts)
    totals = parts[place].expectation.totals * 1.01
    changed = replace(parts[place].expectation, totals=totals)
    parts[place] = parts[place]._replace(expectation=changed)

    other = replace(joint, expectation=Joint(tuple(parts), joint.frame))

    assert write(other, tmp_path)[1] != first


def test_identity_of_a_joint_changes_with_the_frame_of_a_part(joint, tmp_path):
    first = write(joint, tmp_path)[1]
    parts = tuple(part._replace(frame="galactic") for part in joint.expectation.parts)

    other = replace(joint, expectation=Joint(parts, joint.frame))

    assert write(other, tmp_path)[1] != first


def test_a_flipped_bit_in_the_rows_of_any_part_is_found(joint, tmp_path):
    path, _ = write(joint, tmp_path)
    check_rows(path)
    with h5py.File(path, "r+") as file:
        file["expectation/part_1/rows"][0, 0] += 1

    with pytest.raises(ProductError, match=r"the checksum of expectation/part_1/rows differs"):
        check_rows(path)
