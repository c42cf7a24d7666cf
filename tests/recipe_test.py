"""The tests of weights/training. Skipped (exit code 77) as far as this Python lacks their packages:
the renderer's need numpy and Pillow, the training's all of weights/training/requirements.txt."""

import importlib.util
import pathlib
import subprocess
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1] / "weights/training/tests"
NEEDED = {
    "test_rendering.py": ("numpy", "PIL"),
    "test_training.py": ("numpy", "PIL", "torch", "diffusers", "transformers"),
    "test_claims.py": ("numpy", "PIL", "torch", "diffusers", "transformers"),
    "test_recipe.py": (),
    "test_loop.py": ("numpy", "torch"),
    "test_optimizer.py": ("torch", ),
    "test_relatives.py": ("numpy", "PIL", "torch", "diffusers", "transformers", "safetensors"),
    "test_score.py": ("numpy", "PIL", "torch", "diffusers"),
}


def main() -> int:
    status = 77
    for name, packages in NEEDED.items():
        missing = [package for package in packages if importlib.util.find_spec(package) is None]
        if missing:
            print(f"{name} was not run: there is no {', '.join(missing)}")
            continue
        code = subprocess.run([sys.executable, TESTS / name]).returncode
        if code != 0:
            return code
        status = 0
    return status


sys.exit(main())
