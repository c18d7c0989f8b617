/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * conf_check.h - what must hold of values, names and whole sections
 */
#include "conf/conf.h"

/**
 * check_values() - Judge each value for itself, fill in the defaults
 * @c:  All sections; gets problems
 *
 * Bad values stay where they are: the configuration is refused in any case.
 */
void check_values(struct conf *c);

/**
 * check_sense() - Judge proxies and profiles as wholes
 * @c:  Configuration that check_values() has seen; gets problems
 */
void check_sense(struct conf *c);

/** attach_is_without() - Does this key mean nothing to a profile whose network
 * is an interface? Defaults are not for it, then */
bool attach_is_without(const struct section *s, unsigned int key);

/** sense_attach() - Judge a profile that has no chain but 'attach' */
void sense_attach(struct conf *c, const struct section *s);
