"""Kernels as products of smaller ones."""
