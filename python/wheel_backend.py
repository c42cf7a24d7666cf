"""A PEP 517 backend: builds libfjord_c with CMake and puts it into a wheel beside the Python package.

FJORD_BUILD=<folder> takes an existing build. FJORD_BUNDLE_LIBTORCH=1 puts LibTorch's libraries into the wheel, which is
then complete; without it the wheel finds LibTorch where the build found it.
"""

from __future__ import annotations

import base64
import hashlib
import os
import pathlib
import re
import subprocess
import sysconfig
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIBRARIES = ("libfjord.so", "libfjord_c.so")


def _version() -> str:
    return re.search(r"project\(fjord VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)


def _metadata() -> str:
    return (f"Metadata-Version: 2.1\nName: fjord\nVersion: {_version()}\nSummary: Images with diffusion U-Nets\n"
            "License: Apache-2.0\nRequires-Python: >=3.9\nRequires-Dist: numpy\n")


def _build() -> pathlib.Path:
    given = os.environ.get("FJORD_BUILD")
    folder = pathlib.Path(given) if given else ROOT / "build" / "wheel"
    if not given:
        options = ["-DCMAKE_BUILD_TYPE=Release", "-DFJORD_TESTS=OFF", "-DFJORD_EXAMPLES=OFF", "-DFJORD_CLI=OFF"]
        if os.environ.get("FJORD_BUNDLE_LIBTORCH"):
            options.append("-DFJORD_BUNDLE_LIBTORCH=ON")
        subprocess.run(["cmake", "-G", "Ninja", "-S", str(ROOT), "-B", str(folder), *options], check=True)
        subprocess.run(["cmake", "--build", str(folder)], check=True)
    return folder


def _content() -> dict[str, bytes]:
    """The wheel's files by name."""
    files = {f"fjord/{path.name}": path.read_bytes() for path in sorted((ROOT / "python" / "fjord").iterdir())
             if path.is_file() and path.suffix in (".py", ".typed")}
    with tempfile.TemporaryDirectory() as prefix:
        subprocess.run(["cmake", "--install", str(_build()), "--prefix", prefix, "--strip",
                        "--component", "Unspecified"], check=True, stdout=subprocess.DEVNULL)
        for path in sorted(pathlib.Path(prefix).glob("lib*/*.so*")):
            # A wheel has no links: of a library's names the one that loaders ask for is kept.
            name = re.sub(r"(\.so\.\d+\.\d+)\.\d+$", r"\1", path.name)
            if path.name not in LIBRARIES and not (path.is_symlink() and name == path.name):
                files[f"fjord/lib/{name}"] = path.read_bytes()
    return files


def _record_line(name: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}\n"


def build_wheel(wheel_directory: str, config_settings: object = None, metadata_directory: object = None) -> str:
    version = _version()
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    files = _content()
    info = f"fjord-{version}.dist-info"
    files[f"{info}/METADATA"] = _metadata().encode()
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: fjord\nRoot-Is-Purelib: false\nTag: py3-none-{platform}\n".encode()
    record = "".join(_record_line(name, data) for name, data in files.items()) + f"{info}/RECORD,,\n"
    files[f"{info}/RECORD"] = record.encode()
    name = f"fjord-{version}-py3-none-{platform}.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w", zipfile.ZIP_DEFLATED) as wheel:
        for file, data in files.items():
            wheel.writestr(file, data)
    return name


def build_sdist(sdist_directory: str, config_settings: object = None) -> str:
    name = f"fjord-{_version()}"
    subprocess.run(["git", "-C", str(ROOT), "archive", "--format=tar.gz", f"--prefix={name}/", "-o",
                    os.path.join(os.path.abspath(sdist_directory), f"{name}.tar.gz"), "HEAD"], check=True)
    return f"{name}.tar.gz"
