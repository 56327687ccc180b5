use std::process::{Command, Stdio};
use tradewind_audit::{
    Checkpoint, Introduction, Note, Signer, Verifier,
    checkpoint::{BadCheckpoint, trusted},
    note::NotSigned,
};
use tradewind_model::{id::Digest, time::Timestamp};

const AT: Timestamp = Timestamp(1_767_225_600_000_000);

fn signer(n: u8) -> Signer {
    Signer::make([n; 32]).0
}

fn checkpoint() -> Checkpoint {
    Checkpoint { log: Digest::of(b"first"), seq: 1200, hash: Digest::of(b"last"), at: AT }
}

#[test]
fn the_form_is_fixed() {
    // Whoever keeps checkpoints keeps them for years: this text must verify with every later program.
    let note = checkpoint().sign(&signer(7)).to_string();
    insta::assert_snapshot!(format!("{note}{}\n{}", signer(7).verifier(), signer(7).verifier().pem()));
}

#[test]
fn a_checkpoint_is_read_back_and_nothing_altered_is() {
    let (by, note) = (signer(1), checkpoint().sign(&signer(1)).to_string());
    let known = [by.verifier().clone()];
    assert_eq!(Checkpoint::open(&note, &known), Ok(checkpoint()));
    let unknown = Checkpoint::open(&note, &[signer(2).verifier().clone()]).unwrap_err();
    assert_eq!(unknown, BadCheckpoint::NotSigned(NotSigned::Unknown(vec![by.verifier().id()])));
    for (from, to) in
        [("seq 1200", "seq 1201"), ("log sha256:", "log sha256:0"), ("2026", "2025"), ("point 1", "point 2")]
    {
        let altered = note.replacen(from, to, 1);
        assert_ne!(altered, note);
        assert!(Checkpoint::open(&altered, &known).is_err(), "{altered}");
    }
    for broken in
        ["", "\n", "a\n\n", &note[1..], note.trim_end(), &note.replace('\n', "\r\n"), &note.replace("— ", "- ")]
    {
        assert!(Checkpoint::open(broken, &known).is_err(), "{broken:?}");
    }
    let twice = note.replace("at 2026", "at 2026-01-01T00:00:00.000000Z\nat 2026");
    assert!(Checkpoint::open(&twice, &known).is_err());
}

#[test]
fn keys_have_two_forms_and_both_are_checked() {
    let v = signer(3).verifier().clone();
    assert_eq!(v.to_string().parse::<Verifier>(), Ok(v.clone()));
    assert_eq!(v.pem().parse::<Verifier>(), Ok(v.clone()));
    let other = signer(4).verifier().to_string();
    let (_, key) = other.rsplit_once('+').unwrap();
    let mixed = format!("tradewind-audit+{}+{key}", v.id());
    for bad in
        ["", "x", "a+b+c", &mixed, &v.to_string()[1..], "-----BEGIN PUBLIC KEY-----\nMEow\n-----END PUBLIC KEY-----"]
    {
        assert!(bad.parse::<Verifier>().is_err(), "{bad}");
    }
    let (kept, text) = Signer::make([5; 32]);
    assert_eq!(Signer::read(&text).unwrap().verifier(), kept.verifier());
    assert!(!format!("{kept:?}").contains(&text[30..60]));
    assert!(Signer::read(&v.pem()).is_err());
}

#[test]
fn a_new_key_is_believed_for_the_sake_of_the_old_one() {
    let (first, second, third, foreign) = (signer(1), signer(2), signer(3), signer(9));
    let notes = [
        // Out of order, and one that nobody vouches for.
        Introduction::sign(&third, Some(&second), AT),
        Introduction::sign(&foreign, None, AT),
        Introduction::sign(&second, Some(&first), AT),
        Introduction::sign(&first, None, AT),
    ];
    let ids =
        |root: &Signer| -> Vec<_> { trusted(&[root.verifier().clone()], &notes).iter().map(Verifier::id).collect() };
    let of = |signers: [&Signer; 3]| signers.map(|s| s.verifier().id());
    assert_eq!(ids(&first), of([&first, &second, &third]));
    assert_eq!(ids(&third), of([&third, &second, &first]), "who holds the new one believes what the old one signed");
    assert_eq!(ids(&foreign), [foreign.verifier().id()]);
    let known = trusted(&[first.verifier().clone()], &notes);
    assert!(Checkpoint::open(&checkpoint().sign(&third).to_string(), &known).is_ok());
    assert!(Checkpoint::open(&checkpoint().sign(&foreign).to_string(), &known).is_err());
    // A statement about a key that did not agree to it.
    let text = notes[0].to_string().replacen(&third.verifier().to_string(), &foreign.verifier().to_string(), 1);
    assert!(Introduction::read(&text.parse::<Note>().unwrap()).is_err());
}

/// The recipe of the guide, with the tool named there.
#[test]
fn openssl_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let by = signer(8);
    let note = checkpoint().sign(&by).to_string();
    std::fs::write(folder.path().join("checkpoint.txt"), &note).unwrap();
    std::fs::write(folder.path().join("audit.pem"), by.verifier().pem()).unwrap();
    let recipe = "sed '/^$/,$d' checkpoint.txt > text
        sed -n 's/^— [^ ]* //p' checkpoint.txt | head -1 | base64 -d | tail -c +5 > signature
        openssl pkeyutl -verify -pubin -inkey audit.pem -rawin -in text -sigfile signature";
    let verify = || {
        let run = Command::new("sh").args(["-ec", recipe]).current_dir(folder.path()).stderr(Stdio::null()).output();
        run.unwrap().status.success()
    };
    if Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_err() {
        eprintln!("not tried: there is no openssl here");
        return;
    }
    assert!(verify());
    std::fs::write(folder.path().join("checkpoint.txt"), note.replace("seq 1200", "seq 1201")).unwrap();
    assert!(!verify());
}
