/* clausewatch notify: does an alert arrive? */
#include "ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clausewatch/nearest.h"
#include "clausewatch/pipeline.h"

struct options {
	const char *config;
};

static const struct cli_option options[] = {
	{ "config", 0, CLI_TEXT, offsetof(struct options, config), "FILE",
	  "instead of $CLAUSEWATCH_CONFIG or " CW_CONFIG_PATH },
	{ 0 },
};

static const struct cli_verb verb = {
	.usage = "notify test CHANNEL [options]",
	.help = "Send one test event to a channel now, without the daemon and its store, and say what came\n"
		"back. Configuration and secrets are read as whoever runs this; the service's credentials\n"
		"are not there.\n\n"
		"Exit status: 0 accepted, 2 wrong use or configuration, 3 not accepted.",
	.options = options,
};

static const struct cw_channel *find(const struct cw_settings *s, const char *name)
{
	for (size_t i = 0; i < s->nchannels; i++)
		if (strcmp(s->channels[i].name, name) == 0)
			return &s->channels[i];
	return NULL;
}

static int no_channel(const struct cw_settings *s, const char *name)
{
	size_t n = s->config->nchannels;
	const char **names = calloc(n + 1, sizeof(*names));
	struct cw_buf channel = { 0 };
	int status = -1;

	cw_buf_printf(&channel, "channel '%s' is off: ", name);
	for (size_t i = 0; i < s->nproblems; i++)
		if (strncmp(s->problems[i], cw_buf_str(&channel), channel.len) == 0)
			status = cli_usage("%s", s->problems[i]);
	cw_buf_release(&channel);
	for (size_t i = 0; names && i < n; i++)
		names[i] = s->config->channels[i].name;
	if (status < 0 && n == 0)
		status = cli_usage("notify: the configuration has no channels");
	if (status < 0 && names)
		status = cli_unknown("channel", name, names);
	free(names);
	return status < 0 ? CW_EXIT_USAGE : status;
}

static int send_test(const struct cw_channel *channel)
{
	struct cw_event event = { .type = "dev.clausewatch.test",
				  .cause = "request",
				  .severity = CW_INFO,
				  .summary = "clausewatch: a test; no agreement changed" };
	struct cw_error err = { 0 };
	char host[65] = "";
	int code = 0;

	if (gethostname(host, sizeof(host) - 1) == 0)
		event.host = host;
	if (cw_event_stamp(&event, &err) < 0)
		return cli_usage("%s", err.msg);
	int ret = cw_alert_send(channel, &event, NULL, &code, &err);
	if (ret < 0) {
		cli_warn("%s", err.msg);
		return CW_EXIT_UNCHECKED;
	}
	(void)printf("accepted with status %d; event %s\n", code, event.id);
	if (!channel->enabled)
		(void)puts(
			"note: the channel is switched off in the configuration (enabled: false)");
	if (channel->format && strcmp(channel->format, "generic") != 0)
		(void)puts(
			"note: chat services also accept messages that they then show to nobody; "
			"look whether it is there");
	else if (channel->nsecrets == 0)
		(void)puts("note: it was not signed, as the channel has no secret_file");
	return CW_EXIT_CLEAN;
}

int cw_verb_notify(int argc, char **argv)
{
	static const char *const words[] = { "test", NULL };
	struct options o = { 0 };
	struct cli_list args = { 0 };
	struct cw_settings *settings = NULL;
	struct cw_error err = { 0 };
	int status = cli_parse(&verb, argc, argv, &o, &args);

	if (status < 0 && cli_subverb("notify", &args, words) < 0)
		status = CW_EXIT_USAGE;
	if (status < 0 && args.count != 2)
		status = cli_usage("notify test: which channel? One");
	if (status < 0 && cw_settings_load(cli_config_path(o.config), &settings, &err) < 0)
		status = cli_usage("%s", err.msg);
	if (status < 0) {
		const struct cw_channel *channel = find(settings, args.items[1]);
		status = channel ? send_test(channel) : no_channel(settings, args.items[1]);
	}
	cw_settings_unref(settings);
	cli_list_release(&args);
	return status;
}
