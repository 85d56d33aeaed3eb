/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The page at TD_BOOT_CODE_GPA.  All vCPUs of a TD start in it, in this state: paging
 * off, flat 32-bit segments, EFER.LME set, CR4.MCE set and fixed, no GDT, no IDT, no
 * stack, and the index of the vCPU in RSI.
 */
#include "tdx/td_boot.h"
#include "td_offsets.inc"

/* Selectors in the GDT that the library gives to every x86 VM. */
#define KERNEL_CS	0x8
#define KERNEL_DS	0x10

	.section .rodata
	.balign 4096
	.globl td_boot_page
td_boot_page:
	.code32
td_boot_32:
	/*
	 * EBX = parameters, EDI = this vCPU's.  Both stay valid in 64-bit mode,
	 * where an absolute address above 2 GiB would be sign-extended.
	 */
	mov	$TD_BOOT_PARAMETERS_GPA, %ebx
	imul	$SIZEOF_TD_BOOT_VCPU, %esi, %edi
	lea	TD_BOOT_VCPUS(%ebx, %edi), %edi

	/* Their bases are virtual addresses, which are valid when paging is on. */
	lgdtl	TD_BOOT_GDTR(%ebx)
	lidtl	TD_BOOT_IDTR(%ebx)

	mov	TD_BOOT_CR4(%ebx), %eax
	mov	%eax, %cr4
	mov	TD_BOOT_CR3(%ebx), %eax
	mov	%eax, %cr3

	/* Sets CR0.PG and with it EFER.LMA: this page is mapped at its GPA. */
	mov	TD_BOOT_CR0(%ebx), %eax
	mov	%eax, %cr0
	ljmpl	$KERNEL_CS, $(TD_BOOT_CODE_GPA + td_boot_64 - td_boot_page)

	.code64
td_boot_64:
	mov	$KERNEL_DS, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss

	/* The switch of modes leaves the upper halves undefined. */
	mov	%edi, %eax

	mov	TD_BOOT_VCPU_RSP(%rax), %rsp
	mov	TD_BOOT_VCPU_ARG0(%rax), %rdi
	mov	TD_BOOT_VCPU_ARG1(%rax), %rsi
	mov	TD_BOOT_VCPU_ARG2(%rax), %rdx
	mov	TD_BOOT_VCPU_ARG3(%rax), %rcx
	mov	TD_BOOT_VCPU_ARG4(%rax), %r8
	mov	TD_BOOT_VCPU_ARG5(%rax), %r9

	/* The end of a chain of frame pointers. */
	xor	%ebp, %ebp
	jmp	*TD_BOOT_VCPU_ENTRY(%rax)

	.org	td_boot_page + TD_RESET_VECTOR - TD_BOOT_CODE_GPA, 0xcc
	.code32
	jmp	td_boot_32

	.org	td_boot_page + 4096, 0xcc
	.globl td_boot_page_end
td_boot_page_end:

	.section .note.GNU-stack, "", @progbits
