"""Sources of a map: search, positions, fluxes, comparison with a catalogue, tables."""
