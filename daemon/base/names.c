#include "clausewatch/analysis.h"

#include <string.h>

/* The words of INTERFACES, by the value of the enum; every room prints and reads the same ones. */
static const char *const polarity_names[] = { "neutral", "risk", "protection" };
static const char *const direction_names[] = { "unknown", "vendor", "customer", "both" };
static const char *const severity_names[] = { "info", "low", "medium", "high", "critical" };
static const char *const format_names[] = { "text", "markdown" };

const char *const cw_artefact_names[CW_ARTEFACTS] = {
	"inputs", "prompts", "outputs", "fine_tuned_models", "embeddings", "derivative_works",
};

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static int parse(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0)
			return (int)i;
	}
	return -1;
}

const char *cw_polarity_name(enum cw_polarity polarity)
{
	return polarity_names[polarity];
}

const char *cw_direction_name(enum cw_direction direction)
{
	return direction_names[direction];
}

const char *cw_severity_name(enum cw_severity severity)
{
	return severity_names[severity];
}

const char *cw_format_name(enum cw_format format)
{
	return format_names[format];
}

int cw_polarity_parse(const char *name)
{
	return parse(polarity_names, COUNT(polarity_names), name);
}

int cw_direction_parse(const char *name)
{
	return parse(direction_names, COUNT(direction_names), name);
}

int cw_severity_parse(const char *name)
{
	return parse(severity_names, COUNT(severity_names), name);
}
