"""Times one exported part in OpenVINO and prints JSON.

Run: python openvino_part.py MODEL.xml float32|bfloat16|auto REPEATS THREADS
"""

import sys

from openvino_compile import compile_model
from random_inputs import random_inputs
from timing import print_times, seconds_of


def main() -> None:
    path, dtype, repeats, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    made = []
    load = seconds_of(lambda: made.append(compile_model(path, dtype, threads)))
    compiled = made[0]
    inputs = random_inputs(compiled.inputs)
    compiled(inputs)  # warm-up
    print_times(load, [seconds_of(lambda: compiled(inputs)) for _ in range(repeats)])


if __name__ == "__main__":
    main()
