"""Fit of pixels: a block, a chunk, the plan of all chunks."""
