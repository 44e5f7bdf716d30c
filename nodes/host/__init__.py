"""The pack inside ComfyUI: the background loop, its sessions, and running work from a node."""
