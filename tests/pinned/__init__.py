"""Pinned packages with their hashes, a file for each step of an installation, and what keeps them up."""
