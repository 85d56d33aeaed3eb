// SPDX-License-Identifier: GPL-2.0-only
#include "processor.h"
#include "tdx/tdx_msr.h"

/* IA32_MCG_CAP ("Machine-Check Global Control MSRs", Intel SDM) */
#define MCG_CAP_CTL_P	BIT_ULL(8)
#define MCG_CAP_CMCI_P	BIT_ULL(10)
#define MCG_CAP_LMCE_P	BIT_ULL(27)

static bool is_read(const struct tdx_insn *insn)
{
	return insn->in.r11 == EXIT_REASON_MSR_READ;
}

void tdx_msr_init_read(struct tdx_insn *insn, u64 index, u64 value)
{
	/* R13 is for the value of a write: it must not show up in the result. */
	tdx_insn_init(insn, EXIT_REASON_MSR_READ, index, ~value, 0, 0, "RDMSR of 0x%lx", index);
	insn->out.r11 = value;
}

void tdx_msr_init_write(struct tdx_insn *insn, u64 index, u64 value)
{
	tdx_insn_init(insn, EXIT_REASON_MSR_WRITE, index, value, 0, 0,
		      "WRMSR of 0x%lx, value 0x%lx", index, value);
}

void tdx_msr_set_exits(struct kvm_vm *vm, u64 reasons)
{
	vm_enable_cap(vm, KVM_CAP_X86_USER_SPACE_MSR, reasons);
}

void tdx_msr_set_filter(struct kvm_vm *vm, u32 default_flags, const struct tdx_msr_filter_row *rows,
			size_t nr)
{
	struct kvm_msr_filter filter = { .flags = default_flags };
	/* KVM reads bitmaps in words. */
	u64 bitmaps[KVM_MSR_FILTER_MAX_RANGES];
	size_t i;

	TEST_ASSERT(nr <= ARRAY_SIZE(bitmaps), "%lu MSRs to filter, at most %lu fit", nr,
		    ARRAY_SIZE(bitmaps));

	for (i = 0; i < nr; i++) {
		bitmaps[i] = rows[i].allow;
		filter.ranges[i] = (struct kvm_msr_filter_range) {
			.flags = rows[i].flags,
			.nmsrs = 1,
			.base = rows[i].index,
			.bitmap = (u8 *)&bitmaps[i],
		};
	}

	vm_ioctl(vm, KVM_X86_SET_MSR_FILTER, &filter);
}

void tdx_msr_run_exit(struct kvm_vcpu *vcpu, struct tdx_insn *insn, u64 reason)
{
	const struct kvm_run *run = vcpu->run;
	size_t i;

	tdx_insn_run_exit(vcpu, insn, is_read(insn) ? KVM_EXIT_X86_RDMSR : KVM_EXIT_X86_WRMSR);

	tdx_insn_assert_exit(insn, "msr.error", 0, run->msr.error);
	for (i = 0; i < sizeof(run->msr.pad); i++)
		tdx_insn_assert_exit(insn, "msr.pad", 0, run->msr.pad[i]);
	tdx_insn_assert_exit(insn, "msr.reason", reason, run->msr.reason);
	tdx_insn_assert_exit(insn, "msr.index", (u32)insn->in.r12, run->msr.index);
	tdx_insn_assert_exit(insn, "msr.data", is_read(insn) ? 0 : insn->in.r13, run->msr.data);
}

void tdx_msr_answer(struct kvm_vcpu *vcpu, u8 error, u64 data)
{
	vcpu->run->msr.error = error;
	vcpu->run->msr.data = data;
}

void tdx_msr_run_reasons(struct kvm_vcpu *vcpu, struct tdx_insn *insn, u64 reason)
{
	u64 reasons;

	insn->out.r11 = insn->in.r11;
	tdx_insn_refused(insn);

	for (reasons = 0; reasons <= TDX_MSR_EXITS_ALL; reasons++) {
		tdx_msr_set_exits(vcpu->vm, reasons);
		insn->exits = 0;
		if (!(reasons & reason)) {
			tdx_insn_run(vcpu, insn);
			continue;
		}

		tdx_msr_run_exit(vcpu, insn, reason);
		tdx_msr_answer(vcpu, 1, ~0ULL);
		tdx_insn_finish(vcpu, insn);
	}
}

u64 tdx_msr_setup_mce(struct kvm_vcpu *vcpu, u8 nr_banks)
{
	u64 cap;

	kvm_ioctl(vcpu->vm->kvm_fd, KVM_X86_GET_MCE_CAP_SUPPORTED, &cap);
	cap = (cap & (MCG_CAP_CTL_P | MCG_CAP_CMCI_P | MCG_CAP_LMCE_P)) | nr_banks;
	vcpu_ioctl(vcpu, KVM_X86_SETUP_MCE, &cap);
	return cap;
}
