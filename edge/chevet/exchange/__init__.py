"""The exchange: messages, sealing, sender and receiver without I/O, and the MQTT line."""
