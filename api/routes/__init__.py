"""The routes, a file each for what belongs together."""
