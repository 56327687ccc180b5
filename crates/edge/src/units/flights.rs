//! Requests of a trial that are in flight, for each serving thread: looked at once a second instead of a timer each.

use super::{Arm, Who, set::Mark};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug)]
pub struct Flying {
    pub who: Who,
    pub arm: Arm,
    began: Instant,
    /// Of a client that asks only once.
    pub mark: Mark,
    /// Bounds it was counted to have crossed.
    crossed: u16,
}

impl Flying {
    pub fn new(who: Who, arm: Arm, began: Instant) -> Self {
        Self { who, arm, began, mark: Mark::default(), crossed: 0 }
    }

    /// The bounds (bit `1 + j` for bound `j`) it has crossed since it was asked last.
    pub fn crosses(&mut self, bounds: &[Duration], at: Instant) -> u16 {
        let age = at.saturating_duration_since(self.began);
        // They rise.
        let all = bounds.iter().take_while(|b| age >= **b).fold(0, |all, _| all << 1 | 2);
        let new = all & !self.crossed;
        self.crossed = all;
        new
    }
}

#[derive(Debug, Default)]
pub struct Flights {
    places: Vec<Option<Flying>>,
    free: Vec<u32>,
}

impl Flights {
    pub fn begin(&mut self, flying: Flying) -> u32 {
        match self.free.pop() {
            Some(place) => {
                self.places[place as usize] = Some(flying);
                place
            }
            None => {
                self.places.push(Some(flying));
                (self.places.len() - 1) as u32
            }
        }
    }

    /// A place is given up once.
    pub fn end(&mut self, place: u32) -> Flying {
        let flying = self.places[place as usize].take().expect("a unit has its place until it ends");
        self.free.push(place);
        flying
    }

    pub fn look(&mut self, each: impl FnMut(&mut Flying)) {
        self.places.iter_mut().flatten().for_each(each);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_crossed_once_and_when_it_is_reached() {
        let ms = Duration::from_millis;
        let bounds = [ms(100), ms(250), ms(1_000)];
        let began = Instant::now();
        let mut flying = Flying::new(Who { point: 1, once: true }, Arm::Canary, began);
        let crossed = [0, 99, 100, 249, 999, 1_000, 60_000].map(|at| flying.crosses(&bounds, began + ms(at)));
        assert_eq!(crossed, [0, 0, 0b10, 0, 0b100, 0b1000, 0]);
    }
}
