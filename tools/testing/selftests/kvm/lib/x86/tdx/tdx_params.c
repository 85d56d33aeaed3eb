// SPDX-License-Identifier: GPL-2.0-only
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx.h"
#include "tdx/tdx_libkvm.h"
#include "tdx/tdx_params.h"

/* Returns NULL if KVM_TDX_CAPABILITIES fails, with its result and the module's status. */
static struct kvm_tdx_capabilities *read_capabilities(struct kvm_vm *vm, int *ret, u64 *hw_error)
{
	struct kvm_tdx_capabilities *caps = NULL;
	u32 nent = 0;

	/*
	 * KVM does not report how many entries there are: double the number until they
	 * fit.
	 */
	do {
		nent = nent ? nent * 2 : 64;
		caps = realloc(caps, sizeof(*caps) + nent * sizeof(caps->cpuid.entries[0]));
		TEST_ASSERT(caps, "No memory for %u CPUID entries", nent);

		memset(caps, 0, sizeof(*caps));
		caps->cpuid.nent = nent;
		*ret = __tdx_vm_ioctl(vm, KVM_TDX_CAPABILITIES, 0, caps, hw_error);
	} while (*ret == -1 && errno == E2BIG && nent < KVM_MAX_CPUID_ENTRIES);

	if (*ret) {
		free(caps);
		caps = NULL;
	}

	return caps;
}

struct kvm_tdx_capabilities *tdx_vm_get_capabilities(struct kvm_vm *vm)
{
	u64 hw_error;
	int ret;
	struct kvm_tdx_capabilities *caps = read_capabilities(vm, &ret, &hw_error);

	TEST_ASSERT_TDX_CMD("KVM_TDX_CAPABILITIES", ret, hw_error, vm);
	return caps;
}

u64 tdx_supported_xfam(void)
{
	struct kvm_vm *vm = vm_create_barebones_type(KVM_X86_TDX_VM);
	struct kvm_tdx_capabilities *caps = tdx_vm_get_capabilities(vm);
	u64 xfam = caps->supported_xfam;

	free(caps);
	kvm_vm_free(vm);
	return xfam;
}

static const struct kvm_cpuid_entry2 *find_supported(u32 function, u32 index)
{
	const struct kvm_cpuid2 *cpuid = kvm_get_supported_cpuid();
	const struct kvm_cpuid_entry2 *entry = cpuid->entries;
	const struct kvm_cpuid_entry2 *end = entry + cpuid->nent;

	for (; entry < end; entry++) {
		if (entry->function == function && entry->index == index)
			return entry;
	}

	return NULL;
}

/*
 * Reduce the configurable bits of @entry to a configuration.  Returns false if there is
 * none.
 */
static bool configure_cpuid_entry(struct kvm_cpuid_entry2 *entry)
{
	const struct kvm_cpuid_entry2 *supported;

	supported = find_supported(entry->function, entry->index);
	if (!supported)
		return false;

	entry->eax &= supported->eax;
	entry->ebx &= supported->ebx;
	entry->ecx &= supported->ecx;
	entry->edx &= supported->edx;
	/* KVM finds a subleaf only if the flags of the entry say that the index counts. */
	entry->flags = supported->flags;

	/*
	 * KVM takes the guest physical address width from EAX[23:16].  The supported
	 * value may be smaller: it is for other VMs.
	 */
	if (entry->function == TDX_CPUID_ADDRESS_WIDTHS)
		entry->eax = (entry->eax & ~GENMASK(23, 16)) | TDX_GPA_WIDTH << 16;

	return true;
}

static size_t params_size(u32 nr_entries)
{
	return sizeof(struct kvm_tdx_init_vm) + nr_entries * sizeof(struct kvm_cpuid_entry2);
}

static struct kvm_tdx_init_vm *make_params(const struct kvm_tdx_capabilities *caps)
{
	struct kvm_tdx_init_vm *params = calloc(1, params_size(caps->cpuid.nent));
	u32 i;

	TEST_ASSERT(params, "No memory for %u CPUID entries", caps->cpuid.nent);

	params->attributes = TDX_TD_ATTR_SEPT_VE_DISABLE;
	params->xfam = TDX_XFAM_MINIMUM;

	for (i = 0; i < caps->cpuid.nent; i++) {
		struct kvm_cpuid_entry2 entry = caps->cpuid.entries[i];

		if (configure_cpuid_entry(&entry))
			params->cpuid.entries[params->cpuid.nent++] = entry;
	}

	return params;
}

/* NULL where tdx_params_prepare() got no answer: a case then fails where it asks. */
static struct kvm_tdx_init_vm *default_params;
static struct kvm_cpuid2 *default_cpuid;

static struct kvm_tdx_init_vm *copy_params(const struct kvm_tdx_init_vm *from)
{
	struct kvm_tdx_init_vm *params = malloc(params_size(from->cpuid.nent));

	TEST_ASSERT(params, "No memory for %u CPUID entries", from->cpuid.nent);
	return memcpy(params, from, params_size(from->cpuid.nent));
}

struct kvm_tdx_init_vm *tdx_vm_get_init_params(struct kvm_vm *vm)
{
	struct kvm_tdx_capabilities *caps;
	struct kvm_tdx_init_vm *params;

	if (default_params)
		return copy_params(default_params);

	caps = tdx_vm_get_capabilities(vm);
	TEST_ASSERT(caps->supported_attrs & TDX_TD_ATTR_SEPT_VE_DISABLE,
		    "SEPT_VE_DISABLE not in the supported attributes 0x%llx",
		    caps->supported_attrs);
	TEST_ASSERT((caps->supported_xfam & TDX_XFAM_MINIMUM) == TDX_XFAM_MINIMUM,
		    "x87 and SSE not in the supported XFAM 0x%llx",
		    caps->supported_xfam);

	params = make_params(caps);
	free(caps);
	return params;
}

static bool is_zero(const struct kvm_cpuid_entry2 *entry)
{
	return !(entry->eax | entry->ebx | entry->ecx | entry->edx);
}

/* Make what KVM_TDX_GET_CPUID reports the input of KVM_SET_CPUID2. */
static void adjust_cpuid(struct kvm_cpuid2 *cpuid)
{
	u32 i, nent = 0;

	for (i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		/*
		 * KVM answers with zeroes for a leaf that is not in the table, too, which it
		 * reads from one end to the other over 500 times.
		 */
		if (is_zero(entry))
			continue;

		/*
		 * KVM takes a GPA above the MAXPHYADDR of this table for illegal, the shared
		 * bit included.
		 */
		if (entry->function == TDX_CPUID_ADDRESS_WIDTHS &&
		    (entry->eax & GENMASK(7, 0)) < TDX_GPA_WIDTH)
			entry->eax = (entry->eax & ~GENMASK(7, 0)) | TDX_GPA_WIDTH;

		cpuid->entries[nent++] = *entry;
	}

	cpuid->nent = nent;
}

/* @vm is a TD that has default_params. */
static void prepare_cpuid(struct kvm_vm *vm)
{
	struct kvm_tdx_cmd cmd = { .id = KVM_TDX_GET_CPUID };
	int vcpu_fd = __vm_ioctl(vm, KVM_CREATE_VCPU, (void *)0);
	struct kvm_cpuid2 *cpuid;

	if (vcpu_fd < 0)
		return;

	cpuid = allocate_kvm_cpuid2(KVM_MAX_CPUID_ENTRIES);
	cmd.data = (u64)cpuid;
	if (ioctl(vcpu_fd, KVM_MEMORY_ENCRYPT_OP, &cmd)) {
		free(cpuid);
	} else {
		adjust_cpuid(cpuid);
		default_cpuid = cpuid;
	}
	close(vcpu_fd);
}

void tdx_params_prepare(struct kvm_vm *vm)
{
	struct kvm_tdx_capabilities *caps;
	u64 hw_error;
	int ret;

	caps = read_capabilities(vm, &ret, &hw_error);
	if (!caps)
		return;

	if ((caps->supported_attrs & TDX_TD_ATTR_SEPT_VE_DISABLE) &&
	    (caps->supported_xfam & TDX_XFAM_MINIMUM) == TDX_XFAM_MINIMUM)
		default_params = make_params(caps);
	free(caps);

	if (default_params && !__vm_enable_cap(vm, KVM_CAP_SPLIT_IRQCHIP, 24) &&
	    !__tdx_vm_ioctl(vm, KVM_TDX_INIT_VM, 0, default_params, &hw_error))
		prepare_cpuid(vm);
}

void tdx_params_init_cpuid(struct kvm_vcpu *vcpu, bool is_default)
{
	struct kvm_cpuid2 *cpuid;

	if (is_default && default_cpuid) {
		vcpu_init_cpuid(vcpu, default_cpuid);
		return;
	}

	cpuid = allocate_kvm_cpuid2(KVM_MAX_CPUID_ENTRIES);
	tdx_vcpu_ioctl(vcpu, KVM_TDX_GET_CPUID, 0, cpuid);
	adjust_cpuid(cpuid);
	vcpu_init_cpuid(vcpu, cpuid);
	free(cpuid);
}
