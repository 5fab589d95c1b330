#include "config/config.h"

#include <string.h>

static void put_origin(const struct cw_place *place, struct cw_buf *out)
{
	if (place && place->file)
		cw_buf_printf(out, " # %s:%u\n", place->file, place->line);
	else
		cw_buf_puts(out, " # default\n");
}

/**
 * The options of one struct.
 * @param of     sort of source; options of the other sort would be refused when read again
 * @param first  what stands before the first line instead of indent, or NULL
 */
static void show_options(const char *section, enum cw_option_of of, const void *base,
			 const struct cw_place *where, const char *indent, const char *first,
			 struct cw_buf *out)
{
	for (size_t i = 0; i < cw_noptions; i++) {
		const struct cw_option *opt = &cw_options[i];
		struct cw_buf value = { 0 };

		if (opt->alias || strcmp(opt->section, section) != 0 ||
		    (opt->of != CW_OF_ANY && opt->of != of))
			continue;
		if (cw_option_show(opt, base, &value)) {
			cw_buf_printf(out, "%s%s: %s", first ? first : indent, opt->name,
				      cw_buf_str(&value));
			put_origin(cw_config_where(where, section, opt->name), out);
			first = NULL;
		}
		out->failed = out->failed || value.failed;
		cw_buf_release(&value);
	}
}

static void show_sources(const struct cw_config *cfg, struct cw_buf *out)
{
	cw_buf_printf(out, "sources:%s\n", cfg->nsources ? "" : " []");
	for (size_t i = 0; i < cfg->nsources; i++) {
		const struct cw_config_source *s = &cfg->sources[i];

		show_options("sources", s->folder ? CW_OF_FOLDER : CW_OF_REPOSITORY, s, s->where,
			     "    ", "  - ", out);
	}
}

static void show_channels(const struct cw_config *cfg, struct cw_buf *out)
{
	cw_buf_printf(out, "channels:%s\n", cfg->nchannels ? "" : " []");
	for (size_t i = 0; i < cfg->nchannels; i++)
		show_options("channels", CW_OF_ANY, &cfg->channels[i], cfg->channels[i].where,
			     "    ", "  - ", out);
}

static void show_terms(const struct cw_config *cfg, struct cw_buf *out)
{
	cw_buf_printf(out, "terms:%s\n", cfg->nterms ? "" : " {}");
	for (size_t i = 0; i < cfg->nterms; i++) {
		cw_buf_puts(out, "  ");
		cw_config_quote(cfg->terms[i].term, out);
		cw_buf_puts(out, ":\n");
		show_options("terms", CW_OF_ANY, &cfg->terms[i], cfg->terms[i].where, "    ", NULL,
			     out);
	}
}

void cw_config_show(const struct cw_config *cfg, struct cw_buf *out)
{
	for (size_t i = 0; i < cw_nsections; i++) {
		const struct cw_section *section = &cw_sections[i];

		if (strcmp(section->name, "sources") == 0) {
			show_sources(cfg, out);
		} else if (section->kind == CW_SECTION_LIST) {
			show_channels(cfg, out);
		} else if (section->kind == CW_SECTION_MAP) {
			show_terms(cfg, out);
		} else {
			if (*section->name)
				cw_buf_printf(out, "%s:\n", section->name);
			show_options(section->name, CW_OF_ANY, cfg, cfg->where,
				     *section->name ? "  " : "", NULL, out);
		}
	}
}
