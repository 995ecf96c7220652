"""Write small files with other programs, and print what they hold, as JSON.

Runs in the environment of requirements/formats.txt, for cosipy in that of
requirements/formats-cosipy.txt: python writers.py PROGRAM FOLDER
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np

START = 1.8e9  # UNIX s
PLACE = (83.6, 22.0)  # ICRS [deg]
EM, PHI = [100.0, 200.0, 400.0, 800.0], [0.0, 60.0, 120.0, 180.0]


# --- histograms ---


def write_with_histpy(folder):
    """Counts on (Em, Phi, PsiChi), dense and sparse, with margins, with a time axis, in units."""
    import astropy.units as u
    from histpy import Axes, Axis, HealpixAxis, Histogram
    from sparse import COO

    rng = np.random.default_rng(1)
    counts = rng.poisson(1.5, (3, 3, 12)).astype(float)
    em, phi = Axis(EM * u.keV, label="Em", scale="log"), Axis(PHI * u.deg, label="Phi")
    psichi = HealpixAxis(nside=1, scheme="ring", coordsys="galactic", label="PsiChi")
    axes = Axes([em, phi, psichi])
    time = Axis(np.array([START, START + 5, START + 10]) * u.s, label="Time")
    mev = Axis(np.array(EM) / 1e3 * u.MeV, label="Em")
    nested = HealpixAxis(nside=1, scheme="nested", coordsys="galactic", label="PsiChi")
    padded = np.pad(counts, 1, constant_values=7.0)
    made = {
        "dense": Histogram(axes, contents=counts),
        "coo": Histogram(axes, contents=COO.from_numpy(counts)),
        "margins": Histogram(axes, contents=padded, track_overflow=True),
        "ct": Histogram(axes, contents=counts, unit="ct"),
        "MeV": Histogram(Axes([mev, phi, psichi]), contents=counts),
        "nested": Histogram(Axes([em, phi, nested]), contents=counts),
        "time": Histogram(Axes([time, *axes]), contents=np.stack([counts, 0 * counts])),
        "other order": Histogram(Axes([phi, psichi, em]), contents=np.moveaxis(counts, 0, -1)),
        "float32": Histogram(axes, contents=counts.astype(np.float32)),
    }
    for name, one in made.items():
        one.write(folder / f"{name}.h5", overwrite=True)
    return {"counts": counts, "names": list(made)}


# --- files of COSI ---

ENERGIES = [100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0]  # keV
SECONDS = [1835478000.0, 1835478010.0]  # UNIX s


def write_with_cosipy(folder):
    """Events, histograms, orientation and response as cosipy makes them of its own test data."""
    import os
    import shutil

    import h5py
    from cosipy import BinnedData, UnBinnedData, test_data
    from cosipy.spacecraftfile import SpacecraftHistory

    data = Path(test_data.path)
    orientation = SpacecraftHistory.open(data / "20280301_first_10sec.ori")
    orientation.write_fits(folder / "orientation.fits", overwrite=True)
    orientation.write_fits(folder / "packed.fits", overwrite=True, compress=True)
    shutil.copy(data / "test_full_detector_response.h5", folder / "response.h5")
    os.chdir(folder)
    tra = data / "GalacticScan.inc1.id1.crab10sec.extracted.testsample.tra.gz"
    for kind in ("fits", "hdf5"):
        settings = {
            "data_file": str(tra),
            "ori_file": str(data / "20280301_first_10sec.ori"),
            "unbinned_output": kind,
            "time_bins": SECONDS,
            "energy_bins": ENERGIES,
            "phi_pix_size": 6,
            "nside": 1,
            "scheme": "ring",
            "tmin": SECONDS[0],
            "tmax": SECONDS[1],
        }
        (folder / f"{kind}.yaml").write_text(json.dumps(settings))
        UnBinnedData(f"{kind}.yaml").read_tra(output_name=f"events-{kind}")
    with h5py.File("events-hdf5.hdf5") as file:
        n_events = len(file["Energies"])
    counts = {}
    for frame in ("local", "galactic"):
        binned = BinnedData("hdf5.yaml")
        binned.get_binned_data(
            unbinned_data="events-hdf5.hdf5",
            output_name=f"binned-{frame}",
            psichi_binning=frame,
            event_range=[0, n_events],  # without it, cosipy 0.4.3 leaves out the last one
        )
        histogram = binned.binned_data.project("Em", "Phi", "PsiChi")
        contents = histogram.contents
        counts[frame] = contents.todense() if hasattr(contents, "todense") else contents
    return {
        "counts": counts,
        "times": orientation.obstime.unix,
        "livetime": orientation.livetime.to_value("s"),
    }


# --- MapDatasets ---


def write_with_gammapy(folder):
    """MapDatasets in what layouts gammapy has, and what it expects of a source in each."""
    found = {}
    for name, options in DATASETS.items():
        dataset = make_dataset(**options)
        ending = ".fits.gz" if name == "packed" else ".fits"
        dataset.write(folder / f"{name}{ending}", overwrite=True)
        mask = dataset.mask_safe.data if dataset.mask_safe is not None else True
        signal = dataset.npred_signal().data
        found[name] = {
            "path": str(folder / f"{name}{ending}"),
            "counts": np.sum(dataset.counts.data * mask),
            "background": np.sum(dataset.background.data * mask),
            "npred": np.sum(signal * mask),
        }
    return found


DATASETS = {
    "defaults": {},
    "packed": {},
    "migra": {"edisp": "migra"},
    "diagonal": {"edisp": "diagonal"},
    "mask": {"mask": True},
    "galactic": {"frame": "galactic", "proj": "CAR"},
    "reco": {"psf": "reco"},
    "healpix": {"healpix": True},
}


def make_dataset(edisp="kernel", mask=False, frame="icrs", proj="TAN", psf="true", healpix=False):
    """Poisson counts of a flat background and a source in the middle."""
    import astropy.units as u
    from astropy.coordinates import SkyCoord
    from gammapy.datasets import MapDataset
    from gammapy.irf import EDispKernelMap, EDispMap, PSFMap, RecoPSFMap
    from gammapy.maps import HpxGeom, Map, MapAxis, WcsGeom
    from gammapy.modeling.models import PointSpatialModel, PowerLawSpectralModel, SkyModel

    energy = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=3)
    true = MapAxis.from_energy_bounds("0.3 TeV", "30 TeV", nbin=8, name="energy_true")
    place = SkyCoord(*PLACE, unit="deg", frame="icrs").transform_to(frame)
    if healpix:
        lon, lat = place.data.lon.deg, place.data.lat.deg
        region = f"DISK({lon},{lat},1.5)"
        geom = HpxGeom.create(nside=256, frame=frame, region=region, axes=[energy])
    else:
        geom = WcsGeom.create(
            skydir=place, width=3, binsz=0.05, frame=frame, proj=proj, axes=[energy]
        )
    exposure = Map.from_geom(geom.to_image().to_cube([true]), unit="m2 s")
    exposure.data = np.full(exposure.data.shape, 3e9)
    background = Map.from_geom(geom)
    background.data = np.full(background.data.shape, 0.5)
    kernels = {
        "kernel": lambda: EDispKernelMap.from_gauss(
            energy_axis=energy, energy_axis_true=true, sigma=0.15, bias=0, geom=None
        ),
        "diagonal": lambda: EDispKernelMap.from_diagonal_response(energy, true),
        "migra": lambda: EDispMap.from_diagonal_response(true),
    }
    spreads = {
        "true": lambda: PSFMap.from_gauss(true, sigma=0.1 * u.deg),
        "reco": lambda: RecoPSFMap.from_gauss(energy, sigma=0.1 * u.deg),
    }
    source = SkyModel(
        PowerLawSpectralModel(index=2, amplitude="1e-12 cm-2 s-1 TeV-1", reference="1 TeV"),
        PointSpatialModel(lon_0=place.data.lon, lat_0=place.data.lat, frame=frame),
        name="source",
    )
    dataset = MapDataset(
        counts=Map.from_geom(geom),
        background=background,
        exposure=exposure,
        psf=spreads[psf](),
        edisp=kernels[edisp](),
        models=[source],
        name="dataset",
    )
    if mask:
        distance = geom.separation(geom.center_skydir).deg
        inside = np.stack(
            [np.broadcast_to(distance, geom.data_shape[1:]) < r for r in (1, 1.2, 1.4)]
        )
        dataset.mask_safe = Map.from_geom(geom, data=inside)
    rng = np.random.default_rng(2)
    expected = dataset.background.data + np.nan_to_num(dataset.npred_signal().data)
    dataset.counts.data = rng.poisson(expected).astype(float)
    dataset.models = [source]
    return dataset


# --- maps ---


def write_with_healpy(folder):
    """Counts and background in three bands by `write_map` with its defaults."""
    import healpy
    from astropy.io import fits

    rng = np.random.default_rng(3)
    background = rng.uniform(0.5, 2.0, (3, 12 * 16**2))
    counts = rng.poisson(background)
    edges = np.geomspace(10.0, 1000.0, 4)
    columns = [
        fits.Column(name, "D", "GeV", array=values)
        for name, values in (("E_MIN", edges[:-1]), ("E_MAX", edges[1:]))
    ]
    layouts = {
        "defaults": {},
        "nested": {"nest": True},
        "float64": {"dtype": np.float64},
        "partial": {"partial": True},
        "packed": {"fits_IDL": False},
    }
    for name, options in layouts.items():
        ending = ".fits.gz" if name == "packed" else ".fits"
        for what, values in (("counts", counts), ("background", background)):
            kept = values.astype(np.float64)
            if options.get("nest"):
                kept = np.array([healpy.reorder(one, r2n=True) for one in kept])
            path = folder / f"{name}-{what}{ending}"
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                healpy.write_map(path, kept, coord="G", overwrite=True, **options)
            bounds = fits.BinTableHDU.from_columns(columns, name="EBOUNDS")
            with fits.open(path) as file:
                file = fits.HDUList([*(hdu.copy() for hdu in file), bounds])
                file.writeto(path, overwrite=True)
    return {"names": list(layouts), "counts": counts.sum(), "background": background.sum()}


# --- sky maps ---


def write_with_ligo_skymap(folder):
    """A posterior of many orders, and a flat one, as alerts bring them."""
    import astropy.units as u
    from astropy.table import Table
    from ligo.skymap.io import write_sky_map
    from ligo.skymap.moc import uniq2pixarea

    uniq, density = posterior()
    density /= np.sum(density * uniq2pixarea(uniq))
    table = Table({"UNIQ": uniq, "PROBDENSITY": density / u.sr})
    distances = table.copy()
    for name in ("DISTMU", "DISTSIGMA"):
        distances[name] = np.full(len(uniq), 100.0) * u.Mpc
    distances["DISTNORM"] = np.full(len(uniq), 1e-5) / u.Mpc**2
    write_sky_map(folder / "many.multiorder.fits", table, moc=True)
    write_sky_map(folder / "distances.multiorder.fits", distances, moc=True)
    write_sky_map(folder / "packed.fits.gz", flat_posterior(nest=True), nest=True)
    write_sky_map(folder / "flat.fits", flat_posterior(nest=False), nest=False)
    names = ("many.multiorder.fits", "distances.multiorder.fits", "packed.fits.gz", "flat.fits")
    return {"names": names, "position": PLACE}


def write_with_mhealpy(folder):
    """The same posterior with what mhealpy makes of its header."""
    import astropy.units as u
    from mhealpy import HealpixMap

    uniq, density = posterior()
    names = []
    for name, coordsys in (("upper", "C"), ("name", "icrs")):
        many = HealpixMap(density / u.sr, uniq, coordsys=coordsys, density=True)
        path = folder / f"{name}.multiorder.fits"
        many.write_map(str(path), column_names=["PROBDENSITY"], overwrite=True)
        names.append(path.name)
    return {"names": names, "position": PLACE}


def write_with_mocpy(folder):
    """Coverage maps of a cone, as every version of the standard has them."""
    import astropy.units as u
    from mocpy import MOC

    cone = MOC.from_cone(PLACE[0] * u.deg, PLACE[1] * u.deg, radius=5 * u.deg, max_depth=8)
    cone.save(str(folder / "cone.fits"), format="fits", overwrite=True)
    cone.save(str(folder / "old.fits"), format="fits", overwrite=True, pre_v2=True)
    return {"names": ["cone.fits", "old.fits"], "position": PLACE}


def posterior():
    """Cells of two orders and a density of 5 deg around `PLACE`."""
    import healpy

    vec = np.array(healpy.ang2vec(*PLACE, lonlat=True))

    def density(nside, ipix):
        cosine = np.array(healpy.pix2vec(nside, ipix, nest=True)).T @ vec
        return np.exp(-(np.degrees(np.arccos(np.clip(cosine, -1, 1))) ** 2) / 2 / 5**2)

    coarse = np.arange(12 * 8**2)
    near = density(8, coarse) > 1e-3
    fine = (4 * coarse[near][:, np.newaxis] + np.arange(4)).ravel()
    uniq = np.concatenate([4 * 8**2 + coarse[~near], 4 * 16**2 + fine])
    values = np.concatenate([density(8, coarse[~near]), density(16, fine)])
    area = np.concatenate([np.full((~near).sum(), 4.0), np.ones(fine.size)]) * 4 * np.pi / 3072
    return uniq, values / np.sum(values * area)


def flat_posterior(nest):
    """The same, one probability for each pixel of the whole sky."""
    import healpy

    theta_phi = healpy.pix2vec(32, np.arange(12 * 32**2), nest=nest)
    cosine = np.array(theta_phi).T @ np.array(healpy.ang2vec(*PLACE, lonlat=True))
    prob = np.exp(-(np.degrees(np.arccos(np.clip(cosine, -1, 1))) ** 2) / 2 / 5**2)
    return prob / prob.sum()


# --- tables ---


def write_with_astropy(folder):
    """A catalogue in every format that astropy writes and tells by a name's ending."""
    import astropy.units as u
    from astropy.coordinates import SkyCoord
    from astropy.table import QTable, Table

    lon, lat = np.array([83.633, 10.0, 359.5]), np.array([22.014, -60.0, 0.25])
    plain = Table({"Name": ["Crab", "other", "third"], "RA": lon, "DEC": lat})
    united = plain.copy()
    united["RA"].unit = united["DEC"].unit = "deg"
    mixin = QTable({"name": plain["Name"], "ra": lon * u.deg, "dec": (lat * 60) * u.arcmin})
    sky = Table({"Name": plain["Name"], "position": SkyCoord(lon, lat, unit="deg")})
    masked = Table(united, masked=True)
    masked["Name"].mask = [False, True, False]
    made = {
        "plain.fits": (united, "fits"),
        "packed.fits.gz": (united, "fits"),
        "united.ecsv": (united, "ascii.ecsv"),
        "mixin.ecsv": (mixin, "ascii.ecsv"),
        "mixin.fits": (mixin, "fits"),
        "skycoord.ecsv": (sky, "ascii.ecsv"),
        "masked.fits": (masked, "fits"),
        "masked.vot": (masked, "votable"),
        "plain.csv": (plain, "ascii.csv"),
        "plain.txt": (plain, "ascii.basic"),
        "fixed.txt": (plain, "ascii.fixed_width"),
        "tabs.tsv": (plain, "ascii.tab"),
        "lines.tex": (plain, "ascii.latex"),
        "page.html": (plain, "ascii.html"),
        "united.tbl": (united, "ascii.ipac"),
        "united.mrt": (united, "ascii.mrt"),
        "united.rdb": (plain, "ascii.rdb"),
        "united.vot": (united, "votable"),
        "united.xml": (united, "votable"),
        "binary.vot": (united, "votable"),
    }
    for name, (table, form) in made.items():
        options = {"tabledata_format": "binary2"} if name == "binary.vot" else {}
        table.write(folder / name, format=form, overwrite=True, **options)
    return {"names": list(made), "lon": lon, "lat": lat}


def plain_values(value):
    """Values as JSON takes them."""
    return np.asarray(value).tolist()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    write, folder = globals()[f"write_with_{sys.argv[1]}"], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    print(json.dumps(write(folder), default=plain_values))
