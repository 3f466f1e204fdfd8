# SPDX-License-Identifier: MIT OR Apache-2.0
# Flags for everything built in this tree. None of them reaches a user of the installed library.

add_compile_options(-Wall -Wextra -Wpedantic)
if(DISRUPTOR_WERROR)
	add_compile_options(-Werror)
endif()

# Hardening that the hot path does not pay for: it is all done at load time or in libc calls.
add_link_options(LINKER:-z,relro LINKER:-z,now LINKER:-z,noexecstack)
if(NOT DISRUPTOR_SANITIZE)
	# Undefined first: some distributions' compilers define it already, to another value.
	add_compile_options(
		"$<$<CONFIG:Release,RelWithDebInfo>:SHELL:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2>")
endif()

if(DISRUPTOR_SANITIZE)
	set(sanitize -fsanitize=${DISRUPTOR_SANITIZE} -fno-omit-frame-pointer)
	if(DISRUPTOR_SANITIZE MATCHES "undefined")
		# A report that does not fail the test is a report that nobody reads.
		list(APPEND sanitize -fno-sanitize-recover=all)
	endif()
	add_compile_options(${sanitize})
	if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
		# It is right only where ranges of values are known, which they are not with -O1 and
		# checks everywhere; the other builds warn.
		add_compile_options(-Wno-format-truncation)
	endif()
	add_link_options(${sanitize})
	if(DISRUPTOR_SANITIZE MATCHES "thread" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
		# gcc warns that ThreadSanitizer does not model fences. Data travels on acquire and
		# release accesses alone; the fences order the wake, attach and close handshakes, and
		# the mirror of lossy rings, whose words are all atomic.
		add_compile_options(-Wno-tsan)
	endif()
endif()

# What the tests run through, for gcovr (make coverage). Counted atomically: the threads of a test
# go through the same lines at once.
if(DISRUPTOR_COVERAGE)
	if(NOT CMAKE_C_COMPILER_ID STREQUAL "GNU")
		message(FATAL_ERROR "DISRUPTOR_COVERAGE is for gcc: gcovr reads what its gcov writes")
	endif()
	add_compile_options(--coverage -fprofile-update=atomic)
	# Each copy of an inline function would have its own branches, and most copies take few.
	add_compile_options("-DDISRUPTOR_INLINE=static inline __attribute__((unused))")
	add_link_options(--coverage)
endif()
