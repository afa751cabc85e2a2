"""Who answers which case, and who is told when nobody does."""
