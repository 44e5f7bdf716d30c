"""Settings and their origins, and the data folder."""
