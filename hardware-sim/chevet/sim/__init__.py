"""Virtual instruments on real wires, players of real recordings, and the demo."""
