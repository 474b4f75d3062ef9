"""Kernels for x86, as far as its first 64-bit processors had them: SSE2."""
