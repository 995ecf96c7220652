import ast
import subprocess
import sys
from dataclasses import fields, replace
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

import skyquilt.problem
from skyquilt.errors import ProductError
from skyquilt.io.provenance import Provenance
from skyquilt.problem import LocalTable
from skyquilt.problem.file import check_rows, read_problem, read_record, write_problem


@pytest.fixture(params=["local", "galactic"])
def observation(request):
    return request.getfixturevalue(request.param)


def write(observation, **changes):
    path = observation.path("problem.h5")
    identity = write_problem(path, observation.problem(), Provenance("prepare", **changes))
    return path, identity


def _arrays(value):
    return {name: item for name, item in vars(value).items() if isinstance(item, np.ndarray)}


def test_problem_survives_writing_and_reading(observation):
    written = observation.problem()
    found = read_problem(write(observation)[0])

    for name, array in _arrays(written).items():
        np.testing.assert_array_equal(getattr(found, name), array)
    assert type(found.expectation) is type(written.expectation)
    for name, value in vars(written.expectation).items():
        np.testing.assert_array_equal(getattr(found.expectation, name), value)
    assert (found.frame, found.photon_flux) == (written.frame, written.photon_flux)
    assert found.description == written.description


def test_counts_spectrum_survives_writing_and_reading(local):
    written = local.problem().counts_spectra[""]
    found = read_problem(write(local)[0]).counts_spectra[""]

    np.testing.assert_array_equal(found.edges, written.edges)
    np.testing.assert_array_equal(found.is_selected, written.is_selected)
    assert list(found.counts) == list(written.counts)
    np.testing.assert_array_equal(list(found.counts.values()), list(written.counts.values()))


def test_problem_without_counts_spectrum_reads_none(local):
    problem = replace(local.problem(), counts_spectra={})
    write_problem(local.path("problem.h5"), problem, Provenance("prepare"))

    assert read_problem(local.path("problem.h5")).counts_spectra == {}


def test_occultation_survives_writing_and_reading(local):
    local.settings["data"]["earth_occultation"] = True

    written, found = local.problem().expectation, read_problem(write(local)[0]).expectation

    np.testing.assert_array_equal(found.zenith, written.zenith)
    np.testing.assert_array_equal(found.horizon_cos, written.horizon_cos)


def test_rows_are_mapped_not_read(local):
    rows = read_problem(write(local)[0]).expectation.rows

    assert isinstance(rows, np.memmap)
    assert rows.mode == "r"


def test_identity_is_returned_and_does_not_depend_on_who_wrote(observation):
    path, identity = write(observation)

    assert read_problem(path).identity == identity
    assert write(observation, settings={"another": "run"})[1] == identity


@pytest.mark.parametrize(
    "change",
    [
        lambda local: local.write_counts("counts.h5", local.counts + 1),
        lambda local: local.write_counts("background.h5", local.background + 1),
        lambda local: local.write_response(area=local.area * 1.5),
        lambda local: local.write_orientation(np.arange(11.0), z_lon=1.0),
        lambda local: local.write_orientation(np.arange(11.0), livetime=0.5),
        lambda local: local.settings["data"].update(earth_occultation=True),
        lambda local: local.settings["spectrum"].update(index=-3),
    ],
    ids=["counts", "background", "response", "pointing", "livetime", "occultation", "spectrum"],
)
def test_identity_changes_with_what_influences_the_fit(local, change):
    first = write(local)[1]
    change(local)

    assert write(local)[1] != first


def test_identity_of_sky_table_changes_with_interpolation(galactic):
    first = write(galactic)[1]
    galactic.settings["data"]["interpolation"] = "nearest"

    assert write(galactic)[1] != first


def test_record_is_that_of_the_step(local):
    assert read_record(write(local, settings={"a": 1})[0])["settings"] == {"a": 1}


@pytest.mark.parametrize(
    "name", ["counts", "background", "expectation/totals", "expectation/weight"]
)
def test_one_inverted_byte_names_the_dataset(local, damage, name):
    path = write(local)[0]
    damage(path, dataset=name)

    with pytest.raises(ProductError, match=rf"problem\.h5: damaged: .*/{name} .*skyquilt prepare"):
        read_problem(path)


def test_content_that_does_not_fit_the_identity_is_refused(local):
    path = write(local)[0]
    with h5py.File(path, "r+") as file:
        file.attrs["photon_flux"] = 1.0

    with pytest.raises(ProductError, match=r"problem\.h5: content and identity differ"):
        read_problem(path)


def test_unknown_kind_of_expectation_is_refused(local, tmp_path):
    class Template(LocalTable):
        kind = "template"

    problem, path = local.problem(), tmp_path / "problem.h5"
    table = problem.expectation
    known = {one.name: getattr(table, one.name) for one in fields(table)}
    other = replace(problem, expectation=Template(**known | {"rows": np.array([*table.rows])}))
    write_problem(path, other, Provenance("prepare", {}))

    with pytest.raises(ProductError, match=r"problem\.h5: unknown kind of expectation 'template'"):
        read_problem(path)


@pytest.mark.parametrize("name", ["counts", "expectation", "expectation/rows"])
def test_missing_dataset_is_refused(local, name):
    path = write(local)[0]
    with h5py.File(path, "r+") as file:
        del file[name]

    with pytest.raises(ProductError, match=r"problem\.h5: .*skyquilt prepare|identity differ"):
        read_problem(path)


def test_truncated_problem_is_refused(local, truncate):
    path = write(local)[0]
    truncate(path)

    with pytest.raises(ProductError, match=r"not a whole HDF5 file .*`skyquilt prepare`"):
        read_problem(path)


def test_expectation_that_cannot_be_stored_is_refused(local, tmp_path):
    problem = local.problem()
    problem = replace(problem, expectation=SimpleNamespace(n_hit=problem.expectation.n_hit))

    with pytest.raises(TypeError, match="SimpleNamespace has no `put`"):
        write_problem(tmp_path / "problem.h5", problem, Provenance("prepare", {}))

    assert not (tmp_path / "problem.h5").exists()


def test_failing_rows_leave_no_file(local, tmp_path):
    class Failing:
        shape = (12, 108)

        def __iter__(self):
            yield np.zeros(108)
            raise OSError("the table went away")

    problem = local.problem()
    object.__setattr__(problem.expectation, "rows", Failing())

    with pytest.raises(OSError, match="went away"):
        write_problem(tmp_path / "out" / "problem.h5", replace(problem), Provenance("prepare"))

    assert not list((tmp_path / "out").iterdir())


def test_a_flipped_bit_in_the_rows_is_found_by_check_rows(observation):
    path, _ = write(observation)
    check_rows(path)
    with h5py.File(path, "r+") as file:
        file["expectation/rows"][0, 0] += 1

    with pytest.raises(ProductError, match=r"problem\.h5: the checksum of expectation/rows"):
        check_rows(path)


def test_worker_imports_the_expectation_that_it_reads_and_no_other():
    code = (
        "import sys; import skyquilt.steps.fit_chunk; "
        "print([m for m in sys.modules if m.startswith('skyquilt.problem.')])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    others = {f"skyquilt.problem.{name}" for name in ("event_wise", "point_spread", "shaped")}
    assert not others & set(ast.literal_eval(found.stdout))


@pytest.mark.parametrize("name", skyquilt.problem.__all__)
def test_names_of_the_package_are_those_of_its_modules(name):
    assert getattr(skyquilt.problem, name).__name__ == name
