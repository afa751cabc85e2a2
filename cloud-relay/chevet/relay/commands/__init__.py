"""What `chevet-relay` can be told to do, a file a subject."""
