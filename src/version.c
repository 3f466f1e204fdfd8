/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "os/os.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

struct disruptor_version disruptor_version(void)
{
	return (struct disruptor_version){
		.major = DISRUPTOR_VERSION_MAJOR,
		.minor = DISRUPTOR_VERSION_MINOR,
		.patch = DISRUPTOR_VERSION_PATCH,
		.layout = DISRUPTOR_LAYOUT_VERSION,
		.rungs = os_rungs(),
		.platform = os_platform(),
		.text = TEXT(DISRUPTOR_VERSION_MAJOR) "." TEXT(DISRUPTOR_VERSION_MINOR) "." TEXT(
			DISRUPTOR_VERSION_PATCH),
	};
}

const char *disruptor_rung_name(enum disruptor_rung rung)
{
	static const char *const names[] = { "auto", "membarrier", "fence", "mutex" };

	return (size_t)rung < sizeof(names) / sizeof(names[0]) ? names[rung] : NULL;
}
