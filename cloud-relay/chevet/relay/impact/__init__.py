"""The programme's report: what was done, by month and site, from counts and times alone."""
