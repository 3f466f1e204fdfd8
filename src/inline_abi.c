/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Every inline function once more as a symbol, for other languages and for old binaries. */
#undef DISRUPTOR_INLINE
#define DISRUPTOR_INLINE extern DISRUPTOR_API
#include <disruptor/disruptor.h>
