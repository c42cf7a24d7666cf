# `cmake --install`: a relocatable tree with find_package(fjord CONFIG) and pkg-config files, and CPack's archive of it.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The libraries find each other by $ORIGIN. LibTorch lies beside them where it is bundled, else where it was found.
set(fjord_rpath "$ORIGIN")
if(NOT FJORD_BUNDLE_LIBTORCH)
  list(APPEND fjord_rpath "${FJORD_TORCH_ROOT}/lib")
endif()
set(fjord_libraries fjord)
if(TARGET fjord_c)
  list(APPEND fjord_libraries fjord_c)
endif()
set_target_properties(${fjord_libraries} PROPERTIES INSTALL_RPATH "${fjord_rpath}")
install(TARGETS ${fjord_libraries} EXPORT fjordTargets LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/fjord" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
if(TARGET fjord_cli)
  set_target_properties(fjord_cli PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  install(TARGETS fjord_cli RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT program)
endif()

set(fjord_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/fjord")
install(EXPORT fjordTargets NAMESPACE fjord:: DESTINATION "${fjord_package_dir}")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/fjordConfig.cmake.in" "${PROJECT_BINARY_DIR}/fjordConfig.cmake"
  INSTALL_DESTINATION "${fjord_package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/fjordConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/fjordConfig.cmake" "${PROJECT_BINARY_DIR}/fjordConfigVersion.cmake"
  DESTINATION "${fjord_package_dir}")

file(RELATIVE_PATH fjord_prefix_from_pc "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
foreach(library IN LISTS fjord_libraries)
  configure_file("${PROJECT_SOURCE_DIR}/cmake/${library}.pc.in" "${PROJECT_BINARY_DIR}/${library}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${library}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endforeach()

if(FJORD_BUNDLE_LIBTORCH)
  # What libfjord needs of LibTorch and what that needs beyond the system; CUDA's runtime is linked by the CPU library too.
  foreach(name libtorch_cpu.so libc10.so libgomp.so.1 libcudart.so.13 libcupti.so.13)
    find_file(FJORD_BUNDLED_${name} ${name} NO_DEFAULT_PATH
      PATHS "${FJORD_TORCH_ROOT}/lib" "${FJORD_TORCH_ROOT}/../nvidia/cu13/lib")
    if(FJORD_BUNDLED_${name})
      install(PROGRAMS "${FJORD_BUNDLED_${name}}" DESTINATION "${CMAKE_INSTALL_LIBDIR}")
      # Symbols for debuggers are a fifth of LibTorch.
      install(CODE "execute_process(COMMAND \"${CMAKE_STRIP}\" --strip-unneeded
        \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/${name}\")")
    endif()
  endforeach()
endif()

set(CPACK_GENERATOR TXZ)
set(CPACK_PACKAGE_VENDOR fjord)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Images with diffusion U-Nets on LibTorch")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
set(CPACK_PACKAGE_FILE_NAME "fjord-${PROJECT_VERSION}-${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR}-cpu")
set(CPACK_STRIP_FILES ON)
set(CPACK_THREADS 0)
include(CPack)
