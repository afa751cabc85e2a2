"""The worker's screens and the web instruments shared with the specialist's desk."""
