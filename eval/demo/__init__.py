"""A small corpus of every medium, made on the spot from what is installed: for the demo and the README's commands."""
