/* SELECT_V2 of int8. Twin: edgekit/engine/ops/select_v2.py. */
#ifndef EK_SELECT_V2_S8_H
#define EK_SELECT_V2_S8_H

#include "select_v2.h"

typedef ek_select_v2_layer ek_select_v2_s8_layer;

EK_SELECT_KERNEL(ek_select_v2_s8, int8_t)

#endif
