"""Pages to hand on: one self-contained HTML file each."""
