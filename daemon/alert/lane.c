#include "alert/lane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cw_alert *cw_alert_new(void)
{
	return calloc(1, sizeof(struct cw_alert));
}

void cw_alert_free(struct cw_alert *alert)
{
	if (!alert)
		return;
	cw_arena_release(&alert->arena);
	free(alert);
}

static void free_list(struct cw_alert *list)
{
	while (list) {
		struct cw_alert *next = list->next;
		cw_alert_free(list);
		list = next;
	}
}

void cw_lane_drop_queue(struct cw_lane *lane)
{
	if (!lane->queue)
		return;
	free_list(lane->queue);
	lane->queue = NULL;
	lane->want = true;
}

static void free_lane(struct cw_lane *lane)
{
	free_list(lane->queue);
	cw_arena_release(&lane->arena);
	free(lane->name);
	free(lane);
}

struct cw_lane *cw_lanes_find(struct cw_lane *list, const char *name)
{
	while (list && strcmp(list->name, name) != 0)
		list = list->next;
	return list;
}

void cw_lanes_free(struct cw_lane *list)
{
	while (list) {
		struct cw_lane *next = list->next;
		free_lane(list);
		list = next;
	}
}

bool cw_lane_usable(const struct cw_lane *lane, int64_t now)
{
	return !lane->gone && !lane->disabled && lane->channel->enabled &&
	       now >= lane->paused_until_ms;
}

void cw_lane_count(struct cw_lane *lane, const struct cw_verdict *verdict, int status, int64_t now)
{
	struct cw_channel_stats *s = &lane->stats;

	s->attempts++;
	s->last_status = status;
	if (verdict->state == CW_DELIVERY_DELIVERED) {
		s->delivered++;
		s->last_ok_ms = now;
		return;
	}
	s->failed++;
	s->dead += verdict->state == CW_DELIVERY_DEAD;
	s->last_failure_ms = now;
	(void)snprintf(s->last_error, sizeof(s->last_error), "%s", verdict->error);
}

void cw_lanes_sweep(struct cw_lane **list)
{
	struct cw_lane **at = list;

	while (*at) {
		struct cw_lane *lane = *at;
		if (lane->gone && !lane->flying && !lane->unkept && !lane->asked) {
			*at = lane->next;
			free_lane(lane);
		} else {
			at = &lane->next;
		}
	}
}

struct cw_lane *cw_lane_new(const struct cw_channel *channel)
{
	struct cw_lane *lane = calloc(1, sizeof(*lane));

	if (!lane)
		return NULL;
	lane->due_ms = CW_NEVER;
	lane->want = true;
	lane->name = strdup(channel->name);
	lane->channel = cw_channel_copy(&lane->arena, channel);
	if (lane->name && lane->channel)
		return lane;
	free_lane(lane);
	return NULL;
}

/** Take over what goes on in the lane that the channel had before. */
static void adopt(struct cw_lane *old, struct cw_lane *fresh)
{
	struct cw_arena arena = old->arena;

	old->arena = fresh->arena;
	old->channel = fresh->channel;
	fresh->arena = arena;
	fresh->channel = NULL;
	old->gone = false;
	old->disabled = false;
	old->paused_until_ms = 0;
	old->want = true;
	cw_lane_drop_queue(old);
}

void cw_lanes_replace(struct cw_lane **list, struct cw_lane *fresh)
{
	struct cw_lane *ordered = NULL, **tail = &ordered;

	for (struct cw_lane *lane = *list; lane; lane = lane->next)
		lane->gone = true;
	while (fresh) {
		struct cw_lane *next = fresh->next, *old = cw_lanes_find(*list, fresh->name);
		if (old) {
			struct cw_lane **at = list;
			while (*at != old)
				at = &(*at)->next;
			*at = old->next;
			adopt(old, fresh);
			free_lane(fresh);
			fresh = old;
		}
		fresh->next = NULL;
		*tail = fresh;
		tail = &fresh->next;
		fresh = next;
	}
	*tail = *list;
	*list = ordered;
}
