"""The life of one call, without I/O, and the two drivers that carry it out."""
