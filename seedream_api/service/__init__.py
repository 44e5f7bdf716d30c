"""The relay's protocol: what is sent, and what its responses say. Knows no record."""
