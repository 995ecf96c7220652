"""What tests need of skyquilt: toy instruments, fakes, short ways to an analysis.

Nothing else of the package imports it.
"""
