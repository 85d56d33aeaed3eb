// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_TDX_CAPABILITIES and KVM_TDX_FINALIZE_VM: operands that KVM must refuse, and the
 * results of those that it accepts.  KVM_TDX_INIT_VM has a test of its own.
 */
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_cmd.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"
#include "tdx/tdx_warning.h"

/* Attributes of a TD that let its VMM look into it ("ATTRIBUTES", TUD). */
#define ATTRIBUTES_TUD		GENMASK_ULL(7, 0)

#define CPUID_7_EBX_TSX		(BIT(4) | BIT(11))
#define CPUID_7_ECX_WAITPKG	BIT(5)

static size_t caps_size(u32 nent)
{
	return sizeof(struct kvm_tdx_capabilities) + nent * sizeof(struct kvm_cpuid_entry2);
}

/* Number of entries that KVM is told of (nent), and number for which there is room. */
FIXTURE(capabilities_refused)
{
	struct kvm_vm *vm;
	struct kvm_tdx_capabilities *good;
	struct kvm_tdx_cmd cmd;
	struct tdx_cmd_buffer buffer;
};

FIXTURE_VARIANT(capabilities_refused)
{
	struct tdx_cmd_refusal refusal;
	bool nent_0;
	int nent_change;
	int room_change;
};

FIXTURE_VARIANT_ADD(capabilities_refused, flags_bit_0) {
	.refusal = { .flags = BIT(0), .error = EINVAL },
};

FIXTURE_VARIANT_ADD(capabilities_refused, flags_bit_31) {
	.refusal = { .flags = BIT(31), .error = EINVAL },
};

FIXTURE_VARIANT_ADD(capabilities_refused, hw_error) {
	.refusal = { .given = 1, .error = EINVAL },
};

FIXTURE_VARIANT_ADD(capabilities_refused, no_operand) {
	.refusal = { .no_operand = true, .error = EFAULT },
};

FIXTURE_VARIANT_ADD(capabilities_refused, flags_without_operand) {
	.refusal = { .flags = BIT(0), .no_operand = true, .error = EINVAL },
};

FIXTURE_VARIANT_ADD(capabilities_refused, no_room) {
	.refusal = { .error = E2BIG }, .nent_0 = true,
};

FIXTURE_VARIANT_ADD(capabilities_refused, room_short_by_one) {
	.refusal = { .error = E2BIG }, .nent_change = -1,
};

/* KVM reaches the end of the memory when it copies the entries. */
FIXTURE_VARIANT_ADD(capabilities_refused, entry_unmapped) {
	.refusal = { .error = EFAULT }, .room_change = -1,
};

FIXTURE_VARIANT_ADD(capabilities_refused, short_and_unmapped) {
	.refusal = { .error = E2BIG }, .nent_change = -1, .room_change = -1,
};

static void set_good_operand(struct tdx_cmd_buffer *buffer, struct kvm_tdx_cmd *cmd,
			     const struct kvm_tdx_capabilities *good, int room_change)
{
	tdx_cmd_buffer_set(buffer, good, caps_size(good->cpuid.nent + room_change));
	*cmd = (struct kvm_tdx_cmd) { .id = KVM_TDX_CAPABILITIES, .data = (u64)buffer->data };
}

FIXTURE_SETUP(capabilities_refused)
{
	self->vm = vm_create_barebones_type(KVM_X86_TDX_VM);
	self->good = tdx_vm_get_capabilities(self->vm);
}

TDX_FIXTURE_TEARDOWN(capabilities_refused);

/* Unlike KVM_TDX_GET_CPUID this does not report how many entries there are. */
TDX_TEST_F(capabilities_refused, then_carried_out)
{
	const u32 nent = variant->nent_0 ? 0 : self->good->cpuid.nent + variant->nent_change;
	struct kvm_tdx_capabilities *caps;

	set_good_operand(&self->buffer, &self->cmd, self->good, variant->room_change);
	caps = self->buffer.data;
	caps->cpuid.nent = nent;
	tdx_cmd_refused(self->vm->fd, &self->cmd, &variant->refusal);
	if (variant->refusal.error == E2BIG)
		tdx_assert_value("KVM_TDX_CAPABILITIES", "refusal", 1, "nent", nent,
				 caps->cpuid.nent);

	set_good_operand(&self->buffer, &self->cmd, self->good, 0);
	tdx_cmd_carried_out(self->vm->fd, &self->cmd);
}

/* KVM reports how many entries it has, wherever there is room for them. */
TEST(capabilities_with_more_room)
{
	struct kvm_vm *vm = vm_create_barebones_type(KVM_X86_TDX_VM);
	struct kvm_tdx_capabilities *want = tdx_vm_get_capabilities(vm);
	const size_t size = caps_size(want->cpuid.nent);
	struct kvm_tdx_capabilities *caps = calloc(1, caps_size(KVM_MAX_CPUID_ENTRIES));
	struct kvm_tdx_cmd cmd = { .id = KVM_TDX_CAPABILITIES, .data = (u64)caps };
	u32 nent;

	TEST_ASSERT(caps, "No memory for %u CPUID entries", KVM_MAX_CPUID_ENTRIES);

	for (nent = want->cpuid.nent; nent <= KVM_MAX_CPUID_ENTRIES; nent *= 2) {
		memset(caps, 0xa5, size);
		caps->cpuid.nent = nent;
		tdx_cmd_carried_out(vm->fd, &cmd);
		TEST_ASSERT(!memcmp(caps, want, size),
			    "the capabilities depend on the room, of %u entries, for them", nent);
	}

	free(caps);
	free(want);
	kvm_vm_free(vm);
}

static void check_field(const char *what, u64 want, u64 got)
{
	tdx_assert_value("KVM_TDX_CAPABILITIES", "field", 1, what, want, got);
}

/*
 * KVM does not offer what it refuses to TDs: debugging by the VMM, and some bits of
 * CPUID.  KVM defines the GPA width itself, and may report it in bits that are
 * otherwise unused.
 */
TEST(capabilities_contents)
{
	struct kvm_vm *vm = vm_create_barebones_type(KVM_X86_TDX_VM);
	struct kvm_tdx_capabilities *caps = tdx_vm_get_capabilities(vm);
	bool has_width = false;
	size_t i, j;

	check_field("supported_attrs, debugging", 0, caps->supported_attrs & ATTRIBUTES_TUD);
	for (i = 0; i < ARRAY_SIZE(caps->reserved); i++)
		check_field("reserved", 0, caps->reserved[i]);
	check_field("cpuid.padding", 0, caps->cpuid.padding);

	for (i = 0; i < caps->cpuid.nent; i++) {
		const struct kvm_cpuid_entry2 *entry = &caps->cpuid.entries[i];

		check_field("flags of an entry", 0,
			    entry->flags & ~KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
		if (entry->function == 7 && !entry->index) {
			check_field("TSX", 0, entry->ebx & CPUID_7_EBX_TSX);
			check_field("WAITPKG", 0, entry->ecx & CPUID_7_ECX_WAITPKG);
		}
		if (entry->function == TDX_CPUID_ADDRESS_WIDTHS) {
			check_field("GPA width", 0xff, entry->eax >> 16 & 0xff);
			has_width = true;
		}

		/*
		 * The index is that of a subleaf, and never the mark of the module for
		 * a leaf without any.
		 */
		check_field("index of an entry", entry->index & 0x7f, entry->index);
		for (j = 0; j < i; j++)
			TEST_ASSERT(caps->cpuid.entries[j].function != entry->function ||
				    caps->cpuid.entries[j].index != entry->index,
				    "two entries for CPUID 0x%x, subleaf 0x%x", entry->function,
				    entry->index);
	}
	TEST_ASSERT(has_width, "no entry for CPUID 0x%x", TDX_CPUID_ADDRESS_WIDTHS);

	free(caps);
	kvm_vm_free(vm);
}

/*
 * An entry of a leaf with subleafs says that its index counts, as it does in
 * KVM_GET_SUPPORTED_CPUID.
 */
TEST(capabilities_index_flag)
{
	const struct kvm_cpuid2 *supported = kvm_get_supported_cpuid();
	struct kvm_vm *vm = vm_create_barebones_type(KVM_X86_TDX_VM);
	struct kvm_tdx_capabilities *caps = tdx_vm_get_capabilities(vm);
	u32 i, j, nr = 0;

	for (i = 0; i < caps->cpuid.nent; i++) {
		const struct kvm_cpuid_entry2 *entry = &caps->cpuid.entries[i];

		for (j = 0; j < supported->nent; j++) {
			const struct kvm_cpuid_entry2 *want = &supported->entries[j];

			if (want->function != entry->function || want->index != entry->index)
				continue;
			tdx_assert_value("KVM_TDX_CAPABILITIES", "leaf", entry->function, "flags",
					 want->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
					 entry->flags);
			nr += !!entry->flags;
		}
	}
	TEST_ASSERT(nr, "wanted at least one leaf with subleafs");

	free(caps);
	kvm_vm_free(vm);
}

TDX_FINDING(16, "global.capabilities_index_flag");

/* KVM_TDX_FINALIZE_VM has no operand.  KVM looks at neither data nor flags. */
TEST(finalize_vm_flags)
{
	const struct tdx_cmd_refusal hw_error = { .given = 1, .error = EINVAL };
	struct kvm_tdx_cmd cmd = { .id = KVM_TDX_FINALIZE_VM };
	struct kvm_vm *vm = tdx_vm_create(1);

	tdx_vcpu_add(vm, 0, NULL);
	tdx_cmd_refused(vm->fd, &cmd, &hw_error);

	cmd = (struct kvm_tdx_cmd) { .id = KVM_TDX_FINALIZE_VM, .flags = ~0, .data = ~0ull };
	tdx_cmd_carried_out(vm->fd, &cmd);
	tdx_assert_value("KVM_TDX_FINALIZE_VM", "success", 1, "hw_error", 0, cmd.hw_error);
	kvm_vm_free(vm);
}

/*
 * The TDX module does not finalize a TD without a vCPU.  The order of the commands is up
 * to userspace: KVM refuses this one, and the TD can still get a vCPU.
 */
TEST(finalize_vm_without_vcpu)
{
	const struct tdx_cmd_refusal no_vcpus = { .error = EINVAL };
	struct kvm_tdx_cmd cmd = { .id = KVM_TDX_FINALIZE_VM };
	struct kvm_vm *vm;
	u64 warnings;

	if (!tdx_may_warn_of_finding(6))
		SKIP(return, TDX_WARN_REASON);

	vm = tdx_vm_create(1);
	warnings = tdx_count_warnings();
	tdx_cmd_refused(vm->fd, &cmd, &no_vcpus);
	tdx_assert_no_warning(warnings);

	tdx_vcpu_add(vm, 0, NULL);
	tdx_cmd_carried_out(vm->fd, &cmd);
	kvm_vm_free(vm);
}

TDX_FINDING(6, "global.finalize_vm_without_vcpu");

TDX_TEST_MAIN()
