//! How many connections each address has. Touched when one opens and closes, not per request.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

#[derive(Debug, Default)]
pub struct Addresses(Mutex<HashMap<IpAddr, u32>>);

/// A connection that is counted; leaving is dropping it.
#[derive(Debug)]
pub struct Counted {
    all: Arc<Addresses>,
    key: IpAddr,
}

impl Addresses {
    fn all(&self) -> MutexGuard<'_, HashMap<IpAddr, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None` when there are `max` already.
    pub fn enter(self: &Arc<Self>, addr: IpAddr, max: u32) -> Option<Counted> {
        let key = one_client(addr);
        let mut all = self.all();
        let count = all.entry(key).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        Some(Counted { all: self.clone(), key })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Entry::Occupied(mut entry) = self.all.all().entry(self.key) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

/// Whoever has one address of IPv6 has the network of 64 bits that it is in.
fn one_client(addr: IpAddr) -> IpAddr {
    match addr.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_number_and_gives_back_what_it_leaves() {
        let all = Arc::new(Addresses::default());
        let (one, same, other): (IpAddr, IpAddr, IpAddr) =
            ("2001:db8::1".parse().unwrap(), "2001:db8::ffff".parse().unwrap(), "192.0.2.1".parse().unwrap());
        let first = all.enter(one, 2).unwrap();
        let _second = all.enter(same, 2).unwrap();
        assert!(all.enter(one, 2).is_none());
        assert!(all.enter(other, 2).is_some());
        drop(first);
        assert!(all.enter(one, 2).is_some());
        assert_eq!(all.all().len(), 1, "who left is forgotten");
    }
}
