"""Grids of weights, ranges of activations, and models that compute as their integers will."""
