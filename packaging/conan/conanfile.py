"""A recipe for Conan 2: conan create packaging/conan -o "&:libtorch=<folder of a LibTorch 2.11>"."""

import os

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy


class FjordConan(ConanFile):
    name = "fjord"
    version = "0.1.0"
    description = "Images with diffusion U-Nets on LibTorch"
    license = "Apache-2.0"
    package_type = "shared-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"libtorch": ["ANY"]}
    default_options = {"libtorch": ""}
    requires = ("libpng/[>=1.6 <2]", "nlohmann_json/[>=3.7 <4]", "utf8proc/[>=2.8 <3]")
    generators = ("CMakeDeps", "PkgConfigDeps")

    def export_sources(self) -> None:
        root = os.path.join(self.recipe_folder, "..", "..")
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*", "src/*"):
            copy(self, pattern, root, self.export_sources_folder)

    def layout(self) -> None:
        cmake_layout(self)

    def generate(self) -> None:
        toolchain = CMakeToolchain(self)
        for name in ("TESTS", "EXAMPLES", "CLI"):
            toolchain.variables[f"FJORD_{name}"] = False
        if self.options.libtorch:
            toolchain.variables["Torch_DIR"] = os.path.join(str(self.options.libtorch), "share", "cmake", "Torch")
        toolchain.generate()

    def build(self) -> None:
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self) -> None:
        CMake(self).install()

    def package_info(self) -> None:
        self.cpp_info.set_property("cmake_find_mode", "none")  # the package brings fjordConfig.cmake
        self.cpp_info.builddirs = [os.path.join("lib", "cmake", "fjord")]
