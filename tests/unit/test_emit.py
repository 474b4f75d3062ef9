"""What is emitted: safe names, the same bytes twice, and C that compiles cleanly and links twice."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "kernels"))
from cases import CASES

from edgekit.engine import c_prune, emit_aot, emit_tflm
from edgekit.engine.naming import c_comment, c_identifier, c_string
from edgekit.engine.program import program
from edgekit.errors import ModelError, UnsupportedOpError
from edgekit.firmware_files import firmware_path
from edgekit.tflite import graph

HOSTILE = 'x"; */ system("rm -rf /"); /* \\\n#include "evil.h" ??/'


def _graph(operator: str = "conv_2d", seed: int = 0) -> graph.Graph:
    return graph.parse(CASES[operator](np.random.default_rng(seed)).flatbuffer)


def _write(sources: emit_aot.Sources, folder: Path) -> None:
    for path, text in sources.files.items():
        (folder / path).write_text(text)


def test_same_graph_gives_same_bytes() -> None:
    made = _graph()
    assert emit_aot.emit(made, "one").files == emit_aot.emit(made, "one").files
    assert emit_tflm.emit(made, "one", arena_bytes=4096) == emit_tflm.emit(made, "one", arena_bytes=4096)


def test_hostile_names_never_reach_c(tmp_path: Path) -> None:
    made = _graph()
    tensors = tuple(dataclasses.replace(tensor, name=HOSTILE) for tensor in made.tensors)
    made = dataclasses.replace(made, tensors=tensors)
    stem = c_identifier(HOSTILE)
    sources = emit_aot.emit(made, stem, labels=(HOSTILE, "é"))
    text = "".join(sources.files.values())
    assert '"evil.h' not in text and "??/" not in text and "*/ system" not in text
    _write(sources, tmp_path)
    flags = ["-std=c99", "-trigraphs", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
    subprocess.run(["cc", *flags, "-c", f"{stem}.c"], cwd=tmp_path, check=True)
    shown = tmp_path / "labels.c"
    shown.write_text(
        f'#include "{stem}.h"\n#include <stdio.h>\nint main(void) {{ fputs({stem}_labels[0], stdout); return 0; }}\n'
    )
    subprocess.run(["cc", "-std=c99", "-o", "labels", "labels.c", f"{stem}.o"], cwd=tmp_path, check=True)
    out = subprocess.run([str(tmp_path / "labels")], stdout=subprocess.PIPE, check=True).stdout
    assert out.decode() == HOSTILE


@pytest.mark.parametrize("text", ["a*/b", "/*", "//", "??/", "a\nb", "a\\", "\x00"])
def test_comment_cannot_end_early(text: str) -> None:
    made = c_comment(text)
    assert not set(made) & set("*/\\?\n\0")


def test_names_of_files_become_identifiers() -> None:
    names = ["", "1", "ek_row", "for", "ÄÖ", "a" * 99, "a b", "string", "model"]
    made = [c_identifier(name) for name in names]
    assert made == ["network", "model_1", "model_ek_row", "for_", "network", "a" * 48, "a_b", "string_", "model_"]
    assert c_string('"') == '"\\042"'


def test_header_names_of_the_harness_are_kept_free() -> None:
    harness = {path.stem for path in firmware_path("harness").glob("*.h")}
    assert all(c_identifier(name) not in harness for name in harness)


LANGUAGES = [
    ("gcc", ["-std=c99", "-pedantic"]),
    ("g++", ["-std=c++17", "-xc++"]),
    ("clang", ["-std=c99", "-pedantic"]),
    ("clang++", ["-std=c++17", "-xc++"]),
]


@pytest.mark.parametrize(("compiler", "flags"), LANGUAGES, ids=[name for name, _ in LANGUAGES])
def test_compiles_without_a_warning_as_c99_and_as_cpp17(compiler: str, flags: list[str], tmp_path: Path) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    warnings = ["-Wall", "-Wextra", "-Wconversion", "-Werror"]
    for operator in ("conv_2d", "depthwise_conv_2d", "softmax", "add", "svdf", "transpose"):
        _write(emit_aot.emit(_graph(operator), operator), tmp_path)
        subprocess.run(
            [compiler, *flags, *warnings, "-O1", "-c", f"{operator}.c", "-o", "x.o"], cwd=tmp_path, check=True
        )


def test_what_the_documentation_shows_compiles(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    shown = re.findall(r"```c\n(.*?)```", (root / "docs" / "memory.md").read_text(), flags=re.DOTALL)[0]
    assert "digits_invoke" in shown
    _write(emit_aot.emit(graph.read(root / "models" / "digits" / "model.tflite"), "digits"), tmp_path)
    declared = shown.replace("void setup", "void setup(void);\nint classify(const float *pixels);\nvoid setup", 1)
    for name, command in (("shown.c", ["cc", "-std=c99"]), ("shown.cc", ["c++", "-std=c++17"])):
        (tmp_path / name).write_text(declared)
        warnings = ["-Wall", "-Wextra", "-Wconversion", "-Wmissing-declarations", "-Werror"]
        subprocess.run([*command, *warnings, "-c", name], cwd=tmp_path, check=True)


def test_settings_stand_in_the_order_of_their_struct() -> None:
    """Without designators the order counts; a field too few is a warning of the compiler."""
    for operator in CASES:
        sources = emit_aot.emit(_graph(operator), "net")
        text = sources.files[PurePosixPath("net.c")]
        for kernel, body in re.findall(r"static const (ek_\w+_layer) \w+ = \{\n(.*?)\n\};", text, flags=re.DOTALL):
            while re.search(r"\{[^{}]*\}", body):
                body = re.sub(r"\{[^{}]*\}", "", body)
            named = re.findall(r"/\* (\w+) \*/", body)
            structs = re.findall(r"typedef struct \{\n((?:(?!typedef).)*?)\n\} " + kernel + ";", text, flags=re.DOTALL)
            if not structs:
                continue  # another name of a struct
            fields = re.findall(r"(\w+)(?:\[\w+\])?;", re.sub(r"/\*.*?\*/", "", structs[0], flags=re.DOTALL))
            assert named == fields, (operator, kernel)


def test_only_what_is_used_is_emitted() -> None:
    text = emit_aot.emit(_graph("softmax"), "net").files[PurePosixPath("net.c")]
    functions = re.findall(r"^static inline [\w *]*?(\w+)\(", text, flags=re.MULTILINE)
    assert "ek_softmax_s8" in functions
    assert all(len(re.findall(rf"\b{name}\b", text)) > 1 for name in functions), functions
    assert "Twin" not in text


_KERNEL = """\
/* A kernel. */

#ifdef __ARM_FEATURE_DSP
/* In assembly. */
static __attribute__((noinline)) int ek_a(void) {
#define EK_INSIDE 1
  return EK_INSIDE;
}

static inline int ek_b(void) {
  return 2;
}
#else
static inline int ek_a(void) {
  return 3;
}
#define EK_USED 1
#define EK_UNUSED ek_b()
#endif

#ifdef OTHER
static const int ek_c[2] = {
  1, 2,
};
#else
#define EK_D(x) \\
  (x)
#endif
"""


def test_names_that_a_macro_pastes_together_stay() -> None:
    kernel = "#define EK_BY_ONE(x) x\n#define EK_BY_TWO(x) (2 * x)\n#define EK_BY(WAY, x) EK_BY_##WAY(x)\n"
    assert "EK_BY_TWO(x) (2" in "".join(c_prune.pruned([kernel], "int x = EK_BY(TWO, 3);"))


def test_conditions_around_nothing_go() -> None:
    text = "".join(c_prune.pruned([_KERNEL, "/* Another. */\n\n#define EK_E 1\n"], "int x = ek_a() + EK_USED;"))
    assert text.count("ek_a") == 2 and text.count("#else") == text.count("#endif") == text.count("EK_USED") == 1
    assert not re.search("ek_b|ek_c|EK_UNUSED|EK_D|OTHER|Another", text)
    assert "".join(c_prune.pruned([_KERNEL], "EK_D(ek_b())")).count("#endif") == 2


@pytest.mark.parametrize("place", ["behind", "over"])
def test_the_header_says_what_an_inference_overwrites(place: str) -> None:
    made = program(_graph("conv_2d"))
    (source,), (output,) = made.graph.inputs, made.graph.outputs
    offsets = {source: 0, output: 0 if place == "over" else 1 << 16}
    memory = dataclasses.replace(made.memory, offsets=offsets, scratch={}, arena_bytes=1 << 20)
    header = emit_aot.emit_program(dataclasses.replace(made, memory=memory), "net").files[PurePosixPath("net.h")]
    told = " ".join(header.replace("\n * ", " ").split())
    assert ("It overwrites the input" in told) is (place == "over")
    assert ("The next input overwrites the output" in told) is (place == "over")
    assert ("The input is still there afterwards." in told) is (place == "behind")


def test_two_models_link_into_one_program(tmp_path: Path) -> None:
    for stem, operator in [("first", "conv_2d"), ("second", "softmax")]:
        _write(emit_aot.emit(_graph(operator), stem), tmp_path)
    (tmp_path / "main.cc").write_text(
        '#include "first.h"\n#include "second.h"\n'
        "alignas(16) static unsigned char arena[FIRST_ARENA_BYTES + SECOND_ARENA_BYTES];\n"
        "int main() { first_init(arena); first_invoke(arena); second_invoke(arena + FIRST_ARENA_BYTES); return 0; }\n"
    )
    subprocess.run(["cc", "-std=c99", "-c", "first.c", "second.c"], cwd=tmp_path, check=True)
    command = ["c++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "main.cc", "first.o", "second.o", "-o", "both"]
    subprocess.run(command, cwd=tmp_path, check=True)
    subprocess.run([str(tmp_path / "both")], check=True)


def test_quantize_and_dequantize_in_c(tmp_path: Path) -> None:
    made = _graph("fully_connected", 3)
    quant = made.tensors[made.inputs[0]].quant
    assert quant is not None
    _write(emit_aot.emit(made, "net"), tmp_path)
    (tmp_path / "main.c").write_text(
        '#include "net.h"\n#include <stdio.h>\nint main(void) { float x;\n'
        '  while (fread(&x, 4, 1, stdin) == 1) printf("%d ", net_quantize(x));\n  return 0; }\n'
    )
    subprocess.run(["cc", "-std=c99", "-o", "main", "main.c"], cwd=tmp_path, check=True)
    real = np.concatenate([np.random.default_rng(0).uniform(-9, 9, 500), [1e30, -1e30, 0.0]]).astype(np.float32)
    out = subprocess.run([str(tmp_path / "main")], input=real.tobytes(), stdout=subprocess.PIPE, check=True).stdout
    scaled = real / np.float32(quant.scale[0])
    expected = np.clip(np.trunc(scaled + np.copysign(np.float32(0.5), scaled)) + quant.zero_point[0], -128, 127)
    np.testing.assert_array_equal(np.array(out.split(), np.int64), expected.astype(np.int64))


def test_c_array_is_the_flatbuffer(tmp_path: Path) -> None:
    made = _graph()
    _write(emit_tflm.emit(made, "net", arena_bytes=None), tmp_path)
    (tmp_path / "main.cc").write_text(
        '#include "net_data.h"\n#include <cstdio>\n#include <cstdint>\n'
        "int main() { if (reinterpret_cast<std::uintptr_t>(net_data) % 16) return 1;\n"
        "  return std::fwrite(net_data, 1, NET_DATA_BYTES, stdout) != NET_DATA_BYTES; }\n"
    )
    subprocess.run(
        ["c++", "-std=c++17", "-Wall", "-Werror", "-o", "main", "main.cc", "net_data.cc"], cwd=tmp_path, check=True
    )
    assert subprocess.run([str(tmp_path / "main")], stdout=subprocess.PIPE, check=True).stdout == made.flatbuffer
    assert "estimate" in (tmp_path / "net_arena.h").read_text()
    assert "AddConv2D()" in (tmp_path / "net_ops.h").read_text()


def test_unsupported_operator_is_named() -> None:
    made = _graph("softmax")
    op = dataclasses.replace(made.ops[0], kind="CUSTOM:Foo")
    with pytest.raises(UnsupportedOpError, match="operator 0 CUSTOM:Foo") as caught:
        emit_aot.emit(dataclasses.replace(made, ops=(op,)), "net")
    assert "aot runs" in caught.value.hint and caught.value.exit_code == 3


def test_failed_check_says_what_was_expected() -> None:
    made = _graph("softmax")
    output = made.tensors[made.outputs[0]]
    other = dataclasses.replace(output, quant=graph.Quant((0.5,), (0,), None))
    tensors = tuple(other if tensor is output else tensor for tensor in made.tensors)
    with pytest.raises(UnsupportedOpError, match="expected: an output of scale 1/256"):
        emit_aot.emit(dataclasses.replace(made, tensors=tensors), "net")


def test_float_model_is_refused() -> None:
    made = _graph()
    tensors = tuple(dataclasses.replace(tensor, dtype="float32") for tensor in made.tensors)
    with pytest.raises(ModelError, match="float32, expected int8"):
        emit_aot.emit(dataclasses.replace(made, tensors=tensors), "net")


@pytest.mark.parametrize("damage", ["truncate", "identifier", "empty", "byte"])
def test_damaged_flatbuffer_is_refused_or_parsed(damage: str) -> None:
    content = _graph().flatbuffer
    damaged = {
        "truncate": content[: len(content) // 2],
        "identifier": content[:4] + b"XXXX" + content[8:],
        "empty": b"",
        "byte": b"\xff\xff\xff\x7f" + content[4:],
    }[damage]
    with pytest.raises(ModelError):
        graph.parse(damaged)
