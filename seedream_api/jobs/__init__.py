"""The engine: every request is paid for once, and no image of it is lost."""
