/* SPDX-License-Identifier: GPL-2.0-only */
#include "td_offsets.inc"

	.text
	.code64

/*
 * void tdcall_execute(struct tdcall_regs *regs)
 *
 * TDCALL sees, and may change, all registers.  So the pointer is kept on the stack,
 * with the registers of the caller.
 */
	.globl tdcall_execute
	.type tdcall_execute, @function
tdcall_execute:
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdi

	mov	TDCALL_RAX(%rdi), %rax
	mov	TDCALL_RCX(%rdi), %rcx
	mov	TDCALL_RDX(%rdi), %rdx
	mov	TDCALL_RBX(%rdi), %rbx
	mov	TDCALL_RBP(%rdi), %rbp
	mov	TDCALL_RSI(%rdi), %rsi
	mov	TDCALL_R8(%rdi), %r8
	mov	TDCALL_R9(%rdi), %r9
	mov	TDCALL_R10(%rdi), %r10
	mov	TDCALL_R11(%rdi), %r11
	mov	TDCALL_R12(%rdi), %r12
	mov	TDCALL_R13(%rdi), %r13
	mov	TDCALL_R14(%rdi), %r14
	mov	TDCALL_R15(%rdi), %r15
	mov	TDCALL_RDI(%rdi), %rdi

	/* TDCALL, in bytes for assemblers that do not know it. */
	.byte	0x66, 0x0f, 0x01, 0xcc

	/* Swap RDI, as TDCALL left it, for the pointer. */
	xchg	%rdi, (%rsp)
	mov	%rax, TDCALL_RAX(%rdi)
	mov	%rcx, TDCALL_RCX(%rdi)
	mov	%rdx, TDCALL_RDX(%rdi)
	mov	%rbx, TDCALL_RBX(%rdi)
	mov	%rbp, TDCALL_RBP(%rdi)
	mov	%rsi, TDCALL_RSI(%rdi)
	mov	%r8, TDCALL_R8(%rdi)
	mov	%r9, TDCALL_R9(%rdi)
	mov	%r10, TDCALL_R10(%rdi)
	mov	%r11, TDCALL_R11(%rdi)
	mov	%r12, TDCALL_R12(%rdi)
	mov	%r13, TDCALL_R13(%rdi)
	mov	%r14, TDCALL_R14(%rdi)
	mov	%r15, TDCALL_R15(%rdi)
	pop	%rax
	mov	%rax, TDCALL_RDI(%rdi)

	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret
	.size tdcall_execute, . - tdcall_execute

	.section .note.GNU-stack, "", @progbits
