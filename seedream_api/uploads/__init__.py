"""Upload reference images so that the service can read them; one module per upload target."""
