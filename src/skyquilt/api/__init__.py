"""skyquilt from Python: data in, maps and positions out, by the steps that the command has.

The public names stand in `skyquilt`; nothing of skyquilt imports this folder.
"""
