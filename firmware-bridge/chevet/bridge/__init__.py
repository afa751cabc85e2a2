"""Links to instruments: bytes in and out, frames, the device's clock, tapes."""
