//! Which split a client belongs to.
//!
//! Weighted rendezvous hashing (the logarithmic method of Schindelhauer and Schomaker, "Weighted distributed hash
//! tables", 2005): every split draws a uniform `u` from the client, the salt and its revision, scores `-ln(u) / weight`,
//! and the lowest score wins. A split of weight `w` wins with probability `w / sum`.
//!
//! A client leaves a split only for one whose weight rose relative to it. So while a rollout (one salt) raises its
//! revision's share and no other's, no client that has the revision ever goes back, however many splits there are and in
//! whatever order they are listed. When several shares rise at once, clients may move between the rising ones.

use sha2::{Digest, Sha256};

/// Key of a route's assignment, from its salt.
#[derive(Clone, Copy, Debug)]
pub struct AssignKey(u64, u64);

/// A client's place on a route. Stable across processes, hosts and versions of the edge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClientPoint(u64);

/// A split's own constant in the draw.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SplitPoint(u64);

impl AssignKey {
    pub fn of(salt: &str) -> Self {
        let digest = Sha256::new().chain_update(b"tradewind assignment\0").chain_update(salt).finalize();
        Self(word(&digest, 0), word(&digest, 8))
    }

    pub fn place(&self, client: &[u8]) -> ClientPoint {
        ClientPoint(siphash(self.0, self.1, client))
    }
}

impl ClientPoint {
    /// For a request that is assigned by itself.
    pub fn random(entropy: u64) -> Self {
        Self(entropy)
    }

    pub fn bits(self) -> u64 {
        self.0
    }
}

impl SplitPoint {
    pub fn of(revision: &str) -> Self {
        Self(word(&Sha256::digest(revision), 0))
    }
}

/// The index of the split that wins this client among those of positive weight; `None` when there is none.
pub fn choose(client: ClientPoint, splits: impl Iterator<Item = (usize, SplitPoint, u32)>) -> Option<usize> {
    let mut best = None;
    let mut lowest = f64::INFINITY;
    for (index, point, weight) in splits {
        if weight == 0 {
            continue;
        }
        let score = -unit(mix(client.0 ^ point.0)).ln() / f64::from(weight);
        if score < lowest {
            (best, lowest) = (Some(index), score);
        }
    }
    best
}

/// Uniform in the open interval (0, 1), from the upper 53 bits.
fn unit(x: u64) -> f64 {
    ((x >> 11) as f64 + 0.5) / (1u64 << 53) as f64
}

/// A bijection of 64-bit words whose every output bit depends on every input bit (the finalizer of SplitMix64;
/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
pub fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn word(bytes: &[u8], at: usize) -> u64 {
    let mut out = [0; 8];
    out.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(out)
}

/// SipHash-2-4 (Aumasson and Bernstein, 2012). The standard library's hasher may change between compilers, which
/// would move every client in the middle of a rollout.
pub fn siphash(k0: u64, k1: u64, data: &[u8]) -> u64 {
    let mut v = [
        k0 ^ 0x736f_6d65_7073_6575,
        k1 ^ 0x646f_7261_6e64_6f6d,
        k0 ^ 0x6c79_6765_6e65_7261,
        k1 ^ 0x7465_6462_7974_6573,
    ];
    fn rounds(v: &mut [u64; 4], n: usize) {
        for _ in 0..n {
            v[0] = v[0].wrapping_add(v[1]);
            v[2] = v[2].wrapping_add(v[3]);
            v[1] = v[1].rotate_left(13) ^ v[0];
            v[3] = v[3].rotate_left(16) ^ v[2];
            v[0] = v[0].rotate_left(32);
            v[2] = v[2].wrapping_add(v[1]);
            v[0] = v[0].wrapping_add(v[3]);
            v[1] = v[1].rotate_left(17) ^ v[2];
            v[3] = v[3].rotate_left(21) ^ v[0];
            v[2] = v[2].rotate_left(32);
        }
    }
    let mut chunks = data.chunks_exact(8);
    for chunk in &mut chunks {
        let m = word(chunk, 0);
        v[3] ^= m;
        rounds(&mut v, 2);
        v[0] ^= m;
    }
    let mut last = [0; 8];
    last[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    last[7] = data.len() as u8;
    let m = u64::from_le_bytes(last);
    v[3] ^= m;
    rounds(&mut v, 2);
    v[0] ^= m;
    v[2] ^= 0xff;
    rounds(&mut v, 4);
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assign(salt: &str, client: u32, weights: &[(&str, u32)]) -> usize {
        let place = AssignKey::of(salt).place(&client.to_le_bytes());
        choose(place, weights.iter().enumerate().map(|(i, (name, w))| (i, SplitPoint::of(name), *w))).unwrap()
    }

    #[test]
    fn siphash_gives_the_values_of_its_paper() {
        let (k0, k1) = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);
        let data: Vec<u8> = (0..15).collect();
        assert_eq!(siphash(k0, k1, &data), 0xa129_ca61_49be_45e5);
    }

    #[test]
    fn shares_come_out_as_the_weights_say() {
        let weights = [("a", 500), ("b", 2_500), ("c", 7_000)];
        let mut counts = [0u32; 3];
        for client in 0..100_000 {
            counts[assign("r", client, &weights)] += 1;
        }
        for ((_, weight), count) in weights.iter().zip(counts) {
            let expected = f64::from(*weight) * 10.0;
            // Five standard deviations of a binomial count.
            let slack = 5.0 * (expected * (1.0 - expected / 100_000.0)).sqrt();
            assert!((f64::from(count) - expected).abs() < slack, "{counts:?}");
        }
    }

    #[test]
    fn raising_a_share_moves_no_client_back_whatever_the_order_and_number_of_splits() {
        let steps: [&[(&str, u32)]; 6] = [
            &[("old", 9_500), ("side", 500), ("new", 0)],
            &[("new", 100), ("old", 9_400), ("side", 500)],
            &[("side", 500), ("old", 9_000), ("new", 500)],
            &[("side", 500), ("new", 2_500), ("old", 7_000)],
            &[("new", 5_000), ("old", 4_700), ("side", 300)],
            &[("old", 0), ("new", 10_000), ("side", 0)],
        ];
        for client in 0..20_000 {
            let mut had = false;
            for step in steps {
                let has = step[assign("r", client, step)].0 == "new";
                assert!(has || !had, "client {client} went back at {step:?}");
                had = has;
            }
            assert!(had);
        }
    }

    #[test]
    fn another_rollout_draws_another_sample() {
        let weights = [("old", 9_000), ("new", 1_000)];
        let both = (0..20_000).filter(|c| assign("r1", *c, &weights) == 1 && assign("r2", *c, &weights) == 1).count();
        assert!((120..280).contains(&both), "{both} of 20,000 are in both samples of a tenth");
    }

    #[test]
    fn nothing_is_chosen_among_nothing() {
        assert_eq!(choose(ClientPoint::random(1), [(0, SplitPoint::of("a"), 0)].into_iter()), None);
    }
}
