"""Decode and encode images."""
