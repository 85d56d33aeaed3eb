// SPDX-License-Identifier: GPL-2.0-only
/*
 * Source of td_offsets.inc: compiled to assembly only, from which Makefile.tdx
 * takes the strings that start with "->", so that no offset is typed.  Strings,
 * since clang parses the assembly that it writes.
 */
#include <stddef.h>

#include "tdx/td_boot.h"
#include "tdx/tdcall.h"

#define DEFINE(name, value)							\
	asm volatile("\n.ascii \"->#define " #name " %c0\"" : : "i" (value))
#define OFFSET(name, type, member) DEFINE(name, offsetof(type, member))

int main(void)
{
	OFFSET(TD_BOOT_CR0, struct td_boot_parameters, cr0);
	OFFSET(TD_BOOT_CR3, struct td_boot_parameters, cr3);
	OFFSET(TD_BOOT_CR4, struct td_boot_parameters, cr4);
	OFFSET(TD_BOOT_GDTR, struct td_boot_parameters, gdtr);
	OFFSET(TD_BOOT_IDTR, struct td_boot_parameters, idtr);
	OFFSET(TD_BOOT_VCPUS, struct td_boot_parameters, vcpus);

	DEFINE(SIZEOF_TD_BOOT_VCPU, sizeof(struct td_boot_vcpu));
	OFFSET(TD_BOOT_VCPU_ENTRY, struct td_boot_vcpu, entry);
	OFFSET(TD_BOOT_VCPU_RSP, struct td_boot_vcpu, rsp);
	OFFSET(TD_BOOT_VCPU_ARG0, struct td_boot_vcpu, args[0]);
	OFFSET(TD_BOOT_VCPU_ARG1, struct td_boot_vcpu, args[1]);
	OFFSET(TD_BOOT_VCPU_ARG2, struct td_boot_vcpu, args[2]);
	OFFSET(TD_BOOT_VCPU_ARG3, struct td_boot_vcpu, args[3]);
	OFFSET(TD_BOOT_VCPU_ARG4, struct td_boot_vcpu, args[4]);
	OFFSET(TD_BOOT_VCPU_ARG5, struct td_boot_vcpu, args[5]);

#define TDCALL_REG_OFFSET(name, reg) OFFSET(TDCALL_##name, struct tdcall_regs, reg);
	TDCALL_REGS(TDCALL_REG_OFFSET)

	return 0;
}
