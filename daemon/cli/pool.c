/* Items are checked side by side and taken in their order.
 *
 * Workers may run ahead of the taker by a window, which bounds the memory that results hold.
 * One lock guards everything here; `ready` wakes the taker, `room` the workers. */
#include "cli.h"

#include <pthread.h>
#include <stdlib.h>

#define AHEAD 8 /* results a worker may be ahead */

struct slot {
	struct cli_result result;
	bool full;
};

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t ready, room;
	const struct cli_items *items;
	struct slot *slots;
	size_t window, next, taken;
	bool stop;
	cli_check_fn *check;
	void *ctx;
};

static void *worker(void *arg)
{
	struct pool *p = arg;

	(void)pthread_mutex_lock(&p->lock);
	for (;;) {
		while (!p->stop && p->next < p->items->count && p->next >= p->taken + p->window)
			(void)pthread_cond_wait(&p->room, &p->lock);
		if (p->stop || p->next >= p->items->count)
			break;
		size_t i = p->next++;
		struct slot *slot = &p->slots[i % p->window];
		(void)pthread_mutex_unlock(&p->lock);

		slot->result = (struct cli_result){ .item = &p->items->at[i] };
		p->check(p->ctx, slot->result.item, &slot->result);

		(void)pthread_mutex_lock(&p->lock);
		slot->full = true;
		if (i == p->taken)
			(void)pthread_cond_signal(&p->ready);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

static int take_all(struct pool *p, cli_take_fn *take, void *ctx, struct cw_error *err)
{
	int ret = CW_OK;

	for (size_t i = 0; i < p->items->count && ret >= 0; i++) {
		struct slot *slot = &p->slots[i % p->window];
		(void)pthread_mutex_lock(&p->lock);
		while (!slot->full)
			(void)pthread_cond_wait(&p->ready, &p->lock);
		(void)pthread_mutex_unlock(&p->lock);

		ret = take(ctx, &slot->result, err);
		cli_result_release(&slot->result);

		(void)pthread_mutex_lock(&p->lock);
		slot->full = false;
		p->taken = i + 1;
		(void)pthread_cond_broadcast(&p->room);
		(void)pthread_mutex_unlock(&p->lock);
	}
	return ret < 0 ? ret : CW_OK;
}

int cli_pool_run(const struct cli_items *items, unsigned jobs, cli_check_fn *check, void *check_ctx,
		 cli_take_fn *take, void *take_ctx, struct cw_error *err)
{
	if (jobs > items->count)
		jobs = items->count > 0 ? (unsigned)items->count : 1;

	struct pool p = {
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.ready = PTHREAD_COND_INITIALIZER,
		.room = PTHREAD_COND_INITIALIZER,
		.items = items,
		.window = (size_t)jobs * AHEAD,
		.check = check,
		.ctx = check_ctx,
	};
	pthread_t *threads = calloc(jobs, sizeof(*threads));
	unsigned started = 0;
	int ret = CW_OK;

	p.slots = calloc(p.window, sizeof(*p.slots));
	if (!threads || !p.slots) {
		ret = cw_fail(err, CW_ENOMEM, "out of memory");
		goto out;
	}
	while (started < jobs && pthread_create(&threads[started], NULL, worker, &p) == 0)
		started++;
	if (started == 0) {
		ret = cw_fail(err, CW_EIO, "cannot start a thread");
		goto out;
	}
	ret = take_all(&p, take, take_ctx, err);
	(void)pthread_mutex_lock(&p.lock);
	p.stop = true;
	(void)pthread_cond_broadcast(&p.room);
	(void)pthread_mutex_unlock(&p.lock);
	for (unsigned i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
	for (size_t i = 0; i < p.window; i++)
		cli_result_release(&p.slots[i].result);
out:
	free(threads);
	free(p.slots);
	return ret;
}
