/*
 * For clang-tidy only: what functions of other files return.  The analyser reads one file at a
 * time, and without this would follow the ways on which a failure is a success.
 */
#pragma once

#include "clausewatch/error.h"

#define cw_fail(err, code, ...) ((void)cw_fail(err, code, __VA_ARGS__), (code))
#define cw_wrap(err, code, ...) ((void)cw_wrap(err, code, __VA_ARGS__), (code))
