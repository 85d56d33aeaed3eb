// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operands of KVM_TDX_INIT_VM that KVM or the TDX module must refuse, and the order in
 * which KVM checks them.  After each refusal the same VM accepts a good command.
 */
#include "kvm_util.h"
#include "processor.h"
#include "vmx.h"
#include "tdx/tdx_cmd.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define CPUID_FEATURES_7	7
#define CPUID_7_EBX_HLE		BIT(4)
#define CPUID_7_EBX_RTM		BIT(11)
#define CPUID_7_ECX_WAITPKG	BIT(5)
/* A leaf outside of all ranges that a TDX module configures. */
#define CPUID_NOT_CONFIGURABLE	0x40000000

/* Below the TSC frequencies that a TD can have, which start at 100 MHz. */
#define TSC_KHZ_TOO_LOW		50000

/* IA32_VMX_EPT_VPID_CAP ("VPID and EPT Capabilities", Intel SDM) */
#define EPT_PAGE_WALK_5		BIT_ULL(7)

#define XFAM_AVX512_OPMASK	BIT_ULL(5)
#define XFAM_AVX512		GENMASK_ULL(7, 5)

static size_t init_vm_size(u32 nent)
{
	return sizeof(struct kvm_tdx_init_vm) + nent * sizeof(struct kvm_cpuid_entry2);
}

struct init_vm {
	struct kvm_vm *vm;
	struct kvm_tdx_cmd cmd;
	struct tdx_cmd_buffer buffer;	/* its operand */
	struct kvm_tdx_capabilities *caps;
};

FIXTURE(init_vm_refused)
{
	struct init_vm init;
};

FIXTURE_VARIANT(init_vm_refused)
{
	void (*spoil)(struct init_vm *init);
	struct tdx_cmd_refusal refusal;
};

static struct kvm_tdx_init_vm *params(struct init_vm *init)
{
	return init->buffer.data;
}

static struct kvm_cpuid_entry2 *find_entry(struct init_vm *init, u32 function)
{
	struct kvm_cpuid2 *cpuid = &params(init)->cpuid;
	u32 i;

	for (i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function == function && !cpuid->entries[i].index)
			return &cpuid->entries[i];
	}

	return NULL;
}

static void nent_unmapped(struct init_vm *init)
{
	init->cmd.data = (u64)tdx_cmd_buffer_end(&init->buffer) -
		      offsetof(struct kvm_tdx_init_vm, cpuid.nent);
}

static void entry_unmapped(struct init_vm *init)
{
	params(init)->cpuid.nent++;
}

static void nent_257(struct init_vm *init)
{
	params(init)->cpuid.nent = KVM_MAX_CPUID_ENTRIES + 1;
}

static void nent_max(struct init_vm *init)
{
	params(init)->cpuid.nent = ~0;
}

/* Not above the limit: KVM reads on, to where nothing is mapped. */
static void nent_256_unmapped(struct init_vm *init)
{
	params(init)->cpuid.nent = KVM_MAX_CPUID_ENTRIES;
}

static void reserved_first(struct init_vm *init)
{
	params(init)->reserved[0] = 1;
}

static void reserved_last(struct init_vm *init)
{
	params(init)->reserved[ARRAY_SIZE(params(init)->reserved) - 1] = BIT_ULL(63);
}

static void reserved_and_unmapped(struct init_vm *init)
{
	reserved_first(init);
	entry_unmapped(init);
}

static void padding(struct init_vm *init)
{
	params(init)->cpuid.padding = 1;
}

static void no_entries(struct init_vm *init)
{
	params(init)->cpuid.nent = 0;
}

static void set_gpa_width(struct init_vm *init, u32 width)
{
	struct kvm_cpuid_entry2 *entry = find_entry(init, TDX_CPUID_ADDRESS_WIDTHS);

	entry->eax = (entry->eax & ~GENMASK(23, 16)) | width << 16;
}

#define GPA_WIDTH(_width)						\
static void gpa_width_##_width(struct init_vm *init)			\
{									\
	set_gpa_width(init, _width);					\
}

GPA_WIDTH(0)
GPA_WIDTH(47)
GPA_WIDTH(49)
GPA_WIDTH(51)
GPA_WIDTH(53)
GPA_WIDTH(255)

/* In place of an entry that is good, so that the number of entries stays. */
static void entry_not_configurable(struct init_vm *init)
{
	struct kvm_cpuid2 *cpuid = &params(init)->cpuid;
	u32 i = cpuid->entries[0].function == TDX_CPUID_ADDRESS_WIDTHS;

	cpuid->entries[i] = (struct kvm_cpuid_entry2) { .function = CPUID_NOT_CONFIGURABLE };
}

static void entry_twice(struct init_vm *init)
{
	struct kvm_cpuid2 *cpuid = &params(init)->cpuid;
	u32 i = cpuid->entries[0].function == TDX_CPUID_ADDRESS_WIDTHS;

	cpuid->entries[i] = *find_entry(init, TDX_CPUID_ADDRESS_WIDTHS);
}

/* Bits that KVM does not allow to TDs, whatever the TDX module offers. */
static void hle(struct init_vm *init)
{
	find_entry(init, CPUID_FEATURES_7)->ebx |= CPUID_7_EBX_HLE;
}

static void rtm(struct init_vm *init)
{
	find_entry(init, CPUID_FEATURES_7)->ebx |= CPUID_7_EBX_RTM;
}

static void waitpkg(struct init_vm *init)
{
	find_entry(init, CPUID_FEATURES_7)->ecx |= CPUID_7_ECX_WAITPKG;
}

/*
 * KVM leaves this check to the TDX module: a bit that is not configurable, in a leaf
 * that is.
 */
static void cpuid_bit(struct init_vm *init)
{
	const struct kvm_cpuid2 *configurable = &init->caps->cpuid;
	u32 i;

	for (i = 0; i < configurable->nent; i++) {
		const struct kvm_cpuid_entry2 *from = &configurable->entries[i];
		struct kvm_cpuid_entry2 *entry = find_entry(init, from->function);

		if (entry && !from->index && from->function != CPUID_FEATURES_7 && ~from->edx) {
			entry->edx |= ~from->edx & -~from->edx;
			return;
		}
	}

	TEST_FAIL("every bit of every CPUID entry is configurable");
}

/* One component of AVX-512 without the others is illegal on any CPU. */
static void xfam_component(struct init_vm *init)
{
	params(init)->xfam |= XFAM_AVX512_OPMASK;
}

static void tsc_frequency(struct init_vm *init)
{
	vm_ioctl(init->vm, KVM_SET_TSC_KHZ, (void *)TSC_KHZ_TOO_LOW);
}

/* Faults of the command itself. */
FIXTURE_VARIANT_ADD(init_vm_refused, flags_bit_0) {
	.refusal = { .flags = BIT(0), .error = EINVAL },
};

FIXTURE_VARIANT_ADD(init_vm_refused, flags_bit_31) {
	.refusal = { .flags = BIT(31), .error = EINVAL },
};

FIXTURE_VARIANT_ADD(init_vm_refused, hw_error) {
	.refusal = { .given = 1, .error = EINVAL },
};

FIXTURE_VARIANT_ADD(init_vm_refused, no_operand) {
	.refusal = { .no_operand = true, .error = EFAULT },
};

FIXTURE_VARIANT_ADD(init_vm_refused, flags_without_operand) {
	.refusal = { .flags = BIT(0), .no_operand = true, .error = EINVAL },
};

/* Faults of the operand, found by KVM or by the TDX module. */
#define REFUSED(_spoil, _error)						\
	FIXTURE_VARIANT_ADD(init_vm_refused, _spoil) {			\
		.spoil = _spoil, .refusal = { .error = _error },	\
	}

#define REFUSED_BY_MODULE(_spoil, _operand_id)				\
	FIXTURE_VARIANT_ADD(init_vm_refused, _spoil) {			\
		.spoil = _spoil,					\
		.refusal = {						\
			.error = EINVAL,				\
			.hw_error = TDX_OPERAND_INVALID | (_operand_id), \
		},							\
	}

REFUSED(nent_unmapped, EFAULT);
REFUSED(entry_unmapped, EFAULT);
REFUSED(nent_257, E2BIG);
REFUSED(nent_max, E2BIG);
REFUSED(nent_256_unmapped, EFAULT);
REFUSED(reserved_first, EINVAL);
REFUSED(reserved_last, EINVAL);
REFUSED(reserved_and_unmapped, EFAULT);
REFUSED(padding, EINVAL);
REFUSED(no_entries, EINVAL);
REFUSED(gpa_width_0, EINVAL);
REFUSED(gpa_width_47, EINVAL);
REFUSED(gpa_width_49, EINVAL);
REFUSED(gpa_width_51, EINVAL);
REFUSED(gpa_width_53, EINVAL);
REFUSED(gpa_width_255, EINVAL);
REFUSED(entry_not_configurable, EINVAL);
REFUSED(entry_twice, EINVAL);
REFUSED(hle, EINVAL);
REFUSED(rtm, EINVAL);
REFUSED(waitpkg, EINVAL);
REFUSED_BY_MODULE(cpuid_bit, TDX_OPERAND_ID_CPUID_CONFIG);
REFUSED_BY_MODULE(xfam_component, TDX_OPERAND_ID_XFAM);
REFUSED_BY_MODULE(tsc_frequency, TDX_OPERAND_ID_TSC_FREQUENCY);

static void set_good_operand(struct init_vm *init)
{
	struct kvm_tdx_init_vm *params = tdx_vm_get_init_params(init->vm);

	tdx_cmd_buffer_set(&init->buffer, params, init_vm_size(params->cpuid.nent));
	free(params);

	init->cmd = (struct kvm_tdx_cmd) {
		.id = KVM_TDX_INIT_VM,
		.data = (u64)init->buffer.data,
	};
}

FIXTURE_SETUP(init_vm_refused)
{
	self->init.vm = vm_create_barebones_type(KVM_X86_TDX_VM);
	self->init.caps = tdx_vm_get_capabilities(self->init.vm);
	set_good_operand(&self->init);
}

FIXTURE_TEARDOWN(init_vm_refused)
{
	kvm_vm_free(self->init.vm);
}

TDX_TEST_F(init_vm_refused, then_carried_out)
{
	struct init_vm *init = &self->init;

	if (variant->spoil == xfam_component &&
	    (init->caps->supported_xfam & XFAM_AVX512) != XFAM_AVX512)
		SKIP(return, "KVM does not offer AVX-512");

	if (variant->spoil)
		variant->spoil(init);
	tdx_cmd_refused(init->vm->fd, &init->cmd, &variant->refusal);

	/* Return to the frequency of the host. */
	vm_ioctl(init->vm, KVM_SET_TSC_KHZ, NULL);
	set_good_operand(init);
	tdx_cmd_carried_out(init->vm->fd, &init->cmd);
}

/* Each bit of @value that KVM does not support, one at a time. */
static void refuse_bits(struct kvm_vm *vm, struct kvm_tdx_init_vm *params, __u64 *value,
			u64 supported)
{
	struct kvm_tdx_cmd cmd = { .id = KVM_TDX_INIT_VM, .data = (u64)params };
	const struct tdx_cmd_refusal refusal = { .error = EINVAL };
	const u64 good = *value;
	u64 nr_refused = 0;
	int i;

	for (i = 0; i < 64; i++) {
		if (supported & BIT_ULL(i))
			continue;

		*value = good | BIT_ULL(i);
		tdx_cmd_refused(vm->fd, &cmd, &refusal);
		nr_refused++;
	}

	TEST_ASSERT(nr_refused, "all 64 bits are supported");
	*value = good;
	tdx_cmd_carried_out(vm->fd, &cmd);
}

static void test_refuse_bits(bool xfam)
{
	struct kvm_vm *vm = vm_create_barebones_type(KVM_X86_TDX_VM);
	struct kvm_tdx_capabilities *caps = tdx_vm_get_capabilities(vm);
	struct kvm_tdx_init_vm *params = tdx_vm_get_init_params(vm);

	if (xfam)
		refuse_bits(vm, params, &params->xfam, caps->supported_xfam);
	else
		refuse_bits(vm, params, &params->attributes, caps->supported_attrs);

	free(params);
	free(caps);
	kvm_vm_free(vm);
}

TEST(attributes_refused)
{
	test_refuse_bits(false);
}

TEST(xfam_refused)
{
	test_refuse_bits(true);
}

/*
 * A width of 52 bits needs EPT with five levels.  KVM checks the host for it.  The test
 * finds out from the capabilities for nested VMs.
 */
TEST(gpa_width_52)
{
	const struct tdx_cmd_refusal no_5_levels = { .error = EINVAL };
	struct init_vm init = { .vm = vm_create_barebones_type(KVM_X86_TDX_VM) };
	const bool nested = kvm_cpu_has(X86_FEATURE_VMX);

	if (nested) {
		set_good_operand(&init);
		set_gpa_width(&init, 52);
		if (kvm_get_feature_msr(MSR_IA32_VMX_EPT_VPID_CAP) & EPT_PAGE_WALK_5)
			tdx_cmd_carried_out(init.vm->fd, &init.cmd);
		else
			tdx_cmd_refused(init.vm->fd, &init.cmd, &no_5_levels);
	}
	kvm_vm_free(init.vm);
	if (!nested)
		SKIP(return, "KVM does not tell what EPT the host has");
}

/*
 * KVM must be able to read the command.  It also writes hw_error back at the end, so a
 * command in read-only memory fails although it was carried out.
 */
TEST(command_not_accessible)
{
	struct kvm_vm *vm = vm_create_barebones_type(KVM_X86_TDX_VM);
	struct kvm_tdx_init_vm *params = tdx_vm_get_init_params(vm);
	const struct tdx_cmd_refusal not_again = { .error = EINVAL };
	struct kvm_tdx_cmd *cmd;

	TEST_ASSERT_EQ(ioctl(vm->fd, KVM_MEMORY_ENCRYPT_OP, NULL), -1);
	TEST_ASSERT_EQ(errno, EFAULT);

	cmd = kvm_mmap(PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	*cmd = (struct kvm_tdx_cmd) { .id = KVM_TDX_INIT_VM, .data = (u64)params };
	TEST_ASSERT_EQ(mprotect(cmd, PAGE_SIZE, PROT_READ), 0);
	TEST_ASSERT_EQ(ioctl(vm->fd, KVM_MEMORY_ENCRYPT_OP, cmd), -1);
	TEST_ASSERT_EQ(errno, EFAULT);

	/* It is too late for another command. */
	TEST_ASSERT_EQ(mprotect(cmd, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
	tdx_cmd_refused(vm->fd, cmd, &not_again);

	kvm_munmap(cmd, PAGE_SIZE);
	free(params);
	kvm_vm_free(vm);
}

TDX_TEST_MAIN()
