#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "watch/clock.h"
#include "watch/table.h"

#define TICKS 500

/* Against an array searched from end to end. */
static void test_order(void **state)
{
	static struct watch_tick ticks[TICKS];
	struct watch_clock clock = { .first = NULL };
	uint64_t last = 0;

	(void)state;
	srandom(1);
	for (unsigned step = 0; step < 20000; step++) {
		struct watch_tick *tick = &ticks[random() % TICKS];

		switch (random() % 4) {
		case 0:
			watch_clock_unset(&clock, tick);
			assert_false(tick->armed);
			break;
		case 1: {
			struct watch_tick *first = NULL;

			for (unsigned i = 0; i < TICKS; i++)
				if (ticks[i].armed && (!first || ticks[i].due_ms < first->due_ms))
					first = &ticks[i];
			struct watch_tick *got = watch_clock_take(&clock, UINT64_MAX);

			assert_int_equal(!got, !first);
			if (got)
				assert_int_equal(got->due_ms, first->due_ms);
			break;
		}
		default:
			watch_clock_set(&clock, tick, (uint64_t)random() % 1000);
			assert_true(tick->armed);
		}
	}
	for (struct watch_tick *tick; (tick = watch_clock_take(&clock, UINT64_MAX));) {
		assert_true(tick->due_ms >= last);
		last = tick->due_ms;
	}
	for (unsigned i = 0; i < TICKS; i++)
		assert_false(ticks[i].armed);
	watch_clock_set(&clock, &ticks[0], 10);
	assert_null(watch_clock_take(&clock, 9));
	assert_ptr_equal(watch_clock_take(&clock, 10), &ticks[0]);
}

static void test_table(void **state)
{
	static struct watch_key keys[1000];
	static char names[1000][8];
	struct watch_table table = { 0 };

	(void)state;
	assert_null(watch_table_find(&table, "x"));
	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "n%u", i);
		keys[i] = (struct watch_key){ .hash = watch_hash(names[i]), .path = names[i] };
		assert_int_equal(watch_table_reserve(&table), 0);
		watch_table_put(&table, &keys[i]);
	}
	for (unsigned i = 0; i < 1000; i += 2)
		watch_table_remove(&table, &keys[i]);
	for (unsigned i = 0; i < 1000; i++)
		assert_ptr_equal(watch_table_find(&table, names[i]), i % 2 ? &keys[i] : NULL);
	assert_int_equal(table.count, 500);
	watch_table_release(&table);

	/* One number for several: all are found, the newest first. */
	struct watch_key same[3] = { { .hash = 7 }, { .hash = 23 }, { .hash = 7 } };
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(watch_table_reserve(&table), 0);
		watch_table_put(&table, &same[i]);
	}
	assert_ptr_equal(watch_table_first(&table, 7), &same[2]);
	assert_ptr_equal(watch_table_next(&same[2]), &same[0]);
	assert_null(watch_table_next(&same[0]));
	watch_table_release(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
