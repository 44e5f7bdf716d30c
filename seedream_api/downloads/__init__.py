"""Bounded, guarded downloads of images."""
