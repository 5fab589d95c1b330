#include "watch/clock.h"

uint64_t watch_now(void)
{
	return uv_hrtime() / 1000000;
}

static struct watch_tick *meld(struct watch_tick *a, struct watch_tick *b)
{
	if (!a || !b)
		return a ? a : b;
	if (b->due_ms < a->due_ms) {
		struct watch_tick *swap = a;

		a = b;
		b = swap;
	}
	b->prev = a;
	b->next = a->child;
	if (a->child)
		a->child->prev = b;
	a->child = b;
	return a;
}

/* Two passes: meld neighbours from left to right, then all from right to left. */
static struct watch_tick *meld_siblings(struct watch_tick *list)
{
	struct watch_tick *pairs = NULL, *all = NULL;

	while (list) {
		struct watch_tick *a = list, *b = a->next;

		list = b ? b->next : NULL;
		a->next = a->prev = NULL;
		if (b)
			b->next = b->prev = NULL;
		a = meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs) {
		struct watch_tick *next = pairs->next;

		pairs->next = NULL;
		all = meld(all, pairs);
		pairs = next;
	}
	return all;
}

void watch_clock_unset(struct watch_clock *clock, struct watch_tick *tick)
{
	if (!tick->armed)
		return;
	struct watch_tick *below = meld_siblings(tick->child);

	if (tick == clock->first) {
		clock->first = below;
	} else {
		if (tick->prev->child == tick)
			tick->prev->child = tick->next;
		else
			tick->prev->next = tick->next;
		if (tick->next)
			tick->next->prev = tick->prev;
		clock->first = meld(clock->first, below);
	}
	tick->child = tick->next = tick->prev = NULL;
	tick->armed = false;
}

void watch_clock_set(struct watch_clock *clock, struct watch_tick *tick, uint64_t due_ms)
{
	watch_clock_unset(clock, tick);
	tick->due_ms = due_ms;
	tick->armed = true;
	clock->first = meld(clock->first, tick);
}

struct watch_tick *watch_clock_take(struct watch_clock *clock, uint64_t now_ms)
{
	struct watch_tick *tick = clock->first;

	if (!tick || tick->due_ms > now_ms)
		return NULL;
	watch_clock_unset(clock, tick);
	return tick;
}

void watch_clock_start(struct watch_clock *clock, uv_timer_cb cb)
{
	if (!clock->first) {
		uv_timer_stop(&clock->timer);
		return;
	}
	uint64_t now = watch_now(), due = clock->first->due_ms;

	uv_update_time(clock->timer.loop);
	uv_timer_start(&clock->timer, cb, due > now ? due - now : 0, 0);
}
