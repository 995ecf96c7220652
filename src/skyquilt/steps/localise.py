"""Step `localise`: best position, containment regions, numbers for people."""

from pathlib import Path

from skyquilt.config import Config, get_analysis
from skyquilt.io.json_file import write_json
from skyquilt.io.provenance import Provenance
from skyquilt.maps.file import read_skymap
from skyquilt.maps.summary import summarise


def localise_analysis(config: Config, name: str, maps: str | Path, output: str | Path) -> None:
    """Write the summary of an analysis."""
    options = get_analysis(config, name).localise
    provenance = Provenance("localise", options.model_dump(mode="json"), (str(maps),))
    skymap, record = read_skymap(maps)
    about = {"schema": "skyquilt/summary", "schema_version": "1.0", "analysis": name}
    about |= record.pop("description")
    earlier = record.pop("stages")
    summary = summarise(skymap, about, options.levels, options.true_position, earlier)
    own = provenance.record()
    summary["stages"] += own.pop("stages")
    summary["provenance"] = {"maps": record, "localise": own}
    write_json(output, summary)
