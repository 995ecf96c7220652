"""Files of the examples with real data: where they come from, and how they get here.

It is written here, for pooch, which does it well, does not go on with what an interrupted download
has left.
"""
