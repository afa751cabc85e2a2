"""What helps to read a recording: draft marks, views for the ear and the eye. Nothing here is stored."""
