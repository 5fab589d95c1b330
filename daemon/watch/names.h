/** @file
 * What the name of a directory entry tells: editors' temporary files, lock files, hidden names.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum watch_name {
	WATCH_NAME_PLAIN,
	WATCH_NAME_IGNORED,
	WATCH_NAME_LOCK, /* an editor's: ignored, but somebody is editing */
};

enum watch_name watch_name_kind(const char *name, bool is_dir, bool hidden);

/**
 * Names of lock files that editors keep beside a file.
 * @param index  0, 1, ...; @return false when there is none left
 */
bool watch_lock_name(const char *name, size_t index, char *buf, size_t size);

/** Last part of a path. */
const char *watch_base_name(const char *path);
/** Is path the prefix or below it?  "" holds everything. */
bool watch_is_under(const char *path, const char *prefix);
