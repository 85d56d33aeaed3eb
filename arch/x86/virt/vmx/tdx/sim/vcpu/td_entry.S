/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: the world switch between the module and a TD.
 */
#include <linux/linkage.h>
#include <linux/objtool.h>

#include <asm/asm.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>

/* enum sim_gpr: offsets into struct sim_vcpu, which begins with its GPRs. */
#define GPR_RAX	0
#define GPR_RCX	8
#define GPR_RDX	16
#define GPR_RBX	24
#define GPR_RBP	40
#define GPR_RSI	48
#define GPR_RDI	56
#define GPR_R8	64
#define GPR_R9	72
#define GPR_R10	80
#define GPR_R11	88
#define GPR_R12	96
#define GPR_R13	104
#define GPR_R14	112
#define GPR_R15	120

/* VMCS encoding, asm/vmx.h has it as an enum. */
#define FIELD_HOST_RSP	0x6c14

.section .noinstr.text, "ax"

/*
 * sim_td_enter() - run the TD of the current VMCS until it exits
 *
 * @vcpu     (RDI) - GPRs to load and to save, RSP excepted
 * @launched (ESI) - VMRESUME if not 0, else VMLAUNCH
 *
 * Return (EAX) 0 after a VM exit, 1 if the VM entry failed its checks before
 * any guest state was loaded.
 */
SYM_FUNC_START(sim_td_enter)
	push	%rbp
	mov	%rsp, %rbp
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%rbx
	push	%rdi

	mov	$FIELD_HOST_RSP, %eax
	vmwrite	%rsp, %rax

	/* MOV leaves the flag alone until the branch below. */
	test	%esi, %esi

	mov	GPR_RCX(%rdi), %rcx
	mov	GPR_RDX(%rdi), %rdx
	mov	GPR_RBX(%rdi), %rbx
	mov	GPR_RBP(%rdi), %rbp
	mov	GPR_RSI(%rdi), %rsi
	mov	GPR_R8(%rdi),  %r8
	mov	GPR_R9(%rdi),  %r9
	mov	GPR_R10(%rdi), %r10
	mov	GPR_R11(%rdi), %r11
	mov	GPR_R12(%rdi), %r12
	mov	GPR_R13(%rdi), %r13
	mov	GPR_R14(%rdi), %r14
	mov	GPR_R15(%rdi), %r15
	mov	GPR_RAX(%rdi), %rax
	mov	GPR_RDI(%rdi), %rdi
	jz	.Llaunch

	/* The unwinder finds at the exit what it had here: RSP is the same. */
	UNWIND_HINT_SAVE
	vmresume
	jmp	.Lfailed

.Llaunch:
	vmlaunch

.Lfailed:
	mov	$1, %eax
	jmp	.Lrestore

SYM_INNER_LABEL_ALIGN(sim_td_exit, SYM_L_GLOBAL)
	UNWIND_HINT_RESTORE
	ENDBR

	push	%rdi
	mov	8(%rsp), %rdi
	mov	%rax, GPR_RAX(%rdi)
	mov	%rcx, GPR_RCX(%rdi)
	mov	%rdx, GPR_RDX(%rdi)
	mov	%rbx, GPR_RBX(%rdi)
	mov	%rbp, GPR_RBP(%rdi)
	mov	%rsi, GPR_RSI(%rdi)
	mov	%r8,  GPR_R8(%rdi)
	mov	%r9,  GPR_R9(%rdi)
	mov	%r10, GPR_R10(%rdi)
	mov	%r11, GPR_R11(%rdi)
	mov	%r12, GPR_R12(%rdi)
	mov	%r13, GPR_R13(%rdi)
	mov	%r14, GPR_R14(%rdi)
	mov	%r15, GPR_R15(%rdi)
	pop	%rax
	mov	%rax, GPR_RDI(%rdi)
	xor	%eax, %eax

.Lrestore:
	add	$8, %rsp
	pop	%rbx
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	pop	%rbp
	RET
SYM_FUNC_END(sim_td_enter)
