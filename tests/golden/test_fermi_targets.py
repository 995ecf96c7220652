"""Spectra of the example of targets against the catalogue 2FHL."""

from pathlib import Path

import fermi_sky
import numpy as np
import pytest
from astropy.table import Table

from skyquilt.config import load_config
from skyquilt.steps.targets.baseline import fit_baseline_of
from skyquilt.steps.targets.fit import fit_all_targets
from skyquilt.steps.targets.listing import list_targets_of
from skyquilt.steps.targets.merge import merge_targets
from skyquilt.steps.targets.prepare import prepare_targets


@pytest.mark.slow
def test_2fhl_sources_have_the_fluxes_of_the_catalogue_in_its_bands(
    imaging_data, monkeypatch, tmp_path
):
    monkeypatch.setenv("SKYQUILT_DATA", str(imaging_data))
    path = imaging_data / "fermi" / "catalogs" / "gll_psch_v09.fit.gz"
    catalogue = Table.read(path, 1)
    names = np.array([str(one).strip().replace(" ", "_") for one in catalogue["Source_Name"]])
    columns = ("Flux50_171GeV", "Flux171_585GeV", "Flux585_2000GeV")
    wanted = np.array([catalogue[name] for name in columns], float).T
    is_point = ~np.char.endswith(names, "e")
    hard = (np.array(catalogue["Spectral_Index"], float) < 2.5) & is_point
    roster = tmp_path / "hard.ecsv"
    position = {
        key: np.array(catalogue[name], float)[hard]
        for key, name in (("ra", "RAJ2000"), ("dec", "DEJ2000"))
    }
    Table({"name": names[hard], **position}).write(roster)
    changes = [f"targets.rosters.hard={roster}"]
    config = load_config(fermi_sky.EXAMPLES / "fermi-targets.yaml", changes, "fermi-targets")

    seds = _fit(config, "fermi-targets", tmp_path / "targets")
    own = {name: seds[seds["name"] == name] for name in (*names[hard], "crab")}
    flux, ts = (
        np.array([np.array(own[name][key], float) for name in names[hard]])
        for key in ("flux", "ts")
    )
    # the catalogue's own fit of the same photons, each band with its index
    (crab,) = np.flatnonzero(np.char.find(names, "J0534.5+2201") >= 0)
    assert np.array(own["crab"]["flux"]) == pytest.approx(wanted[crab], rel=0.02)
    for band, least in enumerate((90, 70, 20)):
        counts = (ts[:, band] > 4) & (wanted[hard, band] > 0)
        assert counts.sum() > least
        ratio = flux[counts, band] / wanted[hard, band][counts]
        # 0.998, 0.996, and 0.968 of 26 sources whose scatter is 8 %
        assert 0.95 < np.median(ratio) < 1.03
    assert np.all(own["crab"]["factor"] > 0.7)


@pytest.mark.slow
def test_w30_is_extended_over_the_background_of_the_galactic_centre(
    imaging_data, monkeypatch, tmp_path
):
    monkeypatch.setenv("SKYQUILT_DATA", str(imaging_data))
    position = "lon: 8.397, lat: -0.095, frame: galactic"
    targets = (
        "targets={background: {factor: fixed}, neighbours: none, region: 8, rosters: {gc: {w30: {"
        f"{position}}}}}}}, profiles: {{point: {{model: point}}, "
        "disk: {model: disk, radius: 0.378}}}"
    )
    config = load_config(fermi_sky.EXAMPLES / "fermi-gc.yaml", [targets], "fermi-gc")

    seds = _fit(config, "fermi-gc", tmp_path / "targets")

    ts = {key: float(np.sum(seds["ts"][seds["profile"] == key])) for key in ("disk", "point")}
    # another program: 695; bins beyond the region are not in the sum
    assert ts["disk"] == pytest.approx(695, abs=5)
    assert ts["point"] == pytest.approx(249, abs=2)


def _fit(config, name, folder: Path):
    """Spectra of all targets, by the steps one after the other."""
    problem, baseline = folder / "problem.h5", folder / "baseline.h5"
    prepare_targets(config, name, problem)
    fit_baseline_of(config, name, problem, baseline)
    list_targets_of(config, name, problem, baseline, folder)
    fit_all_targets(config, name, folder)
    merge_targets(config, name, folder)
    return Table.read(folder / "seds.ecsv")
