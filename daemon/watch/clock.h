/** @file
 * Any number of deadlines on one uv_timer_t: a pairing heap, so that setting a deadline needs no
 * memory and cannot fail.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/** Embed; all zero but fn is a valid unset deadline. */
struct watch_tick {
	void (*fn)(struct watch_tick *tick);
	uint64_t due_ms; /* watch_now() */
	struct watch_tick *child, *next, *prev; /* prev: elder sibling, or parent of the eldest */
	bool armed;
};

struct watch_clock {
	uv_timer_t timer;
	struct watch_tick *first;
};

/** Milliseconds, monotonic.  Not the loop's cached time, which is late after long callbacks. */
uint64_t watch_now(void);
void watch_clock_set(struct watch_clock *clock, struct watch_tick *tick, uint64_t due_ms);
/** Does nothing if it is not set. */
void watch_clock_unset(struct watch_clock *clock, struct watch_tick *tick);
/** Take a tick that is due, unset, or NULL. */
struct watch_tick *watch_clock_take(struct watch_clock *clock, uint64_t now_ms);
/** Start the timer for the first deadline. */
void watch_clock_start(struct watch_clock *clock, uv_timer_cb cb);
