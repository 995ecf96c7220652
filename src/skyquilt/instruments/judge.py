"""What a check that may be wrong does: an error, or a warning where the analysis accepts it."""

import logging

from skyquilt.config.accept import is_accepted, way_out
from skyquilt.config.measurement import Data
from skyquilt.errors import InputError

logger = logging.getLogger(__name__)


def object_to(data: Data, check: str, message: str) -> None:
    """Refuse what a check found, or warn of it where the data accept that check.

    Parameters
    ----------
    data : ComptonData, ImagingData or ImagingFile
        The data; their `accept` overrules checks.
    check : str
        Name of the check.
    message : str
        What was found, as whole sentences.

    Raises
    ------
    InputError
        If the check is not accepted; the message ends with how it is.
    """
    if not is_accepted(data, check):
        raise InputError(f"{message} {way_out(check)}")
    logger.warning("%s (accepted: %s)", message, check)
