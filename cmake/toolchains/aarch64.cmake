# SPDX-License-Identifier: MIT OR Apache-2.0
# 64-bit ARM, under qemu-user.
set(port aarch64)
set(triple aarch64-linux-gnu)
set(emulator qemu-aarch64)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
include("${CMAKE_CURRENT_LIST_DIR}/port.cmake")
