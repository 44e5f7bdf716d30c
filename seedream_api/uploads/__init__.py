"""Reference images to URLs that the service can read: one module per upload target."""
