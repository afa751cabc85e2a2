"""Cases to learn from: what is taken of a case, without who it was."""
