# SPDX-License-Identifier: MIT OR Apache-2.0
# Where positions, of 64 bits, take a call: 32-bit processors of old. Sets atomic_library, and
# atomic_flag for pkg-config. A ring may be refused there when it runs: disruptor_ring_create().

include(CheckCSourceCompiles)
set(positions "#include <stdatomic.h>
static _Atomic(unsigned long long) w;
int main(void) { return (int)atomic_fetch_add(&w, 1ull) + !atomic_is_lock_free(&w); }")
set(atomic_library "")
set(atomic_flag "")
check_c_source_compiles("${positions}" DISRUPTOR_COMPILER_HAS_POSITIONS)
if(NOT DISRUPTOR_COMPILER_HAS_POSITIONS)
	set(CMAKE_REQUIRED_LIBRARIES atomic)
	check_c_source_compiles("${positions}" DISRUPTOR_LIBATOMIC_HAS_POSITIONS)
	unset(CMAKE_REQUIRED_LIBRARIES)
	if(NOT DISRUPTOR_LIBATOMIC_HAS_POSITIONS)
		message(FATAL_ERROR "64-bit atomics: neither the compiler nor libatomic has them")
	endif()
	set(atomic_library atomic)
	set(atomic_flag " -latomic")
endif()
