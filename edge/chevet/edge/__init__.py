"""The agent at the bedside: capture, visit, spool, uplink, and the kiosk's API."""
