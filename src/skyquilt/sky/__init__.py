"""HEALPix arithmetic, directions and frames, chunks and regions of the sky."""
