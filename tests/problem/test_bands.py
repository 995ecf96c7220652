"""Bands and components of the background of a problem, in memory and in its file."""

from dataclasses import replace

import h5py
import numpy as np
import pytest

from skyquilt.fit.pixels import fit_pixels
from skyquilt.io.digest import settings_digest
from skyquilt.io.hdf5_seal import SEAL, make_room, seal_file
from skyquilt.io.provenance import Provenance
from skyquilt.problem.backgrounds import BackgroundComponent
from skyquilt.problem.bands import Bands, Integrals
from skyquilt.problem.file import read_problem, write_problem
from skyquilt.problem.join import join
from skyquilt.problem.problem import Description, FitProblem
from skyquilt.problem.sky_table import SkyTable
from skyquilt.problem.templates import join_templates, split_templates
from skyquilt.sky.healpix import nest_to_vec

N_HIT = 30
DIRECTIONS = nest_to_vec(2, np.arange(48))
OF_HIT = np.repeat([0, 1, 2], 10)


def bands_of(edges=((1.0, 2.0), (2.0, 4.0), (4.0, 8.0)), **changes):
    edges = np.array(edges)
    fields = {
        "edges": edges,
        "dataset": ("",) * len(edges),
        "integrals": Integrals(*np.arange(1.0, 3 * len(edges) + 1).reshape(3, -1)),
        "of_hit": OF_HIT,
        "of_total": np.array([0, 1, 2]),
    }
    return Bands(**(fields | changes))


def components_of(background):
    """Two components: the first all of the first band, and a half of the others."""
    first = np.where(OF_HIT == 0, background, background / 2)
    return tuple(
        BackgroundComponent(name, "", 0, values, totals, factor)
        for name, values, totals, factor in (
            ("galactic", first, np.array([30.0, 20.0, 10.0]), 1.0),
            ("isotropic", background - first, np.array([0.0, 20.0, 10.0]), 0.5),
        )
    )


def problem_of(seed=1, frame="galactic", **changes):
    rng = np.random.default_rng(seed)
    rows = rng.gamma(0.5, 1, (48, N_HIT)).astype(np.float32)
    row_bands = rows.reshape(48, 3, 10).sum(axis=2, dtype=float) * [2.0, 3.0, 4.0]
    table = SkyTable(rows, row_bands.sum(axis=1), 2, "NESTED", "nearest", row_bands=row_bands)
    background = rng.uniform(0.5, 2.0, N_HIT)
    fields = {
        "counts": rng.poisson(3.0, N_HIT) + 1.0,
        "background": background,
        "expectation": table,
        "frame": frame,
        "photon_flux": 6.0,
        "description": Description("compton", "a spectrum", (1.0, 8.0)),
        "background_total": 90.0,
        "known_bands": bands_of(),
        "known_backgrounds": components_of(background),
    }
    return FitProblem(**(fields | changes))


def written(problem, tmp_path):
    path = tmp_path / "problem.h5"
    write_problem(path, problem, Provenance("prepare"))
    return path


def assert_same_bands(found, wanted):
    assert found.dataset == wanted.dataset
    for name in ("edges", "of_hit", "of_total"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))
    np.testing.assert_array_equal(found.integrals, wanted.integrals)


def test_bands_and_components_survive_writing_and_reading(tmp_path):
    problem = problem_of()

    found = read_problem(written(problem, tmp_path))

    assert_same_bands(found.bands, problem.bands)
    assert [one[:3] for one in found.backgrounds] == [("galactic", "", 0), ("isotropic", "", 0)]
    for mine, theirs in zip(found.backgrounds, problem.backgrounds, strict=True):
        np.testing.assert_array_equal(mine.counts, theirs.counts)
        np.testing.assert_array_equal(mine.totals, theirs.totals)
        assert mine.factor == theirs.factor
    np.testing.assert_array_equal(found.band_totals(DIRECTIONS), problem.band_totals(DIRECTIONS))


@pytest.mark.parametrize(
    "change",
    [
        {"known_bands": bands_of(of_hit=OF_HIT[::-1].copy())},
        {"known_bands": bands_of(edges=((1.0, 2.0), (2.0, 4.5), (4.5, 8.0)))},
        {"known_backgrounds": ()},
    ],
    ids=["band of hits", "edges", "components"],
)
def test_identity_changes_with_bands_and_components(tmp_path, change):
    problem = problem_of()
    first = write_problem(tmp_path / "a.h5", problem, Provenance("prepare"))

    assert write_problem(tmp_path / "b.h5", replace(problem, **change), Provenance("x")) != first


def as_before(path):
    """Make a file one of version 2.0, which knew neither bands nor components."""

    def content_of(group):
        content = {key: str(value) for key, value in group.attrs.items()}
        for name, item in group.items():
            is_group = isinstance(item, h5py.Group)
            content[name] = content_of(item) if is_group else item.attrs["sha256"]
        return content

    with h5py.File(path, "r+") as file:
        for name in ("bands", "backgrounds", SEAL):
            del file[name]
        groups = [file["expectation"]]
        for group in groups:
            groups += [item for item in group.values() if isinstance(item, h5py.Group)]
            for name in ("row_bands", "band_weight", "integrals"):
                if name in group:
                    del group[name]
        file.attrs["schema_version"] = "2.0"
        content = {name: file[name].attrs["sha256"] for name in ("counts", "background")}
        keys = ("frame", "photon_flux", "background_total")
        content |= {key: str(file.attrs[key]) for key in keys if key in file.attrs}
        identity = settings_digest(content | content_of(file["expectation"]))
        file.attrs["identity"] = identity
        places = make_room(file)
    seal_file(path, places)
    return identity


def test_file_of_before_is_read_as_one_band(tmp_path):
    problem = problem_of()
    path = written(problem, tmp_path)
    identity = as_before(path)

    found = read_problem(path)

    assert found.identity == identity
    assert found.bands.edges.tolist() == [[1.0, 8.0]]
    assert not found.bands.of_hit.any()
    assert found.bands.integrals.photon_flux.tolist() == [6.0]
    totals = found.expectation.block(DIRECTIONS).total
    np.testing.assert_allclose(found.band_totals(DIRECTIONS)[:, 0], totals, rtol=1e-12)
    [component] = found.backgrounds
    assert (component.name, component.totals.tolist()) == ("", [90.0])
    np.testing.assert_array_equal(component.counts, problem.background)
    ts = [fit_pixels(one, DIRECTIONS).ts for one in (found, problem)]
    np.testing.assert_array_equal(*ts)


def test_flux_of_the_one_band_is_not_known_where_another_range_was_told(tmp_path):
    about = problem_of().description._replace(flux_range_keV=(1.0, 3.0))
    path = written(problem_of(description=about), tmp_path)
    as_before(path)

    assert np.isnan(read_problem(path).bands.integrals.photon_flux[0])


def test_images_of_before_sum_their_bands(tmp_path, image_problem):
    path = written(image_problem, tmp_path)
    as_before(path)

    found = read_problem(path)

    totals = found.expectation.block(DIRECTIONS).total
    assert found.band_totals(DIRECTIONS).shape == (48, 1)
    np.testing.assert_allclose(found.band_totals(DIRECTIONS)[:, 0], totals, rtol=1e-12)


@pytest.fixture
def image_problem():
    from skyquilt.problem.pixel_image import find_hits
    from skyquilt.problem.point_spread import PointSpread
    from skyquilt.problem.sky_grid import HealpixGrid

    healpy = pytest.importorskip("healpy")
    vertices = np.moveaxis(healpy.boundaries(4, np.arange(192), step=1), 1, 2)
    counts = np.random.default_rng(1).poisson(1.0, (192, 2)).astype(float)
    image, place = find_hits(vertices, counts)
    theta = np.linspace(0, 0.5, 50)
    expectation = PointSpread(
        image, HealpixGrid(1, np.ones((12, 2))), theta, np.ones((2, 50)), np.eye(2)
    )
    hits = counts.ravel()[place]
    about = Description("imaging", "a spectrum", (1.0, 8.0))
    return FitProblem(hits, np.ones(hits.size), expectation, "galactic", 1.0, about)


def test_hit_bins_that_are_left_keep_their_band_and_components():
    problem, bins = problem_of(), np.array([0, 3, 11, 12, 29])

    kept = problem.select_bins(bins)

    assert kept.bands.of_hit.tolist() == [0, 0, 1, 1, 2]
    np.testing.assert_array_equal(kept.band_totals(DIRECTIONS), problem.band_totals(DIRECTIONS))
    for mine, theirs in zip(kept.backgrounds, problem.backgrounds, strict=True):
        np.testing.assert_array_equal(mine.counts, theirs.counts[bins])
        np.testing.assert_array_equal(mine.totals, theirs.totals)


def joint():
    near, far = problem_of(1), problem_of(2, frame="icrs")
    far = replace(
        far,
        known_bands=bands_of(
            edges=((1.0, 3.0), (3.0, 9.0)), of_hit=(OF_HIT > 1) + 0, of_total=np.array([0, 0, 1])
        ),
        known_backgrounds=(
            BackgroundComponent("", "", 0, far.background, np.array([50.0, 40.0]), 2.0),
        ),
    )
    return {"near": near, "far": far}


def test_joint_problem_has_the_bands_of_each_data_set(tmp_path):
    parts = joint()

    problem = read_problem(written(join(parts, 9.0), tmp_path))

    assert problem.bands.dataset == ("near",) * 3 + ("far",) * 2
    np.testing.assert_array_equal(
        problem.bands.edges, np.concatenate([one.bands.edges for one in parts.values()])
    )
    assert problem.bands.of_hit.tolist() == [*OF_HIT, *(3 + (OF_HIT > 1))]
    totals = problem.band_totals(DIRECTIONS)
    np.testing.assert_array_equal(totals[:, :3], parts["near"].band_totals(DIRECTIONS))
    whole = problem.expectation.block(DIRECTIONS).total
    np.testing.assert_allclose(totals.sum(axis=1), whole, rtol=1e-12)


def test_joint_problem_has_the_components_of_each_data_set(tmp_path):
    parts = joint()

    problem = read_problem(written(join(parts, 9.0), tmp_path))

    names = [(one.dataset, one.name) for one in problem.backgrounds]
    assert names == [("near", "galactic"), ("near", "isotropic"), ("far", "")]
    sums = sum(one.in_bins(2 * N_HIT) for one in problem.backgrounds)
    np.testing.assert_allclose(sums, problem.background, rtol=1e-14)
    assert problem.backgrounds[2].totals.tolist() == [0.0, 0.0, 0.0, 50.0, 40.0]
    bins = np.arange(20, 2 * N_HIT, 7)
    kept = problem.select_bins(bins)
    sums = sum(one.in_bins(len(bins)) for one in kept.backgrounds)
    np.testing.assert_allclose(sums, kept.background, rtol=1e-14)


def test_data_set_without_bands_makes_the_joint_problem_one_band():
    parts = joint()
    parts["far"] = replace(parts["far"], known_bands=None, known_backgrounds=())

    problem = join(parts, 9.0)

    assert problem.bands.n_band == 1
    whole = problem.expectation.block(DIRECTIONS).total
    np.testing.assert_allclose(problem.band_totals(DIRECTIONS)[:, 0], whole, rtol=1e-12)


def test_each_of_several_spectra_has_its_own_integrals(tmp_path):
    soft = problem_of(1)
    integrals = Integrals(*(2.0 * values for values in soft.bands.integrals))
    hard = replace(soft, known_bands=replace(soft.bands, integrals=integrals), photon_flux=12.0)
    problem = read_problem(written(join_templates({"soft": soft, "hard": hard}), tmp_path))

    found = [one.bands.integrals.photon_flux.tolist() for one in split_templates(problem)]

    assert found == [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]]
    np.testing.assert_array_equal(problem.band_totals(DIRECTIONS), soft.band_totals(DIRECTIONS))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"edges": ((1.0, 2.0), (4.0, 3.0), (4.0, 8.0))}, "must ascend"),
        ({"edges": ((1.0, 2.0), (2.0, np.nan), (4.0, 8.0))}, "above 0"),
        ({"edges": ((0.0, 2.0), (2.0, 4.0), (4.0, 8.0))}, "above 0"),
        ({"edges": ((1.0, 2.5), (2.0, 4.0), (4.0, 8.0))}, "must not overlap"),
        ({"of_hit": OF_HIT + 1}, "of_hit: allowed are the bands 0 to 2"),
        ({"of_total": np.array([0, 1, -1])}, "of_total: allowed"),
        ({"integrals": Integrals(np.ones(2), np.ones(3), np.ones(3))}, "photon_flux: shape"),
        ({"dataset": ("",)}, "edges: shape"),
    ],
)
def test_bands_that_are_none_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        bands_of(**change)


def test_bands_of_two_data_sets_may_overlap():
    bands = bands_of(
        edges=((1.0, 2.0), (1.5, 3.0)), dataset=("a", "b"), of_hit=OF_HIT[:0], of_total=np.arange(2)
    )

    assert bands.n_band == 2


def spoiled(**changes):
    first, second = components_of(problem_of().background)
    return first, second._replace(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "galactic"}, "galactic is there twice"),
        ({"first_bin": 1}, "isotropic: bins 1 to 31; the problem has 30"),
        ({"totals": np.ones(2)}, "isotropic: 2 totals for 3 bands"),
    ],
)
def test_components_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        problem_of(known_backgrounds=spoiled(**changes))


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_components_with_impossible_counts_are_not_written(tmp_path, value):
    counts = np.full(N_HIT, value)

    with pytest.raises(ValueError, match=r"background isotropic: .* finite and at least 0"):
        written(problem_of(known_backgrounds=spoiled(counts=counts)), tmp_path)
    assert not (tmp_path / "problem.h5").exists()


def test_bands_of_other_hit_bins_are_refused():
    with pytest.raises(ValueError, match="bands: of 29 hit bins; there are 30"):
        problem_of(known_bands=bands_of(of_hit=OF_HIT[:-1]))
