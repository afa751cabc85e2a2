"""Between the broker and the archive: what comes up is stored and receipted, what goes down is sent."""
