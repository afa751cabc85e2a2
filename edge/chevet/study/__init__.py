"""What travels: recording, study, case, bundle, and their codecs."""
