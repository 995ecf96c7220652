import h5py
import numpy as np
import pytest

from skyquilt.errors import InputError
from skyquilt.instruments.compton.response import open_response

ALL = slice(0, 3)
LAYOUTS = ["dense", "sparse", "version2"]


@pytest.fixture
def area(local):
    """Effective areas that all layouts hold exactly, some of them zero."""
    rounded = np.rint(local.area * 1000) / 1000
    rounded[:, :, 2, 1] = 0
    return rounded


def read(path, channels=ALL):
    with open_response(path) as response:
        return np.concatenate([block for _, block in response.blocks(channels)])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_area(local, area, layout):
    local.write_response(layout=layout, area=area)

    # The dense file holds float32, the halves of the sparse one are added in another order.
    np.testing.assert_allclose(read(local.path("response.h5")), area, rtol=1e-7)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_describes_the_same_axes(local, layout):
    local.write_response(layout=layout)

    with open_response(local.path("response.h5")) as response:
        assert (response.nside, response.ordering, response.frame) == (1, "RING", "local")
        assert (response.n_rows, response.unit) == (12, "s-1")
        np.testing.assert_array_equal(response.ei_edges, [100, 300, 900])
        np.testing.assert_array_equal(response.space.em_edges, [100, 200, 400, 800])
        np.testing.assert_array_equal(response.space.phi_edges, [0, 60, 120, 180])
        assert (response.space.nside, response.space.frame) == (1, "local")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_blocks_read_only_the_channels_asked_for(local, area, layout):
    local.write_response(layout=layout, area=area)

    found = read(local.path("response.h5"), slice(1, 2))

    np.testing.assert_allclose(found, area[:, :, 1:2], rtol=1e-7)


def test_blocks_of_a_chunked_file_are_its_chunks(local):
    with open_response(local.path("response.h5")) as response:
        starts = [(start, len(block)) for start, block in response.blocks(ALL)]

    assert starts == [(0, 5), (5, 5), (10, 2)]


@pytest.mark.parametrize(("unit", "factor"), [("cm2", 1.0), ("m2", 1e4)])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_area_is_converted_to_cm2(local, area, layout, unit, factor):
    local.write_response(layout=layout, area=area, unit=unit)

    np.testing.assert_allclose(read(local.path("response.h5")), factor * area, rtol=1e-7)


def test_energies_are_converted_to_kev(local):
    with h5py.File(local.path("response.h5"), "r+") as file:
        for axis in ("Ei", "Em"):
            file[f"DRM/AXES/{axis}"].attrs["UNIT"] = "MeV"

    with open_response(local.path("response.h5")) as response:
        np.testing.assert_array_equal(response.ei_edges, [1e5, 3e5, 9e5])


@pytest.mark.parametrize("axis", ["Ei", "Em"])
def test_energies_of_two_worlds_are_refused(local, axis):
    with h5py.File(local.path("response.h5"), "r+") as file:
        file[f"DRM/AXES/{axis}"].attrs["UNIT"] = "MeV"

    with pytest.raises(InputError, match=r"true energies \(Ei\) of .* have nothing in common"):
        read(local.path("response.h5"))


@pytest.mark.parametrize(
    "overflow",
    [
        {},
        {"NuLambda": 9.0},
        {"Ei": 9.0, "Em": 9.0},
        dict.fromkeys(("NuLambda", "Ei", "Em", "Phi", "PsiChi"), 9.0),
    ],
)
def test_galactic_response_is_the_same_with_and_without_overflow(galactic, overflow):
    galactic.write_sky_response(overflow=overflow)

    np.testing.assert_array_equal(read(galactic.path("response.h5")), 10 * galactic.area)
    np.testing.assert_array_equal(
        read(galactic.path("response.h5"), slice(2, 3)), 10 * galactic.area[:, :, 2:3]
    )


def test_galactic_response_describes_its_axes(galactic):
    with open_response(galactic.path("response.h5")) as response:
        assert (response.nside, response.frame, response.unit) == (1, "galactic", "")
        assert response.space.frame == "galactic"


def test_galactic_response_is_converted_to_cm2_s(galactic):
    galactic.write_sky_response(unit="m2 s")

    np.testing.assert_allclose(read(galactic.path("response.h5")), 1e5 * galactic.area)


def test_dense_and_sparse_cosi_response_are_the_same(cosi_data):
    dense = read(str(cosi_data / "test_full_detector_response_dense.h5"), slice(0, 10))
    sparse = read(str(cosi_data / "test_full_detector_response.h5"), slice(0, 10))

    # float64 against float64, added up in another order over SigmaTau
    np.testing.assert_allclose(sparse, dense, rtol=1e-12)


@pytest.mark.parametrize(
    ("unit", "message"),
    [("cm2 s", "unit is 'cm2 s', not convertible to cm2"), ("keV", "unit is 'keV'")],
)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_detector_response_in_a_wrong_unit_is_refused(local, layout, unit, message):
    local.write_response(layout=layout, unit=unit)

    with pytest.raises(InputError, match=rf"response\.h5: {message}"):
        read(local.path("response.h5"))


@pytest.mark.parametrize("unit", ["cm2", None, ""])
def test_galactic_response_in_a_wrong_unit_is_refused(galactic, unit):
    galactic.write_sky_response(unit=unit)

    with pytest.raises(InputError, match=r"not convertible to cm2 s"):
        read(galactic.path("response.h5"))


def test_axis_in_a_wrong_unit_is_refused(local):
    with h5py.File(local.path("response.h5"), "r+") as file:
        file["DRM/AXES/Phi"].attrs["UNIT"] = "cm"

    with pytest.raises(InputError, match="axis Phi is in cm; it must be convertible to deg"):
        read(local.path("response.h5"))


@pytest.mark.parametrize("value", [-1e-3, np.nan, np.inf])
def test_values_that_are_no_area_name_the_rows(local, value):
    local.area[7, 1, 2, 0, 3] = value
    local.write_response()

    with pytest.raises(InputError, match=r"rows 5 to 9 \(NuLambda\) hold negative or non-finite"):
        read(local.path("response.h5"))


@pytest.mark.parametrize("edges", [[0.0, 300, 900], [300.0, 300, 900], [900.0, 300, 100]])
@pytest.mark.parametrize("axis", ["Ei", "Em"])
def test_energies_out_of_order_are_refused(local, axis, edges):
    wanted = edges if axis == "Ei" else [*edges, 1000.0]
    local.write_response(edges={axis: wanted})

    with pytest.raises(
        InputError, match=rf"edges of axis {axis} must (be above 0 keV and )?ascend"
    ):
        read(local.path("response.h5"))


def _rewrite_axes(path, names):
    """Give the axes of a detector response another order of creation."""
    with h5py.File(path, "r+") as file:
        file.move("DRM/AXES", "DRM/OLD")
        group = file["DRM"].create_group("AXES", track_order=True)
        for name in names:
            file.copy(file["DRM/OLD"][name], group, name)
        del file["DRM/OLD"]


def test_order_of_axes_is_that_of_creation_not_of_names(local):
    # "Ei" and "Em" come before "NuLambda" in the alphabet
    _rewrite_axes(local.path("response.h5"), ["NuLambda", "Ei", "Em", "Phi", "PsiChi"])

    assert read(local.path("response.h5")).shape == (12, 2, 3, 3, 12)


def test_order_of_axes_that_does_not_fit_the_contents_is_refused(local):
    _rewrite_axes(local.path("response.h5"), ["Ei", "NuLambda", "Em", "Phi", "PsiChi"])

    with pytest.raises(InputError, match=r"contents have shape .* \(Ei, NuLambda, Em, Phi, PsiChi"):
        read(local.path("response.h5"))


def test_axes_without_a_known_order_are_refused(local):
    with h5py.File(local.path("response.h5"), "r+") as file:
        axes = file["DRM/AXES"]
        file.move("DRM/AXES", "DRM/OLD")
        for name in axes:
            file.copy(f"DRM/OLD/{name}", f"DRM/AXES/{name}")

    with pytest.raises(InputError, match="does not know in which order its axes"):
        read(local.path("response.h5"))


ORDERS = [
    ["NuLambda", "Ei", "Em", "Phi", "PsiChi"],
    ["NuLambda", "Em", "Ei", "Phi", "PsiChi"],
    ["Ei", "NuLambda", "Em", "Phi", "PsiChi"],
    ["Ei", "Em", "Phi", "PsiChi", "NuLambda"],
    ["PsiChi", "Phi", "Em", "Ei", "NuLambda"],
]


@pytest.mark.parametrize("names", ORDERS)
def test_dense_response_with_axes_in_any_order_gives_the_same(local, names):
    wanted = read(local.path("response.h5"), slice(1, 3))
    _reorder(local.path("response.h5"), names)

    np.testing.assert_array_equal(read(local.path("response.h5"), slice(1, 3)), wanted)


@pytest.mark.parametrize("names", ORDERS)
def test_response_of_version_2_with_axes_in_any_order_gives_the_same(local, names):
    local.write_response(layout="version2")
    wanted = read(local.path("response.h5"), slice(1, 3))
    _reorder_histpy(local.path("response.h5"), "DRM/AXES", "DRM/COUNTS", names)

    np.testing.assert_array_equal(read(local.path("response.h5"), slice(1, 3)), wanted)


@pytest.mark.parametrize("overflow", [{}, {"Em": 9.0, "NuLambda": 9.0}])
@pytest.mark.parametrize("names", ORDERS)
def test_galactic_response_with_axes_in_any_order_gives_the_same(galactic, names, overflow):
    galactic.write_sky_response(overflow=overflow)
    wanted = read(galactic.path("response.h5"), slice(1, 3))
    _reorder_histpy(galactic.path("response.h5"), "hist/axes", "hist/contents", names)

    np.testing.assert_array_equal(read(galactic.path("response.h5"), slice(1, 3)), wanted)


@pytest.mark.parametrize("names", ORDERS[:2])
def test_sparse_response_with_axes_in_another_order_gives_the_same(local, names):
    local.write_response(layout="sparse")
    path = local.path("response.h5")
    wanted = read(path)
    with h5py.File(path, "r+") as file:
        old = sorted(file["DRM/AXES"], key=_created(file["DRM/AXES"]))
        rows = [row.reshape(len(old) - 1, -1) for row in file["DRM/BIN_NUMBERS"]]
        order = [old.index(name) - 1 for name in names[1:]] + list(range(4, len(old) - 1))
        for number, row in enumerate(rows):
            file["DRM/BIN_NUMBERS"][number] = row[order].ravel()
    _rewrite_axes(path, names + old[5:])

    np.testing.assert_allclose(read(path), wanted, rtol=1e-12)


@pytest.mark.parametrize("bin_number", [-1, 1000])
def test_sparse_response_with_bins_outside_the_axes_is_refused(local, bin_number):
    local.write_response(layout="sparse")
    with h5py.File(local.path("response.h5"), "r+") as file:
        row = file["DRM/BIN_NUMBERS"][3]
        row[2] = bin_number
        file["DRM/BIN_NUMBERS"][3] = row

    with pytest.raises(InputError, match=r"rows 3 to 3 cannot be read \(.*; the file is damaged"):
        read(local.path("response.h5"))


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_area_per_count_that_cannot_be_is_refused(local, value):
    local.write_response(layout="version2")
    with h5py.File(local.path("response.h5"), "r+") as file:
        file["DRM/EFF_AREA"][1] = value

    with pytest.raises(InputError, match=r"EFF_AREA is .*; it must be finite and at least 0"):
        read(local.path("response.h5"))


@pytest.mark.parametrize("version", [0, 3, 4])
def test_response_of_another_version_is_refused(local, version):
    local.write_response(layout="version2")
    with h5py.File(local.path("response.h5"), "r+") as file:
        file["DRM"].attrs["VERSION"] = version

    with pytest.raises(InputError, match=f"of version {version}; known are 1 and 2"):
        read(local.path("response.h5"))


@pytest.mark.parametrize("layout", ["dense", "sparse"])
@pytest.mark.parametrize(
    ("axis", "name", "value", "message"),
    [
        ("NuLambda", "SCHEME", "spiral", "scheme is 'spiral'; allowed are ring, nested"),
        ("PsiChi", "TYPE", "linear", "axes NuLambda and PsiChi must be of the type 'healpix'"),
        ("Em", "TYPE", "cubic", "axis Em is of the type 'cubic'"),
        ("Ei", "UNIT", "GeV2", "axis Ei is in GeV2; it must be convertible to keV"),
        ("Ei", "UNIT", "PeV", r"edges 1e\+14 to 9e\+14 keV; they must lie between 0 and 1e\+09"),
    ],
)
def test_axis_that_says_what_is_not_known_is_refused(local, layout, axis, name, value, message):
    local.write_response(layout=layout)
    with h5py.File(local.path("response.h5"), "r+") as file:
        attributes = file[f"DRM/AXES/{axis}"].attrs
        attributes[name] = value
        if name == "TYPE":
            attributes["UNIT"] = "keV"

    with pytest.raises(InputError, match=rf"response\.h5: .*{message}"):
        read(local.path("response.h5"))


def _created(group):
    return lambda name: group.id.links.get_info(name.encode()).corder


def _reorder(path, names):
    """Store dense contents and axes in another order."""
    with h5py.File(path, "r+") as file:
        old = sorted(file["DRM/AXES"], key=_created(file["DRM/AXES"]))
        contents = file["DRM/CONTENTS"][...].transpose([old.index(name) for name in names])
        del file["DRM/CONTENTS"]
        file["DRM/CONTENTS"] = contents
    _rewrite_axes(path, names)


def _reorder_histpy(path, axes, contents, names):
    with h5py.File(path, "r+") as file:
        labels = [file[axes][number].attrs["label"] for number in sorted(file[axes], key=int)]
        order = [labels.index(name) for name in names]
        values = file[contents][...].transpose(order)
        del file[contents]
        file[contents] = values
        file.move(axes, "old")
        for new, number in enumerate(order):
            file.copy(f"old/{number}", f"{axes}/{new}")


def test_missing_axis_is_refused(local):
    _rewrite_axes(local.path("response.h5"), ["NuLambda", "Ei", "Em", "PsiChi"])

    with pytest.raises(InputError, match="axes are NuLambda, Ei, Em, PsiChi; they must be"):
        read(local.path("response.h5"))


def test_polarisation_response_is_refused(local):
    with h5py.File(local.path("response.h5"), "r+") as file:
        file["DRM/AXES"]["Pol"] = [0.0, 90.0, 180.0]

    with pytest.raises(InputError, match=r"polarisation \(axis Pol\) is not supported"):
        read(local.path("response.h5"))


def test_axis_of_no_healpix_size_is_refused(local):
    with h5py.File(local.path("response.h5"), "r+") as file:
        attributes = dict(file["DRM/AXES/PsiChi"].attrs)
        del file["DRM/AXES/PsiChi"]
        file["DRM/AXES"]["PsiChi"] = np.arange(14)
        file["DRM/AXES/PsiChi"].attrs.update(attributes)

    with pytest.raises(InputError, match=r"axis .*PsiChi has 13 pixels, not 12 nside\^2"):
        read(local.path("response.h5"))


@pytest.mark.parametrize("layout", ["dense", "version2"])
def test_contents_that_do_not_fit_the_axes_are_refused(local, layout):
    local.write_response(layout=layout, area=local.area[:11])

    with pytest.raises(InputError, match=r"contents have shape \(11, 2, 3, 3, 12\); the axes ask"):
        read(local.path("response.h5"))


def test_galactic_contents_that_do_not_fit_the_axes_are_refused(galactic):
    galactic.write_sky_response(area=galactic.area[:, :, :, :2])

    with pytest.raises(InputError, match=r"contents have shape \(12, 2, 3, 2, 12\); the axes ask"):
        read(galactic.path("response.h5"))


def test_galactic_contents_with_too_few_dimensions_are_refused(galactic):
    galactic.write_sky_response(area=galactic.area[:, 0])

    with pytest.raises(InputError, match=r"contents have shape \(12, 3, 3, 12\); the axes ask for"):
        read(galactic.path("response.h5"))


@pytest.mark.parametrize("frame", ["local", "icrs", None])
def test_point_source_response_in_another_frame_is_refused(galactic, frame):
    galactic.write_sky_response(frame=frame)

    with pytest.raises(InputError, match=r"NuLambda is in frame"):
        read(galactic.path("response.h5"))


def test_point_source_response_with_psichi_in_another_frame_is_refused(galactic):
    galactic.frame = "local"
    galactic.write_sky_response(frame="galactic")

    with pytest.raises(InputError, match="NuLambda is galactic, but PsiChi is local"):
        read(galactic.path("response.h5"))


def test_sparse_point_source_response_is_refused(galactic):
    with h5py.File(galactic.path("response.h5"), "r+") as file:
        file["hist"].attrs["format"] = "coo"

    with pytest.raises(InputError, match="contents are coo; dense ones are needed"):
        read(galactic.path("response.h5"))


def test_detector_response_of_version_2_in_galactic_coordinates_is_refused(local):
    local.write_response(layout="version2")
    with h5py.File(local.path("response.h5"), "r+") as file:
        file["DRM/AXES/0"].attrs["coordsys"] = "galactic"

    with pytest.raises(InputError, match="detector response in galactic coordinates"):
        read(local.path("response.h5"))


def test_response_with_a_filter_that_is_not_installed_says_what_to_install(local, monkeypatch):
    import sys

    local.write_response(layout="version2")
    monkeypatch.setattr(h5py.h5z, "filter_avail", lambda number: False)
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)

    with pytest.raises(InputError, match=r"filter of hdf5plugin .* run `pip install hdf5plugin`"):
        read(local.path("response.h5"))


def test_folder_is_no_response(tmp_path):
    with pytest.raises(InputError, match="a folder; name a response"):
        read(str(tmp_path))


def test_missing_response_names_it(tmp_path):
    with pytest.raises(InputError, match=r"no\.h5: no such file"):
        read(str(tmp_path / "no.h5"))


@pytest.mark.parametrize("fraction", [0, 0.2, 0.6, 0.95])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_truncated_response_is_refused(local, truncate, layout, fraction):
    local.write_response(layout=layout)
    truncate(local.path("response.h5"), fraction)

    with pytest.raises(InputError, match=r"response\.h5: not a whole HDF5 file .*fetch it again"):
        read(local.path("response.h5"))


def test_file_that_is_no_response_tells_what_it_has(local):
    with h5py.File(local.path("response.h5"), "r+") as file:
        file.move("DRM", "SOMETHING")

    with pytest.raises(InputError, match=r"neither a detector response .*; it has SOMETHING"):
        read(local.path("response.h5"))


@pytest.mark.parametrize(
    ("layout", "name"),
    [
        ("dense", "CONTENTS"),
        ("dense", "AXES"),
        ("sparse", "CONTENTS"),
        ("sparse", "BIN_NUMBERS"),
        ("version2", "COUNTS"),
        ("version2", "EFF_AREA"),
        ("version2", "AXES"),
        ("version2", "AXES/2"),
    ],
)
def test_response_without_a_dataset_is_refused(local, layout, name):
    local.write_response(layout=layout)
    with h5py.File(local.path("response.h5"), "r+") as file:
        del file[f"DRM/{name}"]

    with pytest.raises(InputError, match=r"response\.h5: "):
        read(local.path("response.h5"))


@pytest.mark.parametrize("name", ["UNIT", "SPARSE"])
def test_dense_response_without_an_attribute_is_refused(local, name):
    with h5py.File(local.path("response.h5"), "r+") as file:
        del file["DRM"].attrs[name]

    with pytest.raises(InputError, match=r"response\.h5: "):
        read(local.path("response.h5"))


def test_sparse_bin_numbers_outside_the_axes_are_refused(local):
    local.write_response(layout="sparse")
    with h5py.File(local.path("response.h5"), "r+") as file:
        numbers = file["DRM/BIN_NUMBERS"][4]
        numbers[0] = 1000
        file["DRM/BIN_NUMBERS"][4] = numbers

    with pytest.raises(InputError, match=r"rows 4 to 4 cannot be read .*damaged"):
        read(local.path("response.h5"))


def test_damaged_chunk_of_a_compressed_response_names_its_rows(local, cosi_data, damage, tmp_path):
    content = (cosi_data / "test_full_detector_response_dense.h5").read_bytes()
    path = tmp_path / "damaged.h5"
    path.write_bytes(content)
    with h5py.File(path) as file:
        chunk = file["DRM/CONTENTS"].id.get_chunk_info(5)
    damage(path, chunk.byte_offset + chunk.size // 2)

    with pytest.raises(InputError, match=r"damaged\.h5: rows \d+ to \d+ (cannot be read|\(NuL)"):
        read(str(path), slice(0, 10))


def test_response_compressed_with_bitshuffle_is_read(local):
    hdf5plugin = pytest.importorskip("hdf5plugin")
    local.write_response(layout="version2")
    path = local.path("response.h5")
    wanted = read(path)
    with h5py.File(path, "r+") as file:
        counts = file["DRM/COUNTS"][...]
        del file["DRM/COUNTS"]
        file.create_dataset(
            "DRM/COUNTS", data=counts, chunks=(1, 1, *counts.shape[2:]), **hdf5plugin.Bitshuffle()
        )

    np.testing.assert_array_equal(read(path), wanted)
