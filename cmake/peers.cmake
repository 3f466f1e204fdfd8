# SPDX-License-Identifier: MIT OR Apache-2.0
# The adapters in bench/peers to what others have made: each is built where its package is found.
# Those in C++ ask for a C++ compiler only then. Adds to the targets disruptor_bench and
# disruptor_command; bench/peers.c, which lists all peers, sees what was built in peers_built.h.

set(peers rte ck urcu boost rwqueue cqueue atomic tbb iceoryx)

# Headers that tell that a package is there.
pkg_check_modules(dpdk QUIET libdpdk)
find_path(PEER_rte_INCLUDE rte_ring.h HINTS ${dpdk_INCLUDE_DIRS} PATH_SUFFIXES dpdk)
find_path(PEER_ck_INCLUDE ck_ring.h)
find_path(PEER_urcu_INCLUDE urcu/wfcqueue.h)
find_path(PEER_boost_INCLUDE boost/lockfree/spsc_queue.hpp)
find_path(PEER_rwqueue_INCLUDE readerwriterqueue/readerwriterqueue.h)
find_path(PEER_cqueue_INCLUDE concurrentqueue/concurrentqueue.h)
find_path(PEER_atomic_INCLUDE atomic_queue/atomic_queue.h)
find_path(PEER_tbb_INCLUDE oneapi/tbb/concurrent_queue.h)
file(GLOB iceoryx "/usr/include/iceoryx/v*")
find_path(PEER_iceoryx_INCLUDE iceoryx_binding_c/runtime.h HINTS ${iceoryx})

# And libraries. Of DPDK's many, its ring alone is linked: it needs no start of the environment.
find_library(PEER_rte_LIBRARY rte_ring HINTS ${dpdk_LIBRARY_DIRS})
find_library(PEER_tbb_LIBRARY tbb)
find_library(PEER_iceoryx_LIBRARY iceoryx_binding_c)
find_program(IOX_ROUDI iox-roudi)
mark_as_advanced(IOX_ROUDI)

# The C compiler's own C++, so that one compiler has made all that is compared.
set(cxx g++ c++)
if(CMAKE_C_COMPILER_ID MATCHES "Clang")
	set(cxx clang++ c++)
endif()
find_program(DISRUPTOR_CXX NAMES ${CMAKE_CXX_COMPILER} $ENV{CXX} ${cxx})
mark_as_advanced(DISRUPTOR_CXX)

set(needs_rte dpdk_FOUND PEER_rte_LIBRARY)
set(needs_tbb PEER_tbb_LIBRARY)
set(needs_iceoryx PEER_iceoryx_LIBRARY IOX_ROUDI)
# ThreadSanitizer sees neither fences, nor assembly, nor what libtbb does: of these it would report
# races that are none. It says nothing of the other three.
set(unseen "")
if(DISRUPTOR_SANITIZE MATCHES "thread")
	set(unseen rte ck urcu rwqueue tbb iceoryx)
endif()

set(built "")
set(languages "")
foreach(peer IN LISTS peers)
	mark_as_advanced(PEER_${peer}_INCLUDE PEER_${peer}_LIBRARY)
	file(GLOB source "${PROJECT_SOURCE_DIR}/bench/peers/${peer}.c*")
	set(needs DISRUPTOR_BENCH_PEERS PEER_${peer}_INCLUDE ${needs_${peer}})
	set(language C)
	if(source MATCHES "\\.cc$")
		set(language CXX)
		list(APPEND needs DISRUPTOR_CXX)
	endif()
	set(found TRUE)
	if(peer IN_LIST unseen)
		set(found FALSE)
	endif()
	foreach(need IN LISTS needs)
		if(NOT ${need})
			set(found FALSE)
		endif()
	endforeach()
	if(found)
		list(APPEND built ${peer})
		list(APPEND languages ${language})
		set(source_${peer} "${source}")
	endif()
endforeach()

if("CXX" IN_LIST languages)
	if(NOT CMAKE_CXX_COMPILER)
		set(CMAKE_CXX_COMPILER "${DISRUPTOR_CXX}")
	endif()
	enable_language(CXX)
	set_target_properties(disruptor_command PROPERTIES LINKER_LANGUAGE CXX)
endif()

set(header "/* Written by cmake/peers.cmake. */\n")
foreach(peer IN LISTS peers)
	if(NOT peer IN_LIST built)
		string(APPEND header "#define BUILT_${peer} NULL\n")
		continue()
	endif()
	string(APPEND header "#define BUILT_${peer} &subject_${peer}\n")
	# Their headers are not all strict C, so with the compiler's extensions.
	add_library(disruptor_peer_${peer} OBJECT "${source_${peer}}")
	set_target_properties(disruptor_peer_${peer} PROPERTIES
		C_EXTENSIONS ON
		CXX_STANDARD 20
		CXX_STANDARD_REQUIRED ON
		CXX_EXTENSIONS OFF)
	target_include_directories(disruptor_peer_${peer} PRIVATE "${PROJECT_SOURCE_DIR}/bench")
	target_include_directories(disruptor_peer_${peer} SYSTEM PRIVATE "${PEER_${peer}_INCLUDE}")
	target_link_libraries(disruptor_peer_${peer} PRIVATE disruptor::disruptor_static)
	target_sources(disruptor_command PRIVATE $<TARGET_OBJECTS:disruptor_peer_${peer}>)
	if(PEER_${peer}_LIBRARY)
		target_link_libraries(disruptor_command PRIVATE "${PEER_${peer}_LIBRARY}")
	endif()
endforeach()
if("rte" IN_LIST built)
	target_include_directories(disruptor_peer_rte SYSTEM PRIVATE ${dpdk_INCLUDE_DIRS})
	target_compile_options(disruptor_peer_rte PRIVATE ${dpdk_CFLAGS_OTHER})
endif()

# What of each package is installed, where Debian's packages are known: results tell it.
set(packages libdpdk-dev libck-dev liburcu-dev libboost-dev libreaderwriterqueue-dev
	libconcurrentqueue-dev libatomic-queue-dev libtbb-dev libdisruptor-java
	librust-crossbeam-channel-dev libiceoryx-binding-c-dev)
string(APPEND header "#define PACKAGE_VERSIONS \\\n")
find_program(DISRUPTOR_DPKG_QUERY dpkg-query)
mark_as_advanced(DISRUPTOR_DPKG_QUERY)
foreach(package IN LISTS packages)
	set(version "")
	if(DISRUPTOR_DPKG_QUERY)
		execute_process(COMMAND "${DISRUPTOR_DPKG_QUERY}" -W -f "\${Version}" ${package}
			OUTPUT_VARIABLE version ERROR_QUIET)
	endif()
	if(version)
		string(APPEND header "\t{ \"${package}\", \"${version}\" }, \\\n")
	endif()
endforeach()
string(APPEND header "\t{ NULL, NULL }\n")
file(CONFIGURE OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/generated/peers_built.h"
	CONTENT "${header}" @ONLY)
