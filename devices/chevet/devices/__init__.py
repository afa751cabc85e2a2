"""Instruments: what they measure, and one driver a file that reads them."""
