# SPDX-License-Identifier: MIT OR Apache-2.0
# 32-bit ARM (ARMv7), under qemu-user.
set(port armhf)
set(triple arm-linux-gnueabihf)
set(emulator qemu-arm)
set(CMAKE_SYSTEM_PROCESSOR armv7l)
# Time of 64 bits, as Debian's own armhf has had it since 2025; the other 32-bit port has 32.
set(CMAKE_C_FLAGS_INIT "-D_TIME_BITS=64 -D_FILE_OFFSET_BITS=64")
include("${CMAKE_CURRENT_LIST_DIR}/port.cmake")
