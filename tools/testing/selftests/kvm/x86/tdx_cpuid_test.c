// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VP.VMCALL<Instruction.CPUID>: KVM answers from the table that userspace set by
 * KVM_SET_CPUID2, and never exits.  R12 and R13 hold EAX and ECX of the instruction;
 * R12 to R15 return EAX, EBX, ECX and EDX.
 *
 * The TDX module handles the instruction itself.  Only for leafs that it does not know
 * the TD has to call KVM.
 */
#include "kvm_util.h"
#include "processor.h"
#include "vmx.h"
#include "tdx/tdx_insn.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_ve.h"

#define BIT_32		BIT_ULL(32)

/* Bits that every TD has: SSE3, x2APIC and the presence of a hypervisor. */
#define LEAF_1_ECX_FIXED	(BIT_ULL(0) | BIT_ULL(21) | BIT_ULL(31))

/* Leafs that this test adds to the table.  The last basic one has subleafs. */
#define LAST_BASIC	0x7f0
#define LAST_EXTENDED	0x800007f0
#define HYPERVISOR	0x40000700
#define INDEXED		KVM_CPUID_FLAG_SIGNIFCANT_INDEX

/* All registers differ from each other and from the operands of a call. */
#define ENTRY(leaf, subleaf, how) {					\
	.function = (leaf), .index = (subleaf), .flags = (how),		\
	.eax = (leaf) ^ 0xa1000000 ^ (subleaf), .ebx = (leaf) ^ 0xb2000000 ^ (subleaf), \
	.ecx = (leaf) ^ 0xc3000000 ^ (subleaf), .edx = (leaf) ^ 0xd4000000 ^ (subleaf), \
}

static const struct kvm_cpuid_entry2 added[] = {
	ENTRY(LAST_BASIC - 2, 0, 0),
	ENTRY(LAST_BASIC, 0, INDEXED),
	ENTRY(LAST_BASIC, 1, INDEXED),
	ENTRY(LAST_EXTENDED, 0, 0),
	/* EAX of the first leaf of a class gives the class's last leaf: HYPERVISOR + 2. */
	{ .function = HYPERVISOR, .eax = HYPERVISOR + 2, .ebx = 1, .ecx = 2, .edx = 3 },
	ENTRY(HYPERVISOR + 1, 0, 0),
};

/* Set the vCPU's table with the entries of @added, and make these the last leafs. */
static void add_entries(struct kvm_vcpu *vcpu)
{
	const u32 nent = vcpu->cpuid->nent;
	struct kvm_cpuid2 *cpuid = allocate_kvm_cpuid2(nent + ARRAY_SIZE(added) + 2);
	u32 i;

	memcpy(cpuid->entries, vcpu->cpuid->entries, nent * sizeof(cpuid->entries[0]));
	memcpy(&cpuid->entries[nent], added, sizeof(added));
	cpuid->nent = nent + ARRAY_SIZE(added);

	for (i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		if (!entry->function)
			entry->eax = LAST_BASIC;
		else if (entry->function == 0x80000000)
			entry->eax = LAST_EXTENDED;
	}

	vcpu_init_cpuid(vcpu, cpuid);
	free(cpuid);
}

static void cpuid_init(struct tdx_insn *insn, u64 leaf, u64 subleaf, u32 eax, u32 ebx, u32 ecx,
		       u32 edx)
{
	tdx_insn_init(insn, EXIT_REASON_CPUID, leaf, subleaf, ~leaf, ~subleaf,
		      "CPUID 0x%lx, subleaf 0x%lx", leaf, subleaf);
	insn->out.r12 = eax;
	insn->out.r13 = ebx;
	insn->out.r14 = ecx;
	insn->out.r15 = edx;
}

static void run_entry(struct kvm_vcpu *vcpu, u64 leaf, u64 subleaf,
		      const struct kvm_cpuid_entry2 *entry)
{
	struct tdx_insn insn;

	cpuid_init(&insn, leaf, subleaf, entry->eax, entry->ebx, entry->ecx, entry->edx);
	tdx_insn_run(vcpu, &insn);
}

static void run_zeros(struct kvm_vcpu *vcpu, u64 leaf, u64 subleaf)
{
	const struct kvm_cpuid_entry2 zeros = {};

	run_entry(vcpu, leaf, subleaf, &zeros);
}

static const struct kvm_cpuid_entry2 *find_added(u32 function, u32 index)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(added); i++) {
		if (added[i].function == function && added[i].index == index)
			return &added[i];
	}

	TEST_FAIL("CPUID 0x%x, subleaf 0x%x is not of this test", function, index);
}

static void run_added(struct kvm_vcpu *vcpu, u64 leaf, u64 subleaf, u32 function, u32 index)
{
	run_entry(vcpu, leaf, subleaf, find_added(function, index));
}

TDX_FIXTURE(cpuid);

FIXTURE_SETUP(cpuid)
{
	self->vm = tdx_vm_create(1);
	self->vcpu = tdx_vcpu_add(self->vm, 0, tdvmcall_guest_fetch_loop);
	add_entries(self->vcpu);
}

/* Each entry of the table as KVM_GET_CPUID2 shows it, the feature leafs among them. */
TDX_TEST_F(cpuid, every_entry)
{
	const struct kvm_cpuid2 *cpuid = self->vcpu->cpuid;
	u32 i;

	tdx_vm_finalize(self->vm);

	/* This fails if there is no such entry. */
	get_cpuid_entry(cpuid, 1, 0);
	for (i = 0; i < cpuid->nent; i++)
		run_entry(self->vcpu, cpuid->entries[i].function, cpuid->entries[i].index,
			  &cpuid->entries[i]);
}

/* The index counts only for an entry whose flags say so. */
TDX_TEST_F(cpuid, subleaf)
{
	tdx_vm_finalize(self->vm);

	run_added(self->vcpu, LAST_BASIC - 2, 0, LAST_BASIC - 2, 0);
	run_added(self->vcpu, LAST_BASIC - 2, 1, LAST_BASIC - 2, 0);
	run_added(self->vcpu, LAST_BASIC - 2, ~0ULL, LAST_BASIC - 2, 0);
	run_added(self->vcpu, LAST_BASIC, 0, LAST_BASIC, 0);
	run_added(self->vcpu, LAST_BASIC, 1, LAST_BASIC, 1);
	run_zeros(self->vcpu, LAST_BASIC, 2);
	run_zeros(self->vcpu, LAST_BASIC, ~0U);
}

/* EAX and ECX have 32 bits: the upper halves of R12 and R13 do not count. */
TDX_TEST_F(cpuid, truncated)
{
	static const u64 above[] = { BIT_32, BIT_ULL(63), GENMASK_ULL(63, 32) };
	size_t i;

	tdx_vm_finalize(self->vm);

	for (i = 0; i < ARRAY_SIZE(above); i++) {
		run_added(self->vcpu, above[i] | (LAST_BASIC - 2), 0, LAST_BASIC - 2, 0);
		run_added(self->vcpu, LAST_BASIC, above[i], LAST_BASIC, 0);
		run_added(self->vcpu, LAST_BASIC, above[i] | 1, LAST_BASIC, 1);
		run_added(self->vcpu, above[i] | LAST_BASIC, above[i] | 1, LAST_BASIC, 1);
	}
}

/* A leaf that is not in the table, and not above the last leaf of its class. */
TDX_TEST_F(cpuid, hole)
{
	tdx_vm_finalize(self->vm);

	run_zeros(self->vcpu, LAST_BASIC - 1, 0);
	run_zeros(self->vcpu, LAST_BASIC - 1, 1);
	run_zeros(self->vcpu, LAST_EXTENDED - 1, 0);
	run_zeros(self->vcpu, HYPERVISOR + 2, 0);
}

/*
 * A leaf above the last one of its class, or of a class that the table does not have:
 * KVM answers with the last basic leaf, as an Intel CPU does.  The index stays.
 */
TDX_TEST_F(cpuid, out_of_range)
{
	static const u64 leafs[] = {
		LAST_BASIC + 1, 0x3fffffff, 0x40000000, HYPERVISOR + 3, HYPERVISOR + 0x100,
		0x4fffffff, 0x50000000, 0x7fffffff, LAST_EXTENDED + 1, 0xbfffffff,
		0xc0000000, 0xffffffff, ~0ULL,
	};
	size_t i;

	tdx_vm_finalize(self->vm);

	for (i = 0; i < ARRAY_SIZE(leafs); i++) {
		run_added(self->vcpu, leafs[i], 0, LAST_BASIC, 0);
		run_added(self->vcpu, leafs[i], 1, LAST_BASIC, 1);
	}
	run_zeros(self->vcpu, LAST_BASIC + 1, 2);
}

/* Userspace may give the vCPU the vendor AMD.  Then there is no such fallback. */
TDX_TEST_F(cpuid, out_of_range_of_amd)
{
	struct kvm_cpuid_entry2 *basic = vcpu_get_cpuid_entry(self->vcpu, 0);

	memcpy(&basic->ebx, "Auth", 4);
	memcpy(&basic->edx, "enti", 4);
	memcpy(&basic->ecx, "cAMD", 4);
	vcpu_set_cpuid(self->vcpu);
	tdx_vm_finalize(self->vm);

	run_added(self->vcpu, LAST_BASIC, 1, LAST_BASIC, 1);
	run_zeros(self->vcpu, LAST_BASIC + 1, 0);
	run_zeros(self->vcpu, 0x40000000, 0);
	run_zeros(self->vcpu, 0xffffffff, 0);
}

/*
 * The leafs of the topology have no last subleaf: ECX returns the index, and EDX that
 * of subleaf 1, which is the APIC ID.
 */
TDX_TEST_F(cpuid, topology)
{
	static const u32 leafs[] = { 0xb, 0x1f };
	struct kvm_cpuid2 *cpuid = allocate_kvm_cpuid2(self->vcpu->cpuid->nent + 4);
	struct tdx_insn insn;
	size_t i, j;

	cpuid->nent = 0;
	for (i = 0; i < self->vcpu->cpuid->nent; i++) {
		const struct kvm_cpuid_entry2 *entry = &self->vcpu->cpuid->entries[i];

		if (entry->function != 0xb && entry->function != 0x1f)
			cpuid->entries[cpuid->nent++] = *entry;
	}
	for (i = 0; i < ARRAY_SIZE(leafs); i++) {
		for (j = 0; j < 2; j++)
			cpuid->entries[cpuid->nent++] =
				(struct kvm_cpuid_entry2)ENTRY(leafs[i], j, INDEXED);
	}
	vcpu_init_cpuid(self->vcpu, cpuid);
	tdx_vm_finalize(self->vm);

	for (i = 0; i < ARRAY_SIZE(leafs); i++) {
		const struct kvm_cpuid_entry2 entry = ENTRY(leafs[i], 1, INDEXED);

		run_entry(self->vcpu, leafs[i], 1, &entry);
		cpuid_init(&insn, leafs[i], 2, 0, 0, 2, entry.edx);
		tdx_insn_run(self->vcpu, &insn);
		cpuid_init(&insn, leafs[i], 0x1fe, 0, 0, 0xfe, entry.edx);
		tdx_insn_run(self->vcpu, &insn);
	}
	free(cpuid);
}

/* The table that was set last counts.  It cannot be changed after the TD has run. */
TDX_TEST_F(cpuid, set_cpuid2)
{
	struct kvm_cpuid_entry2 *entry = vcpu_get_cpuid_entry(self->vcpu, LAST_BASIC - 2);
	struct kvm_cpuid_entry2 changed;
	int r;

	entry->ebx = ~entry->ebx;
	vcpu_set_cpuid(self->vcpu);
	changed = *entry;
	tdx_vm_finalize(self->vm);
	run_entry(self->vcpu, LAST_BASIC - 2, 0, &changed);

	/* Setting the same table again is no change. */
	vcpu_set_cpuid(self->vcpu);

	entry->ebx = ~entry->ebx;
	r = __vcpu_set_cpuid(self->vcpu);
	TEST_ASSERT(r == -1 && errno == EINVAL,
		    "KVM_SET_CPUID2 of a vCPU that has run: wanted EINVAL, got %s",
		    r ? strerror(errno) : "success");
	run_entry(self->vcpu, LAST_BASIC - 2, 0, &changed);
}

/* Operands of the instruction in the TD, and what it returned. */
struct native_cpuid {
	u32 function;
	u32 index;
};

static void guest_native_cpuid(const struct native_cpuid *cpuid, u64 nr)
{
	u32 eax, ebx, ecx, edx;
	u64 i;

	for (i = 0; i < nr; i++) {
		__cpuid(cpuid[i].function, cpuid[i].index, &eax, &ebx, &ecx, &edx);
		GUEST_SYNC4(eax, ebx, ecx, edx);
	}
	GUEST_DONE();
}

TDX_FIXTURE(cpuid_native);

FIXTURE_SETUP(cpuid_native)
{
	self->vm = tdx_vm_create(1);
	self->vcpu = tdx_vcpu_add(self->vm, 0, guest_native_cpuid);
	tdx_ve_install_handler(self->vm);
}

static void launch_native(struct kvm_vcpu *vcpu, const struct native_cpuid *cpuid, u64 nr)
{
	gva_t gva = vm_alloc(vcpu->vm, nr * sizeof(*cpuid), KVM_UTIL_MIN_VADDR);

	memcpy(addr_gva2hva(vcpu->vm, gva), cpuid, nr * sizeof(*cpuid));
	tdx_vcpu_args_set(vcpu, 2, gva, nr);
	tdx_vm_finalize(vcpu->vm);
}

/* The TDX module leaves the leafs of hypervisors to the VMM. */
TDX_TEST_F(cpuid_native, left_to_kvm)
{
	static const struct native_cpuid cpuid = { HYPERVISOR + 1, 5 };
	const struct tdx_ve_info ve = {
		.exit_reason = EXIT_REASON_CPUID,
		.instruction_length = 2,
	};
	const struct kvm_cpuid_entry2 *entry = find_added(HYPERVISOR + 1, 0);
	const u64 want[] = { entry->eax, entry->ebx, entry->ecx, entry->edx };

	add_entries(self->vcpu);
	launch_native(self->vcpu, &cpuid, 1);
	tdx_ve_run(self->vcpu, "CPUID", &ve);
	tdx_ve_check_values(self->vcpu, "CPUID", want, ARRAY_SIZE(want));
}

/*
 * The TDX module virtualizes leaf 1, whatever table userspace has set: features that
 * every TD has, 64-byte cache lines, and the APIC ID of the first vCPU.
 */
TDX_TEST_F(cpuid_native, leaf_1_of_module)
{
	static const struct native_cpuid cpuid = { 1, 0 };
	struct kvm_cpuid_entry2 entry = *vcpu_get_cpuid_entry(self->vcpu, 1);
	struct ucall uc;

	vcpu_get_cpuid_entry(self->vcpu, 1)->ebx = ~0U;
	vcpu_set_cpuid(self->vcpu);
	launch_native(self->vcpu, &cpuid, 1);

	vcpu_run(self->vcpu);
	tdx_vcpu_get_sync(self->vcpu, "CPUID", &uc);
	tdx_assert_value("CPUID", "leaf", 1, "EAX", entry.eax, uc.args[0]);
	tdx_assert_value("CPUID", "leaf", 1, "EBX, lines", 64 / 8, (uc.args[1] >> 8) & 0xff);
	tdx_assert_value("CPUID", "leaf", 1, "EBX, ids", (entry.ebx >> 16) & 0xff,
			 (uc.args[1] >> 16) & 0xff);
	tdx_assert_value("CPUID", "leaf", 1, "EBX, APIC ID", 0, uc.args[1] >> 24);
	tdx_assert_value("CPUID", "leaf", 1, "ECX, features of every TD", LEAF_1_ECX_FIXED,
			 uc.args[2] & LEAF_1_ECX_FIXED);
	/* OSXSAVE follows CR4. */
	tdx_assert_value("CPUID", "leaf", 1, "ECX", entry.ecx & ~BIT(27),
			 uc.args[2] & ~BIT(27));
	tdx_assert_value("CPUID", "leaf", 1, "EDX", entry.edx, uc.args[3]);
}

TDX_TEST_MAIN()
