"""A bad link on this machine: rate, delay, loss, cuts and new addresses between two programs."""
