//! A bounded set of clients: who failed or was slow, who was seen, who is active in this second.
//!
//! Open addressing with linear probing in one block of memory, 16 bytes a client and a third of the slots free. Nothing
//! is ever taken out by itself: what is not worth keeping is left behind when the whole is packed anew.

use super::Arm;

/// One client.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mark {
    /// The last second it was answered in; 0 is none.
    second: u32,
    /// Bit 0: it failed. Bit `1 + j`: it was slow against bound `j`. It stays so for the whole rollout.
    out: u16,
    /// The lower half: arms it was answered on in that second. The upper: arms it was ever seen on.
    arms: u8,
    /// It is in a set.
    used: bool,
}

const SEEN: u8 = 4;

impl Mark {
    /// True the first time on this arm.
    pub fn see(&mut self, arm: Arm) -> bool {
        let before = self.arms;
        self.arms |= arm.bit() << SEEN;
        self.arms != before
    }

    /// True the first time in this second.
    pub fn activate(&mut self, second: u32, arm: Arm) -> bool {
        if self.second != second {
            self.second = second;
            self.arms &= !0 << SEEN;
        }
        let before = self.arms;
        self.arms |= arm.bit();
        self.arms != before
    }

    pub fn is_active(self, second: u32, arm: Arm) -> bool {
        self.second == second && self.arms & arm.bit() != 0
    }

    pub fn out(self) -> u16 {
        self.out
    }

    /// Those of `bits` that are new.
    pub fn take_out(&mut self, bits: u16) -> u16 {
        let first = bits & !self.out;
        self.out |= bits;
        first
    }

    /// What another worker should know of it: three bytes.
    pub fn lasting(self) -> (u16, u8) {
        (self.out, self.arms >> SEEN)
    }

    pub fn learn(&mut self, (out, seen): (u16, u8)) {
        self.out |= out;
        self.arms |= seen << SEEN;
    }
}

#[derive(Clone, Copy, Default, Debug)]
struct Slot {
    point: u64,
    mark: Mark,
}

const SMALLEST: usize = 16;

#[derive(Debug)]
pub struct Set {
    slots: Vec<Slot>,
    len: usize,
    most: usize,
}

impl Set {
    pub fn new(most: usize) -> Self {
        Self { slots: Vec::new(), len: 0, most }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    #[cfg(test)]
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    /// The client's mark, new if need be; `None` when there is no room for it.
    pub fn mark(&mut self, point: u64) -> Option<&mut Mark> {
        if self.slots.is_empty() {
            self.pack(SMALLEST, |_, _| true);
        }
        let at = match self.find(point) {
            Ok(at) => return Some(&mut self.slots[at].mark),
            Err(_) if self.len >= self.most => return None,
            Err(at) => at,
        };
        let at = if (self.len + 1) * 3 > self.slots.len() * 2 {
            self.pack(self.slots.len() * 2, |_, _| true);
            self.find(point).unwrap_or_else(|free| free)
        } else {
            at
        };
        self.len += 1;
        self.slots[at] = Slot { point, mark: Mark { used: true, ..Mark::default() } };
        Some(&mut self.slots[at].mark)
    }

    /// Where it is, or where it would be.
    fn find(&self, point: u64) -> Result<usize, usize> {
        // The lower half of the bits; which of several sets and which sample it is in hang on others.
        let lower = super::scatter(point) & 0xffff_ffff;
        let mut at = ((lower * self.slots.len() as u64) >> 32) as usize;
        loop {
            match &self.slots[at] {
                slot if !slot.mark.used => return Err(at),
                slot if slot.point == point => return Ok(at),
                _ => at = if at + 1 == self.slots.len() { 0 } else { at + 1 },
            }
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (u64, Mark)> {
        self.slots.iter().filter(|s| s.mark.used).map(|s| (s.point, s.mark))
    }

    pub fn retain(&mut self, keep: impl Fn(u64, Mark) -> bool) {
        let kept = self.iter().filter(|(p, m)| keep(*p, *m)).count();
        if kept < self.len {
            self.pack((kept * 2).max(SMALLEST), keep);
        }
    }

    fn pack(&mut self, slots: usize, keep: impl Fn(u64, Mark) -> bool) {
        let most = (self.most * 3).div_ceil(2) + 1;
        let before = std::mem::replace(&mut self.slots, vec![Slot::default(); slots.min(most)]);
        self.len = 0;
        for slot in before.into_iter().filter(|s| s.mark.used && keep(s.point, s.mark)) {
            if let Err(at) = self.find(slot.point) {
                self.slots[at] = slot;
                self.len += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::assign::mix;

    #[test]
    fn a_client_is_16_bytes_and_a_full_set_takes_no_more() {
        assert_eq!(size_of::<Slot>(), 16);
        let mut set = Set::new(1_000);
        for n in 0..3_000 {
            let marked = set.mark(mix(n)).map(|mark| mark.take_out(n as u16));
            assert_eq!(marked, (n < 1_000).then_some(n as u16), "{n}");
        }
        assert_eq!((set.len(), set.iter().count()), (1_000, 1_000));
        assert!(set.slots.len() <= 1_501);
        for n in 0..1_000 {
            assert_eq!(set.mark(mix(n)).map(|m| m.out()), Some(n as u16));
        }
        set.retain(|_, mark| mark.out() % 10 == 3);
        assert_eq!(set.len(), 100);
        assert!(set.slots.len() <= 200, "memory is given back");
        for n in 0..1_000 {
            let kept = set.iter().any(|(p, m)| p == mix(n) && m.out() == n as u16);
            assert_eq!(kept, n % 10 == 3, "{n}");
        }
    }

    #[test]
    fn a_point_of_zero_is_a_client_like_others() {
        let mut set = Set::new(4);
        assert!(set.mark(0).is_some_and(|m| m.see(Arm::Canary)));
        assert!(set.mark(0).is_some_and(|m| !m.see(Arm::Canary) && m.see(Arm::Baseline)));
        assert_eq!(set.len(), 1);
    }

    #[test]
    fn a_mark_keeps_seconds_and_arms_apart() {
        let mut mark = Mark::default();
        assert!(mark.see(Arm::Canary) && !mark.see(Arm::Canary));
        assert!(mark.activate(1, Arm::Canary) && !mark.activate(1, Arm::Canary) && mark.activate(1, Arm::Baseline));
        assert!(
            mark.activate(2, Arm::Baseline) && !mark.is_active(2, Arm::Canary) && !mark.is_active(1, Arm::Baseline)
        );
        assert_eq!((mark.take_out(0b101), mark.take_out(0b110)), (0b101, 0b010));
        let mut other = Mark::default();
        other.learn(mark.lasting());
        assert!(!other.see(Arm::Canary) && other.see(Arm::Baseline) && other.out() == 0b111);
    }
}
