"""Live mode at the relay: opened here, handed on to the desk that watches, kept nowhere."""
