"""The record of every paid request, and the images and uploads that belong to it."""
