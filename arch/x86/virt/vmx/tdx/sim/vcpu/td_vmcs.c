// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: the VMCS of a vCPU.
 */
#include <linux/array_size.h>
#include <linux/smp.h>

#include <asm/cpu_entry_area.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/fpu/types.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>
#include <asm/segment.h>
#include <asm/special_insns.h>
#include <asm/trap_pf.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "state/alias.h"
#include "state/vcpu.h"
#include "vcpu/td_cr.h"
#include "vcpu/td_entry.h"
#include "vcpu/td_ept.h"
#include "vcpu/td_vmcs.h"
#include "vcpu/vmx_insn.h"

/*
 * One VPID for all TDs: translations are tagged with the EPT root as well, and
 * every vCPU has a root of its own.  KVM hands out the highest VPID last.
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
			    SECONDARY_EXEC_WBINVD_EXITING |
			    SECONDARY_EXEC_ENABLE_XSAVES,
		.wanted	  = SECONDARY_EXEC_ENABLE_RDTSCP |
			    SECONDARY_EXEC_ENABLE_INVPCID |
			    SECONDARY_EXEC_TSC_SCALING,
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

	if (!sim_alias_cpu_ok())
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

void sim_toggle_cpu_control(struct sim_vcpu *vcpu, u32 bit)
{
	vcpu->cpu_controls ^= bit;
	sim_vmwrite(CPU_BASED_VM_EXEC_CONTROL, vcpu->cpu_controls);
}

void sim_vmcs_init_exceptions(void)
{
	if (!sim_alias_needed())
		return;

	sim_vmwrite(EXCEPTION_BITMAP, TDX_EXCEPTION_BITMAP | BIT(X86_TRAP_PF));
	sim_vmwrite(PAGE_FAULT_ERROR_CODE_MASK, X86_PF_RSVD);
	sim_vmwrite(PAGE_FAULT_ERROR_CODE_MATCH, X86_PF_RSVD);
}

#define VMCS(_field, _value)	{ .field = _field, .value = _value },

static const struct {
	u32 field;
	u64 value;
} sim_vmcs_fields[] = {
#include "vcpu/td_vmcs.def"
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
	sim_vmcs_init_exceptions();
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

/* The part of the host state area that is the same for every task on this CPU. */
static void sim_host_write_constant(void)
{
	struct desc_ptr dtr;

	sim_vmwrite(HOST_RIP, (unsigned long)sim_td_exit);
	sim_vmwrite(HOST_CR0, read_cr0());
	sim_vmwrite(HOST_CS_SELECTOR, __KERNEL_CS);
	sim_vmwrite(HOST_SS_SELECTOR, __KERNEL_DS);
	sim_vmwrite(HOST_DS_SELECTOR, 0);
	sim_vmwrite(HOST_ES_SELECTOR, 0);
	sim_vmwrite(HOST_FS_SELECTOR, 0);
	sim_vmwrite(HOST_GS_SELECTOR, 0);
	sim_vmwrite(HOST_TR_SELECTOR, GDT_ENTRY_TSS * 8);
	sim_vmwrite(HOST_GS_BASE, __rdmsr(MSR_GS_BASE));
	sim_vmwrite(HOST_TR_BASE,
		    (unsigned long)&get_cpu_entry_area(raw_smp_processor_id())->tss.x86_tss);
	native_store_gdt(&dtr);
	sim_vmwrite(HOST_GDTR_BASE, dtr.address);
	store_idt(&dtr);
	sim_vmwrite(HOST_IDTR_BASE, dtr.address);
	sim_vmwrite(HOST_IA32_SYSENTER_CS, __rdmsr(MSR_IA32_SYSENTER_CS));
	sim_vmwrite(HOST_IA32_SYSENTER_ESP, __rdmsr(MSR_IA32_SYSENTER_ESP));
	sim_vmwrite(HOST_IA32_SYSENTER_EIP, __rdmsr(MSR_IA32_SYSENTER_EIP));
	sim_vmwrite(HOST_IA32_PAT, __rdmsr(MSR_IA32_CR_PAT));
}

/* Bits 30:0 of VMX_BASIC, at the beginning of a VMCS that the CPU takes. */
static u32 sim_vmcs_revision(void)
{
	return __rdmsr(MSR_IA32_VMX_BASIC) & GENMASK(30, 0);
}

void sim_vmcs_load(struct sim_vcpu *vcpu)
{
	u64 pa = vcpu->tdcx_pa[SIM_TDVPS_VMCS];
	u32 *revision = __va(pa);

	if (!vcpu->vmcs_initialized) {
		vcpu->vmcs_revision = sim_vmcs_revision();
		sim_vmclear(pa);
	}
	*revision = vcpu->vmcs_revision;
	sim_vmptrld(pa);

	if (!vcpu->vmcs_initialized) {
		sim_vmcs_init(vcpu);
		vcpu->vmcs_initialized = true;
	}

	if (!vcpu->vmcs_loaded) {
		sim_host_write_constant();
		vcpu->vmcs_loaded = true;
		vcpu->ept_stale = true;
	}
}

void sim_vmcs_leave(struct sim_vcpu *vcpu)
{
	u64 pa = vcpu->tdcx_pa[SIM_TDVPS_VMCS];
	u32 *revision = __va(pa);

	/* No other instruction leaves a CPU without a current VMCS. */
	sim_vmclear(pa);
	vcpu->launched = false;

	/*
	 * The host knows the page, and could load it.  With SEAM the CPU would not take it,
	 * because it belongs to the TD.
	 */
	*revision = ~vcpu->vmcs_revision & GENMASK(30, 0);
}
