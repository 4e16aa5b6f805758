"""First floor: documents, the stores that hold them, and queries that become hits."""
