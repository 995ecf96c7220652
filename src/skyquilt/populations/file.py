"""`densities.h5` and `posterior.h5`: populations at each event, and draws from the posterior."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from skyquilt.errors import ProductError
from skyquilt.io.digest import settings_digest
from skyquilt.io.hdf5 import get, new_hdf5, open_hdf5, put
from skyquilt.io.provenance import Provenance
from skyquilt.io.schema import Schema
from skyquilt.populations.mixture import Mixture
from skyquilt.populations.population import Curve, Population
from skyquilt.populations.posterior import Posterior

# 1.0  first version
DENSITIES = Schema("skyquilt/densities", "1.0", "skyquilt populations marginalise")
# 1.0  first version
POSTERIOR = Schema("skyquilt/posterior", "1.0", "skyquilt populations infer")

_RESPONSE = "density over the spectrum at each event, or density of expected events"


def write_densities(
    path: str | Path, mixture: Mixture, problem_identity: str, provenance: Provenance
) -> None:
    """Write what each population has at each event, in the order of the problem."""
    with new_hdf5(path, DENSITIES, provenance) as file:
        file.attrs["problem_identity"] = problem_identity
        file.attrs["names"] = list(mixture.names)
        put(file, "counts", mixture.counts, "", "how often each event was counted")
        digests = [file["counts"].attrs["sha256"]]
        for number, one in enumerate(mixture.populations):
            group = file.create_group(f"population_{number}")
            group.attrs["expected"] = one.expected
            unit = "sr-1 keV-1" if one.curve is None else "cm2 s sr-1"
            put(group, "response", one.response, unit, _RESPONSE)
            if one.curve is not None:
                _put_curve(group, one.curve)
            digests += [value.attrs["sha256"] for value in group.values()]
            digests += [str(one.expected), str(group.attrs.get("spectrum", ""))]
        file.attrs["identity"] = settings_digest(
            {"problem": problem_identity, "names": list(mixture.names), "content": digests}
        )


def _put_curve(group: Any, curve: Curve) -> None:
    group.attrs["spectrum"] = json.dumps(
        {"model": curve.model, "parameters": curve.parameters, "free": curve.free}
    )
    put(group, "range", np.stack([curve.lower, curve.upper]), "", "ranges of the free parameters")
    put(group, "energy", curve.energy, "keV", "energy of each event")
    put(group, "total_energy", curve.total_energy, "keV", "energies of the total")
    put(group, "total_weight", curve.total_weight, "cm2 s keV", "weights of the spectrum there")


def read_densities(path: str | Path) -> tuple[Mixture, str, str]:
    """Read populations; also the identities of their problem and of their own content.

    Raises
    ------
    ProductError
        If the file is missing, damaged or of another kind.
    """
    with open_hdf5(path, DENSITIES) as file:
        populations = []
        for number, name in enumerate(map(str, file.attrs["names"])):
            group = file[f"population_{number}"]
            curve = _get_curve(group) if "spectrum" in group.attrs else None
            expected = float(group.attrs["expected"])
            populations.append(Population(name, get(group, "response"), expected, curve))
        mixture = Mixture(tuple(populations), get(file, "counts"))
        return mixture, str(file.attrs["problem_identity"]), str(file.attrs["identity"])


def _get_curve(group: Any) -> Curve:
    about = json.loads(group.attrs["spectrum"])
    lower, upper = get(group, "range")
    return Curve(
        *(about["model"], about["parameters"], tuple(about["free"]), lower, upper),
        *(get(group, name) for name in ("energy", "total_energy", "total_weight")),
    )


def write_posteriors(
    path: str | Path,
    models: Mapping[str, tuple[Mixture, Posterior]],
    densities_identity: str,
    provenance: Provenance,
) -> None:
    """Write the draws of each model, by its name."""
    with new_hdf5(path, POSTERIOR, provenance) as file:
        file.attrs["densities_identity"] = densities_identity
        for name, (mixture, drawn) in models.items():
            group = file.create_group(name)
            group.attrs["populations"] = list(mixture.names)
            group.attrs["parameters"] = [one.name for one in mixture.parameters]
            group.attrs["ln_evidence"] = drawn.ln_evidence
            group.attrs["ln_evidence_err"] = drawn.ln_evidence_err
            put(group, "fraction", drawn.fraction, "", "fractions, a row for each draw")
            put(group, "parameter", drawn.parameter, "", "parameters, energies in keV")
            put(group, "weight", drawn.weight, "", "weights of the draws, of sum 1")
            put(group, "ln_likelihood", drawn.ln_likelihood, "", "log-likelihood of the fractions")


def read_posterior(path: str | Path, model: str, densities_identity: str) -> Posterior:
    """Read the draws of a model.

    Raises
    ------
    ProductError
        If the file is missing, damaged, of another kind, or of other densities.
    """
    with open_hdf5(path, POSTERIOR) as file:
        if str(file.attrs["densities_identity"]) != densities_identity:
            raise ProductError(f"{path}: it is of other densities; {POSTERIOR.again}.")
        group = file[model]
        return Posterior(
            fraction=get(group, "fraction"),
            parameter=get(group, "parameter"),
            weight=get(group, "weight"),
            ln_likelihood=get(group, "ln_likelihood"),
            ln_evidence=float(group.attrs["ln_evidence"]),
            ln_evidence_err=float(group.attrs["ln_evidence_err"]),
        )
