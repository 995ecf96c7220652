"""Lists of known objects: tables of positions, names and fluxes."""
