"""The catalogue's entries by noun: each measure, and each indicator over it, with what it counts and leaves out."""
