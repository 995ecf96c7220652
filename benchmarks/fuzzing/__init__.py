"""Damaged and odd variants of every kind of file that skyquilt reads, and what it says to them."""
