/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers of the TDX ABI that a TD and its VMM share.  The names are those of
 * arch/x86/include/asm/shared/tdx.h of the kernel, which is not exported.
 */
#ifndef SELFTEST_TDX_TDX_H
#define SELFTEST_TDX_TDX_H

#include <asm/vmx.h>
#include <linux/bits.h>
#include <linux/const.h>

/* TDCALL leaf, passed in RAX (TDX module ABI specification, "TDCALL leaves"). */
#define TDG_VP_VMCALL			0
#define TDG_VP_INFO			1
#define TDG_MR_RTMR_EXTEND		2
#define TDG_VP_VEINFO_GET		3
#define TDG_MR_REPORT			4
#define TDG_VP_CPUIDVE_SET		5
#define TDG_MEM_PAGE_ACCEPT		6
#define TDG_VM_RD			7
#define TDG_VM_WR			8
#define TDG_VP_RD			9
#define TDG_VP_WR			10
#define TDG_SYS_RD			11

/*
 * TDG.VP.VMCALL leaf, passed in R11 when R10 is 0 (GHCI specification).  Leafs that
 * stand for an instruction or an access of the TD are the EXIT_REASON_* of VMX.
 */
#define TDVMCALL_GET_TD_VM_CALL_INFO	0x10000
#define TDVMCALL_MAP_GPA		0x10001
#define TDVMCALL_GET_QUOTE		0x10002
#define TDVMCALL_REPORT_FATAL_ERROR	0x10003
#define TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT	0x10004
#define TDVMCALL_SERVICE		0x10005
#define TDVMCALL_SERVICE_MIGTD		0x10006

/* The list of the leafs that KVM knows. */
#define TDVMCALL_LEAFS(X)						\
	X(EXIT_REASON_CPUID)						\
	X(EXIT_REASON_HLT)						\
	X(EXIT_REASON_IO_INSTRUCTION)					\
	X(EXIT_REASON_MSR_READ)						\
	X(EXIT_REASON_MSR_WRITE)					\
	X(EXIT_REASON_EPT_VIOLATION)					\
	X(TDVMCALL_GET_TD_VM_CALL_INFO)					\
	X(TDVMCALL_MAP_GPA)						\
	X(TDVMCALL_GET_QUOTE)						\
	X(TDVMCALL_REPORT_FATAL_ERROR)					\
	X(TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT)

/* Direction of port I/O and MMIO, passed in R13 (same). */
#define TDX_IO_READ			0
#define TDX_IO_WRITE			1

/* TDG.VP.VMCALL status, returned in R10 (GHCI specification). */
#define TDVMCALL_STATUS_SUCCESS		0x0000000000000000ULL
#define TDVMCALL_STATUS_RETRY		0x0000000000000001ULL
#define TDVMCALL_STATUS_INVALID_OPERAND	0x8000000000000000ULL
#define TDVMCALL_STATUS_GPA_INUSE	0x8000000000000001ULL
#define TDVMCALL_STATUS_ALIGN_ERROR	0x8000000000000002ULL
#define TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED	0x8000000000000003ULL

/*
 * Registers that TDG.VP.VMCALL shows to the VMM, a mask of register numbers in RCX: all
 * that may be shown.  RAX, RCX and RSP may never be shown.  KVM creates every TD with
 * NO_RBP_MOD, which excludes RBP.
 */
#define TDVMCALL_EXPOSE_REGS_MASK	(GENMASK_ULL(15, 6) | GENMASK_ULL(3, 2))

/* TD attribute (TDX module ABI specification, "ATTRIBUTES"). */
#define TDX_TD_ATTR_SEPT_VE_DISABLE	BIT_ULL(28)

/* x87 and SSE state, which every XFAM contains (same, "XFAM"). */
#define TDX_XFAM_MINIMUM		GENMASK_ULL(1, 0)

/*
 * Width of the guest physical address of a TD in bits, and its highest bit, which
 * selects shared memory (same, "GPAW").
 */
#define TDX_GPA_WIDTH			48
#define TDX_SHARED_BIT			BIT_ULL(TDX_GPA_WIDTH - 1)

/*
 * KVM offers a MapGPA range to userspace in chunks of this many bytes, counted from the
 * start of the range (TDX_MAP_GPA_MAX_LEN of arch/x86/kvm/vmx/tdx.c).
 */
#define TDX_MAP_GPA_MAX_LEN		0x200000ULL

/*
 * Status of a SEAMCALL or TDCALL (TDX module ABI specification, "Interface function
 * completion status").  The names are those of asm/shared/tdx_errno.h as far as that
 * has them.  The low half names the operand, or is the reason of an exit of the TD.
 */
#define TDX_NON_RECOVERABLE_VCPU	0x4000000100000000ULL
#define TDX_NON_RECOVERABLE_TD		0x4000000200000000ULL
#define TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE	0x6000000500000000ULL
#define TDX_NON_RECOVERABLE_TD_WRONG_APIC_MODE	0x6000000700000000ULL
#define TDX_OPERAND_INVALID		0xc000010000000000ULL
#define TDX_OPERAND_BUSY		0x8000020000000000ULL
#define TDX_PREVIOUS_TLB_EPOCH_BUSY	0x8000020100000000ULL
#define TDX_RND_NO_ENTROPY		0x8000020300000000ULL
#define TDX_PAGE_METADATA_INCORRECT	0xc000030000000000ULL
#define TDX_TD_FATAL			0xe000060400000000ULL
#define TDX_LIFECYCLE_STATE_INCORRECT	0xc000060700000000ULL
#define TDX_OP_STATE_INCORRECT		0xc000060800000000ULL
#define TDX_NO_VCPUS			0xc000060900000000ULL
#define TDX_TDCX_NUM_INCORRECT		0xc000061000000000ULL
#define TDX_X2APIC_ID_NOT_UNIQUE	0xc000062100000000ULL
#define TDX_VCPU_STATE_INCORRECT	0xc000070000000000ULL
#define TDX_VCPU_ASSOCIATED		0x8000070100000000ULL
#define TDX_MAX_VCPUS_EXCEEDED		0xc000070500000000ULL
#define TDX_TD_VMCS_FIELD_NOT_INITIALIZED	0xc000073000000000ULL
#define TDX_KEY_GENERATION_FAILED	0x8000080000000000ULL
#define TDX_KEY_CONFIGURED		0x0000081500000000ULL
#define TDX_HKID_NOT_FREE		0xc000082000000000ULL
#define TDX_FLUSHVP_NOT_DONE		0x8000082400000000ULL
#define TDX_EPT_WALK_FAILED		0xc0000b0000000000ULL
#define TDX_EPT_ENTRY_NOT_PRESENT	0xc0000b0300000000ULL
#define TDX_GPA_RANGE_ALREADY_BLOCKED	0x00000b0700000000ULL
#define TDX_TLB_TRACKING_NOT_DONE	0xc0000b0800000000ULL
#define TDX_EPT_ENTRY_STATE_INCORRECT	0xc0000b0d00000000ULL

#define TDX_OPERAND_ID_RCX		1
#define TDX_OPERAND_ID_RDX		2
#define TDX_OPERAND_ID_R8		8
#define TDX_OPERAND_ID_R9		9
#define TDX_OPERAND_ID_ATTRIBUTES	64
#define TDX_OPERAND_ID_XFAM		65
#define TDX_OPERAND_ID_EPTP_CONTROLS	67
#define TDX_OPERAND_ID_MAX_VCPUS	68
#define TDX_OPERAND_ID_CPUID_CONFIG	69
#define TDX_OPERAND_ID_TSC_FREQUENCY	70
#define TDX_OPERAND_ID_TDR		0x80
#define TDX_OPERAND_ID_SEPT		0x92
#define TDX_OPERAND_ID_TD_EPOCH		0xa9
#define TDX_OPERAND_ID_KOT		0xba

#endif /* SELFTEST_TDX_TDX_H */
