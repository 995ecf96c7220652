"""Maps of the whole region: merging chunks, containment regions, summary."""
