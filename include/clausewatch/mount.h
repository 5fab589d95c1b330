/** @file
 * File systems that other machines, or programs, change behind the kernel's back.
 */
#pragma once

/** "nfs", "cifs", "fuse", ...: what the path lies on; NULL for a local one or when unknown. */
const char *cw_network_mount(const char *path);
/** The same by statfs.f_type. */
const char *cw_network_kind(unsigned long f_type);
