"""Masks that hold weights at zero, and the patterns in which zeros may lie."""
