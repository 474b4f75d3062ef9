"""Kernels for RV32IM: 28 free registers, products and their upper halves of one instruction each."""
