"""The commands, a file each for those that belong together."""
