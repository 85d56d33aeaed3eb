// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "tdx/tdx_kvm.h"

bool tdx_kvm_lacks(const char *name)
{
	const char *list = getenv(TDX_KVM_LACKS_ENV);
	const size_t length = strlen(name);

	for (; list; list = strchr(list, ',')) {
		list += *list == ',';
		if (!strncmp(list, name, length) && (!list[length] || list[length] == ','))
			return true;
	}

	return false;
}
