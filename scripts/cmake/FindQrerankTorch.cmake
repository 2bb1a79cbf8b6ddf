# FindQrerankTorch: libtorch without its CUDA toolkit checks. Defines qrerank::torch (libtorch_cpu and libc10)
# and QRERANK_TORCH_VERSION.
#
# Looked for, in this order: CMAKE_PREFIX_PATH or QRERANK_TORCH_ROOT (an unpacked official libtorch zip, the `torch`
# folder of an installed wheel, or the folder that holds that one), then what scripts/setup keeps in
# ${QRERANK_CACHE}/libtorch/torch.
# libtorch.so is not linked on purpose: CUDA is opened at run time where a driver is found
# (reranker/model/device.cpp), so that one program serves machines with and without a GPU.
find_path(QRERANK_TORCH_INCLUDE_DIR ATen/ATen.h
  HINTS "${QRERANK_TORCH_ROOT}" "${QRERANK_CACHE}/libtorch/torch" PATH_SUFFIXES include torch/include NO_CMAKE_SYSTEM_PATH)
get_filename_component(_qrerank_torch_root "${QRERANK_TORCH_INCLUDE_DIR}" DIRECTORY)
find_library(QRERANK_TORCH_CPU_LIBRARY torch_cpu HINTS "${_qrerank_torch_root}/lib" NO_DEFAULT_PATH)
find_library(QRERANK_TORCH_C10_LIBRARY c10 HINTS "${_qrerank_torch_root}/lib" NO_DEFAULT_PATH)

find_file(QRERANK_TORCH_VERSION_FILE version.h PATHS "${QRERANK_TORCH_INCLUDE_DIR}/torch/headeronly"
  "${QRERANK_TORCH_INCLUDE_DIR}/torch/csrc/api/include/torch" NO_DEFAULT_PATH)
mark_as_advanced(QRERANK_TORCH_VERSION_FILE)
if(QRERANK_TORCH_VERSION_FILE)
  foreach(_qrerank_part MAJOR MINOR PATCH)
    file(STRINGS "${QRERANK_TORCH_VERSION_FILE}" _qrerank_line REGEX "#define TORCH_VERSION_${_qrerank_part} [0-9]+")
    string(REGEX MATCH "[0-9]+" _qrerank_${_qrerank_part} "${_qrerank_line}")
  endforeach()
  set(QRERANK_TORCH_VERSION "${_qrerank_MAJOR}.${_qrerank_MINOR}.${_qrerank_PATCH}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(QrerankTorch
  REQUIRED_VARS QRERANK_TORCH_CPU_LIBRARY QRERANK_TORCH_C10_LIBRARY QRERANK_TORCH_INCLUDE_DIR
  VERSION_VAR QRERANK_TORCH_VERSION
  REASON_FAILURE_MESSAGE "libtorch was not found. Run scripts/setup, which puts it into ${QRERANK_CACHE}/libtorch, \
or point CMAKE_PREFIX_PATH at an unpacked libtorch, or configure with -DQRERANK_WITH_TORCH=OFF.")
mark_as_advanced(QRERANK_TORCH_INCLUDE_DIR QRERANK_TORCH_CPU_LIBRARY QRERANK_TORCH_C10_LIBRARY)

if(QrerankTorch_FOUND AND NOT TARGET qrerank::torch)
  add_library(qrerank::c10 SHARED IMPORTED)
  set_target_properties(qrerank::c10 PROPERTIES IMPORTED_LOCATION "${QRERANK_TORCH_C10_LIBRARY}")
  add_library(qrerank::torch SHARED IMPORTED)
  # The imported location's folder becomes the build's RUNPATH (the linker's default), which a user's
  # LD_LIBRARY_PATH overrides; the wheel's libraries find the NVIDIA ones beside them by their own RPATH.
  set_target_properties(qrerank::torch PROPERTIES
    IMPORTED_LOCATION "${QRERANK_TORCH_CPU_LIBRARY}"
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${QRERANK_TORCH_INCLUDE_DIR}"
    INTERFACE_INCLUDE_DIRECTORIES "${QRERANK_TORCH_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES qrerank::c10)
  foreach(_qrerank_nvidia cu13 cuda_runtime cuda_cupti)
    set(_qrerank_folder "${_qrerank_torch_root}/../nvidia/${_qrerank_nvidia}/lib")
    if(IS_DIRECTORY "${_qrerank_folder}")
      target_link_options(qrerank::torch INTERFACE "LINKER:-rpath-link,${_qrerank_folder}")
    endif()
  endforeach()
  target_link_options(qrerank::torch INTERFACE "LINKER:-rpath-link,${_qrerank_torch_root}/lib"
                      "LINKER:--enable-new-dtags")
endif()
