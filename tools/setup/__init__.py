"""The environment of ``dev.py``: packages, ComfyUI, frontends, a browser. Standard library only."""
