"""Containers of maps, their files, merging of chunks, and regions of the sky."""
