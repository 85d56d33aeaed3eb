// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's own hypercalls from a TD: TDG.VP.VMCALL with a number other than 0 in R10,
 * arguments in R11 to R14, and the result in R10.  KVM_HC_MAP_GPA_RANGE, which
 * userspace completes, is in tdx_map_gpa_hypercall_test.
 */
#include <asm/kvm_para.h>
#include <linux/kvm_para.h>

#include "apic.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* KVM reports its errors to the TD as negative numbers. */
#define ERROR(error)	(-(u64)(error))

/* Arguments that no hypercall must take for valid ones. */
#define ARG(i)		(0xa46a46a46a46a400ULL + (i))

#define NO_APIC_ID	5

struct hypercall {
	const char *name;
	u64 nr;
	u64 args[4];		/* R11 to R14 */
	u64 result;
};

/* Issue @hc.  There must be no exit, and no register except R10 may change. */
static void issue(struct kvm_vcpu *vcpu, const struct hypercall *hc)
{
	struct tdcall_regs regs;

	tdvmcall_seed_regs(&regs);
	regs.r10 = hc->nr;
	regs.r11 = hc->args[0];
	regs.r12 = hc->args[1];
	regs.r13 = hc->args[2];
	regs.r14 = hc->args[3];

	tdvmcall_issue(vcpu, hc->name, &regs);
	tdvmcall_poison_exit(vcpu);
	regs.r10 = hc->result;
	tdvmcall_finish(vcpu, hc->name, 0, &regs);
}

TDX_FIXTURE(hypercall_result);

FIXTURE_VARIANT(hypercall_result)
{
	struct hypercall hc;
};

#define RESULT(row, number, value, arg...)				\
	FIXTURE_VARIANT_ADD(hypercall_result, row) {			\
		.hc = {							\
			.name = #row,					\
			.nr = (number),					\
			.args = { arg },				\
			.result = (value),				\
		},							\
	}

#define UNKNOWN(row, number)						\
	RESULT(row, number, ERROR(KVM_ENOSYS), ARG(0), ARG(1), ARG(2), ARG(3))

#define UNKNOWN_CLOCK(row, type)					\
	RESULT(row, KVM_HC_CLOCK_PAIRING, ERROR(KVM_EOPNOTSUPP), ARG(0), type, ARG(2), ARG(3))

/* The TD says that an interrupt may be pending.  KVM has nothing to do. */
RESULT(vapic_poll_irq, KVM_HC_VAPIC_POLL_IRQ, 0, ARG(0), ARG(1), ARG(2), ARG(3));

/* Numbers that KVM had in the past, or has on other architectures. */
UNKNOWN(mmu_op,			KVM_HC_MMU_OP);
UNKNOWN(features,		KVM_HC_FEATURES);
UNKNOWN(ppc_map_magic_page,	KVM_HC_PPC_MAP_MAGIC_PAGE);
UNKNOWN(mips_get_clock_freq,	KVM_HC_MIPS_GET_CLOCK_FREQ);
UNKNOWN(mips_exit_vm,		KVM_HC_MIPS_EXIT_VM);
UNKNOWN(mips_console_output,	KVM_HC_MIPS_CONSOLE_OUTPUT);
UNKNOWN(after_the_last,		KVM_HC_MAP_GPA_RANGE + 1);
/* A leaf of TDG.VP.VMCALL, which belongs in R11. */
UNKNOWN(ghci_leaf,		TDVMCALL_MAP_GPA);
/* All 64 bits of R10 count. */
UNKNOWN(bit_32,			BIT_ULL(32));
UNKNOWN(bit_32_vapic_poll_irq,	BIT_ULL(32) | KVM_HC_VAPIC_POLL_IRQ);
UNKNOWN(bit_63_sched_yield,	BIT_ULL(63) | KVM_HC_SCHED_YIELD);
UNKNOWN(all_ones,		~0ULL);

/* A yield is a hint, whatever its target. */
RESULT(sched_yield_to_self,	KVM_HC_SCHED_YIELD, 0, 0, ARG(1), ARG(2), ARG(3));
RESULT(sched_yield_to_no_one,	KVM_HC_SCHED_YIELD, 0, NO_APIC_ID, ARG(1), ARG(2), ARG(3));
RESULT(sched_yield_to_all_ones,	KVM_HC_SCHED_YIELD, 0, ~0ULL, ARG(1), ARG(2), ARG(3));

/* Only the wall clock can be paired.  KVM checks that before the address. */
UNKNOWN_CLOCK(clock_type_1,		1);
UNKNOWN_CLOCK(clock_type_bit_32,	BIT_ULL(32));
UNKNOWN_CLOCK(clock_type_all_ones,	~0ULL);

TDX_FIXTURE_SETUP(hypercall_result, tdvmcall_vm_create);

TDX_TEST_F(hypercall_result, without_exit)
{
	issue(self->vcpu, &variant->hc);
}

/* KVM_HC_KICK_CPU wakes the vCPU whose APIC ID is in R12; R11 is for flags. */
TDX_FIXTURE(hypercall_kick);

FIXTURE_VARIANT(hypercall_kick)
{
	const char *name;
	u64 apic_id;
	u32 mp_state;		/* of a halted vCPU 0, after the hypercall */
};

#define KICK(row, id, state)						\
	FIXTURE_VARIANT_ADD(hypercall_kick, row) {			\
		.name = #row, .apic_id = (id), .mp_state = KVM_MP_STATE_##state, \
	}

KICK(self,	0,			RUNNABLE);
KICK(no_one,	NO_APIC_ID,		HALTED);
/* Only the low half counts. */
KICK(bit_32,	BIT_ULL(32),		RUNNABLE);

TDX_FIXTURE_SETUP(hypercall_kick, tdvmcall_vm_create);

TDX_TEST_F(hypercall_kick, wakes_target)
{
	const struct hypercall hc = {
		.name = variant->name,
		.nr = KVM_HC_KICK_CPU,
		.args = { ARG(0), variant->apic_id, ARG(2), ARG(3) },
	};
	struct kvm_mp_state state = { .mp_state = KVM_MP_STATE_HALTED };

	issue(self->vcpu, &hc);

	vcpu_mp_state_set(self->vcpu, &state);
	vcpu_mp_state_get(self->vcpu, &state);
	tdx_assert_value(variant->name, "vCPU", 0, "MP state", variant->mp_state,
			 state.mp_state);
}

/*
 * Hypercalls that KVM offers only with a feature in CPUID, if the vCPU has
 * KVM_CAP_ENFORCE_PV_FEATURE_CPUID.
 */
TDX_FIXTURE(hypercall_feature);

FIXTURE_VARIANT(hypercall_feature)
{
	const char *name;
	u64 nr;
	u32 feature;
};

#define FEATURE(row, hypercall, bit)					\
	FIXTURE_VARIANT_ADD(hypercall_feature, row) {			\
		.name = #row,						\
		.nr = KVM_HC_##hypercall,				\
		.feature = BIT(KVM_FEATURE_##bit),			\
	}

FEATURE(kick_cpu,	KICK_CPU,	PV_UNHALT);
FEATURE(send_ipi,	SEND_IPI,	PV_SEND_IPI);
FEATURE(sched_yield,	SCHED_YIELD,	PV_SCHED_YIELD);

FIXTURE_SETUP(hypercall_feature)
{
	self->vm = tdx_vm_create(1);
	self->vcpu = tdx_vcpu_add(self->vm, 0, tdvmcall_guest_fetch_loop);
}

/* Add KVM's leafs to the CPUID of @vcpu, which has those of the TDX module. */
static void add_kvm_cpuid(struct kvm_vcpu *vcpu, u32 features)
{
	const struct kvm_cpuid_entry2 signature = {
		.function = KVM_CPUID_SIGNATURE,
		.eax = KVM_CPUID_FEATURES,
		/* KVM_SIGNATURE, in the order of the registers. */
		.ebx = 0x4b4d564b,
		.ecx = 0x564b4d56,
		.edx = 0x4d,
	};
	u32 nent = vcpu->cpuid->nent;
	struct kvm_cpuid2 *cpuid = allocate_kvm_cpuid2(nent + 2);

	memcpy(cpuid->entries, vcpu->cpuid->entries, nent * sizeof(cpuid->entries[0]));
	cpuid->entries[nent] = signature;
	cpuid->entries[nent + 1] = (struct kvm_cpuid_entry2) {
		.function = KVM_CPUID_FEATURES,
		.eax = features,
	};

	vcpu_init_cpuid(vcpu, cpuid);
	free(cpuid);
}

static void enforce_features(struct kvm_vcpu *vcpu)
{
	vcpu_enable_cap(vcpu, KVM_CAP_ENFORCE_PV_FEATURE_CPUID, 1);
}

/* Kick vCPU 0, send an IPI to no vCPU, and yield.  The result of each is 0. */
static void test_feature(struct kvm_vcpu *vcpu, const FIXTURE_VARIANT(hypercall_feature) * row,
			 u64 result)
{
	const struct hypercall hc = {
		.name = row->name,
		.nr = row->nr,
		.args = { 0, 0, NO_APIC_ID, 0 },
		.result = result,
	};

	tdx_vm_finalize(vcpu->vm);
	issue(vcpu, &hc);
}

/* KVM's default: it does not look at CPUID, which has no leafs of KVM here. */
TDX_TEST_F(hypercall_feature, not_enforced)
{
	test_feature(self->vcpu, variant, 0);
}

TDX_TEST_F(hypercall_feature, enforced_without_kvm_cpuid)
{
	enforce_features(self->vcpu);
	test_feature(self->vcpu, variant, ERROR(KVM_ENOSYS));
}

TDX_TEST_F(hypercall_feature, enforced_without_it)
{
	add_kvm_cpuid(self->vcpu, ~variant->feature);
	enforce_features(self->vcpu);
	test_feature(self->vcpu, variant, ERROR(KVM_ENOSYS));
}

TDX_TEST_F(hypercall_feature, enforced_with_it)
{
	add_kvm_cpuid(self->vcpu, variant->feature);
	enforce_features(self->vcpu);
	test_feature(self->vcpu, variant, 0);
}

TDX_TEST_MAIN()
