"""Passes that run after an asset is searchable and attach what takes longer to find. One file each."""
