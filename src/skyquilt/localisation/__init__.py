"""Where a source is: refined maps, posterior, regions, sky maps of others, the summary."""
