# SPDX-License-Identifier: MIT OR Apache-2.0
# The LMAX Disruptor, if its jar is installed and a JDK of 11 or later; else bench/peers/lmax.c says
# that it is not built. Needs the target disruptor_bench.

find_program(DISRUPTOR_JAVA java)
find_program(DISRUPTOR_JAVAC javac)
find_file(DISRUPTOR_LMAX_JAR disruptor.jar
	PATHS /usr/share/java /usr/local/share/java NO_DEFAULT_PATH)
mark_as_advanced(DISRUPTOR_JAVA DISRUPTOR_JAVAC DISRUPTOR_LMAX_JAR)

# Whether a program of the JDK runs, and is new enough.
function(disruptor_jdk_runs program option result)
	set(${result} FALSE PARENT_SCOPE)
	if(NOT program)
		return()
	endif()
	execute_process(COMMAND "${program}" ${option}
		RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_VARIABLE text)
	if(status EQUAL 0 AND text MATCHES "(javac |version \")([0-9]+)" AND
			CMAKE_MATCH_2 GREATER_EQUAL 11)
		set(${result} TRUE PARENT_SCOPE)
	endif()
endfunction()

disruptor_jdk_runs("${DISRUPTOR_JAVA}" -version java_runs)
disruptor_jdk_runs("${DISRUPTOR_JAVAC}" -version javac_runs)
if(DISRUPTOR_BENCH_PEERS AND java_runs AND javac_runs AND DISRUPTOR_LMAX_JAR AND
		NOT CMAKE_CROSSCOMPILING)
	file(GLOB java_sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_LIST_DIR}/*.java")
	set(classes "${CMAKE_CURRENT_BINARY_DIR}/lmax")
	set(stamp "${CMAKE_CURRENT_BINARY_DIR}/lmax.stamp")
	add_custom_command(OUTPUT "${stamp}"
		COMMAND ${CMAKE_COMMAND} -E rm -rf "${classes}"
		COMMAND ${CMAKE_COMMAND} -E make_directory "${classes}"
		COMMAND "${DISRUPTOR_JAVAC}" --release 11 -Xlint:all -encoding UTF-8
			-cp "${DISRUPTOR_LMAX_JAR}" -d "${classes}" ${java_sources}
		COMMAND ${CMAKE_COMMAND} -E touch "${stamp}"
		DEPENDS ${java_sources} "${DISRUPTOR_LMAX_JAR}"
		COMMENT "Compiling the LMAX Disruptor's side of the benchmarks"
		VERBATIM)
	add_custom_target(disruptor_bench_lmax DEPENDS "${stamp}")
	add_dependencies(disruptor_bench disruptor_bench_lmax)
	set_property(SOURCE "${PROJECT_SOURCE_DIR}/bench/peers/lmax.c"
		TARGET_DIRECTORY disruptor_bench APPEND PROPERTY COMPILE_DEFINITIONS
		"BENCH_LMAX_JAVA=\"${DISRUPTOR_JAVA}\""
		"BENCH_LMAX_CLASSES=\"${classes}:${DISRUPTOR_LMAX_JAR}\"")
endif()
