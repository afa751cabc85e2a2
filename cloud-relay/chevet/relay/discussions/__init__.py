"""Several experts on one case: who may do what in a discussion, and how it goes on."""
