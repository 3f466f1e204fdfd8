# SPDX-License-Identifier: MIT OR Apache-2.0
# Components shared and static; the targets are disruptor::disruptor and disruptor::disruptor_static.
include(CMakeFindDependencyMacro)
find_dependency(Threads)

foreach(component shared static)
	if(EXISTS "${CMAKE_CURRENT_LIST_DIR}/disruptor-${component}.cmake")
		include("${CMAKE_CURRENT_LIST_DIR}/disruptor-${component}.cmake")
		set(disruptor_${component}_FOUND TRUE)
	endif()
endforeach()

foreach(component IN LISTS disruptor_FIND_COMPONENTS)
	if(disruptor_FIND_REQUIRED_${component} AND NOT disruptor_${component}_FOUND)
		set(disruptor_FOUND FALSE)
		set(disruptor_NOT_FOUND_MESSAGE "component ${component} is not installed")
	endif()
endforeach()
