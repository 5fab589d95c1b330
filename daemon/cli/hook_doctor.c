/* clausewatch hook doctor: would the hooks of this repository do their work? */
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clausewatch/file.h"
#include "hook.h"

#define SCRIPT_MAX ((size_t)1 << 20)

struct doctor {
	size_t bad;
};

__attribute__((format(printf, 3, 4))) static void say(struct doctor *d, bool well, const char *fmt,
						      ...)
{
	struct cw_buf text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	cw_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	cli_line(well ? "ok: " : "bad:", cw_buf_str(&text));
	cw_buf_release(&text);
	d->bad += !well;
}

/* One hook; returns whether it calls this program. */
static bool check_hook(struct doctor *d, const char *dir, const char *type)
{
	struct cw_buf path = { 0 }, script = { 0 };
	struct cw_error err = { 0 };
	struct stat st;
	bool ours = false;

	cw_buf_printf(&path, "%s/%s", dir, type);
	if (lstat(cw_buf_str(&path), &st) < 0)
		goto out;
	if (cw_file_read(cw_buf_str(&path), SCRIPT_MAX, &script, NULL, &err) < 0)
		say(d, false, "%s", err.msg);
	else if (!(ours = hook_calls_us(cw_buf_str(&script), type)))
		say(d, true, "%s is another program's", cw_buf_str(&path));
	else if (access(cw_buf_str(&path), X_OK) < 0)
		say(d, false, "%s is not executable, so git leaves it out: chmod +x it",
		    cw_buf_str(&path));
	else
		say(d, true, "%s runs clausewatch", cw_buf_str(&path));
out:
	cw_buf_release(&path);
	cw_buf_release(&script);
	return ours;
}

static void check_repository(struct doctor *d, const char *path)
{
	const struct cw_git_opts git_opts = { .user_config = true };
	struct cw_git_repo *repo = NULL;
	struct cw_buf dir = { 0 };
	struct cw_error err = { 0 };
	bool any = false;

	if (cw_git_init(&git_opts, &err) < 0) {
		say(d, false, "%s", err.msg);
		return;
	}
	if (cw_git_open(path, CW_GIT_SEARCH, &repo, &err) < 0 ||
	    cw_git_hooks_path(repo, &dir, &err) < 0) {
		say(d, false, "%s", err.msg);
		goto out;
	}
	say(d, true, "%s is a repository %s", cw_git_dir(repo),
	    cw_git_is_bare(repo) ? "that is pushed to" : "with a work tree");
	if (dir.len > 0)
		say(d, true, "core.hooksPath is %s", dir.data);
	else
		cw_buf_printf(&dir, "%shooks", cw_git_common_dir(repo));
	for (size_t i = 0; hook_types[i]; i++)
		any = check_hook(d, cw_buf_str(&dir), hook_types[i]) || any;
	if (!any)
		say(d, false, "no hook in %s runs clausewatch: clausewatch hook install",
		    cw_buf_str(&dir));
out:
	cw_buf_release(&dir);
	cw_git_close(repo);
	cw_git_shutdown();
}

static const char *policy(int policy)
{
	return policy == CW_POLICY_ACCEPT ? "accepted" : "refused";
}

static void check_settings(struct doctor *d, const struct hook_options *opts)
{
	struct cw_config *config = NULL;
	struct cw_ruleset *rules = NULL;
	struct cw_error err = { 0 };
	double begun;

	if (cw_config_load(hook_config_path(opts), &config, &err) < 0) {
		say(d, false, "%s", err.msg);
		return;
	}
	say(d, true,
	    "%s: refuses from %s up; what cannot be checked is %s, and after %lld ms what is left "
	    "is %s",
	    config->path, cw_severity_name((enum cw_severity)config->hook.fail_on),
	    policy(config->hook.on_uncheckable), (long long)config->hook.timeout,
	    policy(config->hook.on_timeout));
	begun = cli_now();
	if (cli_load_rules(config, &opts->rules, &rules, &err) < 0)
		say(d, false, "%s", err.msg);
	else
		say(d, true, "%zu rules, read in %.0f ms", cw_ruleset_nrules(rules),
		    (cli_now() - begun) * 1e3);
	cw_ruleset_free(rules);
	cw_config_free(config);
}

int hook_doctor(const struct hook_options *opts, const char *repository)
{
	struct doctor d = { 0 };

	check_repository(&d, repository);
	check_settings(&d, opts);
	return d.bad > 0 ? CW_EXIT_FINDINGS : CW_EXIT_CLEAN;
}
