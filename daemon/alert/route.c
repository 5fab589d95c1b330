#include "clausewatch/alert.h"

#include <string.h>

#include "clausewatch/glob.h"

#define TYPE_PREFIX "dev.clausewatch."

static bool any_glob(const char *const *globs, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++) {
		if (cw_glob_match_name(globs[i], text))
			return true;
	}
	return false;
}

/** A type is known by its full name and by what follows the common prefix. */
static bool wants_type(const struct cw_channel *channel, const char *type)
{
	size_t prefix = sizeof(TYPE_PREFIX) - 1;

	if (channel->ntypes == 0 || any_glob(channel->types, channel->ntypes, type))
		return true;
	return strncmp(type, TYPE_PREFIX, prefix) == 0 &&
	       any_glob(channel->types, channel->ntypes, type + prefix);
}

bool cw_channel_wants(const struct cw_channel *channel, const struct cw_event *event)
{
	if (!channel->enabled || event->severity < channel->min_severity ||
	    !wants_type(channel, event->type))
		return false;
	/* What belongs to no source, such as a full disk, concerns everyone. */
	return channel->nsources == 0 || !event->source ||
	       any_glob(channel->sources, channel->nsources, event->source);
}
