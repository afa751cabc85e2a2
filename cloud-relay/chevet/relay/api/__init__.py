"""The desk's HTTP interface, as docs/api.md says."""
