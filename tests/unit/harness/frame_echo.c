/* Sends back, as a frame, every sound payload among the bytes of standard input. */
#include "frame.h"

#include <stdio.h>
#include <string.h>

static void put(uint8_t byte) {
  (void)putchar(byte);
}

int main(void) {
  static ek_frame_receiver receiver;
  uint8_t payload[EK_FRAME_REQUEST_BYTES + EK_FRAME_CRC_BYTES];
  for (int byte = getchar(); byte != EOF; byte = getchar()) {
    const uint32_t bytes = ek_frame_receive(&receiver, (uint8_t)byte);
    if (bytes != 0) {
      memcpy(payload, receiver.payload, bytes);
      ek_frame_send(payload, bytes, put);
    }
  }
  return 0;
}
