"""Settings, data folders, and where each value came from."""
