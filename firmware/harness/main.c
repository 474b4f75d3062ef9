/* The application on the device: answers framed requests, runs the model, measures.
 *
 * Request payload: kind, sequence (2 bytes), body. Reply payload: kind | 0x80, the same sequence, status,
 * body. The host repeats a request until its reply arrives, so a request may come twice: an inference with a
 * sequence number that was just answered gets that answer again and does not run; every other request can
 * simply be repeated. The host's side is edgekit/harness/protocol.py. */
#include "bytes.h"
#include "ek_model.h"
#include "frame.h"
#include "guard.h"
#include "phase.h"
#include "port.h"

#define PROTOCOL_VERSION 1u
#define HEADER_BYTES 3u       /* of a request: kind, sequence */
#define REPLY_HEADER_BYTES 4u /* and the status */
#define REPLY_DATA_BYTES (EK_FRAME_REPLY_BYTES - REPLY_HEADER_BYTES)
#define SHA256_DIGITS 64u
#define ENGINE_NAME_BYTES 8u
#define POLL_PAUSE_TURNS 256u

enum { HELLO = 1, LOAD_INPUT = 2, INFER = 3, READ_OUTPUT = 4, STATUS = 5, REPLY = 0x80 };
/* What hello tells of the start, beside what the engine's own initialization returns. */
enum { INIT_NOT_RUN = 1, INIT_MODEL_DAMAGED = 0x100 };
enum { OK = 0, UNKNOWN_REQUEST = 1, OUT_OF_RANGE = 2, INPUT_DIFFERS = 3 };

/* Keeps the compiler from moving work into or out of the timed region. */
#define BARRIER() __asm__ volatile("" ::: "memory")

typedef ek_span (*tensor_at)(uint8_t *arena, uint32_t index);

/* One struct, so that the canaries touch the arena. A section of its own: the linker script neither loads nor
 * clears it, and its size without the canaries is the arena's. */
static struct {
  uint8_t low[EK_CANARY_BYTES];
  uint8_t arena[EK_ARENA_BYTES];
  uint8_t high[EK_CANARY_BYTES];
} guarded __attribute__((section(".arena"), aligned(16)));

static ek_frame_receiver receiver;
static uint8_t reply[EK_FRAME_REPLY_BYTES + EK_FRAME_CRC_BYTES];

/* The last inference, kept so that a repeated request is answered and not run again. */
static struct {
  uint64_t ticks;
  uint32_t output_crc;
  uint32_t invoke_code;
  uint32_t broken; /* canaries */
  uint32_t runs;   /* since the device started: tells the host of a reset in between */
  uint32_t sequence;
  uint8_t answered; /* 1 when `sequence` is valid */
} last;

static uint32_t self_test_code;
static uint32_t init_code;

static ek_span input_at(uint8_t *arena, uint32_t index) {
  return ek_model_input(arena, index);
}

static ek_span output_at(uint8_t *arena, uint32_t index) {
  return ek_model_output(arena, index);
}

/* Bytes of all inputs, or of all outputs. */
static uint32_t total_bytes(tensor_at at, uint32_t count) {
  uint32_t bytes = 0;
  for (uint32_t i = 0; i < count; ++i) {
    bytes += at(guarded.arena, i).bytes;
  }
  return bytes;
}

static uint32_t crc_of(tensor_at at, uint32_t count) {
  uint32_t crc = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const ek_span span = at(guarded.arena, i);
    crc = ek_crc32(crc, span.data, span.bytes);
  }
  return crc;
}

/* Returns byte `offset` of the `count` tensors laid end to end; offset < total_bytes. */
static uint8_t *byte_at(tensor_at at, uint32_t count, uint32_t offset) {
  ek_span span = at(guarded.arena, 0);
  for (uint32_t i = 1; i < count && offset >= span.bytes; ++i) {
    offset -= span.bytes;
    span = at(guarded.arena, i);
  }
  return span.data + offset;
}

static int in_range(uint32_t offset, uint32_t bytes, uint32_t total) {
  return offset <= total && bytes <= total - offset;
}

static uint8_t *put_text(uint8_t *to, const char *text, uint32_t limit) {
  for (uint32_t i = 0; i < limit && text[i] != '\0'; ++i) {
    *to++ = (uint8_t)text[i];
  }
  return to;
}

static uint8_t *answer_hello(uint8_t *body) {
  last.answered = 0; /* a new host starts its own sequence numbers */
  *body++ = PROTOCOL_VERSION;
  *body++ = (uint8_t)(ek_port_emulated() != 0);
  body = ek_put_u32(body, self_test_code);
  body = ek_put_u32(body, init_code);
  body = ek_put_u32(body, ek_port_tick_hz());
  body = ek_put_u32(body, EK_ARENA_BYTES);
  body = ek_put_u32(body, EK_ENGINE_BYTES);
  body = ek_put_u32(body, total_bytes(input_at, EK_INPUT_COUNT));
  body = ek_put_u32(body, total_bytes(output_at, EK_OUTPUT_COUNT));
  body = ek_put_u32(body, last.runs);
  body = put_text(body, EK_MODEL_SHA256, SHA256_DIGITS);
  return put_text(body, EK_ENGINE, ENGINE_NAME_BYTES);
}

/* Body: offset (4 bytes), data. */
static uint8_t load_input(const uint8_t *body, uint32_t bytes) {
  if (bytes < 4u) {
    return OUT_OF_RANGE;
  }
  const uint32_t offset = ek_get_u32(body);
  if (!in_range(offset, bytes - 4u, total_bytes(input_at, EK_INPUT_COUNT))) {
    return OUT_OF_RANGE;
  }
  for (uint32_t i = 4; i < bytes; ++i) {
    *byte_at(input_at, EK_INPUT_COUNT, offset + (i - 4u)) = body[i];
  }
  return OK;
}

/* Nothing else happens between the two readings of the timer: no frame, no check. */
static void run_model(void) {
  ek_model_reset(guarded.arena);
  ek_phase_wait();
  BARRIER();
  const uint64_t begin = ek_port_ticks();
  BARRIER();
  const int code = ek_model_invoke(guarded.arena);
  BARRIER();
  const uint64_t end = ek_port_ticks();
  BARRIER();
  last.ticks = end - begin;
  last.invoke_code = (uint32_t)code;
  last.broken |= ek_guard_check(guarded.arena, EK_ARENA_BYTES);
  last.output_crc = crc_of(output_at, EK_OUTPUT_COUNT);
  ++last.runs;
}

/* Body: CRC-32 of the input (4 bytes). An inference may overwrite its input, and a reset forgets it: what is
 * there must be what the host sent. */
static uint8_t infer(uint32_t sequence, const uint8_t *body, uint32_t bytes) {
  if (last.answered && last.sequence == sequence) {
    return OK;
  }
  if (bytes != 4u) {
    return OUT_OF_RANGE;
  }
  if (init_code != 0 || crc_of(input_at, EK_INPUT_COUNT) != ek_get_u32(body)) {
    return INPUT_DIFFERS;
  }
  run_model();
  last.sequence = sequence;
  last.answered = 1;
  return OK;
}

static uint8_t *put_inference(uint8_t *body) {
  body = ek_put_u32(body, (uint32_t)(last.ticks & 0xFFFFFFFFu));
  body = ek_put_u32(body, (uint32_t)(last.ticks >> 32));
  body = ek_put_u32(body, last.output_crc);
  body = ek_put_u32(body, last.invoke_code);
  body = ek_put_u32(body, last.broken);
  return ek_put_u32(body, last.runs);
}

/* Body: offset (4 bytes), length (1 byte). Returns how many bytes were put at `to`. */
static uint8_t read_output(const uint8_t *body, uint32_t bytes, uint8_t *to, uint8_t *status) {
  if (bytes != 5u || body[4] > REPLY_DATA_BYTES ||
      !in_range(ek_get_u32(body), body[4], total_bytes(output_at, EK_OUTPUT_COUNT))) {
    *status = OUT_OF_RANGE;
    return 0;
  }
  for (uint32_t i = 0; i < body[4]; ++i) {
    to[i] = *byte_at(output_at, EK_OUTPUT_COUNT, ek_get_u32(body) + i);
  }
  return body[4];
}

static uint8_t *put_status(uint8_t *body) {
  last.broken |= ek_guard_check(guarded.arena, EK_ARENA_BYTES);
  body = ek_put_u32(body, ek_guard_stack_peak());
  body = ek_put_u32(body, last.broken);
  return ek_put_u32(body, last.runs);
}

static void answer(const uint8_t *request, uint32_t bytes) {
  if (bytes < HEADER_BYTES) {
    return;
  }
  const uint8_t *const body = request + HEADER_BYTES;
  const uint32_t body_bytes = bytes - HEADER_BYTES;
  uint8_t *const to = reply + REPLY_HEADER_BYTES;
  uint8_t *end = to;
  uint8_t status = OK;
  switch (request[0]) {
  case HELLO:
    end = answer_hello(to);
    break;
  case LOAD_INPUT:
    status = load_input(body, body_bytes);
    break;
  case INFER:
    status = infer(ek_get_u16(request + 1), body, body_bytes);
    end = status == OK ? put_inference(to) : to;
    break;
  case READ_OUTPUT:
    end = to + read_output(body, body_bytes, to, &status);
    break;
  case STATUS:
    end = put_status(to);
    break;
  default:
    status = UNKNOWN_REQUEST;
  }
  reply[0] = (uint8_t)(request[0] | REPLY);
  reply[1] = request[1];
  reply[2] = request[2];
  reply[3] = status;
  ek_frame_send(reply, (uint32_t)(end - reply), ek_port_putc);
}

/* An emulator that is asked for a byte without end has no time to fetch one. Far less than a byte takes on a
 * line. */
static void pause_polling(void) {
  for (uint32_t turn = POLL_PAUSE_TURNS; turn != 0; --turn) {
    __asm__ volatile("nop");
  }
}

/* A core that computes wrongly must not touch the model, and no inference runs on damaged constants: hello
 * tells. */
static uint32_t start_model(void) {
  if (self_test_code != 0) {
    return INIT_NOT_RUN;
  }
  if (ek_model_constants_crc(ek_crc32) != EK_MODEL_CONSTANTS_CRC) {
    return INIT_MODEL_DAMAGED;
  }
  return (uint32_t)ek_model_init(guarded.arena);
}

int ek_main(void) {
  ek_port_init();
  ek_guard_init(guarded.arena, EK_ARENA_BYTES);
  self_test_code = (uint32_t)ek_port_self_test();
  ek_phase_init();
  init_code = start_model();
  for (;;) {
    const int byte = ek_port_getc();
    if (byte < 0) {
      pause_polling();
      continue;
    }
    const uint32_t bytes = ek_frame_receive(&receiver, (uint8_t)byte);
    if (bytes != 0) {
      answer(receiver.payload, bytes);
    }
  }
}
