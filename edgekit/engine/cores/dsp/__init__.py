"""Kernels for Armv7E-M (Cortex-M4, M7) and Armv8-M with the DSP extension (Cortex-M33).

SMLAD multiplies and adds two pairs of 16 bits at once, SXTB16 widens two bytes, SMMULR keeps the rounded upper half of
a product of 32 bits.
"""
