/* How many pixels a tile of tile_s8.h has: cores that multiply into 32 bits only have few registers too.
 * Variant of tile_pixels.h for the feature `mul32`. */
#ifndef EK_TILE_PIXELS_H
#define EK_TILE_PIXELS_H

#define EK_TILE_PIXELS 1

/* Says DO(argument, pixel) for each of them. */
#define EK_FOR_PIXELS(DO, argument) DO(argument, 0)

#endif
