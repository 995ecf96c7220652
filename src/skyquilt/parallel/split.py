"""Splitting work over ranks: pure index arithmetic."""


def split_range(n_items: int, size: int, rank: int) -> slice:
    """Contiguous part of the items that one rank works on.

    The parts of all ranks cover every item once, in order; their lengths differ by one at most.

    Parameters
    ----------
    n_items : int
        Number of items, 0 or more.
    size : int
        Number of ranks.
    rank : int
        This rank, from 0.

    Returns
    -------
    slice
        Empty where there are fewer items than ranks.

    Raises
    ------
    ValueError
        If there is no such rank, or the number of items is negative.

    Examples
    --------
    >>> [split_range(10, 3, rank) for rank in range(3)]
    [slice(0, 3, None), slice(3, 6, None), slice(6, 10, None)]
    """
    if n_items < 0:
        raise ValueError(f"{n_items} items: allowed are 0 or more.")
    if not 0 <= rank < size:
        raise ValueError(f"rank {rank} of {size}: allowed are 0 to {size - 1}.")
    return slice(n_items * rank // size, n_items * (rank + 1) // size)
