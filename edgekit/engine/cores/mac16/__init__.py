"""Kernels for the ESP32's LX6, whose MAC16 multiplies, adds and loads in one instruction."""
