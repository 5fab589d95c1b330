#include <string.h>

#include "clausewatch/analysis.h"
#include "clausewatch/compare.h"

static const char *const polarities[] = { "neutral", "risk", "protection" };
static const char *const directions[] = { "unknown", "vendor", "customer", "both" };
static const char *const severities[] = { "info", "low", "medium", "high", "critical" };
static const char *const formats[] = { "text", "markdown" };
static const char *const parts[] = { "", "who", "may", "does", "what", "for", "unless" };
static const char *const events[] = { "appeared", "removed", "changed", "moved", "reworded" };
static const char *const effects[] = { "neutral", "riskier", "safer" };

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define NAME(table, value) ((size_t)(value) < COUNT(table) ? (table)[value] : "")

static int parse(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (names[i][0] && strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

const char *cw_polarity_name(enum cw_polarity polarity)
{
	return NAME(polarities, polarity);
}

const char *cw_direction_name(enum cw_direction direction)
{
	return NAME(directions, direction);
}

const char *cw_severity_name(enum cw_severity severity)
{
	return NAME(severities, severity);
}

const char *cw_format_name(enum cw_format format)
{
	return NAME(formats, format);
}

const char *cw_part_name(enum cw_part part)
{
	return NAME(parts, part);
}

const char *cw_change_event_name(enum cw_change_event event)
{
	return NAME(events, event);
}

const char *cw_effect_name(enum cw_effect effect)
{
	return NAME(effects, effect);
}

int cw_polarity_parse(const char *name)
{
	return parse(polarities, COUNT(polarities), name);
}

int cw_direction_parse(const char *name)
{
	return parse(directions, COUNT(directions), name);
}

int cw_severity_parse(const char *name)
{
	return parse(severities, COUNT(severities), name);
}

int cw_part_parse(const char *name)
{
	return parse(parts, COUNT(parts), name);
}
