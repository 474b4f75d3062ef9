/* Frames on the serial line: 0x00, COBS(payload, CRC-32 of the payload, low byte first), 0x00.
 * COBS leaves no zero inside a frame, so a receiver that lost its place finds it again at the next zero. */
#ifndef EK_FRAME_H
#define EK_FRAME_H

#include <stdint.h>

/* The host's frames stay within 64 bytes on the wire, zeros included: a chip's receive FIFO holds 128. */
#define EK_FRAME_REQUEST_BYTES 57u
/* Replies carry at most 128 bytes of a tensor after a header of 4. With its CRC a reply is one COBS block (<
 * 255). */
#define EK_FRAME_REPLY_BYTES 132u
#define EK_FRAME_CRC_BYTES 4u

/* A frame that is being received. All zero is the state before the first byte. */
typedef struct {
  uint8_t payload[EK_FRAME_REQUEST_BYTES + EK_FRAME_CRC_BYTES];
  uint8_t length;     /* bytes decoded so far */
  uint8_t block_left; /* bytes until the next COBS code byte */
  uint8_t zero_due; /* 1 when the block that just ended stands for a zero, written if another block follows */
  uint8_t damaged;  /* 1 until the next zero: too long, or not COBS */
} ek_frame_receiver;

/* CRC-32 (reflected 0xEDB88320), continued: start with 0, pass the result on. */
uint32_t ek_crc32(uint32_t crc, const uint8_t *data, uint32_t bytes);

/* Takes one byte. Returns the payload's length without its CRC when the byte ends a sound frame; 0 otherwise.
 */
uint32_t ek_frame_receive(ek_frame_receiver *receiver, uint8_t byte);

/* Sends `payload[0..length)`; the array has room for the CRC behind it. length <= EK_FRAME_REPLY_BYTES. */
void ek_frame_send(uint8_t *payload, uint32_t length, void (*put)(uint8_t byte));

#endif
