"""What a product of an analysis has to answer, and how what it answers differs from that."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skyquilt import RESULTS_VERSION
from skyquilt.errors import ProductError
from skyquilt.io.answers import read_answers
from skyquilt.io.digest import file_digest
from skyquilt.products import (
    OF_FITS,
    PRODUCTS,
    Product,
    all_sections,
    ancestry,
    asked_ancestry,
    asked_products,
    select,
)

if TYPE_CHECKING:
    from skyquilt.config import Config
    from skyquilt.config.analysis import Analysis

Digest = Callable[[str], str | None]
"""SHA-256 of an input file by its path; None if it is not there."""

_SHOWN = 60  # letters of a value in a message
_MISSING = object()


class Digests:
    """SHA-256 of input files, each looked at once.

    Parameters
    ----------
    cache : str or Path, optional
        Folder that analyses share; digests of large files are remembered there.
    known : dict, optional
        What to say of files that are not there any more.
    """

    def __init__(self, cache: str | Path | None, known: Mapping[str, str] | None = None):
        self._memo = None if cache is None else Path(cache) / "digests"
        self._known = dict(known or {})
        self._found: dict[str, str | None] = {}
        self._later: set[Path] = set()

    def __call__(self, path: str) -> str | None:
        """SHA-256 of a file, None if it is not there."""
        if path not in self._found:
            self._found[path] = self._look(path)
        return self._found[path]

    def forget(self, paths: Iterable[Path]) -> None:
        """Know nothing of files that will be made again."""
        self._later.update(paths)
        self._found.clear()

    def _look(self, path: str) -> str | None:
        if Path(path) in self._later:
            return None
        is_there = Path(path).is_file()
        return file_digest(path, self._memo) if is_there else self._known.get(path)


def data_files(analysis: "Analysis", product: str) -> tuple[str, ...]:
    """Input files that a product is made from, directly or not, each once."""
    without = _without(analysis)
    items = chain.from_iterable(
        asked_ancestry(name, without) for name in _made_from(analysis, product)
    )
    return tuple(dict.fromkeys(chain.from_iterable(_data(analysis, item.data) for item in items)))


def _made_from(analysis: "Analysis", product: str) -> tuple[str, ...]:
    """A product, and the localisation where a fit of the model begins at the best position."""
    is_at_best = analysis.model is not None and analysis.model.starts_at_best
    is_fit = any(item.name == "model_fits" for item in ancestry(product))
    return (product, "localisation") if is_at_best and is_fit else (product,)


def own_settings(settings: Mapping[str, Any], product: str) -> dict[str, Any]:
    """Of an analysis' settings those that a product takes itself, not by what it is made from."""
    return select(settings, PRODUCTS[product].sections) | {"results_version": RESULTS_VERSION}


class Questions:
    """What the products of an analysis have to answer.

    Parameters
    ----------
    config : Config
        The configuration.
    name : str
        Name of the analysis.
    digest : callable
        Gives the SHA-256 of an input file, None if it is not there.
    """

    def __init__(self, config: "Config", name: str, digest: Digest):
        from skyquilt.config import get_analysis  # workers of a fit need no configuration

        self.name, self.analysis = name, get_analysis(config, name)
        self._digest = digest
        self._settings = self.analysis.model_dump(mode="json")
        self._without = _without(self.analysis)

    def __call__(self, product: str) -> dict[str, Any]:
        """What a product has to answer."""
        sections = all_sections(*_made_from(self.analysis, product), without=self._without)
        return {
            "product": product,
            "analysis": self.name,
            "results_version": RESULTS_VERSION,
            "settings": select(self._settings, sections),
            "data": {path: self._digest(path) for path in data_files(self.analysis, product)},
        }


def answer_from(
    config: "Config", name: str, product: str, **files: str | Path | tuple[str | Path, ...]
) -> dict[str, Any]:
    """What a step that makes a product answers, after comparing what it reads with that.

    Parameters
    ----------
    config : Config
        The configuration.
    name : str
        Name of the analysis.
    product : str
        The product that is made.
    **files : str, Path or tuple of these
        Products that are read, by their names in `skyquilt.products`.

    Raises
    ------
    ProductError
        If one of them answers something else; the message says what, and how to make it again.
    """
    found = [
        (key, path, read_answers(path))
        for key, paths in files.items()
        for path in (paths if isinstance(paths, tuple) else (paths,))
    ]
    known = dict(chain.from_iterable(item["data"].items() for *_, item in found if item))
    questions = Questions(config, name, Digests(config.cache, known))
    for key, path, answers in found:
        reason = why_other_fit(answers, Path(path).stem) if key == "model_fits" else ""
        if answers is not None and (
            reason := reason or difference(answers, wanted_of(answers, questions(key)))
        ):
            raise ProductError(f"{path}: {reason}; {_again(key)}.")
    return questions(product)


def wanted_of(answers: Mapping[str, Any] | None, question: dict[str, Any]) -> dict[str, Any]:
    """What a product has to answer; of a fit of a model, what this one has to.

    A fit that the configuration does not have is as it was.
    """
    if not answers or "fit" not in answers:
        return question
    settings, before = question["settings"], answers["settings"]["model"]["fits"]
    if settings["model"] is not None:
        model = settings["model"] | {"fits": before | settings["model"]["fits"]}
        question = question | {"settings": settings | {"model": model}}
    return of_fit(question, answers["fit"])


def why_other_fit(answers: Mapping[str, Any] | None, name: str) -> str:
    """Why a file is not of the fit that its name says, as after it was renamed, "" if it is."""
    found = (answers or {}).get("fit", name)
    return "" if found == name else f"it is of fit {found}, not {name}"


def of_fit(question: Mapping[str, Any], fit: str) -> dict[str, Any]:
    """What one fit of a model has to answer: of the fits only those that it starts from.

    Parameters
    ----------
    question : dict
        What a product of all fits has to answer.
    fit : str
        Name of the fit.
    """
    model = dict(question["settings"]["model"] or {})
    fits, chain = model.get("fits", {}), {}
    name: str | None = fit
    while name in fits and name not in chain:
        chain[name] = {k: v for k, v in fits[name].items() if k not in ("sample", "profile")}
        name = fits[name]["start_from"]
    if (key := OF_FITS.get(question["product"])) and fit in fits:
        chain[fit][key] = _asked_part(question["product"], fits[fit].get(key))
    kept = {key: value for key, value in model.items() if key not in ("compare", "truths")}
    model = kept | {"fits": chain}
    return dict(question) | {"fit": fit, "settings": question["settings"] | {"model": model}}


def _asked_part(product: str, asked: Any) -> Any:
    """What a product of a fit depends on of what asks for it: chains not on how they are joined."""
    if product == "model_ensembles" and asked:
        return {key: value for key, value in asked.items() if key not in ("burn", "max_r_hat")}
    return asked


def answer_of_same(product: str, earlier: str | Path) -> dict[str, Any]:
    """What a product answers that follows from an earlier one without further settings."""
    return (read_answers(earlier) or {}) | {"product": product}


def difference(answers: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> str:
    """How what a product answers differs from what it has to, "" if it does not."""
    if answers is None:
        return "it does not say what it answers, as an earlier skyquilt made it"
    if answers.get("analysis") != wanted["analysis"]:
        return f"it was made for analysis {answers.get('analysis')}, not {wanted['analysis']}"
    if answers.get("results_version") != wanted["results_version"]:
        return (
            f"it is of version {answers.get('results_version')} of the results, this skyquilt "
            f"makes version {wanted['results_version']}"
        )
    changed = _changes(answers.get("settings", {}), wanted["settings"])
    if first := next(changed, ""):
        return first
    return _data_difference(answers.get("data", {}), wanted["data"])


def _data_difference(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    for path, digest in wanted.items():
        if path not in found:
            return f"it was made without {path}"
        if digest is None:
            return f"{path} is not there"
        if found[path] != digest:
            before = str(found[path])[:12]
            return f"{path} was replaced: its SHA-256 was {before}, now {digest[:12]}"
    gone = found.keys() - wanted.keys()
    return f"it was made with {min(gone)}, too" if gone else ""


def _changes(before: Any, after: Any, key: str = "") -> Iterator[str]:
    """Settings that differ, each with both values; a new key that is not given is no change."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys((*after, *before)):
            inner = f"{key}.{name}" if key else str(name)
            yield from _changes(before.get(name, _MISSING), after.get(name, _MISSING), inner)
    elif before != after and not (before is _MISSING and after is None):
        yield f"{key} was {_show(before)} and is {_show(after)}"


def _show(value: Any) -> str:
    if value is _MISSING or value is None:
        return "not given"
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _again(product: str) -> str:
    verb = PRODUCTS[product].verb
    return (
        f"make it again with `skyquilt {verb}`, after what it is made from; `skyquilt run` and the "
        "workflow make again whatever is stale"
    )


def _without(analysis: "Analysis") -> frozenset[str]:
    """Sections by which an analysis asks for more products, and that it does not have."""
    asked = {item.asked_by for item in PRODUCTS.values() if item.asked_by}
    return frozenset(name for name in asked if getattr(analysis, name) is None)


def products_of(analysis: "Analysis") -> dict[str, Product]:
    """Products that an analysis has, by name in the order of making."""
    asked = asked_products(lambda section: getattr(analysis, section) is not None)
    if not analysis.has_map:
        asked = [item for item in asked if not item.of_map]
    is_contracted = bool(_data(analysis, "responses"))
    return {item.name: item for item in asked if item.data != "responses" or is_contracted}


def _data(analysis: "Analysis", kind: str) -> tuple[str, ...]:
    match kind:
        case "measurement":
            return analysis.paths()
        case "responses":
            return analysis.responses()
        case "catalogue" if analysis.sources is not None and analysis.sources.catalogue is not None:
            return (analysis.sources.catalogue.path,)
        case "rosters" if analysis.targets is not None:
            return analysis.targets.paths()
        case "populations" if analysis.populations is not None:
            return analysis.populations.paths()
        case _:
            return ()
