"""Questions → answers that cite the moments they rest on."""
