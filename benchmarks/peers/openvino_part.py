"""Times one exported part in OpenVINO and prints JSON.

Run: python openvino_part.py MODEL.xml float32|bfloat16 REPEATS THREADS
"""

import json
import resource
import sys
import time

import numpy as np
import openvino


def example(port, rng) -> np.ndarray:
    shape = port.partial_shape.to_shape()
    if port.element_type.is_integral():
        return rng.integers(0, 1000, shape).astype(np.int64)
    return (rng.standard_normal(shape) if len(shape) > 1 else np.full(shape, 500.0)).astype(np.float32)


def main() -> None:
    path, dtype, repeats, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    core = openvino.Core()
    precision = {"float32": openvino.Type.f32, "bfloat16": openvino.Type.bf16}[dtype]
    start = time.perf_counter()
    compiled = core.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": precision,
                                                "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1,
                                                "PERFORMANCE_HINT": "LATENCY"})
    load = time.perf_counter() - start
    rng = np.random.default_rng(0)
    inputs = [example(port, rng) for port in compiled.inputs]
    compiled(inputs)  # warm-up
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        compiled(inputs)
        seconds.append(round(time.perf_counter() - start, 4))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"load_s": round(load, 3), "peak_gib": round(peak, 3), "seconds": seconds}))


if __name__ == "__main__":
    main()
