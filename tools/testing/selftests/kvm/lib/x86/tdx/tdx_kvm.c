// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdx/tdx_kvm.h"

bool tdx_env_has(const char *env, const char *name)
{
	const char *list = getenv(env);
	const size_t length = strlen(name);

	for (; list; list = strchr(list, ',')) {
		list += *list == ',';
		if (!strncmp(list, name, length) && (!list[length] || list[length] == ','))
			return true;
	}

	return false;
}

bool tdx_kvm_lacks(const char *name)
{
	return tdx_env_has(TDX_KVM_LACKS_ENV, name);
}

bool tdx_kvm_has_fix(unsigned int finding)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", finding);
	return tdx_env_has(TDX_KVM_FIXES_ENV, number);
}
