"""Weights of which whole blocks are zero: kernels take up the others, and the places where these lie."""
