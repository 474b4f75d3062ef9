"""Deriving students, and training them on what a teacher says."""
