"""The relay: ingest, archive, review API and the specialist's desk."""
