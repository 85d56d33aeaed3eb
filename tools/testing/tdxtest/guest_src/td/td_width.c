// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gives a VMM's vCPUs the physical addresses that a TD has.
 *
 * A VMM takes their width from CPUID of the host, and gives it to KVM. A platform
 * with TDX has more than 47 bits, so that the bit that makes an address shared is
 * one of them. An emulated CPU may have 40. This is loaded with the VMM and comes
 * between it and ioctl(): where the CPUID that it gives to KVM has a narrower CPU, a
 * vCPU gets 52 bits, and its TD 48. Nothing else that the VMM does is touched.
 */
#include <errno.h>
#include <stdarg.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#define LEAF_ADDRESS_SIZES	0x80000008
#define PHYSICAL_BITS		0xff
#define GUEST_PHYSICAL_BITS	0xff0000
#define TDX_BITS		(48 << 16 | 52)
#define SHARED_BIT		47

/* What an older system's <asm/kvm.h> lacks. */
#define TDX_INIT_VM		1	/* KVM_TDX_INIT_VM */

struct tdx_cmd {
	__u32 id;
	__u32 flags;
	__u64 data;
	__u64 hw_error;
};

struct tdx_init_vm {
	__u64 attributes;
	__u64 xfam;
	__u64 mrconfigid[6];
	__u64 mrowner[6];
	__u64 mrownerconfig[6];
	__u64 reserved[12];
	struct kvm_cpuid2 cpuid;
};

static long raw_ioctl(int fd, unsigned long request, void *arg)
{
	long ret;

	asm volatile("syscall" : "=a"(ret)
		     : "a"(SYS_ioctl), "D"((long)fd), "S"(request), "d"(arg)
		     : "rcx", "r11", "memory");
	return ret;
}

/* Set bits of the address sizes, where they are those of a narrow CPU. */
static void widen(struct kvm_cpuid2 *cpuid, unsigned int mask)
{
	unsigned int i;

	for (i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		if (entry->function == LEAF_ADDRESS_SIZES &&
		    (entry->eax & PHYSICAL_BITS) <= SHARED_BIT)
			entry->eax = (entry->eax & ~mask) | (TDX_BITS & mask);
	}
}

/* A TD gets its CPUID before its vCPUs do, and of the sizes only that of its own. */
static void widen_td(const struct tdx_cmd *cmd)
{
	struct tdx_init_vm *init = (void *)cmd->data;

	if (cmd->id == TDX_INIT_VM)
		widen(&init->cpuid, GUEST_PHYSICAL_BITS);
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;
	long ret;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (request == KVM_SET_CPUID2)
		widen(arg, PHYSICAL_BITS | GUEST_PHYSICAL_BITS);
	else if (request == KVM_MEMORY_ENCRYPT_OP)
		widen_td(arg);
	ret = raw_ioctl(fd, request, arg);
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}
