# SPDX-License-Identifier: MIT OR Apache-2.0
# crossbeam-channel, if the crate is installed where Debian puts it, and cargo and rustc of 1.63 or
# later; else bench/peers/crossbeam.c says that it is not built. Nothing is fetched. Needs the
# targets disruptor_bench and disruptor_command.

set(DISRUPTOR_CARGO_REGISTRY /usr/share/cargo/registry CACHE PATH
	"Where the sources of Rust crates are installed")
find_program(DISRUPTOR_CARGO cargo)
find_program(DISRUPTOR_RUSTC rustc)
file(GLOB crates "${DISRUPTOR_CARGO_REGISTRY}/crossbeam-channel-0.5.*")
mark_as_advanced(DISRUPTOR_CARGO_REGISTRY DISRUPTOR_CARGO DISRUPTOR_RUSTC)

# Whether it runs, and is new enough for `cargo --config`.
function(disruptor_rust_runs program result)
	set(${result} FALSE PARENT_SCOPE)
	if(NOT program)
		return()
	endif()
	execute_process(COMMAND "${program}" --version
		RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_QUIET)
	if(status EQUAL 0 AND text MATCHES "^[a-z]+ ([0-9.]+)" AND
			CMAKE_MATCH_1 VERSION_GREATER_EQUAL 1.63)
		set(${result} TRUE PARENT_SCOPE)
	endif()
endfunction()

disruptor_rust_runs("${DISRUPTOR_CARGO}" cargo_runs)
disruptor_rust_runs("${DISRUPTOR_RUSTC}" rustc_runs)
# ThreadSanitizer would report what it cannot see through: Debian's rustc does not compile for it.
# Another processor's code is not asked of it either.
if(DISRUPTOR_BENCH_PEERS AND cargo_runs AND rustc_runs AND crates AND
		NOT DISRUPTOR_SANITIZE MATCHES "thread" AND NOT CMAKE_CROSSCOMPILING)
	# Built from a copy: cargo writes beside its manifest.
	set(crate "${CMAKE_CURRENT_BINARY_DIR}/crossbeam")
	set(library "${crate}/target/release/libbench_crossbeam.a")
	set(manifest "${CMAKE_CURRENT_LIST_DIR}/Cargo.toml")
	set(source "${CMAKE_CURRENT_LIST_DIR}/src/lib.rs")
	add_custom_command(OUTPUT "${library}"
		COMMAND ${CMAKE_COMMAND} -E make_directory "${crate}/src"
		COMMAND ${CMAKE_COMMAND} -E copy "${manifest}" "${crate}/Cargo.toml"
		COMMAND ${CMAKE_COMMAND} -E copy "${source}" "${crate}/src/lib.rs"
		COMMAND ${CMAKE_COMMAND} -E env "CARGO_HOME=${crate}/home" "RUSTC=${DISRUPTOR_RUSTC}"
			"${DISRUPTOR_CARGO}" build --quiet --release --offline
			--manifest-path "${crate}/Cargo.toml" --target-dir "${crate}/target"
			--config "source.crates-io.replace-with='installed'"
			--config "source.installed.directory='${DISRUPTOR_CARGO_REGISTRY}'"
		COMMAND ${CMAKE_COMMAND} -E touch "${library}"
		DEPENDS "${manifest}" "${source}"
		COMMENT "Compiling crossbeam-channel's side of the benchmarks"
		VERBATIM)
	add_custom_target(disruptor_bench_crossbeam DEPENDS "${library}")
	add_dependencies(disruptor_bench disruptor_bench_crossbeam)
	set_property(SOURCE "${PROJECT_SOURCE_DIR}/bench/peers/crossbeam.c"
		TARGET_DIRECTORY disruptor_bench APPEND PROPERTY COMPILE_DEFINITIONS
		BENCH_CROSSBEAM=1)
	target_link_libraries(disruptor_command PRIVATE "${library}" Threads::Threads
		${CMAKE_DL_LIBS} m gcc_s)
endif()
