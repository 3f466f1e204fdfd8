# SPDX-License-Identifier: MIT OR Apache-2.0
# 32-bit x86, run by the x86-64 kernel itself, with the cross compiler's C library.
set(port i386)
set(triple i686-linux-gnu)
set(emulator "")
set(CMAKE_SYSTEM_PROCESSOR i686)
include("${CMAKE_CURRENT_LIST_DIR}/port.cmake")
set(CMAKE_EXE_LINKER_FLAGS_INIT
	"-Wl,--dynamic-linker=/usr/${triple}/lib/ld-linux.so.2 -Wl,-rpath,/usr/${triple}/lib")
# The alignment of atomic words was another before gcc 11; it says so at each use.
set(CMAKE_C_FLAGS_INIT "-Wno-psabi")
