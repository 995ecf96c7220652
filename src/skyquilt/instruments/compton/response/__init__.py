"""Response files: detector responses of both layouts, and galactic point source responses.

Every kind is opened as a `Response`, which reads blocks of rows (source directions) for a range
of measured-energy channels; nothing else is read.
"""

from skyquilt.instruments.compton.response.file import open_response
from skyquilt.instruments.compton.response.model import Response

__all__ = ["Response", "open_response"]
