# SPDX-License-Identifier: MIT OR Apache-2.0
# cmake -DSOURCE=TREE -DHEADER=FILE -P commit.cmake: write FILE, which defines DISRUPTOR_COMMIT, when
# the commit of TREE is another than it says. "unknown" without git, or outside its work tree.
cmake_minimum_required(VERSION 3.22)

# No optional locks: a build never stands in the way of a commit.
function(git output)
	execute_process(COMMAND git --no-optional-locks -C "${SOURCE}" ${ARGN}
		RESULT_VARIABLE result OUTPUT_VARIABLE text ERROR_QUIET
		OUTPUT_STRIP_TRAILING_WHITESPACE)
	if(NOT result EQUAL 0)
		set(text "")
	endif()
	set(${output} "${text}" PARENT_SCOPE)
endfunction()

set(commit "")
if(EXISTS "${SOURCE}/.git") # else git would answer for a tree around this one
	git(commit rev-parse --short HEAD)
	git(changes status --porcelain --untracked-files=no)
endif()
if(commit STREQUAL "")
	set(commit unknown)
elseif(NOT changes STREQUAL "")
	string(APPEND commit -dirty)
endif()

file(CONFIGURE OUTPUT "${HEADER}" CONTENT "#define DISRUPTOR_COMMIT \"${commit}\"\n")
