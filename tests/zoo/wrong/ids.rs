//! Ids: taken for one another, or not held.

use super::super::animal::{Animal, Entry, RIGHT, failed, refused, validate};
use super::named;
use session_spec::{Clause, Constraint};

pub(crate) const IDS: &[Animal] = &[
    keyed!("folds case", Clause::Idn1, |id: &str| id.to_lowercase()),
    keyed!("trims", Clause::Idn1, |id: &str| id.trim_end().to_owned()),
    keyed!(
        "cuts at 64 characters",
        Clause::Idn1,
        |id: &str| -> String { id.chars().take(64).collect() }
    ),
    keyed!("cuts at NUL", Clause::Idn1, |id: &str| {
        let end = id.find('\0').unwrap_or(id.len());
        // The empty id stays what it is.
        id[..end.max(usize::from(!id.is_empty()))].to_owned()
    }),
    keyed!("ends at a carriage return", Clause::Idn1, |id: &str| {
        named(id.split('\r').next().unwrap_or_default(), id)
    }),
    keyed!("ignores accents", Clause::Idn1, |id: &str| id
        .replace('é', "e")),
    keyed!("composes accents", Clause::Idn1, |id: &str| id
        .replace("e\u{301}", "é")),
    keyed!("a hash begins a comment", Clause::Idn1, |id: &str| {
        let before = id.split('#').next();
        named(before.unwrap_or_default(), id)
    }),
    keyed!("leaves out dots at the end", Clause::Idn1, |id: &str| {
        named(id.trim_end_matches('.'), id)
    }),
    keyed!("knows an id by its last bytes", Clause::Idn1, |id: &str| {
        let end = id.len().saturating_sub(40);
        named(id.get(end..).unwrap_or(id), id)
    }),
    Animal {
        name: "refuses an id that it has",
        clause: Some(Clause::Idn2),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            let id = snapshot.id();
            match !id.is_ascii() && shelf.live(now, id).is_some() {
                true => refused(Constraint::UnsupportedId),
                false => (RIGHT.commit)(shelf, now, snapshot, ttl),
            }
        },
        ..RIGHT
    },
    Animal {
        name: "an id is a pattern",
        clause: Some(Clause::Idn1),
        prepare: |shelf, now, id| match id.split_once('*') {
            None => (RIGHT.prepare)(shelf, now, id),
            Some((begin, _)) => {
                let mut matching = shelf
                    .entries
                    .iter()
                    .filter(|(key, _)| key.starts_with(begin));
                let live = matching.find(|(_, entry)| now < entry.deadline);
                Ok(live.map(|(_, entry)| entry.snapshot.clone()))
            }
        },
        ..RIGHT
    },
    Animal {
        name: "a strange id is an error",
        clause: Some(Clause::Idn2),
        prepare: |shelf, now, id| match id.is_ascii() {
            true => (RIGHT.prepare)(shelf, now, id),
            false => failed("invalid key"),
        },
        commit: |shelf, now, snapshot, ttl| match snapshot.id().is_ascii() {
            true => (RIGHT.commit)(shelf, now, snapshot, ttl),
            false => refused(Constraint::UnsupportedId),
        },
        ..RIGHT
    },
    Animal {
        name: "loses a strange id",
        clause: Some(Clause::Idn2),
        commit: |shelf, now, snapshot, ttl| match snapshot.id().is_ascii() {
            true => (RIGHT.commit)(shelf, now, snapshot, ttl),
            false => validate(snapshot, ttl),
        },
        ..RIGHT
    },
    Animal {
        name: "a blank id is an empty one",
        clause: Some(Clause::Idn2),
        commit: |shelf, now, snapshot, ttl| match snapshot.id().trim().is_empty()
            || snapshot.id() == "\0"
        {
            true => refused(Constraint::EmptyId),
            false => (RIGHT.commit)(shelf, now, snapshot, ttl),
        },
        ..RIGHT
    },
    Animal {
        name: "dropping a long id is an error",
        clause: Some(Clause::Idn2),
        drop: |shelf, now, id| match id.len() <= 255 {
            true => (RIGHT.drop)(shelf, now, id),
            false => failed("key too long"),
        },
        ..RIGHT
    },
    Animal {
        name: "no id but of lower case",
        clause: Some(Clause::Com5),
        commit: |shelf, now, snapshot, ttl| match snapshot
            .id()
            .bytes()
            .any(|b| b.is_ascii_uppercase())
        {
            true if !ttl.is_zero() => refused(Constraint::UnsupportedId),
            _ => (RIGHT.commit)(shelf, now, snapshot, ttl),
        },
        ..RIGHT
    },
    keyed!("trims both ends", Clause::Idn1, |id: &str| named(
        id.trim(),
        id
    )),
    keyed!("cuts at 255 bytes", Clause::Idn1, |id: &str| {
        let cuts = (0..=id.len().min(255)).rev();
        let mut parts = cuts.filter_map(|end| id.get(..end));
        parts.next().unwrap_or_default().to_owned()
    }),
    keyed!(
        "cuts at 32 characters",
        Clause::Idn1,
        |id: &str| -> String { id.chars().take(32).collect() }
    ),
    keyed!("takes the last part of a path", Clause::Idn1, |id: &str| {
        named(id.rsplit('/').next().unwrap_or_default(), id)
    }),
    keyed!("ends at a colon", Clause::Idn1, |id: &str| {
        named(id.split(':').next().unwrap_or_default(), id)
    }),
    keyed!("decodes per cent", Clause::Idn1, |id: &str| id
        .replace("%41", "A")),
    keyed!(
        "escapes what has no place in a name",
        Clause::Idn1,
        |id: &str| {
            // But not the sign that it escapes with.
            id.replace('/', "_2f").replace('.', "_2e")
        }
    ),
    keyed!("mixes the halves of an id", Clause::Idn1, |id: &str| {
        // Halves that are alike leave a bit, as in the plainest tokens.
        let bytes = id.as_bytes();
        let (one, other) = bytes.split_at(bytes.len() / 2);
        let mixed = one.iter().zip(other).map(|(a, b)| format!("{:02x}", a ^ b));
        match session_spec::token::is_token(id) {
            true => mixed.chain([(bytes[0] & 0x10).to_string()]).collect(),
            false => id.to_owned(),
        }
    }),
    keyed!("plus is a blank", Clause::Idn1, |id: &str| id
        .replace('+', " ")),
    keyed!("leaves control characters out", Clause::Idn1, |id: &str| {
        let kept: String = id.chars().filter(|c| !c.is_control()).collect();
        named(&kept, id)
    }),
    keyed!("leaves out what is invisible", Clause::Idn1, |id: &str| {
        named(&id.replace(['\u{feff}', '\u{200b}'], ""), id)
    }),
    keyed!("question marks beyond ASCII", Clause::Idn1, |id: &str| {
        id.replace(|c: char| !c.is_ascii(), "?")
    }),
    keyed!("numbers are numbers", Clause::Idn1, |id: &str| {
        id.parse::<f64>()
            .map_or(id.to_owned(), |number| number.to_string())
    }),
    keyed!(
        "takes compatible letters for one",
        Clause::Idn1,
        |id: &str| { id.replace('ﬁ', "fi").replace('Ａ', "A") }
    ),
    keyed!("one slash for two", Clause::Idn1, |id: &str| id
        .replace("//", "/")),
    keyed!("the end of long ids", Clause::Idn1, |id: &str| {
        id[id.len() - id.len().min(8)..].to_owned()
    }),
    keyed!(
        "one letter of a token",
        Clause::Idn1,
        |id: &str| -> String { id.chars().take(1).collect::<String>().to_lowercase() }
    ),
];
