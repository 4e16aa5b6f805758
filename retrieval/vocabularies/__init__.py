"""Lists of names of one's own that pictures are labelled with."""
