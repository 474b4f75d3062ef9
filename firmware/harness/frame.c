#include "frame.h"

#include "bytes.h"

/* Four bits a step: 64 bytes of table instead of 1,024, and nothing is timed while frames travel. */
static const uint32_t crc_of_nibble[16] = {
    0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u, 0x5005713Cu,
    0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu, 0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu,
};

uint32_t ek_crc32(uint32_t crc, const uint8_t *data, uint32_t bytes) {
  crc = ~crc;
  for (uint32_t i = 0; i < bytes; ++i) {
    crc ^= data[i];
    crc = crc >> 4 ^ crc_of_nibble[crc & 15u];
    crc = crc >> 4 ^ crc_of_nibble[crc & 15u];
  }
  return ~crc;
}

/* What the zero at the end of a frame makes of the bytes before it. */
static uint32_t finish(ek_frame_receiver *receiver) {
  const uint32_t length = receiver->length;
  const uint8_t whole = (uint8_t)(receiver->damaged == 0 && receiver->block_left == 0);
  receiver->length = 0;
  receiver->block_left = 0;
  receiver->zero_due = 0;
  receiver->damaged = 0;
  if (!whole || length <= EK_FRAME_CRC_BYTES) {
    return 0;
  }
  const uint32_t bytes = length - EK_FRAME_CRC_BYTES;
  return ek_crc32(0, receiver->payload, bytes) == ek_get_u32(receiver->payload + bytes) ? bytes : 0;
}

static void append(ek_frame_receiver *receiver, uint8_t byte) {
  if (receiver->length == sizeof receiver->payload) {
    receiver->damaged = 1;
    return;
  }
  receiver->payload[receiver->length++] = byte;
}

uint32_t ek_frame_receive(ek_frame_receiver *receiver, uint8_t byte) {
  if (byte == 0) {
    return finish(receiver);
  }
  if (receiver->block_left != 0) {
    append(receiver, byte);
    --receiver->block_left;
    return 0;
  }
  /* A code byte: so many bytes until the next one, itself included. 0xFF is a full block without a zero
   * behind. */
  if (receiver->zero_due) {
    append(receiver, 0);
  }
  receiver->block_left = (uint8_t)(byte - 1);
  receiver->zero_due = (uint8_t)(byte != 0xFFu);
  return 0;
}

void ek_frame_send(uint8_t *payload, uint32_t length, void (*put)(uint8_t byte)) {
  (void)ek_put_u32(payload + length, ek_crc32(0, payload, length));
  length += EK_FRAME_CRC_BYTES;
  put(0);
  uint32_t begin = 0;
  /* One block for each zero and one for the end; `end` is the zero, or the end. */
  for (uint32_t end = 0; end <= length; ++end) {
    if (end < length && payload[end] != 0) {
      continue;
    }
    put((uint8_t)(end - begin + 1u));
    for (uint32_t i = begin; i < end; ++i) {
      put(payload[i]);
    }
    begin = end + 1u;
  }
  put(0);
}
