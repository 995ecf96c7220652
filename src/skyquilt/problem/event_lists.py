"""Lists of events that directions see: sums of several, and several side by side."""

from collections.abc import Sequence

import numpy as np

Lists = tuple[np.ndarray, np.ndarray, np.ndarray]
"""`indptr` of shape (n + 1,), events, and what is expected at each, direction by direction."""


def add_lists(parts: Sequence[Lists], n: int, n_hit: int) -> Lists:
    """Sum of lists of events, an event once per direction, ascending.

    Parameters
    ----------
    parts : sequence of Lists
        Lists of the same directions, each with its events ascending.
    n, n_hit : int
        Number of directions, and of events.

    Examples
    --------
    >>> one = np.array([0, 2, 3]), np.array([0, 4, 1]), np.array([1.0, 2.0, 3.0])
    >>> other = np.array([0, 1, 1]), np.array([4]), np.array([5.0])
    >>> [part.tolist() for part in add_lists([one, other], 2, 5)]
    [[0, 2, 3], [0, 4, 1], [1.0, 7.0, 3.0]]
    """
    if not parts:
        return np.zeros(n + 1, np.int64), np.empty(0, np.int64), np.empty(0)
    if len(parts) == 1:
        return parts[0]
    # each part ascends, which a stable sort makes use of
    keys = np.concatenate([np.repeat(np.arange(n), np.diff(p)) * n_hit + e for p, e, _ in parts])
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.append(True, np.diff(keys) > 0)[: keys.size])
    values = np.concatenate([one for _, _, one in parts])[order]
    sums = np.add.reduceat(values, first) if keys.size else values
    direction, event = np.divmod(keys[first], max(n_hit, 1))
    return np.searchsorted(direction, np.arange(n + 1)).astype(np.int64), event, sums


def interleave(lists: Sequence[Lists], n: int) -> Lists:
    """Lists by direction and node, from those by direction of each node.

    Parameters
    ----------
    lists : sequence of Lists
        Those of each node.
    n : int
        Number of directions.

    Returns
    -------
    Lists
        `indptr` has n times the number of nodes, plus 1: the nodes of a direction are together.
    """
    lengths = np.stack([np.diff(indptr) for indptr, _, _ in lists], axis=1)
    ends = np.cumsum(lengths).reshape(lengths.shape)
    events = np.empty(int(lengths.sum()), np.int64)
    values = np.empty(events.size)
    for (indptr, event, value), end, length in zip(lists, ends.T, lengths.T, strict=True):
        index = np.arange(event.size) + np.repeat(end - indptr[1:], length)
        events[index], values[index] = event, value
    return np.append(0, ends.ravel()).astype(np.int64), events, values
