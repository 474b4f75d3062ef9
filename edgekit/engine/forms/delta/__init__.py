"""Weights that are not zero, and the gap in front of each: kernels multiply no others, wherever they lie."""
