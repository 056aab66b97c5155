//! How bytes come from and go to a program's memory, without a copy in between.

use alloc::vec::Vec;
use snowglobe_abi::Errno;

/// Where a send reads: a cursor over the program's memory.
pub trait Source {
    /// Fills `buf` with the next bytes. The table never asks for more than the length of the call.
    ///
    /// # Errors
    /// EFAULT when the memory is not there; the cursor's place is then of no matter.
    fn read_into(&mut self, buf: &mut [u8]) -> Result<(), Errno>;
}

/// Where a receive writes: a cursor over the program's memory.
pub trait Sink {
    /// Takes the next bytes. The table never gives more than the length of the call.
    ///
    /// # Errors
    /// EFAULT when the memory is not there; the cursor's place is then of no matter.
    fn write_from(&mut self, bytes: &[u8]) -> Result<(), Errno>;
}

impl Source for &[u8] {
    #[inline]
    fn read_into(&mut self, buf: &mut [u8]) -> Result<(), Errno> {
        let (head, tail) = self.split_at_checked(buf.len()).ok_or(Errno::EFAULT)?;
        buf.copy_from_slice(head);
        *self = tail;
        Ok(())
    }
}

impl Sink for Vec<u8> {
    #[inline]
    fn write_from(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        self.extend_from_slice(bytes);
        Ok(())
    }
}

impl Sink for &mut [u8] {
    #[inline]
    fn write_from(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        let (head, tail) = core::mem::take(self).split_at_mut_checked(bytes.len()).ok_or(Errno::EFAULT)?;
        head.copy_from_slice(bytes);
        *self = tail;
        Ok(())
    }
}
