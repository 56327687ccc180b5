use tradewind_secrets::ring::{Context, Ring, RingError, Sealed};

const HERE: Context<'_> = Context(&["default", "DB_PASSWORD", "shop", "production", "", "3"]);

#[test]
fn what_is_sealed_opens_in_its_own_place_only() {
    let ring = Ring::generate().unwrap();
    let sealed = ring.seal(HERE, b"horse battery").unwrap();
    assert_eq!(ring.open(HERE, &sealed).unwrap().as_slice(), b"horse battery");
    assert!(!sealed.bytes.windows(5).any(|w| w == b"horse"));
    let others = [
        Context(&["default", "DB_PASSWORD", "shop", "production", "", "4"]),
        Context(&["default", "DB_PASSWORD", "shop", "staging", "", "3"]),
        // The same letters, other parts.
        Context(&["default", "DB_PASSWORDs", "hop", "production", "", "3"]),
        Context(&["default", "DB_PASSWORD", "shop", "production", "3"]),
    ];
    for other in others {
        assert_eq!(ring.open(other, &sealed).unwrap_err(), RingError::Damaged, "{other:?}");
    }
}

#[test]
fn a_changed_byte_is_noticed_wherever_it_is() {
    let ring = Ring::generate().unwrap();
    let sealed = ring.seal(HERE, b"horse").unwrap();
    for at in 0..sealed.bytes.len() {
        let mut changed = sealed.clone();
        changed.bytes[at] ^= 1;
        assert_eq!(ring.open(HERE, &changed).unwrap_err(), RingError::Damaged, "byte {at}");
    }
    for length in 0..sealed.bytes.len() {
        let cut = Sealed { key: sealed.key.clone(), bytes: sealed.bytes[..length].to_vec() };
        assert_eq!(ring.open(HERE, &cut).unwrap_err(), RingError::Damaged, "{length} bytes");
    }
}

#[test]
fn the_same_value_is_never_sealed_alike() {
    let ring = Ring::generate().unwrap();
    assert_ne!(ring.seal(HERE, b"x").unwrap(), ring.seal(HERE, b"x").unwrap());
}

#[test]
fn a_new_key_seals_and_the_old_one_still_opens_until_it_is_taken_out() {
    let old = Ring::generate().unwrap();
    let before = old.seal(HERE, b"x").unwrap();
    let new = old.with_new_key().unwrap();
    assert_ne!(old.newest(), new.newest());
    let after = new.seal(HERE, b"x").unwrap();
    assert_eq!(&after.key, new.newest());
    assert!(new.open(HERE, &before).is_ok());
    assert_eq!(old.open(HERE, &after).unwrap_err(), RingError::UnknownKey(after.key.clone()));
    let only = new.without(&[before.key.clone(), after.key.clone()]);
    assert_eq!(only.ids().collect::<Vec<_>>(), [new.newest()]);
    assert_eq!(only.open(HERE, &before).unwrap_err(), RingError::UnknownKey(before.key));
}

#[test]
fn a_ring_is_read_as_it_was_written_and_says_which_key_is_bad() {
    let ring = Ring::generate().unwrap().with_new_key().unwrap();
    let text = ring.render();
    assert_eq!(Ring::parse(&text).unwrap(), ring);
    assert_eq!(Ring::parse(&text).unwrap().newest(), ring.newest());
    let one_line = text.lines().filter(|l| !l.starts_with('#')).collect::<Vec<_>>().join(",");
    assert_eq!(Ring::parse(&one_line).unwrap(), ring);
    assert_eq!(Ring::parse("# nothing\n").unwrap_err(), RingError::NoKey);
    assert_eq!(Ring::parse("c2hvcnQ=").unwrap_err(), RingError::BadKey(1));
    assert_eq!(Ring::parse(&format!("{one_line},?")).unwrap_err(), RingError::BadKey(3));
}

#[test]
fn nothing_shows_a_key() {
    let ring = Ring::generate().unwrap();
    let key = ring.render().lines().last().unwrap().to_owned();
    let shown = format!("{ring:?} {:?}", ring.newest());
    assert!(!shown.contains(&key) && shown.contains(ring.newest().as_str()));
}

#[test]
fn a_fingerprint_tells_values_and_owners_apart_and_depends_on_the_key() {
    let ring = Ring::generate().unwrap();
    assert_eq!(ring.fingerprint("default", "a"), ring.fingerprint("default", "a"));
    assert_ne!(ring.fingerprint("default", "a"), ring.fingerprint("default", "b"));
    assert_ne!(ring.fingerprint("default", "a"), ring.fingerprint("other", "a"));
    assert_ne!(ring.fingerprint("default", "a"), Ring::generate().unwrap().fingerprint("default", "a"));
}
