/* How many pixels a tile of tile_s8.h has: with its 4 channels, as many sums as a core of about 14 free
 * registers keeps in them. */
#ifndef EK_TILE_PIXELS_H
#define EK_TILE_PIXELS_H

#define EK_TILE_PIXELS 2

/* Says DO(argument, pixel) for each of them. */
#define EK_FOR_PIXELS(DO, argument) DO(argument, 0) DO(argument, 1)

#endif
