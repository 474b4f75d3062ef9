// The TensorFlow Lite Micro application: the harness's ek_model_* functions over tflite::MicroInterpreter.
// Compiled with a TensorFlow Lite Micro tree; everything about the model comes from the emitted headers.
#include "ek_model.h"

#include <new>

#include EK_TFLM_OPS_HEADER
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/system_setup.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace {

// Built in place, for good: no constructor runs before main, none needs a guard, and no destructor is kept.
struct Engine {
  alignas(EK_TFLM_RESOLVER) uint8_t resolver[sizeof(EK_TFLM_RESOLVER)];
  alignas(tflite::MicroInterpreter) uint8_t interpreter[sizeof(tflite::MicroInterpreter)];
};

Engine engine;
tflite::MicroInterpreter *interpreter; // null until it has tensors

// What ek_model_init returns, each a step further.
enum InitCode { kReady = 0, kWrongSchema = 1, kOperatorMissing = 2, kArenaTooSmall = 3 };

ek_span span_of(TfLiteTensor *tensor) {
  return {reinterpret_cast<uint8_t *>(tensor->data.data), static_cast<uint32_t>(tensor->bytes)};
}

} // namespace

// What TensorFlow Lite Micro keeps outside the arena. `extern`: a const at file scope is local otherwise.
extern "C" const uint32_t ek_engine_bytes = sizeof(Engine) + sizeof(interpreter);

extern "C" int ek_model_init(uint8_t *arena) {
  tflite::InitializeTarget();
  const tflite::Model *model = tflite::GetModel(EK_TFLM_DATA);
  if (model->version() != TFLITE_SCHEMA_VERSION) {
    return kWrongSchema;
  }
  auto *resolver = ::new (engine.resolver) EK_TFLM_RESOLVER;
  if (EK_TFLM_REGISTER_OPS(*resolver) != kTfLiteOk) {
    return kOperatorMissing;
  }
  auto *made = ::new (engine.interpreter) tflite::MicroInterpreter(model, *resolver, arena, EK_ARENA_BYTES);
  if (made->AllocateTensors() != kTfLiteOk) {
    return kArenaTooSmall;
  }
  interpreter = made;
  return kReady;
}

extern "C" void ek_model_reset(uint8_t *) {
  interpreter->Reset();
}

extern "C" int ek_model_invoke(uint8_t *) {
  return static_cast<int>(interpreter->Invoke());
}

// Where ek_model_init failed there are no tensors; the harness asks for their sizes all the same.
extern "C" ek_span ek_model_input(uint8_t *arena, uint32_t index) {
  return interpreter == nullptr ? ek_span{arena, 0} : span_of(interpreter->input(index));
}

extern "C" ek_span ek_model_output(uint8_t *arena, uint32_t index) {
  return interpreter == nullptr ? ek_span{arena, 0} : span_of(interpreter->output(index));
}
