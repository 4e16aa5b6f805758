"""Evaluate search quality and speed, and compare reports."""
