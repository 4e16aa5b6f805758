"""Ground floor: decoded media become vectors. Imports nothing of the other rooms."""
