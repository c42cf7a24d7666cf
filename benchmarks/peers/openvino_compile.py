"""How every model is compiled for OpenVINO here: for one request at a time, on the given number of threads."""

import openvino

TYPES = {"float32": openvino.Type.f32, "bfloat16": openvino.Type.bf16}


def compile_model(path, dtype: str, threads: int) -> openvino.CompiledModel:
    """dtype "auto" leaves the precision of what is not quantised to OpenVINO."""
    settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
    if dtype in TYPES:
        settings["INFERENCE_PRECISION_HINT"] = TYPES[dtype]
    return openvino.Core().compile_model(path, "CPU", settings)
