//! What cannot be seen from outside in a test's time: a site with very many clients.

use super::*;

const SECONDS: u64 = 60;

/// Seconds of a site on which every client is a new one.
struct Site {
    units: Units,
    levels: Levels,
    now: Instant,
    clients: u64,
    sums: [(u64, u64, u64); 2],
}

impl Site {
    fn new(most: usize) -> Self {
        let units = Units::new(&[100], 2, most);
        Self { units, levels: Levels::default(), now: Instant::now(), clients: 0, sums: Default::default() }
    }

    fn second(&mut self, clients: u64, fails: impl Fn(u64) -> bool) -> Second {
        for _ in 0..clients {
            self.clients += 1;
            let arm = if self.clients.is_multiple_of(10) { Arm::Canary } else { Arm::Baseline };
            let unit = self.units.begin(Who { point: mix(self.clients), once: false }, arm, self.now);
            self.units.answered(unit, fails(self.clients), self.now);
        }
        let second = self.units.end_second(self.now, &mut self.levels);
        for (sum, arm) in self.sums.iter_mut().zip([&second.canary, &second.baseline]) {
            *sum = (sum.0 + arm.n[0], sum.1 + arm.x[0], sum.2 + (arm.new << second.sampled));
        }
        second
    }

    fn slots(&self) -> usize {
        self.units.parts.iter().map(|p| lock(&p.0).slots()).sum()
    }
}

#[test]
fn a_million_clients_a_minute_stay_in_their_room_and_no_failure_is_lost() {
    let mut site = Site::new(MOST_CLIENTS);
    for _ in 0..SECONDS {
        let second = site.second(1_000_000 / SECONDS, |n| n % 200 < 2);
        assert_eq!(second.sampled, 0, "room for those who fail is left");
        assert!(site.units.clients() <= MOST_CLIENTS as u64);
        assert!(site.slots() * 16 <= 7 << 20, "{} bytes", site.slots() * 16);
    }
    let asked = site.clients;
    let [canary, baseline] = site.sums;
    assert_eq!((canary.0 + baseline.0, canary.1 + baseline.1), (asked, asked / 100), "exact");
    assert_eq!((canary.0, canary.1), (asked / 10, asked / 200));
    let new = canary.2 + baseline.2;
    assert!(new.abs_diff(asked) < asked / 50, "{new} of {asked} clients");
    // Who failed in the first second is known in the last.
    let who = Who { point: mix(200), once: false };
    let unit = site.units.begin(who, Arm::Baseline, site.now);
    site.units.answered(unit, true, site.now);
    let again = site.second(0, |_| true);
    assert_eq!((&*again.baseline.n, &*again.baseline.x), (&[0, 1][..], &[0, 0][..]));
}

#[test]
fn where_everyone_fails_both_arms_are_sampled_alike() {
    const MOST: usize = 16_384;
    let mut site = Site::new(MOST);
    for _ in 0..SECONDS {
        site.second(2_000, |_| true);
        assert!(site.units.clients() <= MOST as u64);
    }
    assert!((3..=5).contains(&site.levels.sampled), "{:?}", site.levels);
    let [canary, baseline] = site.sums;
    assert_eq!((canary.0, baseline.0), (canary.1, baseline.1));
    let share = canary.0 as f64 / (canary.0 + baseline.0) as f64;
    assert!((share - 0.1).abs() < 0.01, "{share}");
    let new = canary.2 + baseline.2;
    assert!(new.abs_diff(site.clients) < site.clients / 20, "{new} of {}", site.clients);
}

#[test]
fn a_second_that_does_not_fit_is_sampled_from_the_next_on() {
    const MOST: usize = 1_024;
    let mut site = Site::new(MOST);
    let flood = site.second(5_000, |_| false);
    assert_eq!((flood.sampled, flood.canary.n[0] + flood.baseline.n[0]), (0, MOST as u64));
    let levels: Vec<_> = (0..6).map(|_| site.second(5_000, |_| false).sampled).collect();
    assert!(levels.is_sorted() && levels[0] == 1 && levels[5] <= 4, "{levels:?}");
    let last = site.second(5_000, |_| false);
    let looked_at = (last.canary.n[0] + last.baseline.n[0]) << last.sampled;
    assert!(looked_at.abs_diff(5_000) < 1_000, "{looked_at}");
}

#[test]
fn requests_without_an_id_take_no_room() {
    let units = Units::new(&[100], 2, 64);
    let mut levels = Levels::default();
    let now = Instant::now();
    for n in 0..10_000 {
        let unit = units.begin(Who { point: mix(n), once: true }, Arm::Canary, now);
        let answered = units.answered(unit, false, now + Duration::from_millis(if n % 4 == 0 { 100 } else { 99 }));
        if n % 10 == 0 {
            units.broke(answered);
        }
    }
    let second = units.end_second(now, &mut levels);
    assert_eq!((&*second.canary.n, &*second.canary.x), (&[10_000, 10_000][..], &[1_000, 2_500][..]));
    assert_eq!((units.clients(), levels.sampled), (0, 0));
}

/// `cargo test --release -p tradewind-edge --lib speed -- --ignored --nocapture`: what one request costs.
#[test]
#[ignore = "a measurement, for a quiet machine"]
fn speed() {
    const REQUESTS: u64 = 4_000_000;
    for clients in [256, 20_000, 1_000_000] {
        let units = Units::new(&[50, 100, 250, 1_000, 3_000], 2, MOST_CLIENTS);
        let mut levels = Levels::default();
        let began = Instant::now();
        for n in 0..REQUESTS {
            let who = Who { point: mix(n % clients), once: false };
            let unit = units.begin(who, Arm::Baseline, began);
            units.answered(unit, n % 200 == 0, began);
            if n % 50_000 == 0 {
                units.end_second(began, &mut levels);
            }
        }
        let each = began.elapsed().as_nanos() as f64 / REQUESTS as f64;
        println!("{clients} clients: {each:.0} ns a request, {levels:?}");
    }
}
