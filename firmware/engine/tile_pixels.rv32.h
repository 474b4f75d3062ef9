/* How many pixels a tile of tile_s8.h has: with its 4 channels, as many sums as a core of 28 free registers
 * keeps in them. Variant of tile_pixels.h for the feature `rv32`. */
#ifndef EK_TILE_PIXELS_H
#define EK_TILE_PIXELS_H

#define EK_TILE_PIXELS 4

/* Says DO(argument, pixel) for each of them. */
#define EK_FOR_PIXELS(DO, argument) DO(argument, 0) DO(argument, 1) DO(argument, 2) DO(argument, 3)

#endif
