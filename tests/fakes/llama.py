"""A real inference server that nobody here wrote: llama.cpp's llama-server with a tiny random-weight model.

It answers nonsense, which is the point: real framing, real grammar-constrained JSON, real in-band errors.
`.ci/llama.py` brings the program; without it the fixture skips, or fails where KIMI_TEST_REQUIRE_LLAMA=1.
"""

import os
import resource
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.kimi import unused_port

MODEL_ID = "tiny-random"
VOCABULARY, WIDTH, LAYERS, HEADS, HIDDEN, CONTEXT = 300, 64, 2, 4, 128, 8192
SEED = 20_260_101
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6  # llama.cpp's token types
MEMORY_BYTES = 1 << 30  # private writable memory; an address space limit would count every mapped file
START_S, STOP_S = 30.0, 10.0
HASWELL = frozenset({"avx2", "bmi2", "f16c", "fma"})
TEMPLATE = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}\n{% endfor %}<assistant>"


@dataclass(frozen=True, slots=True)
class Llama:
    """A running server. `log`: its output so far."""

    base_url: str  # http://127.0.0.1:PORT/v1
    process_group: int
    log: Path


def folder() -> Path:
    """Where the program is looked for: KIMI_TEST_LLAMA, else the folder that `.ci/llama.py` fills."""
    return Path(os.environ.get("KIMI_TEST_LLAMA") or Path.home() / ".cache" / "kimi-lsp-ci" / "llama")


def missing() -> str | None:
    """Why the server cannot run here; None when it can."""
    if not (folder() / "usr" / "bin" / "llama-server").is_file():
        return f"no llama-server in {folder()}: run `python3 .ci/llama.py`"
    return None


def is_required() -> bool:
    """Whether a missing server is a failure."""
    return os.environ.get("KIMI_TEST_REQUIRE_LLAMA") == "1"


def tiny_model(path: Path) -> None:
    """Write a llama-architecture model with random weights and a byte-level vocabulary (about 0.5 MB).

    The layout follows llama.cpp's GGUF conventions (tensor and key names: gguf's `constants.py`).
    """
    import gguf
    import numpy as np

    random = np.random.default_rng(SEED)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(MODEL_ID)
    writer.add_context_length(CONTEXT)
    writer.add_block_count(LAYERS)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(VOCABULARY)

    vocabulary = [(b"<unk>", UNKNOWN), (b"<s>", CONTROL), (b"</s>", CONTROL)]
    vocabulary += [(b"<0x%02X>" % byte, BYTE) for byte in range(256)]
    words = (f"\N{LOWER ONE EIGHTH BLOCK}w{number}".encode() for number in range(VOCABULARY - len(vocabulary)))
    vocabulary += [(word, NORMAL) for word in words]
    writer.add_tokenizer_model("llama")
    writer.add_token_list([token for token, _ in vocabulary])
    writer.add_token_scores([0.0] * VOCABULARY)
    writer.add_token_types([kind for _, kind in vocabulary])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(TEMPLATE)

    shapes: dict[str, tuple[int, ...]] = {"token_embd": (VOCABULARY, WIDTH), "output": (VOCABULARY, WIDTH)}
    for layer in range(LAYERS):
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            shapes[f"blk.{layer}.{part}"] = (WIDTH, WIDTH)
        shapes |= {f"blk.{layer}.ffn_gate": (HIDDEN, WIDTH), f"blk.{layer}.ffn_up": (HIDDEN, WIDTH)}
        shapes[f"blk.{layer}.ffn_down"] = (WIDTH, HIDDEN)
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", random.normal(0.0, 0.05, shape).astype(np.float32))
    for name in ("output_norm", *(f"blk.{n}.{part}_norm" for n in range(LAYERS) for part in ("attn", "ffn"))):
        writer.add_tensor(f"{name}.weight", np.ones(WIDTH, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@contextmanager
def serving(model: Path, log: Path) -> Generator[Llama]:
    """Run the server on a free port, in its own process group, until the block ends; then nothing of it is left."""
    port = unused_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(folder(), model, port),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={"GGML_BACKEND_PATH": str(_backend(folder())), "PATH": "/nonexistent", "HOME": str(log.parent)},
            start_new_session=True,
        )
    try:
        resource.prlimit(process.pid, resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
        _wait_until_healthy(process, port, log)
        yield Llama(f"http://127.0.0.1:{port}/v1", process.pid, log)
    finally:
        _end(process)


def command(root: Path, model: Path, port: int) -> list[str]:
    """The command line: the folder's own loader and libraries, whatever the system has."""
    libraries = _libraries(root)
    loader = next(iter(sorted([*root.glob("usr/lib64/ld-linux*"), *root.glob("usr/lib/ld-linux*")])))
    server = [str(loader), "--library-path", f"{libraries}:{libraries / 'llama'}", str(root / "usr/bin/llama-server")]
    options = ["--host", "127.0.0.1", "--port", str(port), "-c", str(CONTEXT), "-np", "1", "-t", "2", "--jinja"]
    return [*server, "-m", str(model), "--alias", MODEL_ID, *options]


def is_alive(process_group: int) -> bool:
    """Whether any process of a group exists."""
    try:
        os.killpg(process_group, 0)
    except ProcessLookupError:
        return False
    return True


def _libraries(root: Path) -> Path:
    return next(iter(sorted(root.glob("usr/lib/*-linux-gnu"))))


def _backend(root: Path) -> Path:
    """The CPU backend to load: the AVX2 one where the processor has it, else the plainest."""
    words = Path("/proc/cpuinfo").read_text("utf-8").split()
    names = ["libggml-cpu-haswell.so"] if set(words) >= HASWELL else []
    names += ["libggml-cpu-x64.so", "libggml-cpu-armv8.0_1.so"]
    for name in names:
        for path in _libraries(root).glob(f"ggml/*/{name}"):
            return path
    raise FileNotFoundError(f"no CPU backend in {root}")


def _wait_until_healthy(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with opener.open(f"http://127.0.0.1:{port}/health", timeout=2.0) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass  # not listening yet, or still loading (503)
        time.sleep(0.02)
    raise RuntimeError(f"llama-server did not start:\n{log.read_text('utf-8', 'replace')[-4000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the group to end, make it end, and see that it has."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if is_alive(process.pid):
            os.killpg(process.pid, number)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            continue
        break
    deadline = time.monotonic() + STOP_S
    while is_alive(process.pid):
        if time.monotonic() > deadline:
            raise RuntimeError(f"llama-server's process group {process.pid} would not end")
        os.killpg(process.pid, signal.SIGKILL)
        time.sleep(0.02)
