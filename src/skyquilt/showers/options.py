"""Which telescopes are used, and which cuts each has: patterns of the configuration, applied."""

from collections.abc import Iterable, Mapping

from skyquilt.config.showers import ShowerRuns, matches
from skyquilt.errors import ConfigError
from skyquilt.showers.images import Cuts, Window
from skyquilt.showers.simtel import Telescope

_LEVELS = ("picture", "boundary")


def window_of(runs: ShowerRuns) -> Window:
    """Where charges are taken from."""
    return Window(**runs.calibrate.model_dump())


def choose_telescopes(runs: ShowerRuns, telescopes: Iterable[Telescope]) -> dict[int, Cuts]:
    """Cuts of the telescopes that are used, by their numbers.

    Parameters
    ----------
    runs : ShowerRuns
        Settings of the runs.
    telescopes : iterable of Telescope
        Those of a run.

    Raises
    ------
    ConfigError
        If a pattern chooses none, too few are left for a shower, or one has no threshold, or two.
    """
    telescopes = list(telescopes)
    chosen: set[int] = set()
    for choice in runs.telescopes.choose:
        found = {one.tel_id for one in telescopes if _is_chosen(choice, one)}
        if not found:
            raise ConfigError(
                f"telescopes.choose: {choice!r} matches no telescope; there are: "
                f"{_listing(telescopes)}."
            )
        chosen |= found
    if len(telescopes) >= runs.stereo.min_telescopes > len(chosen):
        raise ConfigError(
            f"telescopes.choose leaves {len(chosen)} telescopes, stereo.min_telescopes asks for "
            f"{runs.stereo.min_telescopes}: choose more."
        )
    return {one.tel_id: _cuts(runs, one) for one in telescopes if one.tel_id in chosen}


def _is_chosen(choice: int | str, telescope: Telescope) -> bool:
    if isinstance(choice, int):
        return choice == telescope.tel_id
    first, dash, last = choice.partition("-")
    if dash and first.strip().isdigit() and last.strip().isdigit():
        return int(first) <= telescope.tel_id <= int(last)
    return matches(choice, telescope.names)


def _cuts(runs: ShowerRuns, telescope: Telescope) -> Cuts:
    clean = runs.clean
    picture, boundary = (_level(key, getattr(clean, key), telescope) for key in _LEVELS)
    return Cuts(picture, boundary, clean.neighbours, clean.keep_isolated)


def _level(key: str, levels: Mapping[str, float], telescope: Telescope) -> float:
    """Threshold of a telescope: of the pattern that says most, in whatever order they stand."""
    found = {one: level for one, level in levels.items() if matches(one, telescope.names)}
    who = f"telescope {telescope.tel_id} ({', '.join(telescope.names)})"
    if not found:
        raise ConfigError(
            f"clean.{key}: no pattern matches {who}; a pattern '*' is for all others."
        )
    most = max(map(_n_letters, found))
    best = [one for one in found if _n_letters(one) == most]
    if len({found[one] for one in best}) > 1:
        names = " and ".join(map(repr, sorted(best)))
        raise ConfigError(
            f"clean.{key}: {names} match {who}, say as much, and have other numbers: give one of "
            "them more letters, or leave it out."
        )
    return found[best[0]]


def _n_letters(pattern: str) -> int:
    """Letters of a pattern that are no wildcards."""
    return sum(letter not in "*?[]!" for letter in pattern)


def _listing(telescopes: list[Telescope]) -> str:
    """Names of telescopes, with how many there are of each."""
    counts: dict[str, int] = {}
    for one in telescopes:
        counts[one.names[-1]] = counts.get(one.names[-1], 0) + 1
    return ", ".join(f"{n} {name}" for name, n in counts.items())
