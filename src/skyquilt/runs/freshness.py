"""Which products of an analysis do not answer what its configuration asks now, and why.

Only headers are read: every product carries the settings and inputs that it answers (see
`skyquilt.io.answers`), chunks the identity of their plan.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from skyquilt.config import Config
from skyquilt.errors import ProductError
from skyquilt.fit.file import read_plan, read_plan_identity
from skyquilt.fit.plan import Plan
from skyquilt.io.answers import read_answers
from skyquilt.products import INDEX, LISTING, OF_FITS, PRODUCTS, Product, files_of_fit, fits_in
from skyquilt.runs.answers import Digest, Questions, difference, wanted_of, why_other_fit

_OTHER_PLAN = "the plan has other pixels, chunks or fit options"


class Stale(NamedTuple):
    """A product that does not answer what is asked.

    Attributes
    ----------
    analysis : str
        Name of the analysis, "" for the page of all.
    product : str
        Name of the product, as in `skyquilt.products`.
    paths : tuple of Path
        Its files and folders that are there.
    reason : str
        What differs.
    """

    analysis: str
    product: str
    paths: tuple[Path, ...]
    reason: str


def find_stale(config: Config, name: str, digest: Digest) -> list[Stale]:
    """Stale products of an analysis, in the order of making.

    Products that the configuration does not ask for are among them only if what they were made
    from has changed.

    Parameters
    ----------
    config : Config
        The configuration.
    name : str
        Name of the analysis.
    digest : callable
        Gives the SHA-256 of an input file, None if it is not there or will be made.

    Raises
    ------
    ProductError
        If the folder may not be read.
    OSError
        If an input may not be read.
    """
    folder = Path(config.results) / name
    try:
        return _find_stale(folder, config, name, digest) if folder.is_dir() else []
    except OSError as error:
        # what the digest is of is an input, and is for the caller to tell of
        if folder not in Path(str(error.filename)).parents:
            raise
        raise ProductError(
            f"{error.filename}: {error.strerror}; get the right to read it, or choose another "
            "folder of results."
        ) from error


def _find_stale(folder: Path, config: Config, name: str, digest: Digest) -> list[Stale]:
    questions = Questions(config, name, digest)
    found: list[Stale] = []
    for product in PRODUCTS.values():
        paths = tuple(path for content in product.contents for path in content.find(folder))
        if product.name == "chunks" and paths:
            found += _stale_chunks(folder, questions)
        elif product.name in OF_FITS and paths:
            found += _stale_fits(folder / "model", product.name, questions)
        elif paths and (reason := _why_stale(product, folder, questions)):
            found.append(Stale(name, product.name, paths, reason))
    return found


def _stale_fits(folder: Path, product: str, questions: Questions) -> Iterator[Stale]:
    """Files of fits of a model that answer something else."""
    model = questions.analysis.model
    names = () if model is None else tuple(model.fits)
    for name in dict.fromkeys((*names, *fits_in(folder))):
        paths = files_of_fit(folder, product, name)
        # tables lie beside a file, parts are files of their own
        is_whole = product in ("model_fits", "model_samples")
        for own in [paths] if is_whole else [[path] for path in paths]:
            if own and (reason := _why_stale_fit(own[0], name, product, questions)):
                yield Stale(questions.name, product, tuple(own), reason)


def _why_stale_fit(path: Path, name: str, product: str, questions: Questions) -> str:
    try:
        answers = read_answers(path) if path.suffix == ".h5" else None
        return why_other_fit(answers, name) or why_stale(answers, product, questions)
    except ProductError as error:
        return str(error)


def find_stale_index(config: Config) -> list[Stale]:
    """The page of all analyses, if it lists others than the configuration has."""
    path = Path(config.results) / INDEX
    if not path.is_file():
        return []
    try:
        listed = (read_answers(path) or {}).get("analyses")
    except ProductError as error:
        return [Stale("", "index", (path,), str(error))]
    if listed == list(config.analyses):
        return []
    return [Stale("", "index", (path,), "it lists other analyses")]


def all_files(stale: Stale) -> Iterator[Path]:
    """Files and folders of a stale product, and what is in the folders."""
    for path in stale.paths:
        yield path
        if path.is_dir():
            yield from path.rglob("*")


def recorded_data(folder: Path) -> dict[str, str]:
    """Digests of the input files that the products of an analysis were made from."""
    known: dict[str, str] = {}
    for file in ("problem.h5", "sources.fits"):
        with suppress(ProductError):
            known |= (read_answers(folder / file) or {}).get("data", {})
    return known


def describe_stale(stale: Iterable[Stale]) -> list[str]:
    """A line for each reason: which products of how many analyses are stale by it."""
    by_reason: dict[str, list[Stale]] = {}
    for item in stale:
        by_reason.setdefault(item.reason, []).append(item)
    return [_describe(reason, items) for reason, items in by_reason.items()]


def _describe(reason: str, items: list[Stale]) -> str:
    analyses = list(dict.fromkeys(item.analysis for item in items))
    where = analyses[0] if len(analyses) == 1 else f"{len(analyses)} analyses ({analyses[0]}, ...)"
    names = ", ".join(dict.fromkeys(item.product for item in items))
    return f"{where}{': ' if where else ''}{names}: {reason}"


def why_stale(answers: dict[str, Any] | None, product: str, questions: Questions) -> str:
    """Why a product that answers this is stale, "" if it is not.

    Nothing is wrong with the sources of the right map when a configuration has no `sources`.
    """
    section, wanted = PRODUCTS[product].asked_by, wanted_of(answers, questions(product))
    if answers and section and getattr(questions.analysis, section) is None:
        settings = answers.get("settings", {})
        if section in wanted["settings"]:
            settings = settings | {section: wanted["settings"][section]}
        kept = {path: answers.get("data", {}).get(path) for path in wanted["data"]}
        answers = answers | {"settings": settings, "data": kept}
    return difference(answers, wanted)


def _why_stale(product: Product, folder: Path, questions: Questions) -> str:
    for path in _telling(product, folder):
        try:
            answers = read_answers(path)
        except ProductError as error:
            return str(error)
        if reason := why_stale(answers, product.name, questions):
            return reason
    return ""


def _telling(product: Product, folder: Path) -> Iterator[Path]:
    """Files of a product that tell what it answers and are quickly read."""
    for content in product.contents:
        path = folder / content.path
        if content.folder == "figures":
            if path.exists():
                yield path / LISTING
        elif product.name == "steps":
            yield from sorted(path.glob("*.json"))
        elif product.name in ("skies", "target_seds"):
            yield from sorted(path.glob("*.h5"))
        elif path.is_file() and path.suffix != ".ecsv":
            yield path


def _stale_chunks(folder: Path, questions: Questions) -> Iterator[Stale]:
    """Chunks of another plan: all of them when the plan itself is stale or another one."""
    chunks = folder / "chunks"
    files = sorted(chunks.glob("*.h5"))
    wanted = questions("plan")
    plan = _fresh_plan(folder / "plan.json", wanted)
    known = set() if plan is None else set(plan.chunk_files(chunks).values())
    by_reason: dict[str, list[Path]] = {}
    for path in files:
        if plan is not None and path not in known:
            reason = _OTHER_PLAN
        else:
            reason = _why_stale_chunk(path, plan, wanted)
        if reason:
            by_reason.setdefault(reason, []).append(path)
    for reason, paths in by_reason.items():
        whole = (chunks,) if len(paths) == len(files) else tuple(paths)
        yield Stale(questions.name, "chunks", whole, reason)


def _fresh_plan(path: Path, wanted: dict[str, Any]) -> Plan | None:
    with suppress(ProductError):
        if not difference(read_answers(path), wanted):
            return read_plan(path)
    return None


def _why_stale_chunk(path: Path, plan: Plan | None, wanted: dict[str, Any]) -> str:
    try:
        if plan is None:
            return difference(read_answers(path), wanted)
        return "" if read_plan_identity(path) == plan.identity else _OTHER_PLAN
    except ProductError as error:
        return str(error)
