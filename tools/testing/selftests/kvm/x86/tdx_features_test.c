// SPDX-License-Identifier: GPL-2.0-only
/*
 * Features that a TD finds in the CPU: CPUID by the instruction, and bits of CR4.
 * Userspace chooses them by KVM_TDX_INIT_VM, the CPU must have them, and the TDX module
 * hides the rest.
 */
#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define XFAM_SSE		TDX_XFAM_MINIMUM
#define XFAM_AVX512		(XFAM_SSE | XFEATURE_MASK_YMM | XFEATURE_MASK_AVX512)

#define XSTATE_LEAF		0xd

/* Registers of CPUID in the order in which the instruction is asked for them. */
enum { EAX, EBX, ECX, EDX, NR_REGS };

static const char * const reg_names[] = { "EAX", "EBX", "ECX", "EDX" };

/* Create a TD with @xfam, and with the configurable CPUID bits if @configured. */
static struct kvm_vm *create_td(u64 xfam, bool configured)
{
	struct kvm_vm *vm = __tdx_vm_create(1);
	struct kvm_tdx_init_vm *params = tdx_vm_get_init_params(vm);
	u32 i;

	params->xfam = xfam;
	for (i = 0; i < params->cpuid.nent && !configured; i++) {
		struct kvm_cpuid_entry2 *entry = &params->cpuid.entries[i];
		bool width = entry->function == TDX_CPUID_ADDRESS_WIDTHS;

		entry->eax &= width ? GENMASK(23, 16) : 0;
		entry->ebx = 0;
		entry->ecx = 0;
		entry->edx = 0;
	}
	tdx_vm_init(vm, params);
	free(params);
	return vm;
}

/* Operands of CPUID. */
struct leaf {
	u32 function;
	u32 index;
};

static void guest_cpuid(const struct leaf *leafs, u64 nr)
{
	u32 eax, ebx, ecx, edx;
	u64 i;

	for (i = 0; i < nr; i++) {
		__cpuid(leafs[i].function, leafs[i].index, &eax, &ebx, &ecx, &edx);
		GUEST_SYNC4(eax, ebx, ecx, edx);
	}
	GUEST_DONE();
}

/* The next values that guest_cpuid() reports. */
static void next_cpuid(struct kvm_vcpu *vcpu, u32 regs[NR_REGS])
{
	struct ucall uc;
	int i;

	tdx_vcpu_run_to_ucall(vcpu, UCALL_SYNC, &uc);
	for (i = 0; i < NR_REGS; i++)
		regs[i] = uc.args[i];
}

static void load_leafs(struct kvm_vcpu *vcpu, const struct leaf *leafs, u64 nr)
{
	gva_t gva = vm_alloc(vcpu->vm, nr * sizeof(*leafs), KVM_UTIL_MIN_VADDR);

	memcpy(addr_gva2hva(vcpu->vm, gva), leafs, nr * sizeof(*leafs));
	tdx_vcpu_args_set(vcpu, 2, gva, nr);
	tdx_vm_finalize(vcpu->vm);
}

FIXTURE(cpuid)
{
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_VARIANT(cpuid)
{
	bool all_components;
	bool configured;
};

FIXTURE_VARIANT_ADD(cpuid, everything) { .all_components = true, .configured = true };
FIXTURE_VARIANT_ADD(cpuid, no_components) { .configured = true };
FIXTURE_VARIANT_ADD(cpuid, nothing) {};

FIXTURE_SETUP(cpuid)
{
	u64 xfam = variant->all_components ? tdx_supported_xfam() & XFAM_AVX512 : XFAM_SSE;

	self->vm = create_td(xfam, variant->configured);
	self->vcpu = tdx_vcpu_add(self->vm, 0, guest_cpuid);
}

TDX_FIXTURE_TEARDOWN(cpuid);

/*
 * Bits that depend on the state of the vCPU, which KVM_TDX_GET_CPUID does not know, and
 * the width of guest physical addresses, which KVM has for userspace only.
 */
static const struct {
	struct leaf leaf;
	u32 regs[NR_REGS];
} dynamic[] = {
	{ { 0x1, 0 }, { [EBX] = GENMASK(31, 24), [ECX] = BIT(27) } },
	{ { 0x7, 0 }, { [ECX] = BIT(4) } },
	{ { XSTATE_LEAF, 0 }, { [EBX] = ~0u } },
	{ { XSTATE_LEAF, 1 }, { [EBX] = ~0u } },
	{ { 0x80000001, 0 }, { [EDX] = BIT(11) } },
	{ { TDX_CPUID_ADDRESS_WIDTHS, 0 }, { [EAX] = GENMASK(23, 16) } },
};

static u32 dynamic_bits(u32 function, u32 index, int reg)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(dynamic); i++) {
		if (dynamic[i].leaf.function == function && dynamic[i].leaf.index == index)
			return dynamic[i].regs[reg];
	}
	return 0;
}

/* The instruction gives what KVM_TDX_GET_CPUID tells userspace, in every leaf. */
TDX_TEST_F(cpuid, seen_as_told)
{
	struct kvm_cpuid2 *told = allocate_kvm_cpuid2(KVM_MAX_CPUID_ENTRIES);
	struct leaf leafs[KVM_MAX_CPUID_ENTRIES];
	u32 i, reg;

	tdx_vcpu_ioctl(self->vcpu, KVM_TDX_GET_CPUID, 0, told);
	TEST_ASSERT(told->nent, "KVM_TDX_GET_CPUID gave no entries");
	for (i = 0; i < told->nent; i++)
		leafs[i] = (struct leaf) { told->entries[i].function, told->entries[i].index };
	load_leafs(self->vcpu, leafs, told->nent);

	for (i = 0; i < told->nent; i++) {
		const struct kvm_cpuid_entry2 *entry = &told->entries[i];
		const u32 want[] = { entry->eax, entry->ebx, entry->ecx, entry->edx };
		u32 got[NR_REGS];
		char leaf[32];

		snprintf(leaf, sizeof(leaf), "CPUID 0x%x", entry->function);
		next_cpuid(self->vcpu, got);
		for (reg = 0; reg < NR_REGS; reg++) {
			u32 ignored = dynamic_bits(entry->function, entry->index, reg);

			tdx_assert_value(leaf, "subleaf", entry->index, reg_names[reg],
					 want[reg] & ~ignored, got[reg] & ~ignored);
		}
	}
	free(told);
}

/* The same bits in the first vCPU, whose code has 64 bits and does not enable XSAVE. */
TDX_TEST_F(cpuid, of_the_vcpu)
{
	static const struct leaf leafs[] = { { 0x1, 0 }, { 0x80000001, 0 } };
	u32 got[NR_REGS];

	load_leafs(self->vcpu, leafs, ARRAY_SIZE(leafs));
	next_cpuid(self->vcpu, got);
	tdx_assert_value("CPUID 0x1", "subleaf", 0, "APIC ID", 0, got[EBX] >> 24);
	tdx_assert_value("CPUID 0x1", "subleaf", 0, "OSXSAVE", 0, got[ECX] & BIT(27));
	next_cpuid(self->vcpu, got);
	tdx_assert_value("CPUID 0x80000001", "subleaf", 0, "SYSCALL", BIT(11), got[EDX] & BIT(11));
}

/*
 * Features in leafs that consist of them.  @virtual: those that a TD has without the
 * CPU, which are the presence of a hypervisor and of the APIC.
 */
static const struct {
	struct leaf leaf;
	int reg;
	u32 virtual;
} features[] = {
	{ { 0x1, 0 }, ECX, BIT(31) },
	{ { 0x1, 0 }, EDX, BIT(9) },
	{ { 0x7, 0 }, EBX, 0 },
	{ { 0x7, 0 }, ECX, 0 },
	{ { 0x7, 0 }, EDX, 0 },
	{ { 0x7, 1 }, EAX, 0 },
	{ { 0x7, 2 }, EDX, 0 },
	{ { XSTATE_LEAF, 1 }, EAX, 0 },
	{ { 0x80000001, 0 }, ECX, 0 },
	{ { 0x80000001, 0 }, EDX, 0 },
	{ { TDX_CPUID_ADDRESS_WIDTHS, 0 }, EBX, 0 },
};

/* A TD has no feature that the CPU of the host lacks. */
TDX_TEST_F(cpuid, no_more_than_the_host)
{
	struct leaf leafs[ARRAY_SIZE(features)];
	u32 got[NR_REGS], host[NR_REGS];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(features); i++)
		leafs[i] = features[i].leaf;
	load_leafs(self->vcpu, leafs, ARRAY_SIZE(leafs));

	for (i = 0; i < ARRAY_SIZE(features); i++) {
		const int reg = features[i].reg;
		char leaf[32];

		snprintf(leaf, sizeof(leaf), "CPUID 0x%x", leafs[i].function);
		__cpuid(leafs[i].function, leafs[i].index, &host[EAX], &host[EBX], &host[ECX],
			&host[EDX]);
		next_cpuid(self->vcpu, got);
		tdx_assert_value(leaf, "subleaf", leafs[i].index, "features beyond the host's", 0,
				 got[reg] & ~host[reg] & ~features[i].virtual);
	}
}

/* A bit of CR4 that enables a feature of CPUID. */
struct cr4_feature {
	u64 bit;
	struct leaf leaf;
	u32 reg;
	u32 feature;
};

static const struct cr4_feature cr4_features[] = {
	{ X86_CR4_DE, { 0x1, 0 }, EDX, BIT(2) },
	{ X86_CR4_PGE, { 0x1, 0 }, EDX, BIT(13) },
	{ X86_CR4_PCIDE, { 0x1, 0 }, ECX, BIT(17) },
	{ X86_CR4_OSXSAVE, { 0x1, 0 }, ECX, BIT(26) },
	{ X86_CR4_UMIP, { 0x7, 0 }, ECX, BIT(2) },
	{ X86_CR4_FSGSBASE, { 0x7, 0 }, EBX, BIT(0) },
	{ X86_CR4_PKE, { 0x7, 0 }, ECX, BIT(3) },
	{ BIT(24), { 0x7, 0 }, ECX, BIT(31) },
};

/* Returns the vector of the exception that a write of CR4 raises, 0 if there is none. */
static u8 write_cr4(u64 value)
{
	return kvm_asm_safe("mov %[value], %%cr4", [value] "r"(value));
}

static void guest_cr4(void)
{
	u64 cr4 = get_cr4();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cr4_features); i++) {
		const struct cr4_feature *f = &cr4_features[i];
		u32 regs[NR_REGS];
		u8 vector;

		__cpuid(f->leaf.function, f->leaf.index, &regs[EAX], &regs[EBX], &regs[ECX],
			&regs[EDX]);
		vector = write_cr4(cr4 | f->bit);
		if (!vector) {
			GUEST_ASSERT_EQ(get_cr4(), cr4 | f->bit);
			write_cr4(cr4);
		}
		GUEST_SYNC3(i, !!(regs[f->reg] & f->feature), vector);
	}
	GUEST_DONE();
}

TDX_FIXTURE(cr4);

FIXTURE_SETUP(cr4)
{
	self->vm = create_td(tdx_supported_xfam() & XFAM_AVX512, true);
	self->vcpu = tdx_vcpu_add(self->vm, 0, guest_cr4);
	tdx_vm_finalize(self->vm);
}

/* A TD can set a bit if its CPUID has the feature.  Else it gets #GP. */
TDX_TEST_F(cr4, agrees_with_cpuid)
{
	struct ucall uc;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cr4_features); i++) {
		tdx_vcpu_run_to_ucall(self->vcpu, UCALL_SYNC, &uc);
		tdx_assert_value("CR4", "row", uc.args[0], "vector", uc.args[1] ? 0 : GP_VECTOR,
				 uc.args[2]);
	}
	tdx_vcpu_run_to_ucall(self->vcpu, UCALL_DONE, &uc);
}

TDX_TEST_MAIN()
