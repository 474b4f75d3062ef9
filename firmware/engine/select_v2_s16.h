/* SELECT_V2 of int16. Twin: edgekit/engine/ops/select_v2.py. */
#ifndef EK_SELECT_V2_S16_H
#define EK_SELECT_V2_S16_H

#include "select_v2.h"

typedef ek_select_v2_layer ek_select_v2_s16_layer;

EK_SELECT_KERNEL(ek_select_v2_s16, int16_t)

#endif
