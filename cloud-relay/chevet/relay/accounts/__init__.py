"""Who may sign in, with which role, and with which key an opinion is signed."""
