/** @file
 * Work off the loop, at most `limit` jobs of a queue at a time.
 *
 * The limits of all queues together stay below the size of libuv's shared pool, so that
 * uv_fs_* and DNS always find a thread.  Everything but run() happens on the loop thread.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "clausewatch/error.h"

/** Embed in the job's own struct, which must live until done() is called. */
struct cw_job {
	/** Pool thread.  May touch only this job and immutable data. */
	int (*run)(struct cw_job *job, struct cw_error *err);
	/**
	 * Loop thread, exactly once for a submit that succeeded; may free or resubmit the job.
	 * ret is what run() returned, or CW_ECANCELED if it never ran.
	 */
	void (*done)(struct cw_job *job, int ret, const struct cw_error *err);

	/* private */
	uv_work_t req;
	struct cw_jobs *owner;
	struct cw_job *next;
	struct cw_error err;
	int ret;
};

/** Embed in the owner's struct, which must live until cw_jobs_idle(). */
struct cw_jobs {
	uv_loop_t *loop;
	struct cw_job *head, **tail;
	unsigned running, limit;
	unsigned queued; /**< waiting, not counting the running ones */
	bool stopped;
};

/** @param limit  jobs at a time, at least 1 */
void cw_jobs_init(struct cw_jobs *jobs, uv_loop_t *loop, unsigned limit);

/**
 * Queue a job, first in first out.  done() is never called from inside this function.
 * @return CW_OK; CW_ECANCELED after cw_jobs_stop()
 */
int cw_jobs_submit(struct cw_jobs *jobs, struct cw_job *job, struct cw_error *err);

/** Refuse new jobs and call done() of the queued ones now; running jobs still finish. */
void cw_jobs_stop(struct cw_jobs *jobs);

/** Nothing runs and nothing waits: after cw_jobs_stop() the queue may be freed. */
bool cw_jobs_idle(const struct cw_jobs *jobs);
