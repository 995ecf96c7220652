"""Sky maps of probability and coverages that other programs wrote."""
