# SPDX-License-Identifier: MIT OR Apache-2.0
# Big-endian: IBM Z, under qemu-user.
set(port s390x)
set(triple s390x-linux-gnu)
set(emulator qemu-s390x)
set(CMAKE_SYSTEM_PROCESSOR s390x)
include("${CMAKE_CURRENT_LIST_DIR}/port.cmake")
