"""Files of before are read whose datasets had other names."""

import h5py
import numpy as np
import pytest

from skyquilt.instruments.analyses import prepare
from skyquilt.io.digest import settings_digest
from skyquilt.io.hdf5_seal import SEAL, make_room, seal_file
from skyquilt.io.provenance import Provenance
from skyquilt.model.problem import ModelProblem, read_model_problem, write_model_problem
from skyquilt.problem.file import group_identity, read_problem, write_problem
from skyquilt.simulate.skies import InjectedSource, draw_sky
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.testing.analyses import ask_one
from skyquilt.testing.eventsky import event_model
from skyquilt.testing.models import cut

DIRECTIONS = lonlat_to_vec(np.array([40.0, 41.0, 200.0]), 30.0)


def as_before(path, version, names, identity):
    """Make a file one of before: rename what is in its groups, and seal it again."""
    renamed = []

    def rename(group):
        for key in list(group):
            if key in names:
                group.move(key, names[key])
                renamed.append(key)
            elif isinstance(group[key], h5py.Group):
                rename(group[key])
        kind = group.attrs.get("kind")
        if kind in names:
            group.attrs["kind"] = names[kind]
            renamed.append(kind)

    with h5py.File(path, "r+") as file:
        del file[SEAL]
        rename(file)
        file.attrs["schema_version"] = version
        file.attrs["identity"] = identity(file)
        places = make_room(file)
    seal_file(path, places)
    return renamed


def test_events_of_before_are_read(tmp_path):
    sources = [InjectedSource(DIRECTIONS[0], 0.5)]
    problem = draw_sky(event_model(), np.random.default_rng(1), sources)
    path = tmp_path / "problem.h5"
    write_problem(path, problem, Provenance("prepare"))
    names = {"psf_node": "psf_place", "exposure_node": "exposure_place"}

    def identity(file):
        content = {name: file[name].attrs["sha256"] for name in ("counts", "background")}
        keys = ("frame", "photon_flux", "background_total")
        content |= {key: str(file.attrs[key]) for key in keys if key in file.attrs}
        groups = {name: group_identity(file[name]) for name in ("bands", "backgrounds")}
        return settings_digest(content | groups | group_identity(file["expectation"]))

    assert as_before(path, "2.2", names, identity) == list(names)[::-1]

    found = read_problem(path).expectation.block(DIRECTIONS)
    wanted = problem.expectation.block(DIRECTIONS)
    np.testing.assert_array_equal(found.bin, wanted.bin)
    np.testing.assert_array_equal(found.unit_counts, wanted.unit_counts)


@pytest.fixture
def cells(session_observation, tmp_path):
    problem = prepare(
        ask_one(session_observation.settings), str(tmp_path), true_energy=True
    ).problem
    return cut(problem, 3)


def test_cells_of_before_are_read(cells, tmp_path):
    path = tmp_path / "problem.h5"
    write_model_problem(path, ModelProblem((cells,), "galactic", 0.0), Provenance("model prepare"))

    def identity(file):
        own = {key: str(file.attrs[key]) for key in ("frame", "epoch", "radius_deg")}
        return settings_digest(own | group_identity(file["datasets"]))

    renamed = as_before(path, "1.0", {"fraction": "share", "fractions": "shares"}, identity)
    assert sorted(renamed) == ["fraction", "fraction", "fractions"]

    [found] = read_model_problem(path).data
    np.testing.assert_array_equal(found.fraction, cells.fraction)
    np.testing.assert_array_equal(found.expectation.fraction, cells.expectation.fraction)
