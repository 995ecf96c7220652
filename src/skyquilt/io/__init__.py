"""skyquilt's own files: atomic writing, schemas, checksums, provenance, HEALPix FITS maps."""
