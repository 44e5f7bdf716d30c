"""The pack's version; ``pyproject.toml`` and ``CHANGELOG.md`` carry the same (a test compares them)."""

__version__ = "0.1.0"
