"""What a check that may be wrong does: an error, or a warning where the analysis accepts it."""

import logging
from collections.abc import Collection

from skyquilt.config.accept import way_out
from skyquilt.errors import InputError

logger = logging.getLogger(__name__)


def object_to(accepted: Collection[str], check: str, message: str) -> None:
    """Refuse what a check found, or warn of it where that check is accepted.

    Parameters
    ----------
    accepted : collection of str
        Checks that the data accept.
    check : str
        Name of the check.
    message : str
        What was found, as whole sentences.

    Raises
    ------
    InputError
        If the check is not accepted; the message ends with how it is.
    """
    if check not in accepted:
        raise InputError(f"{message} {way_out(check)}")
    logger.warning("%s (accepted: %s)", message, check)
