#include <string.h>

#include "clausewatch/analysis.h"
#include "clausewatch/compare.h"

static const char *const parts[] = { "", "who", "may", "does", "what", "for", "unless" };
static const char *const events[] = { "appeared", "removed", "changed", "moved", "reworded" };
static const char *const effects[] = { "neutral", "riskier", "safer" };

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define NAME(table, value) ((size_t)(value) < COUNT(table) ? (table)[value] : "")

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

int cw_part_parse(const char *name)
{
	for (size_t i = 1; i < COUNT(parts); i++)
		if (strcmp(parts[i], name) == 0)
			return (int)i;
	return -1;
}
