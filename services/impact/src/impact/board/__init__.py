"""The board: what anybody may see of the figures, as a page for people."""
