# An overlay port: vcpkg install fjord --overlay-ports=packaging/vcpkg/ports
# It builds the tree it lies in. LibTorch is not vcpkg's own (2.1.2 is too old): FJORD_LIBTORCH in the environment names
# an unpacked LibTorch 2.11 or the folder of its wheel.
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../../.." ABSOLUTE)
if(NOT DEFINED ENV{FJORD_LIBTORCH})
  message(FATAL_ERROR "Set FJORD_LIBTORCH to a LibTorch 2.11, for example .deps/libtorch/torch after scripts/setup.sh.")
endif()
vcpkg_check_linkage(ONLY_DYNAMIC_LIBRARY)
vcpkg_cmake_configure(SOURCE_PATH "${SOURCE_PATH}" OPTIONS
  -DCMAKE_PREFIX_PATH=$ENV{FJORD_LIBTORCH} -DFJORD_TESTS=OFF -DFJORD_EXAMPLES=OFF -DFJORD_CLI=OFF)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/fjord)
vcpkg_fixup_pkgconfig()
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
