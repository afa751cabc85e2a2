"""Pages made to scale at the relay, for paper: nothing of a browser's zoom or a printer driver's margins."""
