"""Virtual twins of instruments that others make: what they send, when they begin, what they need to hear."""
