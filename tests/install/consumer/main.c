/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A user's program: the header is found, the library links and is of the same version. */
#include <stdio.h>
#include <stdlib.h>

#include <disruptor/disruptor.h>

int main(void)
{
	const struct disruptor_version version = disruptor_version();

	printf("%s\n", version.text);
	return version.major == DISRUPTOR_VERSION_MAJOR &&
			       version.minor == DISRUPTOR_VERSION_MINOR &&
			       version.patch == DISRUPTOR_VERSION_PATCH
		       ? EXIT_SUCCESS
		       : EXIT_FAILURE;
}
