"""Third floor: the ways in. Settings, the composition root, HTTP and the command line; no logic of their own."""
