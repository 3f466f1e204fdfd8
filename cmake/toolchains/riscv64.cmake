# SPDX-License-Identifier: MIT OR Apache-2.0
# 64-bit RISC-V, under qemu-user.
set(port riscv64)
set(triple riscv64-linux-gnu)
set(emulator qemu-riscv64)
set(CMAKE_SYSTEM_PROCESSOR riscv64)
include("${CMAKE_CURRENT_LIST_DIR}/port.cmake")
