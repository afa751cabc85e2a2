"""One heart and what it drives: rhythm, breath, dipole, valves, lungs and pulse."""
