# SPDX-License-Identifier: MIT OR Apache-2.0
# What the toolchain files of the ports share. Before it is included they set port, the name of the
# preset; triple, the prefix of Debian's cross tools; and emulator, of qemu-user, empty if the
# programs run as they are.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_C_COMPILER ${triple}-gcc)
if(emulator)
	set(CMAKE_CROSSCOMPILING_EMULATOR ${emulator};-L;/usr/${triple})
endif()

# cmocka and jansson, cross-built there by tests/ports/libraries; nothing of the machine that builds.
get_filename_component(prefix "${CMAKE_CURRENT_LIST_DIR}/../../build/ports/prefix/${port}" ABSOLUTE)
set(ENV{PKG_CONFIG_LIBDIR} "${prefix}/lib/pkgconfig")
set(CMAKE_FIND_ROOT_PATH "${prefix}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
