"""Splitting work, and the communicator that ranks share."""
