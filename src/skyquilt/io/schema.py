"""Kind and version of a file, and which of them this skyquilt reads."""

from pathlib import Path
from typing import Any, NamedTuple

from skyquilt.errors import ProductError


class Schema(NamedTuple):
    """Kind and version of a file.

    Attributes
    ----------
    name : str
        Kind of file, as "skyquilt/chunk".
    version : str
        Version written, "major.minor": the first number rises when readers must change, the
        second when something was added.
    made_by : str
        Command that makes such a file, named in error messages.
    """

    name: str
    version: str
    made_by: str

    @property
    def again(self) -> str:
        """What to do about a file that cannot be read."""
        return f"make it again with `{self.made_by}`"

    def check(self, path: str | Path, name: Any, version: Any) -> None:
        """Refuse a file of another kind, or of a version that this skyquilt does not read.

        Parameters
        ----------
        path : str or Path
            The file, named in messages.
        name, version : str or None
            What it says of itself.

        Raises
        ------
        ProductError
            If it is of another kind, its first number is another, or its second one is higher.
        """
        if not isinstance(name, str) or name != self.name:
            raise ProductError(f"{path}: schema is {name!r}, not {self.name!r}; {self.again}.")
        if not self._can_read(str(version)):
            raise ProductError(
                f"{path}: {self.name} version {version}; this skyquilt reads version "
                f"{self.version.split('.')[0]}.0 to {self.version}; {self.again}."
            )

    def _can_read(self, version: str) -> bool:
        major, _, minor = version.partition(".")
        known_major, _, known_minor = self.version.partition(".")
        return major == known_major and minor.isdigit() and int(minor) <= int(known_minor)
