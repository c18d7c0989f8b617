/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * config_words.h - what stands behind `nsproxy config`
 */
#include "verb.h"

/**
 * struct config_call - how it was called
 * @verb:     For faults
 * @as_json:  --json
 * @operand:  The word behind the word, or NULL
 */
struct config_call {
	const struct verb *verb;
	bool as_json;
	const char *operand;
};

/** config_show() - `config show [NAME]`; Return: exit status */
int config_show(const struct config_call *call);

/** config_import() - `config import FILE.json`; Return: exit status */
int config_import(const struct config_call *call);
