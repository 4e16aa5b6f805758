"""Hashes of what is decoded: one file a kind, each over the library of the field."""
