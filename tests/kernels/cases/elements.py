"""Arithmetic of two tensors, element by element."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema

from cases._elements import binary

add = binary("ADD", "int8", schema.AddOptionsT)
add__int16 = binary("ADD", "int16", schema.AddOptionsT)
add__int32 = binary("ADD", "int32", schema.AddOptionsT)
sub = binary("SUB", "int8", schema.SubOptionsT)
sub__int16 = binary("SUB", "int16", schema.SubOptionsT)
sub__int32 = binary("SUB", "int32", schema.SubOptionsT)
