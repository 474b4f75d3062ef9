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
mul = binary("MUL", "int8", schema.MulOptionsT)
mul__int16 = binary("MUL", "int16", schema.MulOptionsT)
mul__int32 = binary("MUL", "int32", schema.MulOptionsT)
maximum = binary("MAXIMUM", "int8", schema.MaximumMinimumOptionsT, one_scale=True)
maximum__int16 = binary("MAXIMUM", "int16", schema.MaximumMinimumOptionsT, one_scale=True)
maximum__int32 = binary("MAXIMUM", "int32", schema.MaximumMinimumOptionsT)
minimum = binary("MINIMUM", "int8", schema.MaximumMinimumOptionsT, one_scale=True)
minimum__int16 = binary("MINIMUM", "int16", schema.MaximumMinimumOptionsT, one_scale=True)
squared_difference = binary("SQUARED_DIFFERENCE", "int8", schema.SquaredDifferenceOptionsT, rank=(1, 5))
squared_difference__int16 = binary("SQUARED_DIFFERENCE", "int16", schema.SquaredDifferenceOptionsT, rank=(1, 5))
squared_difference__int32 = binary("SQUARED_DIFFERENCE", "int32", schema.SquaredDifferenceOptionsT, rank=(1, 5))
equal = binary("EQUAL", "int8", schema.EqualOptionsT, output="bool")
equal__int32 = binary("EQUAL", "int32", schema.EqualOptionsT, output="bool", ranges=((-3, 4), (-3, 4)))
equal__bool = binary("EQUAL", "bool", schema.EqualOptionsT, output="bool")
not_equal = binary("NOT_EQUAL", "int8", schema.NotEqualOptionsT, output="bool", one_scale=True)
not_equal__bool = binary("NOT_EQUAL", "bool", schema.NotEqualOptionsT, output="bool")
greater = binary("GREATER", "int8", schema.GreaterOptionsT, output="bool")
greater__int32 = binary("GREATER", "int32", schema.GreaterOptionsT, output="bool")
greater_equal = binary("GREATER_EQUAL", "int8", schema.GreaterEqualOptionsT, output="bool", one_scale=True)
less = binary("LESS", "int8", schema.LessOptionsT, output="bool", one_scale=True)
less__int32 = binary("LESS", "int32", schema.LessOptionsT, output="bool", ranges=((-3, 4), (-3, 4)))
less_equal = binary("LESS_EQUAL", "int8", schema.LessEqualOptionsT, output="bool")
less_equal__int32 = binary("LESS_EQUAL", "int32", schema.LessEqualOptionsT, output="bool")
