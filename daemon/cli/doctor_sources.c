/* What shall be watched: is it there, may it be read, and does inotify suffice? */
#include "doctor.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clausewatch/git.h"
#include "clausewatch/mount.h"

#define DIRECTORIES_MAX 2000000
#define OPEN_MAX_WALK 32

/* ---- folders ---- */

/* nftw() has no context to hand over. */
static struct {
	uint64_t directories, closed;
	char example[256];
} walked;

static int count(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	if (ftw->level > 0 && path[ftw->base] == '.' && (kind == FTW_D || kind == FTW_DNR))
		return FTW_SKIP_SUBTREE;
	if (kind == FTW_D)
		walked.directories++;
	if (kind == FTW_DNR && walked.closed++ == 0)
		(void)snprintf(walked.example, sizeof(walked.example), "%s", path);
	return walked.directories > DIRECTORIES_MAX ? FTW_STOP : FTW_CONTINUE;
}

/** Directories that inotify has to watch there. */
static uint64_t check_folder(struct cli_doctor *d, const struct cw_config_source *s)
{
	const char *network = cw_network_mount(s->folder);
	struct stat st;
	char what[160];

	(void)snprintf(what, sizeof(what), "source '%.128s'", s->name);
	if (stat(s->folder, &st) < 0 || !S_ISDIR(st.st_mode)) {
		cli_doctor_say(d, CLI_FAIL, what, "'%s': %s; it is watched once it is there",
			       s->folder, errno ? strerror(errno) : "no directory");
		return 0;
	}
	if (access(s->folder, R_OK | X_OK) < 0) {
		cli_doctor_say(d, CLI_FAIL, what,
			       "'%s' cannot be read: %s; let the daemon's user in: setfacl -R -m "
			       "u:clausewatch:rX",
			       s->folder, strerror(errno));
		return 0;
	}
	walked.directories = walked.closed = 0;
	(void)nftw(s->folder, count, OPEN_MAX_WALK, FTW_PHYS | FTW_ACTIONRETVAL);
	if (walked.closed > 0)
		cli_doctor_say(d, CLI_DOUBT, what,
			       "%" PRIu64 " directories cannot be read, '%s' first", walked.closed,
			       walked.example);
	bool polled = s->poll == CW_POLL_ALWAYS || (network && s->poll == CW_POLL_AUTO);
	if (network && s->poll == CW_POLL_NEVER)
		cli_doctor_say(
			d, CLI_DOUBT, what,
			"'%s' is on a network mount (%s): changes made by other machines are "
			"not seen at once; set poll: auto",
			s->folder, network);
	else
		cli_doctor_say(d, CLI_OK, what, "'%s', %" PRIu64 " director%s%s%s%s", s->folder,
			       walked.directories, walked.directories == 1 ? "y" : "ies",
			       polled ? ", polled" : "", network ? ", on a network mount: " : "",
			       network ? network : "");
	return polled ? 0 : walked.directories;
}

/* ---- repositories ---- */

static void check_repository(struct cli_doctor *d, const struct cw_config_source *s)
{
	struct cw_git_repo *repo = NULL;
	struct cw_error err = { 0 };
	char what[160];

	(void)snprintf(what, sizeof(what), "source '%.128s'", s->name);
	int ret = cw_git_open(s->repository, s->trust_owner ? CW_GIT_TRUST_OWNER : 0, &repo, &err);
	if (ret < 0)
		cli_doctor_say(d, CLI_FAIL, what, "%s%s", err.msg,
			       ret == CW_EDENIED && !s->trust_owner
				       ? "; if you trust its owner: trust_owner: true"
				       : "");
	else
		cli_doctor_say(d, CLI_OK, what, "repository '%s'", s->repository);
	cw_git_close(repo);
}

/* ---- limits ---- */

static uint64_t limit(const char *name)
{
	char path[96];
	unsigned long long n = 0;

	(void)snprintf(path, sizeof(path), "/proc/sys/fs/inotify/%s", name);
	FILE *file = fopen(path, "re");
	if (file) {
		char text[32];
		if (fgets(text, sizeof(text), file))
			n = strtoull(text, NULL, 10);
		(void)fclose(file);
	}
	return n;
}

static void check_limits(struct cli_doctor *d, uint64_t directories)
{
	uint64_t watches = limit("max_user_watches"), instances = limit("max_user_instances");

	if (watches == 0)
		cli_doctor_say(d, CLI_DOUBT, "inotify", "its limits cannot be read");
	else if (directories > watches / 10 * 9)
		cli_doctor_say(d, CLI_DOUBT, "inotify",
			       "%" PRIu64 " directories to watch and a limit of %" PRIu64
			       ": the rest is polled. Raise it: sysctl "
			       "fs.inotify.max_user_watches=%" PRIu64
			       ", and keep that in /etc/sysctl.d",
			       directories, watches, directories * 2);
	else
		cli_doctor_say(d, CLI_OK, "inotify",
			       "%" PRIu64 " of %" PRIu64 " watches are needed", directories,
			       watches);
	if (instances > 0 && instances < 16)
		cli_doctor_say(d, CLI_DOUBT, "inotify",
			       "only %" PRIu64 " instances for each user; sysctl "
			       "fs.inotify.max_user_instances=128",
			       instances);
}

void cli_doctor_sources(struct cli_doctor *d, const struct cw_config *config)
{
	uint64_t directories = 0;
	struct cw_error err = { 0 };
	bool git = cw_git_init(NULL, &err) == CW_OK;

	for (size_t i = 0; i < config->nsources; i++) {
		errno = 0;
		if (config->sources[i].folder)
			directories += check_folder(d, &config->sources[i]);
		else if (git)
			check_repository(d, &config->sources[i]);
		else
			cli_doctor_say(d, CLI_FAIL, config->sources[i].name, "%s", err.msg);
	}
	if (config->nsources == 0)
		cli_doctor_say(d, CLI_DOUBT, "sources", "none: nothing is watched; add sources");
	if (git)
		cw_git_shutdown();
	check_limits(d, directories);
}
