# SPDX-License-Identifier: MIT OR Apache-2.0
# x86-64 with musl as the C library, run as it is.
set(port musl)
set(triple musl)
set(emulator "")
set(CMAKE_SYSTEM_PROCESSOR x86_64)
include("${CMAKE_CURRENT_LIST_DIR}/port.cmake")
# The kernel's headers, which musl's compiler does not look for: links of tests/ports/libraries.
set(CMAKE_C_FLAGS_INIT "-isystem ${prefix}/kernel")
