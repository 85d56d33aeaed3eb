// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_CREATE_VCPU, KVM_TDX_GET_CPUID and KVM_TDX_INIT_VCPU of a TD: what KVM must
 * refuse.  After each refusal the vCPU is initialized and runs to its end.
 */
#include <sys/resource.h>

#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/td_boot.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_cmd.h"
#include "tdx/tdx_cpus.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"
#include "tdx/tdx_warning.h"

#define NR_IOAPIC_PINS		24

#define CPUID_FAMILY_MODEL	0x1

/* x87, SSE, AVX, AVX-512 and PKRU. */
#define XFAM_FEATURES		(GENMASK_ULL(2, 0) | GENMASK_ULL(7, 5) | BIT_ULL(9))

static void guest_code(void)
{
	GUEST_DONE();
}

static size_t cpuid_size(u32 nent)
{
	return sizeof(struct kvm_cpuid2) + nent * sizeof(struct kvm_cpuid_entry2);
}

/* Initialize @vcpu, the only one, and run it to its end. */
static void finish(struct kvm_vcpu *vcpu)
{
	struct ucall uc;

	tdx_vcpu_init(vcpu);
	tdx_vm_finalize(vcpu->vm);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_DONE, &uc);
}

FIXTURE(get_cpuid_refused)
{
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct kvm_cpuid2 *good;
	struct kvm_tdx_cmd cmd;
	struct tdx_cmd_buffer buffer;
};

/* Number of entries that KVM is told of, and that fit into the buffer. */
FIXTURE_VARIANT(get_cpuid_refused)
{
	struct tdx_cmd_refusal refusal;
	bool nent_0;
	int nent_change;
	int room_change;
};

FIXTURE_VARIANT_ADD(get_cpuid_refused, hw_error) {
	.refusal = { .given = 1, .error = EINVAL },
};

FIXTURE_VARIANT_ADD(get_cpuid_refused, no_operand) {
	.refusal = { .no_operand = true, .error = EFAULT },
};

FIXTURE_VARIANT_ADD(get_cpuid_refused, no_room) {
	.refusal = { .error = E2BIG }, .nent_0 = true,
};

FIXTURE_VARIANT_ADD(get_cpuid_refused, room_short_by_one) {
	.refusal = { .error = E2BIG }, .nent_change = -1,
};

FIXTURE_VARIANT_ADD(get_cpuid_refused, entry_unmapped) {
	.refusal = { .error = EFAULT }, .room_change = -1,
};

FIXTURE_VARIANT_ADD(get_cpuid_refused, short_and_unmapped) {
	.refusal = { .error = E2BIG }, .nent_change = -1, .room_change = -1,
};

FIXTURE_SETUP(get_cpuid_refused)
{
	self->vm = tdx_vm_create(1);
	self->vcpu = tdx_vcpu_create(self->vm, 0, guest_code);
	self->good = allocate_kvm_cpuid2(KVM_MAX_CPUID_ENTRIES);
	tdx_vcpu_ioctl(self->vcpu, KVM_TDX_GET_CPUID, 0, self->good);
}

TDX_FIXTURE_TEARDOWN(get_cpuid_refused);

/* If there is too little room KVM reports how much it needs, and writes no entry. */
TDX_TEST_F(get_cpuid_refused, then_carried_out)
{
	const u32 nent = self->good->nent;
	struct kvm_cpuid2 *cpuid;

	tdx_cmd_buffer_set(&self->buffer, self->good, cpuid_size(nent + variant->room_change));
	cpuid = self->buffer.data;
	memset(cpuid->entries, 0xa5, cpuid_size(nent + variant->room_change) - cpuid_size(0));
	cpuid->nent = variant->nent_0 ? 0 : nent + variant->nent_change;

	self->cmd = (struct kvm_tdx_cmd) { .id = KVM_TDX_GET_CPUID, .data = (u64)cpuid };
	tdx_cmd_refused(self->vcpu->fd, &self->cmd, &variant->refusal);
	if (variant->refusal.error == E2BIG) {
		tdx_assert_value("KVM_TDX_GET_CPUID", "refusal", 1, "nent", nent,
				 cpuid->nent);
		tdx_assert_value("KVM_TDX_GET_CPUID", "refusal", 1, "first function",
				 0xa5a5a5a5, cpuid->entries[0].function);
	}

	tdx_cmd_buffer_set(&self->buffer, self->good, cpuid_size(nent));
	cpuid = self->buffer.data;
	memset(cpuid->entries, 0xa5, cpuid_size(nent) - cpuid_size(0));
	self->cmd = (struct kvm_tdx_cmd) { .id = KVM_TDX_GET_CPUID, .data = (u64)cpuid };
	tdx_cmd_carried_out(self->vcpu->fd, &self->cmd);
	TEST_ASSERT(!memcmp(cpuid, self->good, cpuid_size(nent)),
		    "KVM_TDX_GET_CPUID gives different entries the second time");
	finish(self->vcpu);
}

/* KVM ignores the flags of KVM_TDX_GET_CPUID. */
TEST(get_cpuid_flags)
{
	struct kvm_cpuid2 *cpuid = allocate_kvm_cpuid2(KVM_MAX_CPUID_ENTRIES);
	struct kvm_tdx_cmd cmd = {
		.id = KVM_TDX_GET_CPUID,
		.flags = ~0,
		.data = (u64)cpuid,
	};
	struct kvm_vm *vm = tdx_vm_create(1);
	struct kvm_vcpu *vcpu = tdx_vcpu_create(vm, 0, guest_code);

	tdx_cmd_carried_out(vcpu->fd, &cmd);
	free(cpuid);
	kvm_vm_free(vm);
}

/* A configurable bit is 0 unless userspace sets it.  Userspace may set the others. */
FIXTURE(cpuid_config)
{
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct kvm_tdx_init_vm *given;
	struct kvm_cpuid2 *got;
};

FIXTURE_VARIANT(cpuid_config)
{
	u32 mask;		/* of what KVM supports, in each register */
};

FIXTURE_VARIANT_ADD(cpuid_config, all)	{ .mask = ~0u };
FIXTURE_VARIANT_ADD(cpuid_config, none)	{ .mask = 0 };
FIXTURE_VARIANT_ADD(cpuid_config, even)	{ .mask = 0x55555555 };
FIXTURE_VARIANT_ADD(cpuid_config, odd)	{ .mask = 0xaaaaaaaa };

/*
 * Bits of EAX that are not masked.  The GPA width must stay.  A TDX module need not
 * accept a part of family and model: they are kept or cleared as a whole.
 */
static u32 kept_bits(const struct kvm_cpuid_entry2 *entry, u32 mask)
{
	if (entry->function == CPUID_FAMILY_MODEL)
		return mask ? ~0u : 0;
	return entry->function == TDX_CPUID_ADDRESS_WIDTHS ? GENMASK(23, 16) : 0;
}

/* Give the input of KVM_TDX_INIT_VM with CPUID bits outside of @mask cleared. */
static struct kvm_tdx_init_vm *masked_params(struct kvm_vm *vm, u32 mask)
{
	struct kvm_tdx_init_vm *params = tdx_vm_get_init_params(vm);
	struct kvm_tdx_capabilities *caps = tdx_vm_get_capabilities(vm);
	u32 i;

	for (i = 0; i < params->cpuid.nent; i++) {
		struct kvm_cpuid_entry2 *entry = &params->cpuid.entries[i];

		entry->eax &= mask | kept_bits(entry, mask);
		entry->ebx &= mask;
		entry->ecx &= mask;
		entry->edx &= mask;
	}

	/* A feature needs its component of XFAM. */
	params->xfam = caps->supported_xfam & XFAM_FEATURES;
	free(caps);
	return params;
}

FIXTURE_SETUP(cpuid_config)
{
	self->vm = __tdx_vm_create(1);
	self->given = masked_params(self->vm, variant->mask);
	tdx_vm_init(self->vm, self->given);
	self->vcpu = tdx_vcpu_create(self->vm, 0, guest_code);
	self->got = allocate_kvm_cpuid2(KVM_MAX_CPUID_ENTRIES);
	tdx_vcpu_ioctl(self->vcpu, KVM_TDX_GET_CPUID, 0, self->got);
}

TDX_FIXTURE_TEARDOWN(cpuid_config);

static const struct kvm_cpuid_entry2 *find_entry(const struct kvm_cpuid2 *cpuid, u32 function,
						 u32 index)
{
	u32 i;

	for (i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function == function && cpuid->entries[i].index == index)
			return &cpuid->entries[i];
	}

	return NULL;
}

/* EAX of the leaf: if it is 0 the module takes family and model of the CPU. */
static u32 wanted_eax(const struct kvm_cpuid_entry2 *bits, u32 eax)
{
	eax &= bits->eax;
	if (bits->function == CPUID_FAMILY_MODEL && !eax)
		eax = this_cpu_fms() & bits->eax;
	return eax;
}

/* KVM_TDX_GET_CPUID returns what KVM_TDX_INIT_VM was given, in each register. */
TDX_TEST_F(cpuid_config, told_as_given)
{
	static const struct kvm_cpuid_entry2 zeros;
	struct kvm_tdx_capabilities *caps = tdx_vm_get_capabilities(self->vm);
	u32 i;

	for (i = 0; i < caps->cpuid.nent; i++) {
		const struct kvm_cpuid_entry2 *bits = &caps->cpuid.entries[i];
		const struct kvm_cpuid_entry2 *want, *got;
		char leaf[32];

		snprintf(leaf, sizeof(leaf), "CPUID 0x%x", bits->function);
		want = find_entry(&self->given->cpuid, bits->function, bits->index) ?: &zeros;
		got = find_entry(self->got, bits->function, bits->index) ?: &zeros;

		tdx_assert_value(leaf, "subleaf", bits->index, "EAX",
				 wanted_eax(bits, want->eax), got->eax & bits->eax);
		tdx_assert_value(leaf, "subleaf", bits->index, "EBX",
				 want->ebx & bits->ebx, got->ebx & bits->ebx);
		tdx_assert_value(leaf, "subleaf", bits->index, "ECX",
				 want->ecx & bits->ecx, got->ecx & bits->ecx);
		tdx_assert_value(leaf, "subleaf", bits->index, "EDX",
				 want->edx & bits->edx, got->edx & bits->edx);
	}

	free(caps);
	finish(self->vcpu);
}

TDX_FIXTURE(init_vcpu_refused);

FIXTURE_VARIANT(init_vcpu_refused)
{
	struct tdx_cmd_refusal refusal;
	bool no_x2apic;		/* in the vCPU's CPUID */
};

FIXTURE_VARIANT_ADD(init_vcpu_refused, flags_bit_0) {
	.refusal = { .flags = BIT(0), .error = EINVAL },
};

FIXTURE_VARIANT_ADD(init_vcpu_refused, flags_bit_31) {
	.refusal = { .flags = BIT(31), .error = EINVAL },
};

FIXTURE_VARIANT_ADD(init_vcpu_refused, hw_error) {
	.refusal = { .given = 1, .error = EINVAL },
};

/* The local APIC of a TD is an x2APIC: userspace must say so in CPUID. */
FIXTURE_VARIANT_ADD(init_vcpu_refused, no_x2apic) {
	.refusal = { .error = EINVAL }, .no_x2apic = true,
};

FIXTURE_SETUP(init_vcpu_refused)
{
	self->vm = tdx_vm_create(1);
	self->vcpu = tdx_vcpu_create(self->vm, 0, guest_code);
}

TDX_TEST_F(init_vcpu_refused, then_carried_out)
{
	struct kvm_tdx_cmd cmd = { .id = KVM_TDX_INIT_VCPU };

	if (variant->no_x2apic)
		vcpu_clear_cpuid_feature(self->vcpu, X86_FEATURE_X2APIC);
	tdx_cmd_refused(self->vcpu->fd, &cmd, &variant->refusal);
	if (variant->no_x2apic)
		vcpu_set_cpuid_feature(self->vcpu, X86_FEATURE_X2APIC);

	finish(self->vcpu);
}

/* Except for this, the first vCPU is runnable after its creation. */
TEST(run_needs_init_vcpu)
{
	struct kvm_vm *vm = tdx_vm_create(1);
	struct kvm_vcpu *vcpu = tdx_vcpu_create(vm, 0, guest_code);

	TEST_ASSERT_EQ(__vcpu_run(vcpu), -1);
	TEST_ASSERT_EQ(errno, EINVAL);
	finish(vcpu);
	kvm_vm_free(vm);
}

/* Addresses of the code below and of what it stores, in pages of the library. */
#define RESET_OFFSET	(TD_RESET_VECTOR - TD_BOOT_CODE_GPA)
#define STORE_OFFSET	0x800
#define STORED_GPA	(TD_BOOT_CODE_GPA - sizeof(u32))

/* E9 rel32 */
static void put_jump(u8 *page, u32 from, u32 to)
{
	const u32 distance = to - (from + 5);

	page[from] = 0xe9;
	memcpy(&page[from + 1], &distance, sizeof(distance));
}

/* Let the first instruction of the vCPU store ECX: mov %ecx, STORED_GPA. */
static void store_initial_ecx(struct kvm_vm *vm)
{
	const u8 store[] = {
		0x89, 0x0d, STORED_GPA & 0xff, STORED_GPA >> 8 & 0xff,
		STORED_GPA >> 16 & 0xff, STORED_GPA >> 24 & 0xff,
	};
	u8 *page = addr_gpa2hva(vm, TD_BOOT_CODE_GPA);

	memcpy(&page[STORE_OFFSET], store, sizeof(store));
	put_jump(page, STORE_OFFSET + sizeof(store), 0);
	put_jump(page, RESET_OFFSET, STORE_OFFSET);
}

static void guest_tell_stored(void)
{
	GUEST_SYNC1(READ_ONCE(*(u32 *)STORED_GPA));
}

/* The vCPU starts with the data of KVM_TDX_INIT_VCPU in RCX. */
TEST(init_vcpu_data)
{
	const u64 data = 0x1122334455667788;
	struct kvm_vm *vm = tdx_vm_create(1);
	struct kvm_vcpu *vcpu = tdx_vcpu_create(vm, 0, guest_tell_stored);
	struct ucall uc;

	store_initial_ecx(vm);
	tdx_vcpu_ioctl(vcpu, KVM_TDX_INIT_VCPU, 0, data);
	tdx_vm_finalize(vm);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_SYNC, &uc);
	tdx_assert_value("KVM_TDX_INIT_VCPU", "vCPU", 0, "initial ECX", (u32)data, uc.args[0]);
	kvm_vm_free(vm);
}

static void vcpu_refused(struct kvm_vm *vm, u64 id, int error)
{
	int r = ioctl(vm->fd, KVM_CREATE_VCPU, id);

	TEST_ASSERT(r == -1 && errno == error, "vCPU %lu: wanted %s, got %s", id,
		    strerror(error), r == -1 ? strerror(errno) : "success");
}

static void vcpu_created(struct kvm_vm *vm, u64 id)
{
	int fd = ioctl(vm->fd, KVM_CREATE_VCPU, id);

	TEST_ASSERT(fd >= 0, "vCPU %lu: wanted success, got %m", id);
	kvm_close(fd);
}

TEST(create_vcpu_before_init_vm)
{
	struct kvm_vm *vm = vm_create_barebones_type(KVM_X86_TDX_VM);
	struct kvm_tdx_init_vm *params = tdx_vm_get_init_params(vm);

	vm_enable_cap(vm, KVM_CAP_SPLIT_IRQCHIP, NR_IOAPIC_PINS);
	vcpu_refused(vm, 0, EIO);
	tdx_vm_ioctl(vm, KVM_TDX_INIT_VM, 0, params);
	vcpu_created(vm, 0);

	free(params);
	kvm_vm_free(vm);
}

/* KVM_TDX_INIT_VM does not need the irqchip.  A vCPU does. */
TEST(create_vcpu_without_split_irqchip)
{
	struct kvm_vm *vm = vm_create_barebones_type(KVM_X86_TDX_VM);
	struct kvm_tdx_init_vm *params = tdx_vm_get_init_params(vm);

	tdx_vm_ioctl(vm, KVM_TDX_INIT_VM, 0, params);
	vcpu_refused(vm, 0, EINVAL);
	vm_enable_cap(vm, KVM_CAP_SPLIT_IRQCHIP, NR_IOAPIC_PINS);
	vcpu_created(vm, 0);

	free(params);
	kvm_vm_free(vm);
}

/* A TD can have as many vCPUs as the host has CPUs, whatever the limit of other VMs. */
TEST(create_vcpu_number)
{
	struct kvm_vm *vm = tdx_vm_create(1);
	const int max = vm_check_cap(vm, KVM_CAP_MAX_VCPUS);
	struct kvm_vcpu *vcpu;
	int i;

	TEST_ASSERT_EQ(max, (int)tdx_nr_present_cpus());
	vcpu_refused(vm, kvm_check_cap(KVM_CAP_MAX_VCPU_ID), EINVAL);

	vcpu = tdx_vcpu_create(vm, 0, guest_code);
	vcpu_refused(vm, 0, max > 1 ? EEXIST : EINVAL);
	for (i = 1; i < max; i++)
		vcpu_created(vm, i);
	vcpu_refused(vm, max, EINVAL);

	finish(vcpu);
	kvm_vm_free(vm);
}

/* KVM has made the vCPU by then.  It must forget it, also on the CPU that it was loaded on. */
TEST(create_vcpu_without_file)
{
	const u64 warnings = tdx_count_warnings();
	struct kvm_vm *vm = tdx_vm_create(1);
	struct rlimit limit, none = {};
	int i, r, error;

	TEST_ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none.rlim_max = limit.rlim_max;
	for (i = 0; i < 2; i++) {
		TEST_ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
		r = __vm_ioctl(vm, KVM_CREATE_VCPU, (void *)0);
		error = errno;
		TEST_ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
		TEST_ASSERT(r == -1 && error == EMFILE, "attempt %d: wanted EMFILE, got %s", i,
			    r < 0 ? strerror(error) : "a vCPU");
	}

	finish(tdx_vcpu_create(vm, 0, guest_code));
	kvm_vm_free(vm);
	tdx_assert_no_warning(warnings);
}

TEST(create_vcpu_after_finalize)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	if (tdx_nr_present_cpus() < 2)
		SKIP(return, TDX_TWO_CPUS_REASON);

	vm = tdx_vm_create(1);
	vcpu = tdx_vcpu_create(vm, 0, guest_code);
	finish(vcpu);
	vcpu_refused(vm, 1, EIO);
	kvm_vm_free(vm);
}

/* The vCPU is created and can be closed, but neither be initialized nor run. */
TEST(init_vcpu_after_finalize)
{
	const struct tdx_cmd_refusal too_late = { .error = EINVAL };
	struct kvm_tdx_cmd cmd = { .id = KVM_TDX_INIT_VCPU };
	struct kvm_vcpu *vcpu, *late;
	struct kvm_vm *vm;

	if (tdx_nr_present_cpus() < 2)
		SKIP(return, TDX_TWO_CPUS_REASON);

	vm = tdx_vm_create(2);
	vcpu = tdx_vcpu_create(vm, 0, guest_code);
	late = tdx_vcpu_create(vm, 1, guest_code);
	finish(vcpu);
	tdx_cmd_refused(late->fd, &cmd, &too_late);

	/* A vCPU that is not runnable would wait for an event that cannot come. */
	late->run->immediate_exit = 1;
	TEST_ASSERT_EQ(__vcpu_run(late), -1);
	TEST_ASSERT_EQ(errno, EINTR);
	kvm_vm_free(vm);
}

TDX_TEST_MAIN()
