// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: the VMCS of a vCPU.
 */
#include <linux/array_size.h>
#include <linux/smp.h>

#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/fpu/types.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "td_run.h"
#include "vmx_insn.h"

/*
 * One VPID for all TDs: translations are tagged with the EPT root as well, and
 * every vCPU has a root of its own.  The highest is the last that KVM hands out.
 */
#define SIM_VPID		U16_MAX

/* IA32_VMX_MISC: the preemption timer counts TSC ticks shifted by this. */
#define SIM_VMX_MISC_TIMER_RATE	GENMASK_ULL(4, 0)

/*
 * VM execution controls.  @required: the module does not start without them.
 * @wanted: used where the CPU has them.
 */
struct sim_control {
	u32 field;
	u32 msr;
	u32 required;
	u32 wanted;
};

static const struct sim_control sim_controls[] = {
	{
		.field	  = PIN_BASED_VM_EXEC_CONTROL,
		.msr	  = MSR_IA32_VMX_TRUE_PINBASED_CTLS,
		.required = PIN_BASED_EXT_INTR_MASK | PIN_BASED_NMI_EXITING |
			    PIN_BASED_VIRTUAL_NMIS,
		.wanted	  = PIN_BASED_VMX_PREEMPTION_TIMER,
	}, {
		.field	  = CPU_BASED_VM_EXEC_CONTROL,
		.msr	  = MSR_IA32_VMX_TRUE_PROCBASED_CTLS,
		.required = CPU_BASED_HLT_EXITING | CPU_BASED_UNCOND_IO_EXITING |
			    CPU_BASED_USE_TSC_OFFSETTING | CPU_BASED_TPR_SHADOW |
			    CPU_BASED_USE_MSR_BITMAPS | CPU_BASED_MONITOR_EXITING |
			    CPU_BASED_MWAIT_EXITING | CPU_BASED_RDPMC_EXITING |
			    CPU_BASED_ACTIVATE_SECONDARY_CONTROLS,
	}, {
		.field	  = SECONDARY_VM_EXEC_CONTROL,
		.msr	  = MSR_IA32_VMX_PROCBASED_CTLS2,
		.required = SECONDARY_EXEC_ENABLE_EPT | SECONDARY_EXEC_ENABLE_VPID |
			    SECONDARY_EXEC_UNRESTRICTED_GUEST |
			    SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE |
			    SECONDARY_EXEC_APIC_REGISTER_VIRT |
			    SECONDARY_EXEC_VIRTUAL_INTR_DELIVERY |
			    SECONDARY_EXEC_WBINVD_EXITING,
		.wanted	  = SECONDARY_EXEC_ENABLE_RDTSCP |
			    SECONDARY_EXEC_ENABLE_INVPCID |
			    SECONDARY_EXEC_TSC_SCALING |
			    SECONDARY_EXEC_ENABLE_XSAVES,
	}, {
		.field	  = VM_EXIT_CONTROLS,
		.msr	  = MSR_IA32_VMX_TRUE_EXIT_CTLS,
		.required = VM_EXIT_HOST_ADDR_SPACE_SIZE | VM_EXIT_ACK_INTR_ON_EXIT |
			    VM_EXIT_SAVE_DEBUG_CONTROLS |
			    VM_EXIT_SAVE_IA32_PAT | VM_EXIT_LOAD_IA32_PAT |
			    VM_EXIT_SAVE_IA32_EFER | VM_EXIT_LOAD_IA32_EFER,
	}, {
		.field	  = VM_ENTRY_CONTROLS,
		.msr	  = MSR_IA32_VMX_TRUE_ENTRY_CTLS,
		.required = VM_ENTRY_LOAD_DEBUG_CONTROLS |
			    VM_ENTRY_LOAD_IA32_PAT | VM_ENTRY_LOAD_IA32_EFER,
	},
};

int sim_vmcs_check_cpu(void)
{
	const struct sim_control *control;
	u64 caps;

	if (!sim_shared_cpu_ok())
		return -ENODEV;

	for (control = sim_controls;
	     control < sim_controls + ARRAY_SIZE(sim_controls); control++) {
		if (rdmsrq_safe(control->msr, &caps) ||
		    control->required & ~(u32)(caps >> 32))
			return -ENODEV;
	}
	return 0;
}

static void sim_vmcs_write_controls(void)
{
	const struct sim_control *control;
	u64 caps;

	for (control = sim_controls;
	     control < sim_controls + ARRAY_SIZE(sim_controls); control++) {
		rdmsrq(control->msr, caps);
		sim_vmwrite(control->field,
			    ((control->required | control->wanted) & (caps >> 32)) |
			    (u32)caps);
	}
}

u64 sim_eptp(const struct sim_vcpu *vcpu)
{
	return __pa(vcpu->ept_root) | VMX_EPTP_MT_WB | VMX_EPTP_PWL_4 |
	       VMX_EPTP_AD_ENABLE_BIT;
}

#define VMCS(_field, _value)	{ .field = _field, .value = _value },

static const struct {
	u32 field;
	u64 value;
} sim_vmcs_fields[] = {
#include "td_vmcs.def"
};

static void sim_vmcs_init(struct sim_vcpu *vcpu)
{
	struct sim_tdcs *tdcs = vcpu->td->tdcs;
	u64 misc;
	int i;

	for (i = 0; i < ARRAY_SIZE(sim_vmcs_fields); i++)
		sim_vmwrite(sim_vmcs_fields[i].field, sim_vmcs_fields[i].value);

	sim_vmcs_write_controls();
	vcpu->cpu_controls = sim_vmread(CPU_BASED_VM_EXEC_CONTROL);
	sim_shared_init_vmcs(vcpu);
	sim_vmwrite(CR0_GUEST_HOST_MASK, sim_cr0_owned());
	sim_vmwrite(CR0_READ_SHADOW, sim_cr0_shadow());
	sim_vmwrite(CR4_GUEST_HOST_MASK, sim_cr4_owned(vcpu));
	sim_vmwrite(CR4_READ_SHADOW, sim_cr4_shadow());
	sim_vmwrite(EPT_POINTER, sim_eptp(vcpu));
	sim_vmwrite(VIRTUAL_PROCESSOR_ID, SIM_VPID);
	sim_vmwrite(MSR_BITMAP, __pa(tdcs->msr_bitmap));
	sim_vmwrite(VIRTUAL_APIC_PAGE_ADDR, vcpu->tdcx_pa[SIM_TDVPS_VAPIC]);
	sim_vmwrite(TSC_OFFSET, tdcs->tsc_offset);
	sim_vmwrite(TSC_MULTIPLIER, tdcs->tsc_multiplier);
	sim_vmwrite(XSS_EXIT_BITMAP, 0);

	rdmsrq(MSR_IA32_VMX_MISC, misc);
	sim_vmwrite(VMX_PREEMPTION_TIMER_VALUE,
		    sim_stay_cycles() >> (misc & SIM_VMX_MISC_TIMER_RATE));
}

void sim_vmcs_load(struct sim_vcpu *vcpu)
{
	u64 pa = vcpu->tdcx_pa[SIM_TDVPS_VMCS];
	u32 *vmcs = __va(pa);

	if (!vcpu->vmcs_loaded) {
		/* Bits 30:0 of VMX_BASIC, before the CPU sees the page. */
		*vmcs = __rdmsr(MSR_IA32_VMX_BASIC) & GENMASK(30, 0);
		if (!vcpu->vmcs_initialized)
			sim_vmclear(pa);
	}

	if (sim_vmptrst() != pa)
		sim_vmptrld(pa);

	if (!vcpu->vmcs_initialized) {
		sim_vmcs_init(vcpu);
		vcpu->vmcs_initialized = true;
	}

	if (!vcpu->vmcs_loaded) {
		sim_host_write_constant();
		vcpu->vmcs_loaded = true;
		vcpu->launched = false;
		vcpu->ept_stale = true;
	}
}

void sim_vmcs_clear(struct sim_vcpu *vcpu)
{
	if (!vcpu->vmcs_loaded)
		return;

	sim_vmclear(vcpu->tdcx_pa[SIM_TDVPS_VMCS]);
	vcpu->vmcs_loaded = false;
	vcpu->launched = false;
}
