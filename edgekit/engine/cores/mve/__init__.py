"""Kernels for Armv8.1-M cores with the vector extension (Cortex-M55): 16 products of int8 an instruction."""
