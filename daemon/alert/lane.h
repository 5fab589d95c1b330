/** @file
 * A channel and what goes on in it.  Loop thread only.
 */
#pragma once

#include "clausewatch/alert.h"

#define CW_NEVER INT64_MAX

struct cw_post;

struct cw_lane {
	struct cw_lane *next;
	char *name; /* outlives a change of the channel while the outbox looks at it */
	struct cw_arena arena;
	const struct cw_channel *channel; /* in arena */
	struct cw_alert *queue;
	struct cw_alert *flying;
	struct cw_post *post;
	unsigned unkept; /* in the done list or being kept */
	bool want; /* there may be something due in the outbox */
	bool asked; /* in the open fetch */
	bool gone; /* no longer configured */
	bool disabled; /* by 410, until the channels are set again */
	int64_t due_ms; /* when there will be something due */
	int64_t paused_until_ms;
	uint64_t turn; /* number of its last attempt, over all lanes */
	struct cw_channel_stats stats;
};

/** With a copy of the channel.  NULL when out of memory. */
struct cw_lane *cw_lane_new(const struct cw_channel *channel);
/** Frees a list of lanes in which no attempt is under way. */
void cw_lanes_free(struct cw_lane *list);
struct cw_lane *cw_lanes_find(struct cw_lane *list, const char *name);
/**
 * Put new lanes in the place of old ones.  One with the name of an old one carries on with its
 * state; old ones that are not in the new set are marked gone and stay, at the end, until swept.
 */
void cw_lanes_replace(struct cw_lane **list, struct cw_lane *fresh);
/** Free those that are gone and idle. */
void cw_lanes_sweep(struct cw_lane **list);
/** Whether an attempt may start now. */
bool cw_lane_usable(const struct cw_lane *lane, int64_t now_ms);
/** Deliveries that were not tried stay pending in the outbox. */
void cw_lane_drop_queue(struct cw_lane *lane);
/** Count an attempt. */
void cw_lane_count(struct cw_lane *lane, const struct cw_verdict *verdict, int status,
		   int64_t now_ms);
