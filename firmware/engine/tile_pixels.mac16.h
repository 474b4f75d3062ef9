/* How many pixels a tile of tile_s8.h has: two, as on most cores, although products have 32 bits only.
 * Variant of tile_pixels.h for the feature `mac16`. */
#ifndef EK_TILE_PIXELS_H
#define EK_TILE_PIXELS_H

#define EK_TILE_PIXELS 2

/* Says DO(argument, pixel) for each of them. */
#define EK_FOR_PIXELS(DO, argument) DO(argument, 0) DO(argument, 1)

#endif
