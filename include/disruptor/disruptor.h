/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DISRUPTOR_DISRUPTOR_H
#define DISRUPTOR_DISRUPTOR_H

/** @file disruptor/disruptor.h The umbrella: every public header, and nothing of its own. */

#include <disruptor/aggregate.h>
#include <disruptor/base.h>
#include <disruptor/check.h>
#include <disruptor/conflate.h>
#include <disruptor/consumer.h>
#include <disruptor/error.h>
#include <disruptor/event.h>
#include <disruptor/executor.h>
#include <disruptor/graph.h>
#include <disruptor/look.h>
#include <disruptor/pool.h>
#include <disruptor/producer.h>
#include <disruptor/reader.h>
#include <disruptor/record.h>
#include <disruptor/ring.h>
#include <disruptor/segment.h>
#include <disruptor/stage.h>
#include <disruptor/stats.h>
#include <disruptor/wait.h>

#endif
