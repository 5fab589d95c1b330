/* clausewatch doctor: what would keep the daemon from its work, and the cure. */
#include "doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clausewatch/mount.h"

struct options {
	struct cli_ask ask;
	bool no_color;
};

static const struct cli_option options[] = {
	CLI_ASK_OPTIONS(options),
	{ "no-color", 0, CLI_FLAG, offsetof(struct options, no_color), NULL,
	  "no colours, as with NO_COLOR" },
	{ 0 },
};

static const struct cli_verb verb = {
	.usage = "doctor [options]",
	.help = "Look at all that the daemon needs: configuration, rules, what it shall watch, limits of the\n"
		"system, its state directory, channels, and whether it answers. Permissions are those of\n"
		"whoever runs this: best run it as the daemon's user (sudo -u clausewatch).\n\n"
		"Exit status: 0 nothing fails, 2 something does.",
	.options = options,
};

void cli_doctor_say(struct cli_doctor *d, enum cli_health health, const char *what, const char *fmt,
		    ...)
{
	static const char *const words[] = { "ok  ", "warn", "FAIL" };
	static const enum cli_paint paints[] = { CLI_GOOD, CLI_WARN, CLI_BAD };
	struct cw_buf text = { 0 };
	va_list ap;

	cw_buf_printf(&text, "%s: ", what);
	va_start(ap, fmt);
	cw_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	cli_page_paint(&d->page, paints[health], words[health]);
	cw_buf_puts(&d->page.buf, "  ");
	cli_page_wrap(&d->page, 6, 6, cw_buf_str(&text));
	cli_page_print(&d->page);
	cw_buf_release(&text);
	d->found[health]++;
}

/* ---- settings ---- */

/* Credentials are handed to the service only: their absence here says nothing. */
static bool is_credential(const char *problem)
{
	return strstr(problem, "LoadCredential=") != NULL;
}

static void check_channels(struct cli_doctor *d, const struct cw_settings *s)
{
	for (size_t i = 0; i < s->nproblems; i++)
		cli_doctor_say(d, is_credential(s->problems[i]) ? CLI_DOUBT : CLI_FAIL, "channels",
			       "%s%s", s->problems[i],
			       is_credential(s->problems[i])
				       ? "; the service has it if its unit says so"
				       : "; the file must be readable by the daemon's user and by "
					 "nobody else");
	for (size_t i = 0; i < s->nchannels; i++) {
		const struct cw_channel *c = &s->channels[i];
		if (!c->enabled)
			cli_doctor_say(d, CLI_DOUBT, "channels", "'%s' is switched off", c->name);
		else if (c->nsecrets == 0 && c->format && strcmp(c->format, "generic") == 0)
			cli_doctor_say(
				d, CLI_DOUBT, "channels",
				"'%s' is not signed: receivers cannot tell who sent; give it "
				"a secret_file",
				c->name);
		else
			cli_doctor_say(d, CLI_OK, "channels",
				       "'%s'; clausewatch notify test %s shows if it arrives",
				       c->name, c->name);
	}
	if (s->config->nchannels == 0)
		cli_doctor_say(d, CLI_DOUBT, "channels", "none: nobody will be told; add channels");
}

static void check_settings(struct cli_doctor *d, const char *path)
{
	struct cw_settings *s = NULL;
	struct cw_error err = { 0 };

	if (cw_settings_load(path, &s, &err) < 0) {
		cli_doctor_say(d, CLI_FAIL, "rules", "%s", err.msg);
		return;
	}
	cli_doctor_say(d, CLI_OK, "rules",
		       "%zu rules for %zu terms, all of their %zu examples hold",
		       cw_ruleset_nrules(s->rules), cw_ruleset_nterms(s->rules), s->examples);
	check_channels(d, s);
	cw_settings_unref(s);
}

/* ---- directories ---- */

static void check_state(struct cli_doctor *d, const char *dir)
{
	struct stat st;
	const char *network;

	if (stat(dir, &st) < 0) {
		if (errno == ENOENT)
			cli_doctor_say(d, CLI_DOUBT, "state_dir",
				       "'%s' is not there; the daemon makes it if it may", dir);
		else
			cli_doctor_say(d, CLI_FAIL, "state_dir", "'%s': %s", dir, strerror(errno));
		return;
	}
	network = cw_network_mount(dir);
	if (!S_ISDIR(st.st_mode))
		cli_doctor_say(d, CLI_FAIL, "state_dir", "'%s' is no directory", dir);
	else if (network)
		cli_doctor_say(d, CLI_FAIL, "state_dir",
			       "'%s' is on a network file system (%s), whose locks and maps are "
			       "not to be trusted; move it to a local disk",
			       dir, network);
	else if (access(dir, R_OK | W_OK | X_OK) < 0)
		cli_doctor_say(d, geteuid() == st.st_uid ? CLI_FAIL : CLI_DOUBT, "state_dir",
			       "'%s' is not writable to who runs this; it belongs to user %u", dir,
			       (unsigned)st.st_uid);
	else
		cli_doctor_say(d, CLI_OK, "state_dir", "'%s'", dir);
}

/* ---- the daemon ---- */

struct asked {
	struct cli_doctor *d;
	bool degraded;
};

static int on_status(void *ctx, const json_t *answer, const char *line)
{
	struct asked *a = ctx;
	const json_t *s;
	size_t i;

	(void)line;
	json_array_foreach(json_object_get(answer, "sources"), i, s)
	{
		if (!cli_is(s, "degraded"))
			continue;
		a->degraded = true;
		cli_doctor_say(a->d, CLI_DOUBT, "daemon", "source '%s' is degraded: %s",
			       cli_text_of(s, "name"), cli_text_of(s, "message"));
	}
	json_array_foreach(json_object_get(answer, "channels"), i, s)
	{
		if (cli_int_of(s, "last_failure_ms") <= cli_int_of(s, "last_ok_ms"))
			continue;
		a->degraded = true;
		cli_doctor_say(a->d, CLI_DOUBT, "daemon", "channel '%s' does not take alerts: %s",
			       cli_text_of(s, "name"), cli_text_of(s, "last_error"));
	}
	if (cli_int_of(answer, "reload_ms") > 0 && !cli_is(answer, "reload_ok")) {
		a->degraded = true;
		cli_doctor_say(a->d, CLI_DOUBT, "daemon", "its last reload failed: %s",
			       cli_text_of(answer, "reload_message"));
	}
	if (strcmp(cli_text_of(answer, "version"), CW_VERSION) != 0)
		cli_doctor_say(a->d, CLI_DOUBT, "daemon",
			       "it is version %s, this program " CW_VERSION "; restart it",
			       cli_text_of(answer, "version"));
	return CW_OK;
}

static void check_daemon(struct cli_doctor *d, const struct cli_ask *where)
{
	struct asked a = { .d = d };
	int status = cli_ask(where, cli_question("status"), CLI_SILENCE_S, on_status, &a);

	if (status != CW_EXIT_CLEAN)
		cli_doctor_say(d, CLI_FAIL, "daemon", "does not answer, for the reason above");
	else if (!a.degraded)
		cli_doctor_say(d, CLI_OK, "daemon", "it answers, and nothing is degraded");
}

int cw_verb_doctor(int argc, char **argv)
{
	struct options o = { 0 };
	struct cli_list args = { 0 };
	struct cw_config *config = NULL;
	struct cw_error err = { 0 };
	int status = cli_parse(&verb, argc, argv, &o, &args);
	struct cli_doctor d = { .page.colour = cli_colour(stdout, o.no_color) };

	if (status < 0 && args.count > 0)
		status = cli_usage("doctor: unexpected '%s'", args.items[0]);
	cli_list_release(&args);
	if (status >= 0)
		return status;
	const char *path = cli_config_path(o.ask.config);
	if (cw_config_load(path, &config, &err) < 0) {
		cli_doctor_say(&d, CLI_FAIL, "configuration", "%s", err.msg);
	} else {
		cli_doctor_say(&d, CLI_OK, "configuration", "'%s'%s", config->path,
			       access(config->path, F_OK) < 0 ? " is not there: defaults" : "");
		check_settings(&d, path);
		cli_doctor_sources(&d, config);
		check_state(&d, config->state_dir);
		check_daemon(&d, &o.ask);
	}
	cw_config_free(config);
	(void)printf("%zu ok, %zu to look at, %zu failed\n", d.found[CLI_OK], d.found[CLI_DOUBT],
		     d.found[CLI_FAIL]);
	return d.found[CLI_FAIL] > 0 ? CW_EXIT_USAGE : CW_EXIT_CLEAN;
}
