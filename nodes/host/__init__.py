"""The pack inside its host: the background loop, its sessions, and waiting for them in a node."""
