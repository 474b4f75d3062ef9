"""Weights that several layers, or several places of one layer, have in common."""
