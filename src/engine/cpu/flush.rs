//! Denormal numbers count as zero while the engine computes.
//!
//! A processor computes with float32 numbers below 1.2e-38 up to a hundred times as slowly. Adam's moments of rare inputs,
//! weights under decay and the deltas of saturated units become that small, and training would slow down from epoch to
//! epoch. So the passes of a chunk and the updates run under the processor's own flags: denormal results are flushed to zero,
//! denormal operands are read as zero. The error is at most 1.2e-38 for each operation. The flags belong to a thread and are
//! restored afterwards.
//!
//! One of the four places that use `unsafe`: the flags are in a register that Rust has no safe access to.

use std::marker::PhantomData;

/// While it is there, denormal numbers are zeros on this thread, where the processor can do that (x86-64, 64-bit ARM). The
/// flags are restored when it is dropped, also in a panic.
pub(super) struct Flushing {
    before: register::Word,
    /// The flags belong to the thread that set them.
    _not_send: PhantomData<*const ()>,
}

impl Flushing {
    pub(super) fn start() -> Self {
        let before = register::read();
        register::write(before | register::FLUSH);
        Self { before, _not_send: PhantomData }
    }
}

impl Drop for Flushing {
    fn drop(&mut self) {
        register::write(self.before);
    }
}

/// MXCSR: bit 15 flushes results, bit 6 operands.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "Rust has no safe access to the floating-point flags")]
mod register {
    use std::arch::asm;

    pub(super) type Word = u32;
    pub(super) const FLUSH: Word = 1 << 15 | 1 << 6;

    pub(super) fn read() -> Word {
        let mut word: Word = 0;
        // SAFETY: stores the register into `word`.
        unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut word, options(nostack, preserves_flags)) };
        word
    }

    pub(super) fn write(word: Word) {
        // SAFETY: `word` is what the register held, with bits that change only how denormal numbers are rounded.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const word, options(nostack, preserves_flags)) };
    }
}

/// FPCR: bit 24 flushes results and operands.
#[cfg(target_arch = "aarch64")]
#[expect(unsafe_code, reason = "Rust has no safe access to the floating-point flags")]
mod register {
    use std::arch::asm;

    pub(super) type Word = u64;
    pub(super) const FLUSH: Word = 1 << 24;

    pub(super) fn read() -> Word {
        let word: Word;
        // SAFETY: reads the register.
        unsafe { asm!("mrs {}, fpcr", out(reg) word, options(nostack, preserves_flags)) };
        word
    }

    pub(super) fn write(word: Word) {
        // SAFETY: `word` is what the register held, with a bit that changes only how denormal numbers are rounded.
        unsafe { asm!("msr fpcr, {}", in(reg) word, options(nostack, preserves_flags)) };
    }
}

/// Other processors: nothing is flushed.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod register {
    pub(super) type Word = u32;
    pub(super) const FLUSH: Word = 0;

    pub(super) fn read() -> Word {
        FLUSH
    }

    pub(super) fn write(_: Word) {}
}

#[cfg(all(test, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use std::hint::black_box;

    use super::*;

    /// A product below the smallest normal number.
    fn product() -> f32 {
        black_box(1e-30f32) * black_box(1e-10f32)
    }

    #[test]
    fn denormal_numbers_are_zeros_for_a_while_on_one_thread() {
        assert_eq!(product(), 1e-40);
        let outer = Flushing::start();
        assert_eq!((product(), black_box(1e-40f32) * black_box(1e30f32)), (0.0, 0.0));
        drop(Flushing::start());
        assert_eq!(product(), 0.0);
        assert_eq!(std::thread::spawn(product).join().unwrap(), 1e-40);
        drop(outer);
        assert_eq!(product(), 1e-40);
        let panic = std::panic::catch_unwind(|| {
            let _flushing = Flushing::start();
            panic!("{}", product());
        });
        assert!(panic.is_err());
        assert_eq!(product(), 1e-40);
    }
}
